"""What the questions of one diagnosis share: pace, deadlines, roots, counters. And how a failure becomes a sight."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from client.diagnosis.anchors import RESOLV_CONF
from client.diagnosis.asks import Ask
from client.diagnosis.roots_known import KnownRoots
from client.diagnosis.sights import Came, Sight
from client.model import Failure
from transports.failure import StepFailed
from transports.net import Limits, Net
from transports.resolve import Resolver
from transports.stream import SocketStream, TlsStream, connect, secure
from transports.trace import Trace
from transports.types import CannotMeasure

if TYPE_CHECKING:
    from transports.pt_engine import Plugins

_OUR_OWN: Final = frozenset(
    {Failure.ADDRESS_FAMILY, Failure.ADDRESS_NOT_AVAILABLE, Failure.PERMISSION_DENIED, Failure.INTERRUPTED}
)
_HEADERS: Final = 500  # bytes of TCP and IP headers for a short connection, both ways
SPACE: Final = 0.55  # seconds, "half a second and more" between two connections to a public host of all ports
_NEIGHBOUR: Final = 0.9  # seconds: a gateway that does not answer ARP is told by the system after one or more
_CAME: Final = {
    Failure.CONNECTION_REFUSED: Came.REFUSED,
    Failure.CONNECTION_RESET: Came.RESET,
    Failure.CONNECTION_ABORTED: Came.RESET,
    Failure.EOF: Came.CLOSED,
    Failure.TIMEOUT: Came.SILENCE,
    Failure.NETWORK_UNREACHABLE: Came.NO_ROUTE,
    Failure.NETWORK_DOWN: Came.NO_ROUTE,
    Failure.UNKNOWN: Came.FAULT,
}

Roots = Callable[[], Awaitable[ssl.SSLContext]]


@dataclass(slots=True, kw_only=True, repr=False)
class Around:
    """Made once for a diagnosis. `tls` gives the bundled roots, `any_name` the same for whatever name the certificate
    bears, `system` the system's own.

    `plugins` gives the running obfs4 program, or raises CannotMeasure. `opened` counts connections and datagrams'
    sockets apart, `moved` bytes of content both ways.
    """

    tls: Roots
    system: Roots
    known: KnownRoots
    pace: Callable[[], Awaitable[None]]  # awaited before every question, and before what else it opens
    spaced: frozenset[str] = frozenset()  # public hosts whose owners ask for connections SPACE apart
    agent: str
    plugins: Callable[[], Awaitable[Plugins]]
    any_name: Roots | None = None
    resolv_conf: Path = RESOLV_CONF
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    closer: bool = True  # whether a certificate that cannot be true is looked at, by two more connections
    opened: int = 0
    datagrams: int = 0
    moved: int = 0
    turns: dict[str, float] = field(default_factory=dict)  # when such a host may be asked next
    told: dict[str, set[str]] = field(default_factory=dict)  # an address to the names that it was told for
    resolver: Resolver = field(default_factory=Resolver)

    def now(self) -> float:
        """Return seconds since the diagnosis began."""
        return asyncio.get_running_loop().time() - self.began

    def net(self, ask: Ask) -> Net:
        """Return the surroundings for one question; its limit is for each step, and a little more for all."""
        now = asyncio.get_running_loop().time()
        limit = ask.limit
        limits = Limits(connect=limit, handshake=limit, exchange=limit, bulk=limit, total=2 * limit)
        return Net(
            trace=Trace(zero=now, deadline=now + 2 * limit),
            limits=limits,
            tls=self.tls,
            resolve=self.resolver,
            known=self.resolver.known,
        )

    async def turn(self, host: str) -> None:
        """Wait until a host may be asked again, then until the pace of the run lets a connection begin."""
        if host in self.spaced:
            now = self.now()
            begin = max(now, self.turns.get(host, now))
            self.turns[host] = begin + SPACE
            await asyncio.sleep(begin - now)
        await self.pace()

    async def connected(self, ask: Ask, net: Net) -> SocketStream:
        """Open the connection for a question, counted. Raises StepFailed."""
        self.opened += 1
        self.moved += _HEADERS
        return await connect(ask.host, ask.port, net)

    async def secured(
        self, stream: SocketStream, name: str, net: Net, roots: Roots | None = None
    ) -> TlsStream:
        """Put TLS on a connection, checked for `name` against the bundled roots or others. Raises StepFailed.

        The connection is closed where that fails, or where the questions end while the roots are loaded.
        """
        try:
            context = await (roots or self.tls)()
        except BaseException:
            stream.close()
            raise
        return await secure(stream, context, name, net)


def sight(ask: Ask, came: Came, began: float, around: Around, **more: Any) -> Sight:
    """Return the sight of a question that was put at `began` (seconds since the diagnosis began)."""
    values: dict[str, Any] = {
        "test": ask.test,
        "place": ask.place,
        "who": ask.who,
        "port": ask.port,
        "way": ask.way,
        "name": ask.name,
        "round": ask.round,
        "started": began,
        "elapsed": around.now() - began,
    }
    return Sight(came=came, **(values | more))


def came_of(failure: Failure, *, elapsed: float = 0.0, received: int = 0) -> Came:
    """Return which result a failure is. Silence after some bytes is a transfer that stopped."""
    if failure in _OUR_OWN:
        return Came.FAULT
    if (
        failure is Failure.HOST_UNREACHABLE
    ):  # from a router on the way, or from our own system for want of a gateway
        return Came.NO_ROUTE if elapsed > _NEIGHBOUR else Came.REFUSED
    if failure is Failure.TIMEOUT and received:
        return Came.STOPPED
    return _CAME.get(failure, Came.FAULT if failure.value.startswith("dns_") else Came.OTHER)


def failed(
    ask: Ask,
    error: StepFailed,
    began: float,
    around: Around,
    after: str,
    came: Came | None = None,
    **more: Any,
) -> Sight:
    """Return the sight of a question that came to no good end; `after` is the last message of ours."""
    elapsed = around.now() - began
    if came is None:
        came = came_of(error.failure, elapsed=elapsed, received=more.get("received", 0))
    return sight(ask, came, began, around, **({"after": after, "failure": error.failure} | more))


def fault(ask: Ask, began: float, around: Around, why: str) -> Sight:
    """Return the sight of a question that our own side could not put."""
    return sight(ask, Came.FAULT, began, around, detail=why)


async def no_plugins() -> Plugins:
    """Stand for the obfs4 program where there is none."""
    raise CannotMeasure("no program")
