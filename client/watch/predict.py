"""When it is likely to open next, and how sure that is: from the openings of two days or more. Pure.

Openings that stand at about the same time of the day make a habit. A habit counts by the days on which it held, the
late ones most, against the days on which that hour was watched and nothing opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.watch.calendar import DAY, MINUTE, Calendar, Mark, Span

_NEAR: Final = 45  # minutes between openings that are one habit
_FADE: Final = 0.8  # what a day counts less than the day after it
_LEAST, _WIDEST = 15, 45  # minutes of spread
_BACK: Final = 21  # days looked at
_DOUBT: Final = 0.5  # of a day on which it did not hold, before anything is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The next likely window: `start` and `end` in Unix time, `sure` from 0 to 1, `spread` in seconds either way.

    `days` is on how many days it opened at about this time, `watched` how many days that hour was watched.
    """

    start: float
    end: float
    sure: float
    spread: float
    days: int
    watched: int

    def near(self, now: float) -> bool:
        """Whether it may begin any minute."""
        return abs(now - self.start) <= self.spread


def forecast(calendar: Calendar, now: float) -> Forecast | None:
    """Return the likeliest next window, None where nothing repeats itself yet."""
    minute = int(now // MINUTE)
    openings = [
        span
        for span in calendar.windows()
        if minute - _BACK * DAY < span.start <= minute and _was_shut(calendar, span)
    ]
    found = [
        habit for group in _groups(openings) if (habit := _habit(calendar, group, minute, now)) is not None
    ]
    return max(found, key=lambda one: (one.sure, -one.start), default=None)


def _was_shut(calendar: Calendar, span: Span) -> bool:
    """Whether it is known that this opening began then: it was seen shut before."""
    return any(other.end == span.start and other.mark is Mark.SHUT for other in calendar.spans)


def _groups(openings: Sequence[Span]) -> list[list[Span]]:
    """Return the openings by time of the day; each may stand in several groups, one around every opening."""
    groups = {}
    for one in openings:
        near = [other for other in openings if abs(_apart(one.start, other.start)) <= _NEAR]
        days = {other.start // DAY: other for other in near}
        if len(days) > 1:
            groups[tuple(sorted(span.start for span in days.values()))] = list(days.values())
    return list(groups.values())


def _apart(one: int, other: int) -> int:
    """Return the minutes between two times of the day, the shorter way round."""
    return (one - other + DAY // 2) % DAY - DAY // 2


def _habit(calendar: Calendar, group: Sequence[Span], minute: int, now: float) -> Forecast | None:
    """Return the next window that a habit promises."""
    weights = [_FADE ** ((minute - span.start) / DAY) for span in group]
    base = max(group, key=lambda span: span.start)
    total = sum(weights)
    shift = sum(weight * _apart(span.start, base.start) for span, weight in zip(group, weights, strict=True))
    usual = base.start + round(shift / total)
    length = (
        sum(weight * (span.end - span.start) for span, weight in zip(group, weights, strict=True)) / total
    )
    widest = max(abs(_apart(span.start, usual)) for span in group)
    spread = min(_WIDEST, max(_LEAST, widest + 10))
    start = usual + DAY * max(1, -(-(minute - spread - usual) // DAY))
    missed, watched = _missed(calendar, group, usual, minute - spread)
    return Forecast(
        start=float(start * MINUTE),
        end=float((start + length) * MINUTE),
        sure=round(total / (total + missed + _DOUBT), 2),
        spread=float(spread * MINUTE),
        days=len(group),
        watched=watched,
    )


def _missed(calendar: Calendar, group: Sequence[Span], usual: int, until: int) -> tuple[float, int]:
    """Return the weight of the days on which this hour was watched and nothing opened, and all days watched."""
    held = {round((span.start - usual) / DAY) for span in group}
    missed, watched = 0.0, len(group)
    for back in range(_BACK):
        at = usual - back * DAY
        if -back in held or at > until:
            continue
        if calendar.at(at * MINUTE) is not None:
            watched += 1
            missed += _FADE ** ((until - at) / DAY)
    return missed, watched
