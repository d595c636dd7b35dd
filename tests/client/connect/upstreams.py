"""Options that a test can kill or silence: real SOCKS5 proxies on loopback that count what they are sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from client.connect.events import Event
from client.connect.keeper import Keeper
from client.connect.probing import Prober
from client.drill.ca import Authority
from client.drill.origin import Origin, playing_origin
from client.drill.proxies import World, socks5_proxy
from client.drill.serving import Peer, serving
from client.model import Candidate, Protection, Status
from client.options import Option
from tests.client.runs import make_run, reading
from transports.types import Endpoint

PIECE = bytes(16 * 1024)


@dataclass
class Upstream:
    """A proxy. `connections` is how many it was asked for since `forget`."""

    port: int = 0
    connections: int = 0
    silent: bool = False
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Serve, on the same port as before if there was one."""
        self._open = AsyncExitStack()
        handler = socks5_proxy(World())

        async def handle(peer: Peer) -> None:
            self.connections += 1
            if self.silent:
                await asyncio.sleep(60)
            await handler(peer)

        self.port = await self._open.enter_async_context(serving(handle, port=self.port))

    async def kill(self) -> None:
        """End it with all its connections, as a killed process."""
        await self._open.aclose()

    def forget(self) -> None:
        """Count anew."""
        self.connections = 0

    def option(self, kind: Protection, line: int = 1) -> Option:
        """Return it as an option of this class, whatever it really protects."""
        endpoint = Endpoint(transport="socks5", host="127.0.0.1", port=self.port)
        return Option(
            candidate=Candidate(endpoint, "list", line),
            transport="socks5",
            protection=kind,
            status=Status.WORKING,
            kib_per_s=100.0 - line,
        )


@dataclass
class Played:
    """What a test of the keeper plays with. `told` are the events so far, oldest first."""

    origin: Origin
    keeper: Keeper
    told: list[Event]
    stream_port: int
    upstreams: list[Upstream]

    def of(self, kind: type[Event]) -> list[Event]:
        """Return the events of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, there: Callable[[], object], limit: float = 10.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(limit):
            while not there():  # noqa: ASYNC110 - events come by a plain call
                await asyncio.sleep(0.01)


async def _endless(peer: Peer) -> None:
    with contextlib.suppress(OSError):
        while True:
            await peer.send(PIECE)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def played(count: int, **more: object) -> AsyncIterator[Played]:
    """Start so many upstreams, an origin, a server that sends without end, and a keeper that knows no option yet."""
    told: list[Event] = []
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(playing_origin(Authority("Test Root")))
        stream_port = await stack.enter_async_context(serving(_endless))
        upstreams = [Upstream() for _ in range(count)]
        for one in upstreams:
            await one.start()
            stack.push_async_callback(one.kill)
        prober = Prober(make_run(reading(), origin), dict)
        keeper = Keeper(prober, told.append, **more)  # type: ignore[arg-type]
        await stack.enter_async_context(keeper)
        yield Played(origin, keeper, told, stream_port, upstreams)
