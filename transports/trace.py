"""Timing of steps: each one is measured, limited and named, and nothing outlives the deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from transports.failure import Failure, StepFailed, WireError, classify, out_of_descriptors
from transports.types import N_, CannotMeasure, Note, Observation, Step

_NO_DESCRIPTORS = N_("this machine has no open files left for more connections: raise the limit (ulimit -n)")
_EXPECTED = (OSError, ssl.SSLError, EOFError, TimeoutError, WireError, UnicodeError)


class Trace:
    """The observations of one try, and the moment when it must be over.

    `zero` and `deadline` are in loop time (seconds). A step gets its own limit, but never more than is
    left until `deadline`: so the step that was running when the time ended is the one that is named.
    """

    __slots__ = ("contacted", "deadline", "observations", "waited", "zero")

    def __init__(self, *, zero: float, deadline: float) -> None:
        self.zero = zero
        self.deadline = deadline
        self.waited = 0.0
        self.contacted = False  # the run has let a connection of this try go out
        self.observations: list[Observation] = []

    @contextmanager
    def waiting(self, *, ours: bool = True) -> Iterator[None]:
        """Stop the clock while the run holds this try back (pace, slots): that is not the other side's time.

        Where it is (`ours` False), only the deadline is put off.
        """
        began = self.clock()
        try:
            yield
        finally:
            held = self.clock() - began
            self.waited += held if ours else 0.0
            self.deadline += held

    def branch(self) -> Trace:
        """Return an empty trace with the same zero and deadline, for what runs beside this one."""
        return Trace(zero=self.zero, deadline=self.deadline)

    def step(self, step: Step, limit: float) -> _Running:
        """Return the context that times `step` and raises StepFailed when it does not succeed."""
        return _Running(self, step, limit)

    def clock(self) -> float:
        """Return the loop time."""
        return asyncio.get_running_loop().time()

    def now(self) -> float:
        """Return the seconds since `zero`."""
        return self.clock() - self.zero

    def failed(
        self, step: Step, began: float, error: BaseException, note: Note | None = None, code: int = 0
    ) -> StepFailed:
        """Record that `step`, begun at loop time `began`, ended in `error`; return what is to be raised.

        Raises CannotMeasure where the fault is ours: no descriptor was left.
        """
        if out_of_descriptors(error):
            raise CannotMeasure(_NO_DESCRIPTORS) from error
        if isinstance(error, WireError):
            note, code = error.note, error.code
        failure = classify(error)
        self.record(step, began, failure, note, code)
        return StepFailed(step, failure, note, code)

    def record(self, step: Step, began: float, failure: Failure | None, note: Note | None, code: int) -> None:
        """Add an observation of a step that has just ended."""
        self.observations.append(
            Observation(
                step=step,
                started=began - self.zero,
                elapsed=self.clock() - began,
                failure=failure,
                note=note,
                code=code,
            )
        )


class _Running:
    __slots__ = ("_began", "_limit", "_step", "_timeout", "_trace", "code", "note")

    def __init__(self, trace: Trace, step: Step, limit: float) -> None:
        self._trace, self._step, self._limit = trace, step, limit
        self.note: Note | None = None
        self.code = 0

    async def __aenter__(self) -> Self:
        self._began = began = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout_at(min(began + self._limit, self._trace.deadline))
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> bool | None:
        try:
            await self._timeout.__aexit__(kind, error, tb)
        except TimeoutError as timed_out:
            error = timed_out
        if error is None:
            self._trace.record(self._step, self._began, None, self.note, self.code)
            return None
        if not isinstance(error, _EXPECTED):
            return None
        raise self._trace.failed(self._step, self._began, error, self.note, self.code) from error
