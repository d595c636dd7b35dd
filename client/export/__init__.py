"""What works, written as the programs want it that will use it. Pure: options in, text or bytes out.

One file for each format, and one line in `formats`. Each writer quotes by the grammar of the program that will read
it; what the grammar cannot hold is left out with the reason. No file names the program that wrote it.
"""
