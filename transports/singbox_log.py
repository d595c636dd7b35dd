"""What sing-box's log says about a node, as step, failure and note; nothing of its text is kept.

The texts were seen with sing-box 1.14.4; they come from it, Go's net, crypto/tls and crypto/x509, quic-go
and sing. A text that is not known gives `unknown_failure` at the node's handshake.
"""

from __future__ import annotations

import re
from typing import Final

from transports.failure import Failure
from transports.types import Note, Step

Trouble = tuple[Step, Failure, Note | None]

_FAILED: Final = re.compile(r"open connection to \S+ using (?:outbound|endpoint)/[a-z0-9]+\[n(\d+)\]: (.*)")
_NO_NAME: Final = re.compile(r"endpoint/wireguard\[n(\d+)\]: .* failed to resolve endpoints: (.*)")
_AGE: Final = re.compile(r"\] \[\d+ (?:(\d+)m)?([\d.]+)(ms|s)\]")  # number and age of the connection
_PLACE: Final = re.compile(r"\b(outbound|endpoint)s?\[(\d+)\]")
_TAG: Final = re.compile(r"\[n(\d+)(?:-outer)?\]")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")

_HELLO: Final = Step.PROXY_HANDSHAKE
_REPLIES: Final = {  # RFC 1928 section 6, as the sing library prints them
    "1": Failure.SOCKS_SERVER_FAILURE,
    "2": Failure.SOCKS_NOT_ALLOWED,
    "3": Failure.SOCKS_NETWORK_UNREACHABLE,
    "4": Failure.SOCKS_HOST_UNREACHABLE,
    "5": Failure.SOCKS_REFUSED,
    "6": Failure.SOCKS_TTL,
    "7": Failure.SOCKS_COMMAND,
    "8": Failure.SOCKS_ADDRESS,
}
_LOOKUP: Final = re.compile(r"\blookup \S+: (.*)")  # what follows names the resolver's own troubles
_NAMES: Final[tuple[tuple[str, Failure], ...]] = (
    ("NXDOMAIN", Failure.DNS_NXDOMAIN),
    ("no such host", Failure.DNS_NXDOMAIN),
    ("empty", Failure.DNS_NO_ANSWER),
    ("deadline exceeded", Failure.TIMEOUT),
    ("timeout", Failure.TIMEOUT),
)
# The first text that occurs decides, so what is special stands before what is general.
_TEXTS: Final[tuple[tuple[str, Trouble], ...]] = (
    ("unsupported auth method", (_HELLO, Failure.SOCKS_ERROR, Note.AUTH_REFUSED)),
    ("incorrect user name or password", (_HELLO, Failure.SOCKS_ERROR, Note.AUTH_REFUSED)),
    ("authentication required", (_HELLO, Failure.HTTP_STATUS, Note.AUTH_REFUSED)),
    ("authentication failed", (_HELLO, Failure.HTTP_STATUS, Note.AUTH_REFUSED)),
    ("unable to authenticate", (_HELLO, Failure.UNKNOWN, Note.AUTH_REFUSED)),
    ("expected socks version", (_HELLO, Failure.SOCKS_ERROR, Note.GARBAGE)),
    ("hmac mismatch", (_HELLO, Failure.SSL_HANDSHAKE, None)),
    ("signed by unknown authority", (_HELLO, Failure.SSL_AUTHORITY, None)),
    ("x509: certificate is valid for", (_HELLO, Failure.SSL_HOSTNAME, None)),
    ("x509: certificate is not valid for any names", (_HELLO, Failure.SSL_HOSTNAME, None)),
    ("x509: cannot validate certificate for", (_HELLO, Failure.SSL_HOSTNAME, None)),
    ("x509:", (_HELLO, Failure.SSL_CERTIFICATE, None)),
    ("does not look like a TLS handshake", (_HELLO, Failure.SSL_HANDSHAKE, Note.GARBAGE)),
    ("tls:", (_HELLO, Failure.SSL_HANDSHAKE, None)),
    ("unexpected HTTP response status", (_HELLO, Failure.HTTP_STATUS, None)),
    ("unexpected status", (_HELLO, Failure.HTTP_STATUS, None)),
    ("unexpected HTTP status", (_HELLO, Failure.HTTP_STATUS, None)),
    ("malformed HTTP", (_HELLO, Failure.HTTP_FAILED, Note.GARBAGE)),
    ("connection refused", (Step.CONNECT, Failure.CONNECTION_REFUSED, None)),
    ("actively refused", (Step.CONNECT, Failure.CONNECTION_REFUSED, None)),
    ("no route to host", (Step.CONNECT, Failure.HOST_UNREACHABLE, None)),
    ("host is down", (Step.CONNECT, Failure.HOST_UNREACHABLE, None)),
    ("unreachable host", (Step.CONNECT, Failure.HOST_UNREACHABLE, None)),
    ("network is unreachable", (Step.CONNECT, Failure.NETWORK_UNREACHABLE, None)),
    ("unreachable network", (Step.CONNECT, Failure.NETWORK_UNREACHABLE, None)),
    ("network is down", (Step.CONNECT, Failure.NETWORK_DOWN, None)),
    ("permission denied", (Step.CONNECT, Failure.PERMISSION_DENIED, None)),
    ("connection reset", (_HELLO, Failure.CONNECTION_RESET, None)),
    ("forcibly closed", (_HELLO, Failure.CONNECTION_RESET, None)),
    ("broken pipe", (_HELLO, Failure.CONNECTION_RESET, None)),
    ("connection aborted", (_HELLO, Failure.CONNECTION_ABORTED, None)),
    ("i/o timeout", (_HELLO, Failure.TIMEOUT, None)),
    ("deadline exceeded", (_HELLO, Failure.TIMEOUT, None)),
    ("no recent network activity", (_HELLO, Failure.TIMEOUT, None)),
    ("timed out", (_HELLO, Failure.TIMEOUT, None)),
    ("handshake did not complete in time", (_HELLO, Failure.TIMEOUT, None)),
    ("EOF", (_HELLO, Failure.EOF, None)),
    ("closed network connection", (_HELLO, Failure.EOF, None)),  # the node hung up on the whole session
    ("closed pipe", (_HELLO, Failure.EOF, None)),
)
# Ends that we have caused: we gave up first, so they say nothing about the node.
_OURS: Final = ("context canceled", "operation was canceled")


