"""Liveness by bytes: what moves through one option, and when its silence is worth a question. Pure on given clocks.

A suspicion condemns nobody: whoever watches settles it by a probe, and tells the outcome here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_TELLING: Final = 64 * 1024  # bytes within about two seconds: a flow, whose sudden end is worth a question
_BASE: Final = 0.8  # seconds of silence after a flow, on a line that answers at once
_ASIDE: Final = 3.0  # the same while other connections get bytes
_TIMES: Final = 6  # the same, counted in latencies
_ANSWER: Final = 1.2  # seconds that an answer may take; a server may think, so this is only a doubt
_OPENING: Final = 1.2  # seconds that a connection may take to open; its destination may be slow
_OPENING_ASIDE: Final = 4.0  # the same while other connections get bytes
_PATIENCE: Final = 1.3  # seconds for a probe
_JUST: Final = 5.0
"""Seconds after its last bytes in which the end of a connection is in the middle of something."""

_LONGEST: Final = 15.0  # seconds; no latency stretches a deadline further
_HEARTBEAT: Final = 45.0  # seconds without a byte while connections are open; the real ones are shuffled
_SHUFFLE: Final = 0.35  # by so much of it at most: a beat that can be counted marks whoever keeps it
_MOST_HEARTBEAT: Final = 180.0
_SOON: Final = 1.0  # seconds between two questions that have a fault as their reason
_PAUSE: Final = 2.0  # the same after a false alarm by silence, growing
_MOST_PAUSE: Final = 8.0
_SMOOTH: Final = 0.3
_GUESS: Final = 0.15  # seconds of latency before anything was measured
_IN_VAIN: Final = 3  # false alarms in a row, and not one byte for a program between them


class Doubt(StrEnum):
    """What makes an option suspect."""

    FAILED = "failed"  # a connection through it could not be opened, and it was not the destination
    BROKE = "broke"  # a connection ended by a fault
    ENDED = "ended"  # a connection ended in the middle of a flow
    STALLED = "stalled"  # a flow has stopped
    UNANSWERED = "unanswered"  # much was sent, and nothing came
    SLOW = "slow"  # a connection does not open
    QUIET = "quiet"  # nothing for long, and connections are open


_BY_FAULT: Final = (Doubt.FAILED, Doubt.BROKE, Doubt.ENDED)
_UNSERVED: Final = (Doubt.FAILED, Doubt.STALLED, Doubt.UNANSWERED, Doubt.SLOW)


@dataclass(slots=True, eq=False)
class Flow:
    """What came down in the last two seconds or so, through one connection or through all."""

    came: float = float("-inf")
    _second: float = 0.0
    _size: int = 0
    _before: int = 0

    def received(self, count: int, now: float) -> None:
        """Bytes have come."""
        self.came = now
        if now - self._second >= 1.0:
            self._before = self._size if now - self._second < 2.0 else 0
            self._size, self._second = 0, now
        self._size += count

    def has_stopped(self, now: float, wait: float) -> bool:
        """Say whether it was one, and nothing came for longer than `wait`."""
        return self._size + self._before >= _TELLING and now - self.came > wait

    def forget(self) -> None:
        """Take it for ended."""
        self._size = self._before = 0


@dataclass(slots=True)
class Pulse:
    """What was seen of one option. Times are those of one steady clock, in seconds; counts are bytes.

    `flows` are those of its connections. `shuffle` gives random numbers from 0 to 1.
    """

    latency: float = _GUESS
    up: int = 0
    down: int = 0
    legs: int = 0
    came: float = 0.0  # when bytes came, or a connection opened
    measured: bool = False
    shuffle: Callable[[], float] = lambda: 0.5
    flows: set[Flow] = field(default_factory=set)
    _all: Flow = field(default_factory=Flow)
    _went: float = 0.0  # when bytes went up after all that came
    _dials: dict[int, float] = field(default_factory=dict)
    _count: int = 0
    _not_before: float = 0.0
    _fault_not_before: float = 0.0
    _pause: float = _PAUSE
    _alarmed: float = float("-inf")
    _beat: float = _HEARTBEAT
    _shuffled: float = 0.0
    _fault: Doubt | None = None
    _vain: int = 0
    _vain_counted: float = float("-inf")
    _down_then: int = 0
    _reported: int = _IN_VAIN

    def __post_init__(self) -> None:
        self._draw()

    @property
    def answered(self) -> float:
        """When bytes came for a program, minus infinity if never. A connection that has merely opened proves nothing."""
        return self._all.came

    @property
    def troubled(self) -> bool:
        """Whether a fault waits to be asked about."""
        return self._fault is not None

    def dialling(self, now: float) -> int:
        """A connection is being opened; returns its number."""
        self._count += 1
        self._dials[self._count] = now
        return self._count

    def dialled(self, number: int, now: float, *, opened: bool) -> None:
        """It stands, or it was given up."""
        began = self._dials.pop(number, now)
        if opened:
            self.came = now
            self._fault = None
            self.took(now - began)

    def took(self, seconds: float) -> None:
        """Take a measured latency."""
        self.latency += (seconds - self.latency) * (_SMOOTH if self.measured else 1.0)
        self.measured = True

    def received(self, count: int, now: float) -> None:
        """Bytes have come."""
        self.down += count
        self.came = now
        self._went = 0.0
        self._all.received(count, now)

    def sent(self, count: int, now: float) -> None:
        """Bytes have gone."""
        self.up += count
        self._went = self._went or now

    @staticmethod
    def doubts_end(came: float, now: float) -> bool:
        """Say whether the end of a connection, whose last bytes have come at `came`, is to be asked about.

        The end of an answer and the death of the proxy look alike, so it is asked every time. TLS is no exception:
        many programs take a TLS connection that was cut for one that has ended.
        """
        return now - came < _JUST

    def in_vain(self) -> bool:
        """Say, once and then more and more rarely, that it answers questions while programs get nothing from it."""
        if self._vain < self._reported or self.bears:
            return False
        self._reported = 2 * self._vain
        return True

    @property
    def bears(self) -> bool:
        """Whether programs got bytes from it, and since the last false alarm again."""
        return self.down > self._down_then

    def fault(self, doubt: Doubt) -> None:
        """Note a fault; it is asked about at the next look."""
        self._fault = doubt

    def doubt(self, now: float) -> Doubt | None:
        """Return what is suspect now and was not asked about, or None."""
        if self._fault is not None:
            return self._fault if now >= self._fault_not_before else None
        if now < self._not_before:
            return None
        since = now - self.came
        if self.legs and since > self._wait(_BASE) and self._all.has_stopped(now, 0.0):
            return Doubt.STALLED
        if any(flow.has_stopped(now, self._wait(_ASIDE)) for flow in self.flows):
            return Doubt.STALLED
        if self.legs and self._went and now - max(self._went, self.came) > self._wait(_ANSWER):
            return Doubt.UNANSWERED
        oldest = min(self._dials.values(), default=now)
        slow = now - max(oldest, self.came) > self._wait(_OPENING)
        if slow or now - oldest > self._wait(_OPENING_ASIDE):
            return Doubt.SLOW
        if self.legs and since > self._shuffled:
            return Doubt.QUIET
        return None

    def patience(self) -> float:
        """Return the seconds that a probe may take, from its beginning to its page."""
        return self._wait(_PATIENCE)

    def cleared(self, doubt: Doubt, now: float) -> None:
        """Take the word of a probe that it is alive: the same silence is not asked about again."""
        self._fault = None
        for flow in (self._all, *self.flows):
            flow.forget()
        self._went = 0.0
        self._dials = dict.fromkeys(self._dials, now)
        self._fault_not_before = now + _SOON
        if doubt in _UNSERVED:
            self._count_vain(now)
        if doubt is Doubt.QUIET:
            self._beat = min(self._beat * 1.5, _MOST_HEARTBEAT)
            self._draw()
        elif doubt not in _BY_FAULT:
            self._pause = (
                min(self._pause * 2, _MOST_PAUSE) if now - self._alarmed < 4 * _MOST_PAUSE else _PAUSE
            )
            self._alarmed = now
            self._not_before = now + self._pause
        self.came = max(self.came, now)

    def _count_vain(self, now: float) -> None:
        if self.down > self._down_then:
            self._vain, self._reported = 0, _IN_VAIN
            self._down_then = self.down
        if now - self._vain_counted >= _PAUSE:  # many that fail at once are one event
            self._vain += 1
            self._vain_counted = now

    def _draw(self) -> None:
        self._shuffled = self._beat * (1 - _SHUFFLE + 2 * _SHUFFLE * self.shuffle())

    def _wait(self, base: float) -> float:
        return min(max(base, _TIMES * self.latency), max(base, _LONGEST))
