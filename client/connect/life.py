"""Life and death of the options in use: silence raises a doubt, a probe settles it, and the dead are taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from client.connect.health import Doubt
from client.connect.line import Line
from client.connect.probing import Outcome
from client.options import Option
from client.tasks import Crew
from transports.failure import Failure
from transports.registry import REGISTRY

_LOOK: Final = 0.1  # seconds between two looks at what is in use, while it is
_HEARING: Final = 0.5  # the same for what an engine of ours knows, while nothing moves
_TRIES: Final = 3
_ROUND_TRIPS: Final = 4  # of a glance: connect, proxy, TLS, page


class Glances(Protocol):
    """Whoever can ask an option for a small page."""

    async def glance(self, option: Option, patience: float) -> Outcome:
        """Fetch it within `patience` seconds."""

    def fallen(self, option: Option) -> str:
        """Return a word for what our own engine knows to have ended under an option, else ""."""


class Life:
    """The lines in use: the current one, and older ones whose connections have not ended yet."""

    def __init__(
        self,
        asks: Glances,
        crew: Crew,
        *,
        proved: Callable[[Line, Outcome], None],
        died: Callable[[Line, Outcome, int], None],
    ) -> None:
        self._asks, self._crew, self._proved, self._died = asks, crew, proved, died
        self._lines: list[Line] = []
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

    def take(self, line: Line) -> None:
        """Watch one more: it is the current one now."""
        for old in list(self._lines):
            if not old.busy:
                self._let_go(old)
        line.wakened = self._wakened.set
        self._lines.append(line)

    def cut(self) -> None:
        """Reset all connections."""
        for line in list(self._lines):
            line.cut()

    def end(self) -> None:
        """Let all of them die."""
        for line in list(self._lines):
            line.die()

    async def settle(self, line: Line, doubt: Doubt) -> bool:
        """Say whether one is alive. Many doubts share one probe."""
        if not line.dead:
            await asyncio.wait((self.ask(line, doubt),))
        return not line.dead

    def ask(self, line: Line, doubt: Doubt = Doubt.QUIET) -> asyncio.Future[None]:
        """Probe it, unless that is under way; returns what is done when it is settled."""
        if line.settling is None:
            line.settling = asyncio.get_running_loop().create_future()
            self._crew.start(self._settle(line, doubt, line.settling), "settle")
        return line.settling

    async def watch(self) -> None:
        """Look for doubts as long as anything moves; while nothing does, only what our own engines know."""
        while True:
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

    def _hear_engines(self) -> None:
        for line in self._lines:
            fallen = self._asks.fallen(line.option)
            if fallen and fallen != line.fallen:
                line.pulse.fault(Doubt.BROKE)
            line.fallen = fallen

    async def _settle(self, line: Line, doubt: Doubt, settled: asyncio.Future[None]) -> None:
        try:
            outcome = await self._answer_of(line)
            if outcome.alive:
                line.pulse.took(outcome.took / _ROUND_TRIPS)
                line.pulse.cleared(doubt, self._clock())
                self._proved(line, outcome)
            elif not line.dead:
                cut = line.die()
                self._let_go(line)
                self._died(line, outcome, cut)
        finally:
            line.settling = None
            settled.set_result(None)

    async def _answer_of(self, line: Line) -> Outcome:
        """Probe. An accident is asked about once more; a silence too, where bytes came meanwhile."""
        for attempt in range(_TRIES):
            before = line.pulse.down
            outcome = await self._asks.glance(line.option, line.pulse.patience())
            if outcome.alive or outcome.failure in (None, Failure.CONNECTION_REFUSED):
                break
            if outcome.failure is Failure.TIMEOUT and line.pulse.down == before:
                break
            if outcome.failure is not Failure.TIMEOUT and attempt:
                break
            await asyncio.sleep(_LOOK)
        return outcome

    def _let_go(self, line: Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
            self._up += line.pulse.up
            self._down += line.pulse.down
