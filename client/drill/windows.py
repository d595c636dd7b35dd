"""The windows of a past cut, played on loopback: real servers abroad and at home that open and shut by the table,
and the real watch that waits before them. Only the clock runs faster.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.around import Around, sight
from client.diagnosis.asks import Ask
from client.diagnosis.plan import Wishes
from client.diagnosis.run import Inquiry
from client.diagnosis.sights import Came, Place, Sight
from client.drill.ca import Authority
from client.drill.serving import Peer, serving, unheard_resets
from client.settings import PROFILES
from client.steering import Stop
from client.tasks import Crew
from client.watch import events as told
from client.watch.calendar import Calendar, Mark
from client.watch.clock import Clock
from client.watch.predict import Forecast
from client.watch.pulse import INTERVALS, Mode
from client.watch.replay import Table, Window
from client.watch.run import Watch, watching
from client.watch.state import Change

SPEED: Final = 1000.0
_CAST: Final = {Place.ABROAD: 4, Place.HOME: 2, Place.LISTED: 2}
_OPEN_AT: Final = {
    Mark.SHUT: frozenset[Place](),
    Mark.PARTLY: frozenset({Place.HOME, Place.LISTED}),
    Mark.OPEN: frozenset(Place),
}


@dataclass(slots=True)
class FastClock:
    """A clock that begins at `start` (Unix seconds) and runs `speed` times as fast as the loop's."""

    start: float
    speed: float = SPEED
    _zero: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def wall(self) -> float:
        """Return the time that is played."""
        return self.start + self.steady()

    def steady(self) -> float:
        """Return the seconds since the begin, as they are played."""
        return (asyncio.get_running_loop().time() - self._zero) * self.speed

    def awake(self) -> float:
        """Return the same: nobody sleeps here."""
        return self.steady()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds / self.speed)


class Door:
    """A server on loopback that can be opened and shut. Its port stays its own while it is shut."""

    def __init__(self, server: Callable[[int], AbstractAsyncContextManager[int]]) -> None:
        self._serve = server
        self._open: AsyncExitStack | None = None
        self._kept = _bound(0)
        self.port: int = self._kept.getsockname()[1]

    async def set(self, open_: bool) -> None:
        """Open or shut it."""
        if open_ and self._open is None:
            self._kept.close()
            self._open = AsyncExitStack()
            await self._open.enter_async_context(self._serve(self.port))
        elif not open_ and self._open is not None:
            await self._open.aclose()
            self._open = None
            self._kept = _bound(self.port)

    async def close(self) -> None:
        """Take it away."""
        await self.set(False)
        self._kept.close()


def _bound(port: int) -> socket.socket:
    """Return a socket that holds a port without listening: connections to it are refused."""
    sock = socket.socket()
    if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


async def _listens(peer: Peer) -> None:
    """Say nothing more than the handshake said."""
    await peer.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """The doors by place, and the anchors that lead to them."""

    doors: dict[Place, list[Door]]
    anchors: Anchors

    async def set(self, mark: Mark) -> None:
        """Open and shut the doors as they were then."""
        for place, doors in self.doors.items():
            for door in doors:
                await door.set(place in _OPEN_AT[mark])


@asynccontextmanager
async def scenery() -> AsyncIterator[Scenery]:
    """Put servers on loopback, all shut. Raises CannotMeasure where the `cryptography` library is missing."""
    authority = Authority("Drill Root")
    context = authority.server_context("localhost", "127.0.0.1")
    async with AsyncExitStack() as held:
        held.enter_context(unheard_resets())
        doors: dict[Place, list[Door]] = {}
        servers = []
        for place, count in _CAST.items():
            doors[place] = [
                Door(lambda port: serving(_listens, port=port, context=context)) for _ in range(count)
            ]
            for number, door in enumerate(doors[place], 1):
                held.push_async_callback(door.close)
                servers.append(
                    Server(
                        who=f"{place}-{number}",
                        place=place,
                        operator=f"{place} {number}",
                        name="localhost",
                        addresses=("127.0.0.1",),
                        ports=(door.port,),
                    )
                )
        anchors = Anchors(
            date=datetime.date.today(),
            source="drill",
            ca=authority.pem,
            servers=tuple(servers),
            files=("drill",),
        )
        yield Scenery(doors=doors, anchors=anchors)


