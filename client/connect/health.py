"""Liveness by bytes: what moves through one option, and when its silence is worth a question. Pure on given clocks.

A suspicion condemns nobody: whoever watches settles it by a probe, and tells the outcome here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_TELLING: Final = 64 * 1024  # bytes within about two seconds: a flow, whose sudden end is worth a question
_BASE: Final = 0.8  # seconds of silence after a flow, on a line that answers at once
_TIMES: Final = 6  # the same, counted in latencies
_ANSWER: Final = 1.2  # seconds that an answer may take; a server may think, so this is only a doubt
_OPENING: Final = 1.2  # seconds that a connection may take to open; its destination may be slow
_PATIENCE: Final = 1.3  # seconds for a probe
_JUST: Final = (
    5.0  # seconds after its last bytes in which the end of a connection is in the middle of something
)
_ENDS: Final = 2.0  # seconds for which further ends are believed after one that was good
_LONGEST: Final = 15.0  # seconds; no latency stretches a deadline further
_HEARTBEAT: Final = 45.0  # seconds without a byte while connections are open
_MOST_HEARTBEAT: Final = 180.0
_SOON: Final = 1.0  # seconds between two questions that have a fault as their reason
_PAUSE: Final = 2.0  # the same after a false alarm by silence, growing
_MOST_PAUSE: Final = 8.0
_SMOOTH: Final = 0.3
_GUESS: Final = 0.15  # seconds of latency before anything was measured


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


@dataclass(slots=True)
class Pulse:
    """What was seen of one option. Times are those of one steady clock, in seconds; counts are bytes."""

    latency: float = _GUESS
    up: int = 0
    down: int = 0
    legs: int = 0
    came: float = 0.0  # when bytes came, or a connection opened
    measured: bool = False
    _went: float = 0.0  # when bytes went up after all that came
    _second: float = 0.0
    _flow: int = 0
    _flow_before: int = 0
    _dials: dict[int, float] = field(default_factory=dict)
    _count: int = 0
    _not_before: float = 0.0
    _fault_not_before: float = 0.0
    _end_not_before: float = 0.0
    _pause: float = _PAUSE
    _alarmed: float = float("-inf")
    _beat: float = _HEARTBEAT
    _fault: Doubt | None = None

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
        if now - self._second >= 1.0:
            self._flow_before = self._flow if now - self._second < 2.0 else 0
            self._flow, self._second = 0, now
        self._flow += count

    def sent(self, count: int, now: float) -> None:
        """Bytes have gone."""
        self.up += count
        self._went = self._went or now

    def doubts_end(self, came: float, now: float, *, tells: bool = False) -> bool:
        """Say whether the end of a connection, whose last bytes have come at `came`, is to be asked about.

        The end of an answer without a length and the death of the proxy look alike, so it is asked every time. Where
        the program can tell them apart by itself (`tells`: TLS does), it is asked seldom: ends that follow closely upon
        a good one are believed, but never those in a flow.
        """
        if now - self.came < 1.0 and self._flow + self._flow_before >= _TELLING:
            return True
        return now - came < _JUST and (not tells or now >= self._end_not_before)

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
        if self.legs and self._flow + self._flow_before >= _TELLING and since > self._wait(_BASE):
            return Doubt.STALLED
        if self.legs and self._went and now - max(self._went, self.came) > self._wait(_ANSWER):
            return Doubt.UNANSWERED
        oldest = min(self._dials.values(), default=now)
        if now - max(oldest, self.came) > self._wait(_OPENING):
            return Doubt.SLOW
        if self.legs and since > self._beat:
            return Doubt.QUIET
        return None

    def patience(self) -> float:
        """Return the seconds that a probe may take, from its beginning to its page."""
        return self._wait(_PATIENCE)

    def cleared(self, doubt: Doubt, now: float) -> None:
        """Take the word of a probe that it is alive: the same silence is not asked about again."""
        self._fault = None
        self._flow = self._flow_before = 0
        self._went = 0.0
        self._dials = dict.fromkeys(self._dials, now)
        self._fault_not_before = now + _SOON
        if doubt is Doubt.ENDED:
            self._end_not_before = now + _ENDS
        elif doubt is Doubt.QUIET:
            self._beat = min(self._beat * 1.5, _MOST_HEARTBEAT)
        elif doubt not in _BY_FAULT:
            self._pause = (
                min(self._pause * 2, _MOST_PAUSE) if now - self._alarmed < 4 * _MOST_PAUSE else _PAUSE
            )
            self._alarmed = now
            self._not_before = now + self._pause
        self.came = max(self.came, now)

    def _wait(self, base: float) -> float:
        return min(max(base, _TIMES * self.latency), max(base, _LONGEST))
