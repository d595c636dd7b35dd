"""What the local side and the keeper of options share: a leg is one connection of a program through one option."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from transports.types import Stream


class Refusal(StrEnum):
    """Why the wish of a program was not met."""

    HELD = "held"  # traffic is stopped: nothing works, or only an option of a lower class does
    NOT_ALLOWED = "not_allowed"  # the option's server does not want to
    NETWORK_UNREACHABLE = "network_unreachable"
    HOST_UNREACHABLE = "host_unreachable"
    REFUSED = "refused"  # the destination refused the connection
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"  # UDP where the option cannot
    FAILED = "failed"


class NotOpened(Exception):  # noqa: N818 - a result: it did not get through
    """A destination was not reached. The program gets the code of its protocol that says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Leg(Protocol):
    """One connection through an option. Whoever asked for it moves the bytes and tells how many; `close` ends it.

    The keeper may end it first, because its option has died: it then calls what was given to `when_cut`, and the
    program must be told by a reset, for an ordinary end would make half a file look whole.
    """

    stream: Stream

    def asking(self, head: bytes) -> bytes:
        """Return the head of a plain HTTP request as the other end of this leg wants it."""

    def sent(self, count: int) -> None:
        """Count bytes that went up."""

    def received(self, count: int) -> None:
        """Count bytes that came down."""

    def when_cut(self, call: Callable[[], None]) -> None:
        """Have `call` called, once, when the option has died; at once if it already has."""

    def broke(self) -> None:
        """Tell that the option's side ended by a fault and not as it should."""

    def close(self) -> None:
        """End it. Safe to call twice."""


class Datagrams(Protocol):
    """An association for datagrams through an option."""

    async def send(self, host: str, port: int, data: bytes) -> None:
        """Send one datagram; raises NotOpened when the association has ended."""

    async def recv(self) -> tuple[str, int, bytes]:
        """Return the next datagram and who sent it; raises NotOpened when the association has ended."""

    def when_cut(self, call: Callable[[], None]) -> None:
        """Have `call` called, once, when the association has ended; at once if it already has."""

    def close(self) -> None:
        """End it. Safe to call twice."""


class Gateway(Protocol):
    """The only way out that the local side knows (`client.connect.keeper`)."""

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        """Open a connection to a name or address, as the program gave it. Raises NotOpened.

        `page`: one plain HTTP request will be made. A proxy that speaks HTTP then gets the request itself, for many
        open no tunnel to port 80.
        """

    async def datagrams(self) -> Datagrams:
        """Open an association for datagrams. Raises NotOpened (UNSUPPORTED where the option cannot)."""
