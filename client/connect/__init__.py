"""The local connection: programs of this machine on one side, the best working option on the other.

`local` listens on loopback and speaks SOCKS and HTTP with programs; `keeper` chooses the option, watches it and
changes it; the words that both share stand in `legs`. There is no way from here to a destination but through an
option: nothing in this package resolves a name or opens a direct connection to where a program wants to go.
"""