def plain(line: str) -> str:
    """Return `line` without terminal colours."""
    return _COLOUR.sub("", line).strip()


def reported(line: str) -> tuple[int, Trouble, float] | None:
    """Return which node a log line is about, its trouble, and how long ago that connection began (seconds).

    None for lines about other things. A line without an age is about now: 0.
    """
    text = plain(line)
    found = _FAILED.search(text) or _NO_NAME.search(text)
    if found is None or any(ours in found[2] for ours in _OURS):
        return None
    return int(found[1]), trouble(found[2]), _age(text)


def _age(text: str) -> float:
    age = _AGE.search(text)
    if age is None:
        return 0.0
    try:
        return 60.0 * int(age[1] or 0) + float(age[2]) / (1000.0 if age[3] == "ms" else 1.0)
    except ValueError:
        return 0.0


def trouble(text: str) -> Trouble:
    """Return what an error text of sing-box means."""
    refused = re.search(r"request rejected, code=(\d)\b", text)
    if refused:
        return _HELLO, _REPLIES.get(refused[1], Failure.SOCKS_ERROR), Note.REFUSED
    name = _LOOKUP.search(text)
    if name:
        failures = (failure for known, failure in _NAMES if known in name[1])
        return Step.RESOLVE, next(failures, Failure.DNS_TEMPORARY), None
    for known, meaning in _TEXTS:
        if known in text:
            return _of_connect(text, meaning)
    return _HELLO, Failure.UNKNOWN, None


def _of_connect(text: str, meaning: Trouble) -> Trouble:
    """A time-out while dialling is one of the connection."""
    step, failure, note = meaning
    if failure is Failure.TIMEOUT and re.search(r"\bdial (tcp|udp)", text):
        return Step.CONNECT, failure, note
    return step, failure, note


def bad_place(line: str) -> tuple[str, int] | None:
    """Return what a fatal line blames: ("outbound" | "endpoint", place in its list) or ("node", number)."""
    text = plain(line)
    place = _PLACE.search(text)
    if place:
        return place[1], int(place[2])
    tag = _TAG.search(text)
    return ("node", int(tag[1])) if tag else None
