"""Carries a watch out: waits, asks, concludes, rings, keeps the calendar, does the queue. Gives one stream of events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from client.control import has_route_to
from client.diagnosis import ask_here, questions
from client.diagnosis.around import Around, fault
from client.diagnosis.ask import ask
from client.diagnosis.asks import Ask
from client.diagnosis.run import Inquiry, surroundings
from client.diagnosis.sights import Came, Sight, Test
from client.model import Message
from client.steering import Stop
from client.tasks import Crew
from client.watch import events as told
from client.watch import jobs as queue
from client.watch import ring
from client.watch.asks import Question, Rotation
from client.watch.calendar import MINUTE, Calendar, Mark
from client.watch.clock import Clock, Drift, SystemClock, Why, network_print
from client.watch.events import Event
from client.watch.openings import Openings
from client.watch.predict import Forecast, forecast
from client.watch.pulse import HOUR, Mode, Pulse
from client.watch.state import CLOSED, PARTLY, Change, Line, State, Turn
from transports.types import Rejected

_QUEUE: Final = 256
_SLICE: Final = 10.0  # seconds between two looks at clock and network
_GAP: Final = 15 * 60.0  # seconds without an answer: then nobody has watched
_URGENCY: Final = 10 * 60.0  # seconds that a doubt may hasten the questions
_SURE: Final = 0.4  # of a forecast, for the faster questions near it
_OFTEN: Final = 15 * 60.0  # seconds between two saves of the calendar
_ANSWER: Final = (
    420.0  # seconds that one question may take, with connections that have to wait for their turn
)
_LOOK: Final = 4500  # bytes of a closer look at a certificate
_OFFLINE: Final = 15.0  # seconds between two looks where there is no way out

Save = Callable[[str, Calendar], Awaitable[None]]
Look = Callable[[Ask, Around], Awaitable[Sequence[Sight]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """All that a watch needs to know. `network` names the present one in the calendar; `name` finds it anew after a
    change. `save` keeps a calendar, and raises Rejected where that cannot be; None: nothing is kept. `load` gives that of
    another network.
    """

    inquiry: Inquiry
    jobs: Sequence[queue.Job] = ()
    notice: ring.Notice | None = None
    once: bool = False
    calendar: Calendar = field(default_factory=Calendar)
    network: str = ""
    name: Callable[[], Awaitable[str]] | None = None
    load: Callable[[str], Calendar] | None = None
    save: Save | None = None
    clock: Clock = field(default_factory=SystemClock)
    look: Look = ask_here.route
    signature: Callable[[], frozenset[str]] = network_print
    rng: random.Random = field(default_factory=random.SystemRandom)
    slice: float = _SLICE


@asynccontextmanager
async def watching(watch: Watch, stop: Stop | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    """Watch until `stop`; gives the stream of events, ending with Ended. Leaving the block stops everything."""
    watcher = _Watcher(watch, stop or Stop())
    async with Crew() as crew:
        crew.start(watcher.lead(crew), "watch")
        yield _drain(watcher.events)


async def _drain(events: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        event = await events.get()
        yield event
        if isinstance(event, told.Ended):
            return


def mark_of(state: State) -> Mark | None:
    """Return how a state stands in the calendar; None where the line itself was not seen."""
    if state is State.OPEN:
        return Mark.OPEN
    if state in PARTLY:
        return Mark.PARTLY
    return Mark.SHUT if state in CLOSED else None


class _Watcher:
    """One watch in progress."""

    def __init__(self, watch: Watch, stop: Stop) -> None:
        self.watch, self.stop, self.clock = watch, stop, watch.clock
        self.events: asyncio.Queue[Event] = asyncio.Queue(_QUEUE)
        self.line = Line()
        self.pulse = Pulse(watch.rng)
        self.rotation = Rotation(watch.inquiry.anchors, watch.rng, watch.inquiry.wishes.ports)
        self.calendar, self.network = watch.calendar, watch.network
        self.forecast: Forecast | None = None
        self.mode = Mode.FULL
        self.drift = Drift(watch.clock)
        self.signature = watch.signature()
        self.fresh = self.clock.steady()  # since when the state is what it is
        self.hasty: float | None = None  # since when an answer is in doubt
        self.noted = self.clock.wall()  # until when the calendar is kept
        self.saved = self.clock.wall()
        self.free = False  # whether the next connection has waited for its turn already
        self.connections = self.opened = self.shut = 0
        self.total = 0.0
        self.metered = 0  # bytes of the questions that the pulse knows of
        self.proven: set[str] = set()  # names whose address was the right one
        self.openings = Openings(watch.jobs, self.clock, self._put, self.stop if watch.once else None)
        self.unkept = False  # whether it was told that the calendar cannot be kept

    # the watch as a whole

    async def lead(self, crew: Crew) -> None:
        """Carry the watch from the first event to the last."""
        work = crew.start(self._watch(crew), "questions")
        bell = crew.start(self._rung(), "bell")
        await asyncio.wait({work, bell}, return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        await asyncio.wait({work})
        self.openings.shut()
        self._note(self.clock.wall())
        await self._save()
        await self._put(
            told.Ended(
                at=self.clock.wall(),
                opened=self.opened,
                shut=self.shut,
                connections=self.connections,
                total=self.total,
            )
        )
        crew.dismiss()

    async def _rung(self) -> None:
        await self.stop.event.wait()

    async def _put(self, event: Event) -> None:
        await self.events.put(event)

    async def _watch(self, crew: Crew) -> None:
        async with surroundings(self.watch.inquiry) as around:
            await around.tls()  # now: the moment when it opens is no time to load certificates
            around.pace = lambda: self._gate(around)
            self.metered = around.moved
            await self._put(told.Began(at=self.clock.wall(), network=self.network))
            await self._expect()
            while True:
                question = self.rotation.next(self.line)
                await self._wait(question.cost)
                if await self._is_offline(question, around):
                    await self.clock.sleep(_OFFLINE)
                    continue
                await self._ask(question, around, crew)

    # waiting

    async def _wait(self, cost: float) -> None:
        """Wait until the next connection may begin, with a look at clock and network now and then."""
        while True:
            await self._look_around()
            now = self.clock.steady()
            self.pulse.forget(now)
            left = self.pulse.due(now, await self._paced(), cost=cost, urgent=self._urgent(now)) - now
            if left <= 0:
                return
            await self.clock.sleep(min(left, self.watch.slice))

    def _urgent(self, now: float) -> bool:
        """Whether an answer is in doubt; one that stays in doubt is no reason to hurry."""
        if not self.line.urgent:
            self.hasty = None
            return False
        self.hasty = now if self.hasty is None else self.hasty
        return now - self.hasty < _URGENCY

    async def _paced(self) -> Mode:
        """Return the pace for now, and tell where it changes."""
        now, wall = self.clock.steady(), self.clock.wall()
        mode = Mode.FULL if now - self.fresh < HOUR or self._urgent(now) else Mode.SLOW
        expected = self.forecast
        if expected and wall > expected.start + expected.spread:
            await self._expect()
            expected = self.forecast
        if expected and expected.sure >= _SURE and expected.near(wall) and self.line.state is not State.OPEN:
            mode = Mode.BURST
        if mode is not self.mode:
            self.mode = mode
            await self._put(told.Paced(at=wall, mode=mode))
        return mode

    async def _gate(self, around: Around, cost: int = _LOOK) -> None:
        """Let a connection begin: at once where it has waited already, else when its turn comes."""
        if not self.free:
            self._meter(around)
            await self._wait(cost)
            self.pulse.begin(self.clock.steady())
            self.connections += 1
        self.free = False

    async def _look_around(self) -> None:
        """Heed sleep, a changed clock and another network."""
        wall, now = self.clock.wall(), self.clock.steady()
        for jump in self.drift.look():
            await self._put(told.Jumped(at=wall, jump=jump))
            self.noted = wall  # what was in between nobody has seen
            if jump.why is Why.SLEEP:
                self.pulse.slept(jump.seconds)
                self.openings.slept(jump.seconds)
                self.line.forget(now)
                self.fresh = now
            await self._expect()
        seen = self.watch.signature()
        if seen != self.signature:
            self.signature = seen
            self._note(wall)
            await self._save()
            self.noted = wall
            self.line.forget(now)
            self.fresh = now
            await self._rename(wall)

    async def _rename(self, wall: float) -> None:
        """Take the calendar of the network that the machine is on now."""
        name = await self.watch.name() if self.watch.name else ""
        if name != self.network:
            self.network = name
            self.calendar = self.watch.load(name) if self.watch.load else Calendar()
        await self._put(told.Moved(at=wall, network=name))
        await self._expect()

    # asking

    async def _is_offline(self, question: Question, around: Around) -> bool:
        """Look for a way out; without one nothing is asked."""
        seen = list(await self.watch.look(questions.route(), around))
        if any(sight.came is Came.NO_ROUTE for sight in seen):
            if not has_route_to(question.ask.host):
                await self._take(seen, None)
                return True
            seen = [replace(sight, came=Came.RIGHT, detail="gateway_unknown") for sight in seen]
        await self._take(seen, None)
        return False

    async def _ask(self, question: Question, around: Around, crew: Crew) -> None:
        self.pulse.begin(self.clock.steady())
        self.connections += 1
        self.free = True
        before = around.moved
        around.closer = self.line.looks_closer(question.ask.who)
        try:
            async with asyncio.timeout(_ANSWER):
                came = await ask(question.ask, around)
        except TimeoutError:
            came = (fault(question.ask, around.now(), around, "too_long"),)
        moved = around.moved - before
        self.total += moved
        self._meter(around)
        self.rotation.learn(question, moved)
        self._heed_address(question, came, around)
        seen = question.seen(came)
        if seen:
            await self._put(
                told.Asked(
                    at=self.clock.wall(),
                    place=question.ask.place,
                    who=question.ask.who,
                    came=seen[-1].came,
                    moved=moved,
                    connections=self.connections,
                    total=self.total,
                )
            )
        await self._take(seen, crew)

    def _meter(self, around: Around) -> None:
        """Tell the pulse what has been moved since the last time."""
        if around.moved > self.metered:
            self.pulse.moved(self.clock.steady(), around.moved - self.metered)
        self.metered = around.moved

    def _heed_address(self, question: Question, came: Sequence[Sight], around: Around) -> None:
        """Let go of a name's address where nobody has proved himself there: it may be a forged one."""
        host = question.ask.host
        if any(sight.test is Test.TLS and sight.came is Came.RIGHT for sight in came):
            self.proven.add(host)
        elif host not in self.proven or any(sight.came is Came.FALSE for sight in came):
            around.resolver.forget(host)

    async def _take(self, seen: Sequence[Sight], crew: Crew | None) -> None:
        """Conclude from what was seen; keep the calendar."""
        now, wall = self.clock.steady(), self.clock.wall()
        turn = self.line.take(now, seen)
        if turn is None:
            if (
                crew is not None
                and not self.line.doubtful
                and any(one.came is not Came.FAULT for one in seen)
            ):
                self._note(wall)
            if wall - self.saved >= _OFTEN:
                await self._save()
            return
        began = wall - (now - turn.began)
        self._note(min(began, wall), turn.old)
        self.noted = max(self.noted, began)
        self._note(wall)
        self.fresh = now
        await self._put(told.Turned(at=wall, turn=turn))
        await self._heed(turn, crew)
        await self._save()

    def _note(self, wall: float, state: State | None = None) -> None:
        """Mark the calendar from where it was kept until now."""
        if int(wall // MINUTE) <= int(self.noted // MINUTE):
            return
        mark = mark_of(self.line.state if state is None else state)
        if mark is not None and wall - self.noted <= _GAP:
            self.calendar = self.calendar.marked(self.noted, wall, mark)
        self.noted = wall

    async def _save(self) -> None:
        self.saved = self.clock.wall()
        await self._put(told.Noted(at=self.saved, network=self.network, calendar=self.calendar))
        if self.watch.save is not None:
            try:
                await self.watch.save(self.network, self.calendar)
                self.unkept = False
            except Rejected as rejected:
                if not self.unkept:
                    why = Message(rejected.reason, rejected.values)
                    await self._put(told.NotKept(at=self.saved, why=why))
                self.unkept = True
        await self._expect()

    async def _expect(self) -> None:
        """Work out the next likely window; tell where it is another."""
        wall = self.clock.wall()
        before, self.forecast = self.forecast, forecast(self.calendar, wall)
        if before is None and self.forecast is None:
            return
        if before is None or self.forecast is None or before.start != self.forecast.start:
            await self._put(told.Expected(at=wall, forecast=self.forecast))

    # what opens and shuts

    async def _heed(self, turn: Turn, crew: Crew | None) -> None:
        if turn.change is Change.NONE:
            return
        opened = turn.change is Change.OPENED
        self.opened, self.shut = self.opened + opened, self.shut + (not opened)
        if not opened:
            self.openings.shut()
        if crew is None:
            return
        if self.watch.notice is not None:
            crew.start(self._notify(opened), "notice")
        if opened:
            self.openings.opened(crew)

    async def _notify(self, opened: bool) -> None:
        from client.i18n import _

        notice = self.watch.notice
        if notice is not None and notice.desktop:
            await ring.notify(notice.text or _(ring.OPENED if opened else ring.SHUT))
