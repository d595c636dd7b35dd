"""The list of options. It draws only the rows that are in sight, so ten thousand cost no more than ten."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from client.i18n import _
from tui.columns import SPANNED, Column, cell, columns, fit, spanning
from tui.listing import Filter, Item, Listing, Sort, SortKey
from tui.state import USABLE, Row

_GAP = " "


class ResultsTable(ScrollView, can_focus=True):
    """Shows a Listing.

    Until the person moves it, the cursor is on whatever stands on top. Then it stays with its entry, and its line
    stays where it is on the screen while others come in above it. `now` gives the seconds since the run began.
    """

    DEFAULT_CSS = """
    ResultsTable { scrollbar-size-vertical: 1; overflow-x: hidden; }
    ResultsTable > .results--head { color: $text-muted; text-style: bold; }
    ResultsTable > .results--above { color: $text-success; text-style: bold; }
    ResultsTable > .results--cursor { background: $panel; }
    ResultsTable:focus > .results--cursor { background: $primary 30%; text-style: bold; }
    ResultsTable > .results--hint { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "results--head",
        "results--above",
        "results--cursor",
        "results--hint",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k,л", "move(-1)", show=False),
        Binding("down,j,о", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(False)", show=False),
        Binding("end", "edge(True)", show=False),
    ]

    class Highlighted(Message):
        """The cursor is on another entry now, or its entry has gone."""

        def __init__(self, *, by_person: bool) -> None:
            super().__init__()
            self.by_person = by_person

    def __init__(
        self,
        listing: Listing,
        now: Callable[[], float] = lambda: 0.0,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.listing = listing
        self._state = listing.state
        self._now = now
        self._cursor = 0
        self._shown: object = None

    @property
    def current(self) -> Item | None:
        """Return the entry under the cursor."""
        return self.listing.at(self._cursor) if self._cursor < len(self.listing) else None

    @property
    def usable(self) -> Row | None:
        """Return the entry under the cursor if it works, at least a little."""
        item = self.current
        return item if isinstance(item, Row) and item.verdict.status in USABLE else None

    def reveal(self, wanted: bool) -> None:
        """Show or mask addresses."""
        self.listing.reveal = wanted
        if self.listing.search:
            self._rearrange(self.listing.rebuild)
        self.refresh()

    def show_only(self, wanted: Filter) -> None:
        """Show only such entries."""
        self.listing.filter = wanted
        self._rearrange(self.listing.rebuild)

    def sort_by(self, wanted: Sort) -> None:
        """Show them in this order."""
        self.listing.sort = wanted
        self._rearrange(self.listing.rebuild)

    def look_for(self, text: str) -> None:
        """Show only entries in which every word of `text` occurs."""
        self._rearrange(lambda: self.listing.look_for(text))

    def next_option(self, *, best: bool = False) -> Row | None:
        """Go to the next entry that works, whatever is shown now; return it, None if there is none.

        With `best`, or where the person has not chosen a row yet, that is the best of all.
        """
        at = self.usable if self.listing.moved and not best else None
        found = self._state.next_usable(at.key if at is not None else None)
        if found is None:
            return None
        if self.listing.index_of(found.key) is None:
            self.listing.filter = Filter.ALL
            self.listing.look_for("")
        index = self.listing.index_of(found.key)
        assert index is not None
        self._go(index)
        return found

    def pin(self, *, chosen: bool = False) -> None:
        """Let the cursor stay with its entry from now on. `chosen`: the person has made up their mind for it."""
        current = self.current
        self.listing.pinned = current.key if current is not None else None
        self.listing.moved |= chosen

    def sync(self, changed: Collection[str] = ()) -> None:
        """Draw what has changed in the state."""
        mark = self.listing.mark()
        self.listing.update(changed)
        self._keep(mark)

    def _rearrange(self, change: Callable[[], None]) -> None:
        mark = self.listing.mark()
        change()
        self._keep(mark, still=False)

    def _keep(self, mark: tuple[SortKey, str] | None = None, *, still: bool = True) -> None:
        """Find the cursor's entry again; with `still` at the same height of the screen.

        Where it is not shown any more, the one that came next to it takes its place. `mark`: see Listing.
        """
        listing, top, gone = self.listing, self._top, False
        if listing.pinned is not None:
            index = listing.index_of(listing.pinned)
            if gone := index is None:
                index = max(0, min(listing.after(mark) if mark else self._cursor, len(listing) - 1))
                listing.pinned = listing.at(index).key if len(listing) else None
                listing.moved &= listing.pinned is not None
            top += index - self._cursor
            self._cursor = index
        still = still and listing.pinned is not None
        self._resize(max(0, top) if still and not gone else 0)
        if still and max(0, top) != self._top:
            self.scroll_to(y=max(0, top), animate=False, immediate=True, force=True)
        self._follow()
        self.refresh()
        self._tell(by_person=False)

    def _resize(self, top: int) -> None:
        """Have room for all rows, and below them for as much as `top` needs to be the first line in sight."""
        rows = len(self.listing) + 1 + self._more
        region = self.scrollable_content_region
        height = max(rows, top + region.height) if top else rows
        self.virtual_size = Size(region.width, height)

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screenfuls."""
        self._go(self._cursor + by * max(1, self._room - 1))

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or last row."""
        self._go(len(self.listing) if last else 0)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that was clicked."""
        if event.y and self._top + event.y - 1 < len(self.listing):
            self._go(self._top + event.y - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._keep(still=False)

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _more(self) -> int:
        """Return 1 where a line below the last row says how many are not listed."""
        listing = self.listing
        whole = listing.filter in (Filter.ALL, Filter.FAILED) and not listing.search
        return 1 if whole and self._state.unlisted else 0

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    def _go(self, index: int) -> None:
        count = len(self.listing)
        if not count:
            return
        self._cursor = max(0, min(index, count - 1))
        self.listing.pinned, self.listing.moved = self.listing.at(self._cursor).key, True
        self._resize(0)
        self._follow()
        self.refresh()
        self._tell(by_person=True)

    def _follow(self) -> None:
        if self._cursor < self._top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
            return
        bottom = self._cursor + (self._more if self._cursor == len(self.listing) - 1 else 0)
        if bottom >= self._top + self._room:
            self.scroll_to(y=bottom - self._room + 1, animate=False, immediate=True)

    def _tell(self, *, by_person: bool) -> None:
        current = self.current
        if current is not self._shown or by_person:
            self._shown = current
            self.post_message(self.Highlighted(by_person=by_person))

    def render_line(self, y: int) -> Strip:
        """Return one line: the titles, or an entry."""
        width = self.scrollable_content_region.width
        found = columns(width)
        base = self.rich_style
        if y == 0:
            return self._head(found, width, base)
        index = self._top + y - 1
        if index < len(self.listing):
            return self._entry(index, found, width, base)
        style = self.get_component_rich_style("results--hint")
        return Strip([Segment(set_cell_size(self._hint(y, index), width), style)]).apply_style(base)

    def _head(self, found: list[Column], width: int, base: Style) -> Strip:
        head = self.get_component_rich_style("results--head")
        if not self._top:
            return self._strip([(column.title, head) for column in found], found, width, base)
        above = self.get_component_rich_style("results--above")
        found = spanning(found, _("▲ {n} above: Home", n=self._top))
        cells = [(column.title, above if column.name == SPANNED else head) for column in found]
        return self._strip(cells, found, width, base)

    def _hint(self, y: int, index: int) -> str:
        if not len(self.listing):
            return self._empty() if y == 1 else ""
        if index == len(self.listing) and self._more:
            return _("… and {n} more that are counted, not listed", n=self._state.unlisted)
        return ""

    def _empty(self) -> str:
        if self.listing.search:
            return _("Nothing here has these words in it. Esc clears the search.")
        if self.listing.filter is Filter.ALL:
            return _("The first results will stand here.")
        return _("None of these now. 1 shows all.")

    def _entry(self, index: int, found: list[Column], width: int, base: Style) -> Strip:
        item, now, reveal = self.listing.at(index), self._now(), self.listing.reveal
        cells = [cell(column.name, item, column.width, now=now, reveal=reveal) for column in found]
        if index == self._cursor:
            base = base + self.get_component_rich_style("results--cursor")
        return self._strip(cells, found, width, base)

    @staticmethod
    def _strip(cells: list[tuple[str, Style]], found: list[Column], width: int, base: Style) -> Strip:
        segments = []
        for (text, style), column in zip(cells, found, strict=True):
            segments += [Segment(fit(text, column.width), style), Segment(_GAP)]
        return Strip(segments).adjust_cell_length(width).apply_style(base)
