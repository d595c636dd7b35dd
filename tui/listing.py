"""Which rows are shown, and in which order: a filter, a search and a sort over a RunState. No Textual, no I/O."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any, Final

from client.i18n import _, say
from client.model import N_, Candidate, Status, kinds_of
from client.render import words
from client.text import printable
from tui.state import NO_ROWS, USABLE, Row, RunState, Waiting

Item = Row | Waiting
SortKey = tuple[Any, ...]

_MANY: Final = 300  # changed rows from which on sorting all anew is quicker than moving each
_LAST: Final = len(words.ORDER)
_SOUGHT: Final = 200  # characters of each text that a search looks at


class Filter(Enum):
    """What is shown. The value is the word on the screen, a message id."""

    ALL = N_("all")
    WORKING = N_("working")
    WAITING = N_("waiting")
    FAILED = N_("failed")


class Sort(Enum):
    """In which order. The value is the word on the screen, a message id."""

    BEST = N_("best")
    SPEED = N_("fastest")
    NEWEST = N_("newest")
    KIND = N_("kind")
    LISTED = N_("list")


STATES: Final = {  # Waiting rows are shown by WAITING and ALL
    Filter.ALL: frozenset(Status),
    Filter.WORKING: frozenset(USABLE),
    Filter.WAITING: frozenset({Status.UNTESTED}),
    Filter.FAILED: frozenset({Status.HOSTILE, Status.BLOCKED, Status.FAILED}),
}


class Listing:
    """The rows of `state` that are shown. `update` keeps it right while results come in."""

    def __init__(self, state: RunState) -> None:
        self.filter = Filter.ALL
        self.sort = Sort.BEST
        self.search = ""
        self.reveal = False
        self.pinned: str | None = None  # the row that the cursor stays with; None: whatever is on top
        self.moved = False  # the person has chosen the row; looking at the details of one is no choice
        self.state: Final = state
        self._words: tuple[str, ...] = ()
        self._order: list[tuple[SortKey, str]] = []
        self._where: dict[str, SortKey] = {}
        self.rebuild()

    def __len__(self) -> int:
        return len(self._order)

    def at(self, index: int) -> Item:
        """Return what stands at `index`."""
        key = self._order[index][1]
        return self.state.rows.get(key) or self.state.waiting[key]

    def index_of(self, key: str) -> int | None:
        """Return where the row `key` stands, None if it is not shown."""
        place = self._where.get(key)
        return bisect_left(self._order, (place, key)) if place is not None else None

    def mark(self) -> tuple[SortKey, str] | None:
        """Return where the pinned row stands, for `after`; None if there is none."""
        place = self._where.get(self.pinned) if self.pinned is not None else None
        return (place, self.pinned) if place is not None and self.pinned is not None else None

    def after(self, mark: tuple[SortKey, str]) -> int:
        """Return where the row now stands that came next to one that has gone. `mark` was taken before it went."""
        return bisect_left(self._order, mark)

    def look_for(self, text: str) -> None:
        """Show only rows in which every word of `text` occurs."""
        self.search = text
        self._words = tuple(text.casefold().split())
        self.rebuild()

    def rebuild(self) -> None:
        """Look at every row again: after a change of filter, sort, search or `reveal`."""
        items: Iterable[Item] = (*self.state.rows.values(), *self.state.waiting.values())
        self._where = {item.key: self._key(item) for item in items if self._is_shown(item)}
        self._order = sorted((place, key) for key, place in self._where.items())

    def update(self, changed: Collection[str]) -> None:
        """Take in what has changed; keys that are no rows are passed over."""
        keys = changed - NO_ROWS if isinstance(changed, set) else set(changed) - NO_ROWS
        if len(keys) > _MANY:
            self.rebuild()
            return
        for key in keys:
            place = self._where.pop(key, None)
            if place is not None:
                del self._order[bisect_left(self._order, (place, key))]
            item = self.state.rows.get(key) or self.state.waiting.get(key)
            if item is not None and self._is_shown(item):
                self._where[key] = self._key(item)
                insort(self._order, (self._where[key], key))

    def _is_shown(self, item: Item) -> bool:
        if isinstance(item, Waiting):
            if self.filter not in (Filter.ALL, Filter.WAITING):
                return False
        elif item.verdict.status not in STATES[self.filter]:
            return False
        return not self._words or self._has_words(item)

    def _has_words(self, item: Item) -> bool:
        text = sought(item, reveal=self.reveal)
        return all(word in text for word in self._words)

    def _key(self, item: Item) -> SortKey:
        if self.sort is Sort.LISTED:
            candidate = item.candidate if isinstance(item, Waiting) else item.verdict.candidate
            return candidate.source, candidate.line, candidate.item
        if isinstance(item, Waiting):
            best: SortKey = (_LAST, "", 0.0, item.number)
            return best if self.sort is Sort.BEST else (*_behind(self.sort, item.candidate), *best)
        verdict = item.verdict
        if self.sort is Sort.SPEED:
            return (-(verdict.kib_per_s or 0.0), *item.place)
        if self.sort is Sort.NEWEST:
            return (-verdict.finished, *item.place)
        return (verdict.kind, *item.place) if self.sort is Sort.KIND else item.place


def _behind(sort: Sort, candidate: Candidate) -> SortKey:
    """Return what puts one without a verdict behind the others, or among its kind."""
    return (kinds_of(candidate.endpoint)[0],) if sort is Sort.KIND else (1.0,)


def sought(item: Item, *, reveal: bool) -> str:
    """Return the text that a search looks at: what stands on the screen, and an address only if it is shown too."""
    if isinstance(item, Waiting):
        candidate = item.candidate
        parts = [_("waiting"), kinds_of(candidate.endpoint)[0]]
    else:
        verdict, candidate = item.verdict, item.verdict.candidate
        parts = [f"#{item.id}", words.word(verdict.status), verdict.kind, say(verdict.reason)]
        parts += [verdict.failure or "", _(words.STEPS[verdict.step]) if verdict.step else ""]
        parts.append(verdict.protection.value)
    parts.append(f"{candidate.source}:{candidate.line}")
    if reveal:
        parts.append(candidate.endpoint.reveal())
    return " ".join(printable(part, _SOUGHT) for part in parts).casefold()
