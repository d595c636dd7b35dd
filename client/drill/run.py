"""The drill: put the cast on loopback, run the very same check on it, and compare with what is right.

The proxies play at once; the bridges when the private Tor network behind the curtain has come up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from client import roots, settings
from client.drill.bridges import BRIDGE_CAST, BridgePart, Network, lacking
from client.drill.cast import CAST
from client.drill.origin import PLAIN, SMALL, Origin
from client.drill.parts import Part
from client.drill.stage import Stage, stage
from client.engine import Run, Stop, running
from client.engines import engine_opener
from client.events import Finished, Judged
from client.following import OpenEngines
from client.model import Candidate, Message, Reading, Status, Verdict
from client.platform import on_interrupt
from client.settings import Profile
from client.targets import Target, Targets
from client.tasks import Crew
from transports.tor_bridge import parse
from transports.types import N_, CannotMeasure, Endpoint, Rejected

_TOTAL: Final = 4.0  # seconds for one proxy: loopback is fast, and the drill must be over soon
_TOTAL_BESIDE: Final = 7.0  # while a network starts: it takes longer anyway, and keeps a slow machine busy
_BRIDGE_TOTAL: Final = 20.0  # for one bridge; several programs have to do their part
_BRIDGE_STEP: Final = 3.0
_PAUSE: Final = 0.5
_BURST: Final = (
    2 / 3
)  # of the proxies are judged when the network starts: its programs need the processor too
_TICK: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is to be played. `named` when the person has asked for these; `lacks` says why there are no bridges."""

    proxies: tuple[Part, ...]
    bridges: tuple[BridgePart, ...] = ()
    named: bool = False
    lacks: Message | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One part with its verdict, and whether that was right. Nothing could be said of an untested one."""

    part: Part | BridgePart
    verdict: Verdict
    right: bool

    @property
    def wrong(self) -> bool:
        """Say whether the verdict is a false one."""
        return not self.right and self.verdict.status is not Status.UNTESTED


@dataclass(frozen=True, slots=True)
class Act:
    """The scenes of all proxies, or of all bridges, and how long it took in seconds."""

    scenes: tuple[Scene, ...]
    elapsed: float


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How the drill went; an act that did not begin is None. `stopped` is set when it was interrupted.

    `lacks` says why there were no bridges although nobody had left them out.
    """

    proxies: Act | None = None
    bridges: Act | None = None
    lacks: Message | None = None
    stopped: bool = False

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Return all scenes."""
        return tuple(scene for act in (self.proxies, self.bridges) if act for scene in act.scenes)


class Audience(Protocol):
    """Who is told of everything as it happens."""

    def scene(self, scene: Scene) -> None:
        """See a part and its verdict."""

    def waiting(self, elapsed: float) -> None:
        """Hear about once a second that the Tor network is not ready, `elapsed` seconds after its start."""

    def waited(self) -> None:
        """Hear that this wait is over."""


def programme(names: Collection[str], *, tor: bool = True) -> Programme:
    """Return what these names mean, everything for none. `tor` False leaves the bridges out.

    Raises Rejected for what does not exist, CannotMeasure where a named bridge cannot be played.
    """
    if not names:
        lacks = lacking() if tor else None
        return Programme(proxies=CAST, bridges=BRIDGE_CAST if tor and not lacks else (), lacks=lacks)
    known = {part.name for part in CAST} | {part.name for part in BRIDGE_CAST}
    for name in names:
        if name not in known:
            names_known = ", ".join(sorted(known))
            raise Rejected(
                N_("the drill has no part called {name}; known are: {known}"), name=name, known=names_known
            )
    bridges = tuple(part for part in BRIDGE_CAST if part.name in names)
    if bridges and not tor:
        raise Rejected(N_("{name} needs Tor: leave --no-tor out"), name=bridges[0].name)
    if bridges and (why := lacking()):
        raise CannotMeasure(why.id, **why.values)
    return Programme(proxies=tuple(part for part in CAST if part.name in names), bridges=bridges, named=True)


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


def is_right(part: Part | BridgePart, verdict: Verdict) -> bool:
    """Say whether the verdict is one of those that the part deserves."""
    return (verdict.status, verdict.step, verdict.failure) in part.expect


def run_of(played: Stage) -> Run:
    """Return the check of the parts that play here. A candidate's source is the part's name, its line the place."""
    candidates = tuple(
        Candidate(placed.endpoint(), placed.part.name, line) for line, placed in enumerate(played.parts, 1)
    )
    return _run_of(played.origin, candidates, _profile(_TOTAL), None)


def _profile(total: float) -> Profile:
    return settings.tuned(settings.PROFILES["fast"], concurrency=None, connect=None, total=total)


def _run_of(
    origin: Origin, candidates: tuple[Candidate, ...], profile: Profile, engines: OpenEngines | None
) -> Run:
    return Run(
        reading=Reading(candidates, (), 0),
        targets=targets_of(origin),
        profile=replace(profile, pause=_PAUSE),
        roots=roots.loader(origin.ca_pem),
        engines=engines,
    )


class _Curtain:
    """Falls at Ctrl-C: ends the act that plays, ends a wait, and lets no other act begin."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.fallen = False
        self.stop = Stop()

    def fall(self) -> None:
        self.fallen = True
        self.stop.ring("interrupted")
        self._network.settled.set()

    def rise(self) -> Stop:
        self.stop = Stop()
        if self.fallen:
            self.stop.ring("interrupted")
        return self.stop


