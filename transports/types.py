"""The words that every transport shares: endpoint, step, observation, stream, transport.

Nothing here acts. `client` re-exports what a face needs, so that `tui` never imports this package.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from transports.failure import Failure
    from transports.net import Net


def N_(message: str) -> str:  # noqa: N802 - the customary gettext marker for "translate later"
    """Mark `message` for the catalogs without translating it here; the faces translate."""
    return message


class Step(StrEnum):
    """One stage on the way to a proof, in the order in which they happen."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    PROXY_HANDSHAKE = "proxy_handshake"
    PT_HANDSHAKE = "pt_handshake"
    TOR_BOOTSTRAP = "tor_bootstrap"
    TLS_HANDSHAKE = "tls_handshake"
    HTTP_ROUND_TRIP = "http_round_trip"
    BULK_TRANSFER = "bulk_transfer"


class Protection(StrEnum):
    """What stands between the person's traffic and the one who runs the proxy or the line."""

    TOR = "A"  # three hops, nobody sees both ends
    TRUSTED = "B"  # encrypted to a server that the person says they trust
    UNKNOWN = "C"  # encrypted to a server of an unknown person
    OPEN = "D"  # not encrypted on the way to the proxy


class Note(StrEnum):
    """What was seen besides the failure name: the judge and the advice read it, never free text."""

    PAGE = "page"  # a readable page stood where the protocol's answer was due
    ECHO = "echo"  # our own bytes came back
    GARBAGE = "garbage"  # an answer that is not of the protocol
    AUTH_REQUIRED = "auth_required"  # credentials are wanted and we have none
    AUTH_REFUSED = "auth_refused"  # our credentials were turned down
    REFUSED = "refused"  # the proxy understood and said no
    PLAIN_ONLY = "plain_only"  # it fetches plain HTTP, but opens no tunnel
    ENDLESS = "endless"  # it never came to the end of its answer
    REDIRECT = "redirect"  # it sent us to another page
    OTHER_CONTENT = "other_content"  # authentic, but not what was asked for
    TOO_SMALL = "too_small"  # the target has not enough to move
    ALTERED = "altered"  # known content came back changed
    OPEN_PORT = "open_port"  # the port is open, but the transport's handshake came to no good end
    OTHER_IDENTITY = "other_identity"  # a relay answered that is not, or cannot prove to be, the one meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One timed step. `started` and `elapsed` are seconds, `started` counted from the begin of the try."""

    step: Step
    started: float
    elapsed: float
    failure: Failure | None = None
    note: Note | None = None
    code: int = 0  # HTTP status or SOCKS reply code where there was one


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Endpoint:
    """Where a proxy or bridge is and what opens it.

    `host` is a name or a bare IP literal (no brackets), `port` 1..65535. `options` is what only the
    transport understands (for sing-box nodes: the outbound as sing-box wants it, without its tag).
    `text` is the link as it was given, where it cannot be built again from the other fields.
    """

    transport: str
    host: str
    port: int
    username: str = ""
    password: str = ""
    options: Mapping[str, Any] | None = None
    text: str = ""
    untested: str = ""

    def key(self) -> str:
        """Return what makes two lines the same endpoint, whatever their spelling."""
        parts = [self.transport, self.host.lower(), str(self.port), self.username, self.password]
        if self.options:
            import json

            parts.append(json.dumps(self.options, sort_keys=True, separators=(",", ":"), default=str))
        return "\x00".join(parts)

    def reveal(self) -> str:
        """Return the full link, secrets included. Only behind `--reveal`."""
        if self.text:
            return self.text
        from urllib.parse import quote

        who = ""
        if self.username or self.password:
            who = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = (
            "" if self.transport == "auto" else f"{self.transport}://"
        )  # `auto` is a line without a scheme
        return f"{scheme}{who}{host}:{self.port}"

    def __repr__(self) -> str:
        """Keep addresses and secrets out of logs and tracebacks."""
        return f"Endpoint({self.transport})"


class Rejected(ValueError):  # noqa: N818 - a state of a line, not a fault of ours
    """A line that is no candidate. `reason` is a message for the catalogs; `values` fill its braces."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.values: Final = values


class CannotMeasure(Exception):  # noqa: N818 - it is a state of ours, not an error of the candidate
    """Our side cannot test this endpoint (engine missing, unsupported): the verdict is `untested`."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.values: Final = values


class Stream(Protocol):
    """An open byte stream.

    `reads` and `writes` count the separate system calls that moved data, `received` the bytes that this
    layer has given out (behind TLS: decrypted ones).
    """

    @property
    def reads(self) -> int:
        """Separate reads that brought data."""

    @property
    def writes(self) -> int:
        """Separate writes."""

    @property
    def received(self) -> int:
        """Bytes given out."""

    @property
    def wire(self) -> tuple[int, float]:
        """Bytes that came over the connection below all layers, and the loop time of the last of them."""

    async def recv(self, limit: int) -> bytes:
        """Return 1..`limit` bytes, or b"" at the end of the stream."""

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""

    def unread(self, data: bytes) -> None:
        """Put back what was read too far; the next `recv` gives it first."""

    def close(self) -> None:
        """Release the connection at once. Safe to call twice."""

    def segments(self) -> tuple[int, int] | None:
        """Return TCP segments (in, out) of the connection, where the system tells."""


class Transport(Protocol):
    """Knows how to open a byte stream to a target through an endpoint."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a stream to `host`:`port`. Each stage is timed on `net.trace`.

        Raises StepFailed (it did not get through) or CannotMeasure (our side).
        """


Parse = Callable[[str], Endpoint]
Gate = Callable[[], Awaitable[None]]
