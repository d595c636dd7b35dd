"""Servers whose line may lie: they answer, are silent after the connection, show forged or large certificates, or refuse.

What goes over each connection is counted where it arrives.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from client.diagnosis import run as diagnosing
from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.plan import Wishes
from client.diagnosis.run import Inquiry
from client.diagnosis.sights import Place
from client.drill.ca import Authority
from client.drill.serving import ENDED, Peer, serving, unheard_resets
from client.drill.windows import Door, has_way
from client.settings import PROFILES
from client.steering import Stop
from client.tasks import Crew
from client.watch import events as told
from client.watch.run import Watch, watching
from tests.client.watch.waiting import DrivenClock
from tests.virtual import run_virtual

REFUSED, RIGHT, SILENT, FORGED, LARGE, PAGE, RESET, SLOW = [
    "refused",
    "right",
    "silent",
    "forged",
    "large",
    "page",
    "reset",
    "slow",
]
_NAMES = ("localhost", "127.0.0.1")
_HEADERS = 500  # bytes of TCP and IP headers for a short connection, as client.diagnosis reckons them


@dataclass
class Lying:
    """What a script can move, and what came of it."""

    doors: dict[str, Door]
    ways: dict[str, str]
    clock: DrivenClock = field(default_factory=DrivenClock)
    stop: Stop = field(default_factory=Stop)
    network: str = "one"
    events: list[told.Event] = field(default_factory=list)
    came: list[tuple[float, str, list[int]]] = field(default_factory=list)  # when, to whom, bytes both ways

    async def set(self, way: str, *whom: str) -> None:
        """Have all whose names begin so go on like this."""
        for who, door in self.doors.items():
            if who.startswith(whom):
                self.ways[who] = way
                await door.set(way != REFUSED)

    @property
    def turns(self) -> list[tuple[str, str]]:
        return [
            (event.turn.new.value, event.turn.change.value)
            for event in self.events
            if isinstance(event, told.Turned)
        ]

    @property
    def rings(self) -> list[str]:
        return [change for _, change in self.turns if change]

    def most(self, span: float) -> tuple[int, int]:
        """Return the most connections and bytes that came in any stretch of so many seconds."""
        within = [[seen for seen in self.came if at <= seen[0] < at + span] for at, _, _ in self.came]
        return max(map(len, within)), max(sum(sum(moved) for _, _, moved in one) for one in within)


Script = Callable[[Lying], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumps, and would jump over a thread that loads the system's roots."""

    async def loaded() -> ssl.SSLContext:
        return ssl.create_default_context()

    monkeypatch.setattr(diagnosing, "_system_context", loaded)


def lied_to(script: Script, *, seed: int = 7, abroad: int = 6, home: int = 2, **wishes: Any) -> Lying:
    """Watch while `script` has its way; all begin by refusing."""
    return run_virtual(_lied_to(script, seed, {"abroad": abroad, "home": home}, wishes))


async def _lied_to(script: Script, seed: int, cast: dict[str, int], wishes: dict[str, Any]) -> Lying:
    authority = Authority("Drill Root")
    more = [f"a-rather-long-name-{number}.of-a-server.test" for number in range(200)]
    contexts = {
        RIGHT: authority.server_context(*_NAMES),
        LARGE: authority.server_context(*_NAMES, *more),
        FORGED: Authority("Nobody's Root").server_context(*_NAMES),
    }
    place = Lying(doors={}, ways={})
    async with AsyncExitStack() as held, Crew() as crew:
        held.enter_context(unheard_resets())
        servers = []
        for kind, count in cast.items():
            for number in range(1, count + 1):
                who = f"{kind}-{number}"
                door = Door(_opener(place, who, contexts))
                held.push_async_callback(door.close)
                place.doors[who] = door
                servers.append(
                    Server(
                        who=who,
                        place=Place(kind),
                        operator=who,
                        name="localhost",
                        addresses=("127.0.0.1",),
                        ports=(door.port,),
                    )
                )
        anchors = Anchors(
            date=datetime.date.today(),
            source="test",
            ca=authority.pem,
            servers=tuple(servers),
            files=("test",),
        )

        async def named() -> str:
            return place.network

        watch = Watch(
            inquiry=Inquiry(anchors=anchors, profile=PROFILES["quiet"], wishes=Wishes(ports=())),
            clock=place.clock,
            look=has_way,
            signature=lambda: frozenset({place.network}),
            name=named,
            network="one",
            rng=random.Random(seed),
        )

        async def carry_out() -> None:
            await script(place)
            place.stop.ring("over")

        async with watching(replace(watch, **wishes), place.stop) as events:
            async for event in events:
                if isinstance(event, told.Began):
                    crew.start(carry_out(), "script")
                place.events.append(event)
        crew.dismiss()
    return place


def _opener(
    place: Lying, who: str, contexts: dict[str, ssl.SSLContext]
) -> Callable[[int], AbstractAsyncContextManager[int]]:
    async def handle(peer: Peer) -> None:
        moved = [_HEADERS]
        place.came.append((asyncio.get_running_loop().time(), who, moved))
        way = place.ways[who]
        if way in (RIGHT, FORGED, LARGE, SLOW):
            await asyncio.sleep(2.5 if way == SLOW else 0)
            await _shake(peer, contexts[RIGHT if way == SLOW else way], moved)
            return
        moved.append(len(await peer.read()))
        if way == PAGE:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nblocked")
        elif way == RESET:
            peer.reset()
        else:
            await asyncio.sleep(50)

    return lambda port: serving(handle, port=port)


async def _shake(peer: Peer, context: ssl.SSLContext, moved: list[int]) -> None:
    """Do TLS by hand, so that its bytes can be counted."""
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inward, outward, server_side=True)
    done = False
    while not done:
        try:
            tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return
        if data := outward.read():
            moved.append(len(data))
            try:
                await peer.send(data)
            except ENDED:
                return
        if not done:
            got = await peer.read()
            if not got:
                return
            moved.append(len(got))
            inward.write(got)
    while got := await peer.read():
        moved.append(len(got))