async def play(what: Programme, audience: Audience) -> Outcome:
    """Play the drill. Raises CannotMeasure where something is missing that was asked for by name."""
    outcome = Outcome(lacks=what.lacks)
    network = Network([part.bridge for part in what.bridges])
    curtain = _Curtain(network)
    async with AsyncExitStack() as held:
        held.enter_context(on_interrupt(curtain.fall))
        set_up = await held.enter_async_context(stage([part.name for part in what.proxies]))
        crew = await held.enter_async_context(Crew())
        if what.bridges:
            crew.start(network.stand(), "Tor network")
        if set_up.parts:

            def judged(count: int) -> None:
                if count >= _BURST * len(set_up.parts):
                    network.go.set()

            proxies = [(placed.part, placed.endpoint()) for placed in set_up.parts]
            total = _TOTAL_BESIDE if what.bridges else _TOTAL
            profile = _profile(total)
            play_proxies = _Play(set_up.origin, profile, None, curtain.rise(), audience, judged)
            outcome.proxies = await play_proxies.act(proxies)
        if what.bridges and not curtain.fallen:
            outcome.bridges = await _play_bridges(what, network, set_up.origin, curtain, audience)
            if network.failure and not curtain.fallen:
                outcome.lacks = _why(what, network.failure)
    outcome.stopped = curtain.fallen
    return outcome


def _why(what: Programme, failure: CannotMeasure) -> Message:
    if what.named:
        raise failure
    return Message(N_("No Tor bridges were played: {why}"), {"why": Message(failure.reason, failure.values)})


async def _play_bridges(
    what: Programme, network: Network, origin: Origin, curtain: _Curtain, audience: Audience
) -> Act | None:
    network.go.set()
    await asyncio.sleep(0)  # it notes when it began
    loop = asyncio.get_running_loop()
    while not network.settled.is_set():
        audience.waiting(loop.time() - network.began)
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK):
                await network.settled.wait()
    audience.waited()
    if network.net is None or curtain.fallen:
        return None
    profile = settings.tuned(
        settings.PROFILES["fast"], concurrency=None, connect=_BRIDGE_STEP, total=_BRIDGE_TOTAL
    )
    profile = replace(profile, short=replace(profile.short, handshake=_BRIDGE_STEP))
    # Nothing of the person's is in the drill, so its engines may write to the disk where there is no other way.
    engines = engine_opener(origin.ca_pem, _BRIDGE_STEP, network.net.torrc, disk=True)
    bridges = [(part, parse(network.net.bridges[part.bridge].line)) for part in what.bridges]
    return await _Play(origin, profile, engines, curtain.rise(), audience).act(bridges)


@dataclass(frozen=True, slots=True)
class _Play:
    """The means of one act."""

    origin: Origin
    profile: Profile
    engines: OpenEngines | None
    stop: Stop
    audience: Audience
    judged: Callable[[int], None] = lambda count: None

    async def act(self, parts: Sequence[tuple[Part | BridgePart, Endpoint]]) -> Act:
        """Check the parts, show each as soon as its verdict is known."""
        candidates = tuple(
            Candidate(endpoint, "drill", line) for line, (_part, endpoint) in enumerate(parts, 1)
        )
        run = _run_of(self.origin, candidates, self.profile, self.engines)
        scenes: list[Scene] = []
        last = None
        async with running(run, self.stop) as events:
            async for event in events:
                last = event
                if not isinstance(event, Judged):
                    continue
                part = parts[event.verdict.candidate.line - 1][0]
                scene = Scene(part, event.verdict, is_right(part, event.verdict))
                if scene.right or not self.stop.why:  # what was cut off by Ctrl-C has no fair verdict
                    scenes.append(scene)
                    self.audience.scene(scene)
                self.judged(len(scenes))
        assert isinstance(last, Finished)
        return Act(tuple(scenes), last.elapsed)
