"""What the screen shows, built from the stream of events. No Textual here, no clock, no I/O."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from client.events import (
    ControlFinished,
    EngineProgressed,
    Event,
    Finished,
    Judged,
    LineRejected,
    Noticed,
    PaceChanged,
    Progressed,
    Started,
)
from client.model import Candidate, Control, Message, RejectedLine, Status, Verdict
from client.render.words import ORDER
from tui.line_ways import Tally

LINE: Final = "line"  # keys of what is no row
PROGRESS: Final = "progress"
ENGINE: Final = "engine"
NOTICES: Final = "notices"
SUMMARY: Final = "summary"
PACE: Final = "pace"
NO_ROWS: Final = frozenset({LINE, PROGRESS, ENGINE, NOTICES, SUMMARY, PACE})

KEPT: Final[Mapping[Status, int]] = {  # rows of each state; more is counted, but not listed
    Status.WORKING: 5000,
    Status.DEGRADED: 5000,
    Status.HOSTILE: 5000,
    Status.BLOCKED: 5000,
    Status.FAILED: 5000,
    Status.UNTESTED: 5000,
}
USABLE: Final = (Status.WORKING, Status.DEGRADED)
_NOTICES_KEPT: Final = 100
_LATEST_FIRST: Final = (Status.BLOCKED, Status.FAILED)

Place = tuple[int, str, float, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One verdict in the list: its key, its short name, and where it stands (see `place_of`)."""

    key: str
    id: str
    verdict: Verdict
    place: Place


@dataclass(frozen=True, slots=True)
class Waiting:
    """A candidate without a verdict yet. `key` is that of its row to come, `number` its place in the lists."""

    key: str
    candidate: Candidate
    number: int


def place_of(verdict: Verdict, number: int) -> Place:
    """Return the sort key of the `number`-th verdict: state, then class and speed; the dead: latest first."""
    group = ORDER.index(verdict.status)
    if verdict.status in _LATEST_FIRST:
        return group, "", 0.0, -number
    return group, verdict.protection.value, -(verdict.kib_per_s or 0.0), number


class RunState:
    """A run as far as it is known. Counts are complete; rows are limited (see KEPT)."""

    def __init__(self) -> None:
        self.started: Started | None = None
        self.control: Control | None = None
        self.progress: Progressed | None = None
        self.engine: EngineProgressed | None = None
        self.finished: Finished | None = None
        self.pace: PaceChanged | None = None
        self.counts: Counter[Status] = Counter()
        self.rows: dict[str, Row] = {}
        self.waiting: dict[str, Waiting] = {}
        self.rejected: list[RejectedLine] = []
        self.notices: list[Message] = []
        self.tally: Final = Tally()
        self._order: list[tuple[Place, str]] = []
        self._listed: Counter[Status] = Counter()
        self._keys: dict[int, str] = {}  # of those that wait, by the identity of the candidate

    def expect(self, candidates: Iterable[Candidate]) -> frozenset[str]:
        """List those that will be tested; return their keys."""
        for number, candidate in enumerate(candidates):
            key = f"{number}"
            self._keys[id(candidate)] = key
            self.waiting[key] = Waiting(key, candidate, number)
        return frozenset(self.waiting)

    def apply(self, event: Event) -> frozenset[str]:
        """Take in one event; return the keys of what changed (rows that left the list too)."""
        if isinstance(event, Judged):
            return self._judged(event)
        if isinstance(event, Progressed):
            self.progress = event
            return frozenset((PROGRESS,))
        if isinstance(event, EngineProgressed):
            self.engine = event
            return frozenset((ENGINE,))
        if isinstance(event, ControlFinished):
            self.control = event.control
            return frozenset((LINE,))
        if isinstance(event, Started):
            self.started = event
            return frozenset((PROGRESS,))
        if isinstance(event, PaceChanged):
            self.pace = event
            return frozenset((PACE, PROGRESS))
        if isinstance(event, Finished):
            self.finished = event
            return frozenset((PROGRESS, ENGINE, SUMMARY))
        return self._said(event)

    @property
    def done(self) -> int:
        """Return how many candidates have a verdict."""
        return self.counts.total()

    @property
    def total(self) -> int:
        """Return how many candidates there are."""
        return self.started.candidates if self.started else 0

    @property
    def unlisted(self) -> int:
        """Return how many verdicts are counted but not listed."""
        return self.done - len(self._order)

    def __len__(self) -> int:
        return len(self._order)

    def at(self, index: int) -> Row:
        """Return the row at `index`, best first."""
        return self.rows[self._order[index][1]]

    def index_of(self, key: str) -> int | None:
        """Return where the row `key` stands, None if it is not listed."""
        row = self.rows.get(key)
        return bisect_left(self._order, (row.place, key)) if row else None

    def found(self) -> list[Verdict]:
        """Return the working and degraded verdicts, best first: what advice is made from."""
        return [self.at(index).verdict for index in range(self._usable)]

    def next_usable(self, key: str | None) -> Row | None:
        """Return the best usable row that comes after `key`; after the last, or if `key` is none, the best of all."""
        if not self._usable:
            return None
        index = self.index_of(key) if key is not None else None
        return self.at(index + 1 if index is not None and index + 1 < self._usable else 0)

    @property
    def _usable(self) -> int:
        return bisect_left(self._order, ((ORDER.index(Status.HOSTILE), "", float("-inf"), 0), ""))

    def _judged(self, event: Judged) -> frozenset[str]:
        status = event.verdict.status
        number = self.counts.total()
        self.counts[status] += 1
        self.tally.add(event.verdict)
        key = self._keys.pop(id(event.verdict.candidate), "")
        if key:
            del self.waiting[key]
        else:
            key = event.id if event.id not in self.rows else f"{event.id}-{number}"
        row = Row(key, event.id, event.verdict, place_of(event.verdict, number))
        self.rows[key] = row
        insort(self._order, (row.place, key))
        self._listed[status] += 1
        changed = {key, PROGRESS, LINE}
        if self._listed[status] > KEPT[status]:
            changed.add(self._drop_last(status))
        return frozenset(changed)

    def _drop_last(self, status: Status) -> str:
        end = bisect_left(self._order, ((ORDER.index(status) + 1, "", float("-inf"), 0), ""))
        _, key = self._order.pop(end - 1)
        del self.rows[key]
        self._listed[status] -= 1
        return key

    def _said(self, event: LineRejected | Noticed) -> frozenset[str]:
        if isinstance(event, Noticed):
            if len(self.notices) < _NOTICES_KEPT:
                self.notices.append(event.message)
            return frozenset((NOTICES,))
        if len(self.rejected) < _NOTICES_KEPT:
            self.rejected.append(event.line)
        return frozenset((NOTICES,))
