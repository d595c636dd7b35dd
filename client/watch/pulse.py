"""When the next connection may begin: few, small, at random times. Pure: times in seconds come from outside.

Rule 1 of the design: a person who waits must not stand out. The limits hold in every stretch of that length, not only
on the average.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    """How closely the line is watched."""

    FULL = "full"  # the first hour, and the hour after each change
    SLOW = "slow"  # after that
    BURST = "burst"  # near a predicted window


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """At most `connections` and `amount` bytes in every `span` seconds; `least` and `most` seconds between two
    where the limits leave the choice.
    """

    connections: int
    amount: int
    span: float
    least: float
    most: float


_JITTER: Final = 15.0
MINUTE: Final = 60.0
HOUR: Final = 3600.0
BEATS: Final = {
    Mode.FULL: Beat(connections=2, amount=6000, span=MINUTE, least=5.0, most=45.0),
    Mode.SLOW: Beat(connections=1, amount=6000, span=2 * MINUTE, least=2 * MINUTE, most=2 * MINUTE + 20),
    Mode.BURST: Beat(connections=6, amount=18000, span=MINUTE, least=6.0, most=14.0),
}
INTERVALS: Final = {Mode.FULL: 210.0, Mode.SLOW: 400.0, Mode.BURST: 60.0}
"""The longest a whole test takes, in seconds: one server abroad, one in the country where any is known, and whoever
confirms a new answer, whose bytes have to wait for a minute of their own."""

_URGENT: Final = (
    5.0  # seconds between two connections where an answer is in doubt; the limits hold all the same
)


class Pulse:
    """The connections that have begun and what they moved, and when the next one may begin."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._begun: deque[float] = deque(maxlen=max(beat.connections for beat in BEATS.values()))
        self._moved: deque[tuple[float, float]] = deque(maxlen=64)  # until when it counts, bytes
        self._draw = (0.0, 0.0)

    def begin(self, at: float) -> None:
        """Note that a connection begins."""
        self._begun.append(at)
        self._draw = (self._rng.random(), self._rng.random())

    def moved(self, at: float, amount: float) -> None:
        """Note what a question has moved in bytes, both ways. More than a minute may hold counts for longer."""
        beat = BEATS[Mode.FULL]
        self._moved.append((at + max(beat.span, amount / beat.amount * beat.span), amount))

    def due(self, now: float, mode: Mode, *, cost: float, urgent: bool = False) -> float:
        """Return when the next connection may begin, `now` or later. `cost` is what it may move at most, in bytes."""
        beat = BEATS[mode]
        first, second = self._draw
        at = now
        if self._begun:
            spread = (beat.most - beat.least) * first
            at = max(at, self._begun[-1] + (_URGENT + second if urgent else beat.least + spread))
        if len(self._begun) >= beat.connections:
            space = beat.span + (second if urgent else _JITTER * second)
            at = max(at, self._begun[-beat.connections] + (space if mode is not Mode.SLOW else beat.span))
        return max(at, self._room(beat.amount - cost))

    def _room(self, free: float) -> float:
        """Return when no more than `free` bytes of what was moved still count."""
        left = sum(amount for _, amount in self._moved)
        at = 0.0
        for until, amount in sorted(self._moved):
            if left <= max(0.0, free):
                break
            left -= amount
            at = until
        return at

    def forget(self, now: float) -> None:
        """Let go of what no longer counts."""
        while self._moved and self._moved[0][0] <= now:
            self._moved.popleft()

    def slept(self, seconds: float) -> None:
        """Count what was before as so much older: the clock of this pulse stood still while the machine slept."""
        for place, at in enumerate(self._begun):
            self._begun[place] = at - seconds
        for place, (until, amount) in enumerate(self._moved):
            self._moved[place] = (until - seconds, amount)
