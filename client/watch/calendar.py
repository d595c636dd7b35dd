"""Minutes open and shut on one network, kept as spans. Pure. It is written nowhere but in a vault."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from transports.types import N_, Rejected

MINUTE: Final = 60
DAY: Final = 24 * 60  # minutes
_DAYS: Final = 90  # kept: the last that were watched, by whatever clock
_MOST: Final = 5000  # spans
_LATEST: Final = 1 << 31  # minutes since 1970: far beyond any clock, and a year that a calendar knows
_BAD: Final = N_("this calendar cannot be read: it is left as it is")


class Mark(StrEnum):
    """What was seen in a minute. A minute that nobody watched has no mark."""

    OPEN = "o"
    PARTLY = "p"
    SHUT = "s"


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes since 1970 from `start` to before `end` with one mark."""

    start: int
    end: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """One day. `spans` are minutes of that day, `cells` the same for drawing: one mark or None each."""

    day: date
    spans: tuple[Span, ...]
    cells: tuple[Mark | None, ...]

    @property
    def minutes(self) -> int:
        """Return how many minutes something was open."""
        return sum(span.end - span.start for span in self.spans if span.mark is not Mark.SHUT)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Spans in order, none touching another of the same mark."""

    spans: tuple[Span, ...] = ()

    def marked(self, start: float, end: float, mark: Mark) -> Calendar:
        """Return the calendar with these Unix times marked; a newer mark replaces an older one."""
        first, last = int(start // MINUTE), int(end // MINUTE)
        if not 0 <= first < last <= _LATEST:
            return self
        if self.spans and self.spans[-1].mark is mark and self.spans[-1].end == first:  # the usual case
            grown = Span(self.spans[-1].start, last, mark)
            if last - grown.start < DAY:  # more than that may be more days than are kept
                return Calendar((*self.spans[:-1], grown))
            return _bounded((*self.spans[:-1], grown))
        return _bounded([*_cut(self.spans, first, last), Span(first, last, mark)])

    def over(self, other: Calendar) -> Calendar:
        """Return both together; where both have a mark, this one's."""
        if not other.spans or other.spans == self.spans:
            return self
        edges = [0, *(edge for span in self.spans for edge in (span.start, span.end)), _LATEST + 1]
        gaps = [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]
        parts, place = list(self.spans), 0
        for span in other.spans:
            while gaps[place : place + 1] and gaps[place][1] <= span.start:
                place += 1
            for first, last in gaps[place:]:
                if first >= span.end:
                    break
                if max(first, span.start) < min(last, span.end):
                    parts.append(Span(max(first, span.start), min(last, span.end), span.mark))
        return _bounded(parts)

    def at(self, when: float) -> Mark | None:
        """Return the mark of a Unix time."""
        minute = int(when // MINUTE)
        place = bisect_right(self.spans, minute, key=_start) - 1
        found = self.spans[place] if place >= 0 else None
        return found.mark if found and found.end > minute else None

    def windows(self, least: int = 5) -> list[Span]:
        """Return the stretches that were open, wholly or in part, as one each, of at least so many minutes.

        Pauses shorter than that do not part them.
        """
        found: list[Span] = []
        for span in self.spans:
            if span.mark is Mark.SHUT:
                continue
            if found and span.start - found[-1].end < least:
                found[-1] = Span(found[-1].start, span.end, Mark.OPEN)
            else:
                found.append(Span(span.start, span.end, Mark.OPEN))
        return [span for span in found if span.end - span.start >= least]

    def rows(self, zone: tzinfo | None = None, width: int = 48) -> list[Row]:
        """Return a row for each day that was watched, the oldest first; `zone` None is this machine's own.

        A cell is the best that was seen in its part of the day.
        """
        if not self.spans:
            return []
        days: dict[date, None] = {}  # a clock that was wrong for a while may leave years between two of them
        for span in self.spans:
            day, last = (_moment(minute, zone).date() for minute in (span.start, span.end - 1))
            while day <= last:
                days[day] = None
                day += timedelta(days=1)
        return [self._row(day, zone, width) for day in days]

    def _row(self, day: date, zone: tzinfo | None, width: int) -> Row:
        begin = _midnight(day, zone)
        length = _midnight(day + timedelta(days=1), zone) - begin
        spans = tuple(
            Span(max(0, span.start - begin), min(length, span.end - begin), span.mark)
            for span in self.spans
            if span.end > begin and span.start < begin + length
        )
        edges = [length * place // width for place in range(width + 1)]
        return Row(day, spans, tuple(_best(spans, *edge) for edge in pairwise(edges)))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON keeps it: version and spans."""
        return {
            "v": 1,
            "spans": [[span.start, span.end - span.start, span.mark.value] for span in self.spans],
        }

    @staticmethod
    def from_json(data: object) -> Calendar:
        """Read it back; nothing is an empty one. Raises Rejected."""
        if not data:
            return Calendar()
        spans = data.get("spans") if isinstance(data, Mapping) and data.get("v") == 1 else None
        if not isinstance(spans, Sequence) or len(spans) > _MOST:
            raise Rejected(_BAD)
        try:
            read = [
                Span(_minute(start), _minute(start + length), Mark(mark)) for start, length, mark in spans
            ]
        except (ValueError, TypeError):
            raise Rejected(_BAD) from None
        if any(span.start >= span.end for span in read) or any(
            one.end > other.start for one, other in pairwise(read)
        ):
            raise Rejected(_BAD)
        return _bounded(read)


def _minute(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise ValueError
    return value


def _start(span: Span) -> int:
    return span.start


def _cut(spans: Sequence[Span], first: int, last: int) -> Iterator[Span]:
    """Give what is left of the spans outside first..last."""
    for span in spans:
        if span.end <= first or span.start >= last:
            yield span
            continue
        if span.start < first:
            yield Span(span.start, first, span.mark)
        if span.end > last:
            yield Span(last, span.end, span.mark)


def _bounded(parts: Sequence[Span]) -> Calendar:
    """Return what is kept of spans that do not overlap: the last days that were watched.

    They are counted, not reckoned back from a date: a clock that was wrong for a while must not cost the rest.
    """
    kept: list[Span] = []  # the latest first
    days: set[int] = set()
    for span in sorted(parts, key=_start, reverse=True):
        day = (span.end - 1) // DAY
        while day >= span.start // DAY and (day in days or len(days) < _DAYS):
            days.add(day)
            day -= 1
        start = max(span.start, (day + 1) * DAY)
        if start >= span.end:
            break
        if kept and kept[-1].start == span.end and kept[-1].mark is span.mark:
            kept[-1] = Span(start, kept[-1].end, span.mark)
        else:
            kept.append(Span(start, span.end, span.mark))
    return Calendar(tuple(kept[:_MOST][::-1]))


def _moment(minute: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(minute * MINUTE, zone)


def _midnight(day: date, zone: tzinfo | None) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() // MINUTE)


def _best(spans: Sequence[Span], first: int, last: int) -> Mark | None:
    marks = {span.mark for span in spans if span.start < last and span.end > first}
    return next((mark for mark in (Mark.OPEN, Mark.PARTLY, Mark.SHUT) if mark in marks), None)
