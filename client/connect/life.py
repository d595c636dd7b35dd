"""Life and death of the options in use: silence raises a doubt, a probe settles it, and the dead are taken away."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol

from client.connect.health import Doubt
from client.connect.line import Line
from client.connect.probing import Outcome
from client.model import Protection
from client.options import Option
from client.tasks import Crew
from transports.failure import Failure
from transports.net import Net
from transports.registry import REGISTRY

_LOOK: Final = 0.1  # seconds between two looks at what is in use, while it is
_LULL: Final = 1.0  # seconds without an answer of ours before the next question, where our side could not ask
_HEARING: Final = 0.5  # the same for what an engine of ours knows, while nothing moves
_TRIES: Final = 3
_ROUND_TRIPS: Final = 4  # of a glance: connect, proxy, TLS, page


class Glances(Protocol):
    """Whoever can ask an option for a small page."""

    async def glance(self, option: Option, patience: float) -> Outcome:
        """Fetch it within `patience` seconds."""

    def fallen(self, option: Option) -> str:
        """Return a word for what our own engine knows to have ended under an option, else ""."""

    async def verified(self, option: Option) -> Outcome:
        """Climb the whole ladder."""


class Asks(Glances, Protocol):
    """What the keeper needs of `client.connect.probing.Prober`."""

    def net(self) -> Net:
        """Return the surroundings for one connection of a program."""


class Life:
    """The lines in use: the current one, and older ones whose connections have not ended yet.

    Our own questions go only through the current one, and through those that still carry something of a program.
    `proved` and `died` are told what they have answered; `in_vain`, that one answers us and brings programs nothing.
    """

    def __init__(
        self,
        asks: Glances,
        crew: Crew,
        *,
        proved: Callable[[Line, Outcome], None],
        died: Callable[[Line, Outcome, int], None],
        in_vain: Callable[[Line], None],
    ) -> None:
        self._asks, self._crew, self._proved, self._died, self._in_vain = asks, crew, proved, died, in_vain
        self._lines: list[Line] = []
        self._current: Line | None = None
        self._up = self._down = 0
        self._clock = asyncio.get_running_loop().time
        self._wakened = asyncio.Event()

    @property
    def up(self) -> int:
        """Bytes that went up in all."""
        return self._up + sum(line.pulse.up for line in self._lines)

    @property
    def down(self) -> int:
        """Bytes that came down in all."""
        return self._down + sum(line.pulse.down for line in self._lines)

    @property
    def legs(self) -> int:
        """Connections that are open now."""
        return sum(line.pulse.legs for line in self._lines)

    def below(self, kind: Protection) -> int:
        """Return how many connections are still open through options of a lower class."""
        return sum(line.pulse.legs for line in self._lines if line.option.protection > kind)

    def take(self, line: Line) -> None:
        """Watch one more: it is the current one now.

        What goes through a lower class is not opened any more. What is open may end by itself, but not without
        encryption: the person is told that the better class is in use, and must be able to believe it.
        """
        for old in list(self._lines):
            kind = old.option.protection
            if kind > line.option.protection:
                old.give_up()
            if not old.busy or (kind is Protection.OPEN and kind > line.option.protection):
                self._let_go(old)
        line.wakened = self._wakened.set
        self._lines.append(line)
        self._current = line

    def cut(self, *, current: bool = False) -> None:
        """Reset all connections. `current`: what is in use stays in use, and all else is let go."""
        for line in list(self._lines):
            if current and line is self._current:
                line.cut()
            else:
                self._let_go(line)

    def end(self) -> None:
        """Let all of them die."""
        self.cut()

    async def settle(self, line: Line, doubt: Doubt) -> bool:
        """Say whether one has answered and is in use. Many doubts share one probe."""
        if line.dead:
            return False
        answered = self.ask(line, doubt)
        await asyncio.wait((answered,))
        return answered.result() and not line.dead

    def ask(self, line: Line, doubt: Doubt = Doubt.QUIET) -> asyncio.Future[bool]:
        """Probe it, unless that is under way; returns what tells in the end whether it has answered."""
        if line.settling is None:
            line.settling = answered = asyncio.get_running_loop().create_future()
            task = self._start(line, self._settle(line, doubt, answered))
            task.add_done_callback(functools.partial(_settled, line, answered))
        return line.settling

    def test(self, line: Line) -> None:
        """Put it to the whole test, unless that is under way, and take it away if it does not pass."""
        if not line.tested:
            line.tested = True
            self._start(line, self._test(line))

    def _start(self, line: Line, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._crew.start(work, "question")
        line.asking.add(task)
        task.add_done_callback(line.asking.discard)
        return task

    async def watch(self) -> None:
        """Look for doubts as long as anything moves; while nothing does, only what our own engines know."""
        while True:
            self._tidy()
            self._hear_engines()
            watched = [line for line in self._lines if line.busy or line.pulse.troubled]
            if not watched:
                self._wakened.clear()
                engines = any(REGISTRY[line.option.transport].engine for line in self._lines)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_HEARING if engines else None):
                        await self._wakened.wait()
                continue
            now = self._clock()
            for line in watched:
                doubt = line.pulse.doubt(now)
                if doubt is not None and line.settling is None:
                    self.ask(line, doubt)
            await asyncio.sleep(_LOOK)

    def _tidy(self) -> None:
        """Let those go that are out of use and carry nothing: nothing of ours may be sent through them."""
        for line in list(self._lines):
            if line is not self._current and not line.busy:
                self._let_go(line)

    def _hear_engines(self) -> None:
        for line in self._lines:
            fallen = self._asks.fallen(line.option)
            if fallen and fallen != line.fallen:
                line.pulse.fault(Doubt.BROKE)
            line.fallen = fallen

    async def _settle(self, line: Line, doubt: Doubt, answered: asyncio.Future[bool]) -> None:
        outcome = await self._answer_of(line)
        if outcome.ours:
            await asyncio.sleep(_LULL)
            line.pulse.cleared(Doubt.BROKE, self._clock())
        elif outcome.alive:
            line.pulse.took(outcome.took / _ROUND_TRIPS)
            line.pulse.cleared(doubt, self._clock())
            self._proved(line, outcome)
            answered.set_result(True)
            if line.pulse.in_vain():
                self._in_vain(line)
        else:
            self._bury(line, outcome)

    async def _test(self, line: Line) -> None:
        outcome = await self._asks.verified(line.option)
        line.tested = False
        if outcome.alive:
            self._proved(line, outcome)
        elif not outcome.ours:
            self._bury(line, outcome)

    def _bury(self, line: Line, outcome: Outcome) -> None:
        if not line.dead:
            cut = self._let_go(line)
            self._died(line, outcome, cut)

    async def _answer_of(self, line: Line) -> Outcome:
        """Probe. An accident is asked about once more; a silence too, where bytes came meanwhile."""
        for attempt in range(_TRIES):
            before = line.pulse.down
            outcome = await self._asks.glance(line.option, line.pulse.patience())
            if outcome.alive or outcome.ours or outcome.failure in (None, Failure.CONNECTION_REFUSED):
                break
            if outcome.failure is Failure.TIMEOUT and line.pulse.down == before:
                break
            if outcome.failure is not Failure.TIMEOUT and attempt:
                break
            await asyncio.sleep(_LOOK)
        return outcome

    def _let_go(self, line: Line) -> int:
        """End all that goes through a line, and forget it; return how many connections that were."""
        cut = line.die()
        if line is self._current:
            self._current = None
        if line in self._lines:
            self._lines.remove(line)
            self._up += line.pulse.up
            self._down += line.pulse.down
        return cut


def _settled(line: Line, answered: asyncio.Future[bool], _task: object) -> None:
    """Close a question, also one that was cancelled before its first step."""
    line.settling = None
    if not answered.done():
        answered.set_result(False)
