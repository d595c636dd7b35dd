"""The drill: put the cast on loopback, run the very same check on it, and compare with what is right."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final

from client import roots, settings
from client.drill.origin import PLAIN, SMALL, Origin
from client.drill.parts import Part
from client.drill.stage import stage
from client.engine import Run, Stop, running
from client.events import Finished, Judged
from client.model import Candidate, Reading, Status, Verdict
from client.platform import on_interrupt
from client.targets import Target, Targets

_TOTAL: Final = 4.0  # seconds for one entry: loopback is fast, and the drill must be over soon
_PAUSE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """One part with its verdict, and whether that was right."""

    part: Part
    verdict: Verdict
    right: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the drill went. `stopped` is set when it was interrupted."""

    scenes: tuple[Scene, ...]
    elapsed: float
    stopped: bool

    @property
    def wrong(self) -> tuple[Scene, ...]:
        """Return the parts that were judged wrongly."""
        return tuple(scene for scene in self.scenes if not scene.right)


def targets_of(origin: Origin) -> Targets:
    """Return the origin's pages as targets; their content is known."""

    def page(path: str, *, tls: bool = True, body: bytes | None = None) -> Target:
        return Target(
            tls=tls,
            host="127.0.0.1",
            port=origin.https_port if tls else origin.http_port,
            path=path,
            body=body,
            upload=path if path == "/bulk" else "",
        )

    return Targets(
        small=(page("/small", body=SMALL),),
        bulk=(page("/bulk"),),
        plain=(page("/plain", tls=False, body=PLAIN),),
        own=True,
    )


def is_right(part: Part, verdict: Verdict) -> bool:
    """Say whether the verdict is one of those that the part deserves."""
    return (verdict.status, verdict.step, verdict.failure) in part.expect


async def play(names: Collection[str] | None, show: Callable[[Scene], None]) -> Outcome:
    """Play the drill; `show` gets each scene as it is known. Raises Rejected, CannotMeasure."""
    scenes: list[Scene] = []
    stop = Stop()
    async with AsyncExitStack() as held:
        held.enter_context(on_interrupt(lambda: stop.ring("interrupted")))
        set_up = await held.enter_async_context(stage(names))
        parts = {(placed.host, placed.port): placed.part for placed in set_up.parts}
        candidates = tuple(
            Candidate(placed.endpoint(), "drill", line) for line, placed in enumerate(set_up.parts, 1)
        )
        profile = settings.tuned(settings.PROFILES["fast"], concurrency=None, connect=None, total=_TOTAL)
        run = Run(
            reading=Reading(candidates, (), 0),
            targets=targets_of(set_up.origin),
            profile=replace(profile, pause=_PAUSE),
            roots=roots.loader(set_up.origin.ca_pem),
        )
        last = None
        async with running(run, stop) as events:
            async for event in events:
                last = event
                if isinstance(event, Judged) and event.verdict.status is not Status.UNTESTED:
                    endpoint = event.verdict.candidate.endpoint
                    part = parts[endpoint.host, endpoint.port]
                    scenes.append(Scene(part, event.verdict, is_right(part, event.verdict)))
                    show(scenes[-1])
    assert isinstance(last, Finished)
    return Outcome(tuple(scenes), last.elapsed, bool(last.stopped))