async def has_way(ask: Ask, around: Around) -> Sequence[Sight]:
    """Say that this machine has its way out: the drill needs none."""
    return (sight(ask, Came.RIGHT, around.now(), around, detail="gateway"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One window, and how the watch saw it: seconds from its begin and its end to their announcement."""

    window: Window
    opened: float | None = None
    shut: float | None = None
    forecast: Forecast | None = None  # what had been expected before it began

    @property
    def right(self) -> bool:
        """Whether it was announced within one test interval."""
        return self.opened is not None and self.opened <= INTERVALS[Mode.SLOW]


@dataclass(slots=True, kw_only=True)
class Played:
    """How it went."""

    scenes: list[Scene]
    calendar: Calendar = field(default_factory=Calendar)
    connections: int = 0
    moved: float = 0.0
    stopped: bool = False


Hear = Callable[[told.Event], None]
Follow = Callable[[Scenery], Awaitable[None]]


async def play(
    table: Table, hear: Hear, *, speed: float = SPEED, clock: Clock | None = None, stop: Stop | None = None
) -> Played:
    """Play a table of windows; `hear` gets every event of the watch."""
    async with scenery() as set_up, Crew() as crew:
        clock = clock or FastClock(table.start, speed)
        bell = stop or Stop()
        watch = Watch(
            inquiry=Inquiry(anchors=set_up.anchors, profile=PROFILES["quiet"], wishes=Wishes(ports=())),
            clock=clock,
            look=has_way,
            signature=frozenset[str],
            rng=random.Random(),
            network="drill",
            slice=60.0,
        )
        seen = Seen(table)
        async with watching(watch, bell) as events:
            async for event in events:
                if isinstance(event, told.Began):
                    crew.start(_follow(table, set_up, clock, bell), "windows")
                seen.take(event)
                hear(event)
        crew.dismiss()
    return seen.played(stopped=bell.why == "interrupted")


async def _follow(table: Table, set_up: Scenery, clock: Clock, stop: Stop) -> None:
    """Open and shut the doors by the table; at its end the watch ends."""
    while (now := clock.wall()) < table.end:
        await set_up.set(table.at(now))
        await clock.sleep(max(0.0, table.next_change(now) - clock.wall()) + 0.001)
    stop.ring("over")


class Seen:
    """What the watch announced, beside what really was."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._turns: list[tuple[float, Change]] = []
        self._expected: list[tuple[float, Forecast | None]] = []
        self._played = Played(scenes=[])

    def take(self, event: told.Event) -> None:
        """Take an event of the watch."""
        if isinstance(event, told.Turned):
            self._turns.append((event.at, event.turn.change))
        elif isinstance(event, told.Expected):
            self._expected.append((event.at, event.forecast))
        elif isinstance(event, told.Noted):
            self._played.calendar = event.calendar
        elif isinstance(event, told.Ended):
            self._played.connections, self._played.moved = event.connections, event.total

    def played(self, *, stopped: bool) -> Played:
        """Return how it went."""
        until = self._turns[-1][0] if stopped and self._turns else self._table.end
        self._played.stopped = stopped
        windows = [one for one in self._table.windows if one.start < until]
        self._played.scenes = [self._scene(window) for window in windows]
        return self._played

    def _scene(self, window: Window) -> Scene:
        before = [found for at, found in self._expected if at < window.start]
        return Scene(
            window=window,
            opened=self._first(Change.OPENED, window.start, window.end),
            shut=self._first(Change.SHUT, window.end, window.end + 2 * INTERVALS[Mode.SLOW]),
            forecast=before[-1] if before else None,
        )

    def _first(self, change: Change, start: float, end: float) -> float | None:
        found = [at - start for at, seen in self._turns if seen is change and start <= at < end]
        return min(found, default=None)
