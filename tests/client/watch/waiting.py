"""A watch before servers on loopback, on a clock that can be put to sleep, set, and driven."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from client.diagnosis.plan import Wishes
from client.diagnosis.run import Inquiry
from client.drill.windows import Scenery, has_way, scenery
from client.settings import PROFILES
from client.steering import Stop
from client.tasks import Crew
from client.watch import events as told
from client.watch.run import Watch, watching
from tests.virtual import run_virtual

BEGIN = 1641340800.0  # 5 January 2022, 00:00 UTC
HOUR = 3600.0


@dataclass
class DrivenClock:
    """The loop's clock from `start` on, which can leap: `slept` seconds asleep, `set_by` seconds by hand."""

    start: float = BEGIN
    slept: float = 0.0
    set_by: float = 0.0

    def wall(self) -> float:
        return self.start + self.steady() + self.slept + self.set_by

    def steady(self) -> float:
        return asyncio.get_running_loop().time()

    def awake(self) -> float:
        return self.steady() + self.slept

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Place:
    """What a script of a test can move."""

    scenery: Scenery
    clock: DrivenClock
    stop: Stop
    events: list[told.Event] = field(default_factory=list)
    network: str = "one"

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def turns(self) -> list[tuple[str, str]]:
        return [(event.turn.new.value, event.turn.change.value) for event in self.of(told.Turned)]


Script = Callable[[Place], Awaitable[None]]


def watched(script: Script, **wishes: Any) -> Place:
    """Watch while `script` moves the place; when it is over, the watch is stopped."""
    return run_virtual(_watched(script, wishes))


async def _watched(script: Script, wishes: dict[str, Any]) -> Place:
    async with scenery() as set_up, Crew() as crew:
        place = Place(set_up, DrivenClock(), Stop())

        async def named() -> str:
            return place.network

        watch = Watch(
            inquiry=Inquiry(anchors=set_up.anchors, profile=PROFILES["quiet"], wishes=Wishes(ports=())),
            clock=place.clock,
            look=has_way,
            signature=lambda: frozenset({place.network}),
            name=named,
            network="one",
            rng=random.Random(7),
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
