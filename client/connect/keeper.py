"""The keeper: it knows the options, sends connections through the best, and changes it when it has died.

Every change of what is known ends in `_review`, which asks `choice` for the next step and takes it. Nothing else
decides what is used, so the rule on protection classes has one place.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Self

from client.connect import choice
from client.connect.book import Book, Knocks
from client.connect.choice import Standing
from client.connect.events import Event, Held, Hold, Lost, Noticed, Status, Summary, Using, Why
from client.connect.legs import Datagrams, Leg, NotOpened, Refusal
from client.connect.life import Asks, Life
from client.connect.line import Died, Line
from client.connect.probing import Outcome
from client.connect.question import Question
from client.model import Message, Protection
from client.options import Option
from client.tasks import Crew, together
from transports.net import Net
from transports.types import N_

PATIENCE: Final = 10.0
"""Seconds that a connection of a program may wait for an option."""

_RETRY: Final = 8.0  # seconds for a glance at one that has died
_LULL: Final = 1.0  # seconds between two rounds of questions where our side could not ask
_HEAD_START: Final = 6.0  # seconds
_BETTER_AWAITED: Final = N_(
    "an option without encryption works (class D); better ones are still under test, so it is not used yet"
)
_IN_VAIN: Final = N_(
    "the option in use answers, but programs get nothing through it: another one of its class is used, or it is tested anew"
)
_STAYS: Final = N_("traffic stays stopped: an option of a lower class is used only with your consent")


class Keeper:
    """The gateway of the local side. Use it as a context: leaving it ends its tasks and every connection."""

    def __init__(
        self,
        asks: Asks,
        tell: Callable[[Event], None],
        *,
        lowest: Protection | None = None,
        prefer: str = "",
        consent: Callable[[Protection, Protection | None], Awaitable[bool | None]] | None = None,
        more: Callable[[], bool] = lambda: False,
        datagrams: Callable[[Option, Net], Awaitable[Datagrams]] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._asks, self._tell, self._more = asks, tell, more
        self._datagrams = datagrams
        self._rng = rng or random.Random()
        self._book, self._knocks = Book(self._rng), Knocks(self._rng)
        self._lowest = self._floor = lowest
        self._prefer = prefer
        self._under_test: dict[str, Protection] = {}
        self._current: Line | None = None
        self._held: Hold | None = None
        self._there: Protection | None = None
        self._ended = False
        self._confirming = False
        self._told_of_waiting = False
        self._used = self._lost = self._count = 0
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._changed = asyncio.Event()
        self._crew = Crew()
        self._life = Life(asks, self._crew, proved=self._proved, died=self._died, in_vain=self._in_vain)
        self._question = Question(consent, self._crew, agreed=self._lower, refused=self._stays)

    async def __aenter__(self) -> Self:
        await self._crew.__aenter__()
        self._crew.start(self._life.watch(), "watch")
        self._crew.start(self._retry(), "retry")
        if self._prefer:
            self._crew.start(self._wait_for_chosen(), "chosen")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._ended, self._current = True, None
        self._life.end()
        await self._crew.__aexit__(None, None, None)

    # what the local side asks

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        """Open a connection through the best option; one that dies meanwhile is replaced. Raises NotOpened."""
        self._count += 1
        deadline = self._clock() + PATIENCE
        while True:
            line = await self._way_out(deadline)
            try:
                return await line.open(host, port, page=page)
            except Died:
                self._still(deadline)

    async def datagrams(self) -> Datagrams:
        """Open an association for datagrams. Raises NotOpened."""
        deadline = self._clock() + PATIENCE
        while True:
            line = await self._way_out(deadline)
            opens, option = self._datagrams, line.option
            if opens is None:
                raise NotOpened(Refusal.UNSUPPORTED)
            try:
                return await line.datagrams(functools.partial(opens, option))
            except Died:
                self._still(deadline)

    def _still(self, deadline: float) -> None:
        if self._clock() > deadline:
            raise NotOpened(Refusal.HELD)

    async def _way_out(self, deadline: float) -> Line:
        while self._current is None:
            if self._held is not None or self._ended:
                if self._knocks.count(self._clock()):
                    self._hasten()
                raise NotOpened(Refusal.HELD)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                raise NotOpened(Refusal.HELD) from None
        return self._current

    # what the check tells

    def begin(self, under_test: Mapping[str, Protection]) -> None:
        """Take the names and classes of those whose first verdict is awaited now."""
        self._under_test.update(under_test)
        self._review()

    def judged(self, name: str, option: Option | None) -> None:
        """Take a verdict: an option that works, or None."""
        self._under_test.pop(name, None)
        if option is not None:
            self._book.take(name, option, self._clock())
        self._review()

    @property
    def working(self) -> list[Standing]:
        """The options as they stand."""
        return self._book.standings(self._clock())

    @property
    def using(self) -> Option | None:
        """What new connections go through."""
        return self._current.option if self._current else None

    @property
    def held(self) -> Hold | None:
        """Why traffic is stopped, if it is."""
        return self._held

    @property
    def declined(self) -> bool:
        """Whether the last question for a lower class got no yes."""
        return self._question.declined

    @property
    def floor(self) -> Protection | None:
        """The lowest class that may be used now."""
        return self._floor

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until `there` holds; it is looked at whenever something has changed."""
        while not there():
            await self._changed.wait()

    # what happens around

    def shake(self, *, cut: bool) -> None:
        """Doubt everything: the machine has slept, or its network is another one. `cut`: no connection can live."""
        self._book.void()
        if cut:
            self._life.cut(current=True)
        self._hasten()
        if self._current is not None:
            self._life.ask(self._current)
        reserves = self._book.reserves(self._floor)[: choice.ENOUGH]
        self._crew.start(self._look_again(reserves), "look again")

    async def _look_again(self, names: list[str]) -> None:
        for name in names:
            if self._current is None or self._current.name != name:
                await self._glance(name, _RETRY)
        self._review()

    def _hasten(self) -> None:
        self._book.hasten(self._clock())
        self.stir()

    def stir(self) -> None:
        """Have those who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    # decisions

    async def _wait_for_chosen(self) -> None:
        """Give the one that the person chose a head start, so that traffic does not begin on another."""
        await asyncio.sleep(_HEAD_START)
        self._review()

    def _review(self) -> None:
        early = not self._used and self._clock() - self._began < _HEAD_START
        if early and self._prefer in self._under_test:
            return
        now_in_use = self._current
        if now_in_use is not None and now_in_use.pulse.bears:
            self._book.entries[now_in_use.name].barren = False
        step = choice.next_step(
            self.working,
            current=now_in_use.name if now_in_use else None,
            floor=self._floor,
            under_test=self._under_test.values(),
            preferred=self._prefer,
        )
        if isinstance(step, choice.Use):
            self._use(step.id)
        elif isinstance(step, choice.Confirm):
            if not self._confirming:
                self._confirming = True
                self._crew.start(self._confirm(step.ids), "confirm")
        elif isinstance(step, choice.Wait):
            if step.better and not self._told_of_waiting:
                self._told_of_waiting = True
                self._tell(Noticed(Message(_BETTER_AWAITED)))
        elif isinstance(step, choice.Stop) and not (self._confirming or self._more()):
            self._stop(step)
        self.stir()

    def _use(self, name: str) -> None:
        entry, before = self._book.entries[name], self._current
        why = self._why(before, entry.option)
        self._current = Line(name, entry.option, self._asks.net, self._life.settle, self._rng.random)
        self._life.take(self._current)
        self._floor = entry.option.protection
        if self._lowest is not None:
            self._floor = choice.lower(self._floor, self._lowest)
        self._held = None
        self._knocks.forget()
        self._question.settle()
        self._used += 1
        self._tell(Using(id=name, option=entry.option, why=why, age=entry.age(self._clock())))

    def _why(self, before: Line | None, option: Option) -> Why:
        if before is None:
            return Why.FAILOVER if self._used else Why.START
        alike = option.protection is before.option.protection
        return Why.FAILOVER if alike and self._book.entries[before.name].barren else Why.BETTER

    def _stop(self, step: choice.Stop) -> None:
        if self._held is step.why and self._there is step.there:
            return
        if self._held is None:
            self._book.soon(self._clock())
        self._held, self._there, self._current = step.why, step.there, None
        self._life.cut()
        self._tell(Held(why=step.why, lowest=self._floor, there=step.there))
        if step.why is Hold.ONLY_LOWER and step.there is not None:
            self._question.put(step.there, self._floor)
        else:
            self._question.take_back()

    def _lower(self, there: Protection) -> None:
        """Try a class that was agreed to: nothing was sent to it meanwhile, so nobody knows whether it still works."""
        self._book.doubt(self._floor)
        self._floor = self._there = there
        self._held = Hold.TRYING
        self._tell(Held(why=Hold.TRYING, lowest=there, there=there))
        self._more()
        self._review()

    def _stays(self) -> None:
        self._tell(Noticed(Message(_STAYS)))
        self.stir()

    async def _confirm(self, names: tuple[str, ...]) -> None:
        """Ask several at once; the first that answers is used."""
        try:
            await together(*(self._confirm_one(name) for name in names))
        finally:
            self._confirming = False
        self._review()

    async def _confirm_one(self, name: str) -> None:
        outcome = await self._glance(name, _RETRY)
        if outcome.alive:
            self._review()
        elif outcome.ours:
            await asyncio.sleep(_LULL)

    async def _glance(self, name: str, patience: float) -> Outcome:
        outcome = await self._asks.glance(self._book.entries[name].option, patience)
        self._note(name, outcome)
        return outcome

    async def _retry(self) -> None:
        """Try those that have died again, now and then: all while nothing is in use, else those that are missed."""
        while True:
            nothing = self._held is Hold.NOTHING_WORKS
            dead = self._book.missed(self.using, self._floor, nothing=nothing)
            ready = [name for again, name in dead if again <= self._clock()][: choice.RACERS]
            if ready:
                await together(*(self._try_again(name) for name in ready))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(dead[0][0] if dead else None):
                    await self._changed.wait()

    async def _try_again(self, name: str) -> None:
        if self._current is None:
            await self._glance(name, _RETRY)
        else:
            self._note(name, await self._asks.verified(self._book.entries[name].option))
        self._review()

    # life and death of what is in use

    def _proved(self, line: Line, outcome: Outcome) -> None:
        self._note(line.name, outcome)

    def _died(self, line: Line, outcome: Outcome, cut: int) -> None:
        was_in_use = line is self._current
        if was_in_use:
            self._current = None
        self._note(line.name, outcome)
        if was_in_use or cut:
            self._lost += 1
            lost = Lost(
                id=line.name,
                option=line.option,
                step=outcome.step,
                failure=outcome.failure,
                reason=outcome.reason,
                cut=cut,
            )
            self._tell(lost)
        if was_in_use:
            self._more()
            self._review()

    def _in_vain(self, line: Line) -> None:
        """It answers us, and programs get nothing: use another one of its class, or put it to the whole test."""
        if line is self._current:
            self._book.entries[line.name].barren = True
            self._tell(Noticed(Message(_IN_VAIN)))
            self._review()
            if line is self._current and not self._confirming:
                self._life.test(line)

    def status(self) -> Status:
        """Return how the connection stands."""
        now, line = self._clock(), self._current
        entry = self._book.entries[line.name] if line else None
        return Status(
            id=line.name if line else "",
            option=line.option if line else None,
            up=self._life.up,
            down=self._life.down,
            connections=self._life.legs,
            latency=line.pulse.latency if line and line.pulse.measured else None,
            uptime=now - line.began if line else 0.0,
            age=entry.age(now) if entry else None,
            quiet=entry.quiet(now, line.pulse.answered) if entry and line else None,
            held=self._held,
            below=self._life.below(line.option.protection) if line else 0,
        )

    def summary(self, status: int) -> Summary:
        """Return what there was in all, with the exit status."""
        return Summary(
            up=self._life.up,
            down=self._life.down,
            connections=self._count,
            used=self._used,
            lost=self._lost,
            uptime=self._clock() - self._began,
            status=status,
        )

    def _note(self, name: str, outcome: Outcome) -> None:
        self._book.note(name, outcome, self._clock(), stopped=self._current is None)
