"""Runs a plan and gives one stream of events. Every face reads this stream and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from client import control, plan
from client.events import (
    ControlFinished,
    Event,
    Finished,
    Judged,
    LineRejected,
    Noticed,
    PaceChanged,
    Started,
)
from client.following import Follower, OpenEngines
from client.judge import judge, needs_control, protection_of, settled, wants_patience, wants_retry
from client.model import (
    Candidate,
    Control,
    LineState,
    Message,
    Status,
    Step,
    Verdict,
)
from client.plan import Job
from client.probe import Attempt, climb
from client.run import Run
from client.steering import Steering, Stop
from client.surroundings import Surroundings
from client.tally import Tally
from client.tasks import Crew, in_slices
from transports.registry import REGISTRY
from transports.types import N_, CannotMeasure, Endpoint

__all__ = ["Run", "Steering", "Stop", "running"]

_QUEUE: Final = 256
_HEAD_START: Final = 0.5  # seconds that the control may take alone, before the candidates begin
_CONTROL_PATIENCE: Final = 2.0  # seconds that a verdict may wait for the control's figures
_TICK: Final = 0.5
_LOOKED_AT: Final = 1000  # entries that are asked about a route before the run is given up
_STOPPED: Final = N_("stopped before its turn")
_PATIENT: Final = N_("Those that did not answer in time are now waited for longer.")
_HALFWAY: Final = N_("stopped in the middle of its test")
_SPENT: Final = N_("not tested: the data budget is spent (--budget)")
_NOT_TRIED: Final = {
    "no_network": N_("this machine has no network now"),
    "target": N_("the target you named does not answer as it should, so nothing can be judged by it"),
}


@asynccontextmanager
async def running(
    run: Run, stop: Stop | None = None, steering: Steering | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """Run the plan; gives the stream of events, ending with Finished. Leaving the block stops everything."""
    runner = _Runner(run, stop or Stop(), steering or Steering())
    async with Crew() as crew:
        crew.start(runner.lead(crew), "lead")
        yield _drain(runner.events)


async def _drain(events: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        event = await events.get() if events.empty() else events.get_nowait()
        yield event
        if isinstance(event, Finished):
            return


class _Runner:
    """One run in progress."""

    def __init__(self, run: Run, stop: Stop, steering: Steering) -> None:
        self.run, self.stop, self.steering = run, stop, steering
        self.profile = run.profile
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.events: asyncio.Queue[Event] = asyncio.Queue(_QUEUE)
        self.around = Surroundings(run.profile, run.targets, run.roots, run.rng)
        self.control_done = asyncio.Event()
        self.doors_ready = asyncio.Event()
        self.queue = plan.Queue(())
        self.woken = asyncio.Event()
        self.flying: dict[int, Job] = {}
        self.hands: Crew | None = None
        self.workers = 0
        self.patient = False
        self.follower = Follower()
        self.tally = Tally(run.reading, self.follower)

    # the run as a whole

    async def lead(self, crew: Crew) -> None:
        """Carry the run from the first event to the last."""
        await self._announce()
        testable = []
        for candidate in self.run.reading.candidates:
            why = self._untestable(candidate)
            if why is None:
                testable.append(candidate)
            else:
                await self._put_aside(candidate, why)
        if testable:
            crew.start(self._tick(), "ticker")
            crew.start(self._heed_steering(), "steering")
            self._open_engines(crew, testable)
            crew.start(self._load_roots(), "roots")
            measuring = crew.start(self._measure_line(), "control")
            bell = crew.start(self._bell(), "bell")
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({measuring, bell}, timeout=_HEAD_START, return_when=first)
            await self._try_all(testable)
        await self._finish()
        crew.dismiss()

    async def _load_roots(self) -> None:
        await self.run.roots()

    async def _bell(self) -> None:
        await self.stop.event.wait()

    async def _announce(self) -> None:
        reading, run = self.run.reading, self.run
        budget = plan.budget(reading.candidates, run.targets, run.profile)
        started = Started(
            given=reading.given,
            candidates=len(reading.candidates),
            duplicates=reading.duplicates,
            rejected=len(reading.rejected),
            profile=run.profile.name,
            budget_connections=budget.connections,
            budget_kib=min(budget.kib, run.budget_kib or budget.kib),
        )
        await self.events.put(started)
        for notice in reading.notices:
            await self.events.put(Noticed(notice))
        for line in reading.rejected:
            await self.events.put(LineRejected(line))

    def _untestable(self, candidate: Candidate) -> Message | None:
        if not plan.is_wanted(candidate, self.run.only):
            return Message(N_("left out by --only"))
        if plan.is_testable(candidate):
            return None
        return Message(candidate.endpoint.untested or N_("this version has no way to test it"))

    def _open_engines(self, crew: Crew, testable: Sequence[Candidate]) -> None:
        wanted = [c.endpoint for c in testable if REGISTRY[c.endpoint.transport].engine]
        if wanted and self.run.engines is not None:
            crew.start(self._keep_engines(self.run.engines, wanted), "engines")
        else:
            self.doors_ready.set()

    async def _keep_engines(self, open_engines: OpenEngines, wanted: Sequence[Endpoint]) -> None:
        try:
            async with open_engines(wanted) as engines:
                self.around.doors, self.follower.reports = engines.doors, engines.reports
                self.doors_ready.set()
                await asyncio.Event().wait()  # they run until the run dismisses its crew
        except CannotMeasure as reason:
            self.around.doors = dict.fromkeys((endpoint.key() for endpoint in wanted), reason)
        finally:
            self.doors_ready.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            elapsed = self.loop.time() - self.began
            await self.events.put(self.tally.progressed(self.around.pacer.passed, elapsed))
            await self._tell_of_engines()
            self._watch_budget()

    async def _tell_of_engines(self) -> None:
        for event in self.follower.news(self.loop.time() - self.began):
            await self.events.put(event)

    def _watch_budget(self) -> None:
        if self.run.budget_kib and self.tally.moved_kib >= self.run.budget_kib:
            self.stop.ring("budget")

    async def _try_all(self, testable: Sequence[Candidate]) -> None:
        self.queue = plan.Queue(plan.order(testable, rng=self.run.rng, rank=self.run.rank))
        async with Crew() as self.hands:
            if not self.stop.event.is_set():
                await self._man(self.hands)
            await self.stop.event.wait()

    async def _man(self, hands: Crew) -> None:
        """Have as many at work as the profile says. Those too many leave when their try is over (`_work`)."""

        def start() -> None:
            if self.workers < self.profile.concurrency:
                self.workers += 1
                hands.start(self._work(), "candidate")

        missing = min(self.profile.concurrency, len(self.run.reading.candidates)) - self.workers
        await in_slices(max(0, missing), start)

    async def _heed_steering(self) -> None:
        while True:
            await self.steering.turned.wait()
            self.steering.turned.clear()
            self.profile = self.steering.profile or self.profile
            self.around.heed(self.profile, paused=self.steering.paused)
            elapsed = self.loop.time() - self.began
            await self.events.put(PaceChanged(self.profile.name, self.steering.paused, elapsed))
            if self.hands is not None and not self.stop.event.is_set():
                await self._man(self.hands)

    async def _finish(self) -> None:
        why_not = _SPENT if self.stop.why == "budget" else _NOT_TRIED.get(self.stop.why, _STOPPED)
        unfinished = [*self.flying.values(), *self.queue.rest()]
        for job in unfinished:
            if job.attempt is None or self.stop.why in _NOT_TRIED:
                halfway = why_not is _STOPPED and job.trace is not None and job.trace.contacted
                await self._put_aside(job.candidate, Message(_HALFWAY if halfway else why_not), job)
            else:
                await self._conclude(job, job.attempt)
        await self._tell_of_engines()
        elapsed = self.loop.time() - self.began
        finished = self.tally.finished(self.stop.why, elapsed, self.around.control)
        await self.events.put(finished)

    # the line without a proxy

    async def _measure_line(self) -> None:
        limits = self.run.profile.short
        way = self.around.control_way(limits)
        attempt = await climb(way)
        if attempt.plain_page is not None and attempt.plain_page.whole:
            self.around.plain_reference = attempt.plain_page.body
        found = control.conclude(attempt, route=control.has_route())
        self.around.control = replace(found, own=self.run.targets.own)
        self.control_done.set()
        await self.events.put(ControlFinished(self.around.control))
        await self._heed(self.around.control)

    async def _heed(self, found: Control) -> None:
        """Say what a dead line or a misspelt target means for the run, at once."""
        about_target = control.about_target(found) if self.run.targets.own else None
        for said in (about_target, control.about_clock(found)):
            if said is not None:
                await self.events.put(Noticed(said))
        if self.run.targets.own and found.step is Step.HTTP_ROUND_TRIP and found.state is LineState.UNKNOWN:
            self.stop.ring("target")  # it answers wrongly without any entry too: no entry can be judged by it
        hosts = [candidate.endpoint.host for candidate in self.run.reading.candidates[:_LOOKED_AT]]
        if found.state is LineState.NO_NETWORK and not any(map(control.has_route_to, hosts)):
            self.stop.ring("no_network")

    # one candidate

    async def _work(self) -> None:
        while True:
            if self.workers > self.profile.concurrency:
                self.workers -= 1
                return
            job = self.queue.take(self.loop.time())
            if job is None:
                self.stop.ring("")
                return
            if not isinstance(job, Job):
                await self._rest(job)
                continue
            await self._tell_of_patience(job)
            self.flying[id(job)] = job
            came_back = await self._try(job)
            self.flying.pop(id(job), None)
            if came_back or not self.queue.out:  # else nothing has changed for those who rest
                self.woken.set()
                self.woken.clear()

    async def _tell_of_patience(self, job: Job) -> None:
        """Say once that those who were silent are waited for again: for long nothing else will be seen."""
        if job.deep and not self.patient:
            self.patient = True
            await self.events.put(Noticed(Message(_PATIENT)))

    async def _rest(self, seconds: float) -> None:
        """Wait until a job comes back, or until the next second try is due."""
        try:
            async with asyncio.timeout(seconds if seconds != float("inf") else None):
                await self.woken.wait()
        except TimeoutError:
            return

    async def _try(self, job: Job) -> bool:
        """Try once. Returns whether the job has gone back into the queue."""
        profile, endpoint, around = self.profile, job.candidate.endpoint, self.around
        if REGISTRY[endpoint.transport].engine:
            await self.doors_ready.wait()
        limits = profile.deep if job.deep and profile.deep else profile.short
        if profile.deep is not None:
            limits = plan.stretched(limits, around.control, self.run.targets)
        way = around.way(endpoint, limits)
        job.trace = way.net.trace
        began = self.loop.time()
        try:
            attempt = await climb(way)
        except CannotMeasure as reason:
            self.queue.back()
            await self._put_aside(job.candidate, Message(reason.reason, reason.values), job)
            return False
        except Exception as error:  # noqa: BLE001 - one entry that trips us must not end the run for all others
            self.queue.back()
            text = N_("could not be measured: a fault of this program ({kind}), please report it")
            await self._put_aside(job.candidate, Message(text, {"kind": type(error).__name__}), job)
            return False
        job.attempt = attempt
        job.tries += 1
        job.spent += self.loop.time() - began - job.trace.waited
        if job.tries == 1 and wants_retry(attempt):
            self.queue.again(job, self.loop.time() + profile.pause)
            return True
        if not job.deep and profile.deep is not None and wants_patience(attempt):
            self.queue.later(job)
            return True
        self.queue.back()
        await self._conclude(job, attempt)
        return False

    # verdicts

    async def _conclude(self, job: Job, attempt: Attempt) -> None:
        if not self.control_done.is_set() and needs_control(attempt):
            with suppress(TimeoutError):
                async with asyncio.timeout(_CONTROL_PATIENCE):
                    await self.control_done.wait()
        attempt = settled(attempt, self.around.plain_reference)
        host = job.candidate.endpoint.host
        found = judge(attempt, self.around.control, quota=self.run.targets.quota, host=host)
        transport = attempt.spoken or job.candidate.endpoint.transport
        await self._report(
            Verdict(
                candidate=job.candidate,
                transport=transport,
                protection=protection_of(transport, job.candidate.endpoint, trusted=self.run.trusted),
                status=found.status,
                reason=found.reason,
                failure=found.failure,
                step=found.step,
                observations=tuple(attempt.observations),
                proof=attempt.proof,
                elapsed=job.spent,
                tries=job.tries,
                finished=self.loop.time() - self.began,
            ),
            job,
        )

    async def _put_aside(self, candidate: Candidate, why: Message, job: Job | None = None) -> None:
        transport, now = candidate.endpoint.transport, self.loop.time()
        trace = job.trace if job is not None and job.trace is not None and job.trace.contacted else None
        await self._report(
            Verdict(
                candidate=candidate,
                transport=transport,
                protection=protection_of(transport, candidate.endpoint, trusted=self.run.trusted),
                status=Status.UNTESTED,
                reason=why,
                observations=tuple(trace.observations) if trace else (),
                elapsed=now - trace.zero - trace.waited if trace else 0.0,
                tries=1 if trace else 0,
                finished=now - self.began,
            ),
            job,
        )

    async def _report(self, verdict: Verdict, job: Job | None = None) -> None:
        # Counted only once the event is out: a cancelled put leaves the job to be concluded at the end.
        event = Judged(self.run.namer.id(verdict.candidate.endpoint), verdict)
        if self.events.full():
            await self.events.put(event)
        else:
            self.events.put_nowait(event)
        self.tally.take(verdict)
        if job is not None:
            self.flying.pop(id(job), None)
        if self.run.first and self.tally.working >= self.run.first:
            self.stop.ring("first")
        else:
            self._watch_budget()
