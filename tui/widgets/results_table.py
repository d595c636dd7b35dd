"""The list of verdicts. It draws only the rows that are in sight, so ten thousand cost no more than ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from client.i18n import _, say
from client.render import words
from client.text import printable
from tui import describe
from tui.state import Row, RunState

_WIDE: Final = 95  # cells from which on the two small columns have room
_GAP: Final = " "


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int


class ResultsTable(ScrollView, can_focus=True):
    """Shows a RunState, best first. The cursor stays with its entry once the person has moved it."""

    DEFAULT_CSS = """
    ResultsTable { scrollbar-size-vertical: 1; overflow-x: hidden; }
    ResultsTable > .results--head { color: $text-muted; text-style: bold; }
    ResultsTable > .results--cursor { background: $panel; }
    ResultsTable:focus > .results--cursor { background: $primary 30%; text-style: bold; }
    ResultsTable > .results--hint { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"results--head", "results--cursor", "results--hint"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
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

    def __init__(self, state: RunState, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._state = state
        self._cursor = 0
        self._key: str | None = None  # of the entry that the cursor stays with; None: whatever is on top
        self._shown: str | None = None
        self._reveal = False

    @property
    def current(self) -> Row | None:
        """Return the entry under the cursor."""
        return self._state.at(self._cursor) if self._cursor < len(self._state) else None

    def reveal(self, wanted: bool) -> None:
        """Show or mask addresses."""
        self._reveal = wanted
        self.refresh()

    def sync(self) -> None:
        """Draw what has changed in the state."""
        count = len(self._state)
        if self._key is not None:
            index = self._state.index_of(self._key)
            if index is None:
                self._cursor = max(0, min(self._cursor, count - 1))
                self._key = self._state.at(self._cursor).key if count else None
            else:
                self._cursor = index
        self.virtual_size = Size(self.scrollable_content_region.width, count + 1 + self._more)
        self._follow()
        self.refresh()
        self._tell(by_person=False)

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screenfuls."""
        self._go(self._cursor + by * max(1, self._room - 1))

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or last row."""
        self._go(len(self._state) if last else 0)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that was clicked."""
        if event.y and self._top + event.y - 1 < len(self._state):
            self._go(self._top + event.y - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.sync()

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _more(self) -> int:
        """Return 1 where a line below the last row says how many are not listed."""
        return 1 if self._state.unlisted else 0

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    def _go(self, index: int) -> None:
        count = len(self._state)
        if not count:
            return
        self._cursor = max(0, min(index, count - 1))
        self._key = self._state.at(self._cursor).key
        self._follow()
        self.refresh()
        self._tell(by_person=True)

    def _follow(self) -> None:
        if self._cursor < self._top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
            return
        bottom = self._cursor + (self._more if self._cursor == len(self._state) - 1 else 0)
        if bottom >= self._top + self._room:
            self.scroll_to(y=bottom - self._room + 1, animate=False, immediate=True)

    def _tell(self, *, by_person: bool) -> None:
        row = self.current
        key = row.key if row else None
        if key != self._shown or by_person:
            self._shown = key
            self.post_message(self.Highlighted(by_person=by_person))

    def render_line(self, y: int) -> Strip:
        """Return one line: the titles, or an entry."""
        width = self.scrollable_content_region.width
        columns = self._columns(width)
        base = self.rich_style
        if y == 0:
            style = self.get_component_rich_style("results--head")
            return self._strip([(column.title, style) for column in columns], columns, width, base)
        index = self._top + y - 1
        if index < len(self._state):
            return self._entry(index, columns, width, base)
        hint = self._hint(y, index)
        style = self.get_component_rich_style("results--hint")
        return Strip([Segment(set_cell_size(hint, width), style)]).apply_style(base)

    def _hint(self, y: int, index: int) -> str:
        if not len(self._state):
            return _("The first results will stand here.") if y == 1 else ""
        if index == len(self._state) and self._more:
            return _("… and {n} more that are counted, not listed", n=self._state.unlisted)
        return ""

    def _entry(self, index: int, columns: list[_Column], width: int, base: Style) -> Strip:
        row = self._state.at(index)
        verdict = row.verdict
        plain = Style()
        state = describe.state(row)
        cells = [
            (state.plain, Style.parse(str(state.style))),
            (verdict.protection.value, plain),
            (printable(verdict.kind), plain),
            (self._entry_name(row, columns[3].width), plain),
            (words.speed(verdict), plain),
        ]
        if len(columns) > 6:
            cells.append((words.seconds(verdict.proof.first_byte), plain))
            cells.append((str(verdict.tries or "–"), plain))
        cells.append((printable(say(verdict.reason), 200), plain))
        if index == self._cursor:
            base = base + self.get_component_rich_style("results--cursor")
        return self._strip(cells, columns, width, base)

    def _entry_name(self, row: Row, width: int) -> str:
        name = describe.name(row, reveal=self._reveal)
        return (
            name if self._reveal else f"{name} {describe.place(row.verdict.candidate, width - len(name) - 1)}"
        )

    def _columns(self, width: int) -> list[_Column]:
        state = 2 + max(cell_len(words.word(status)) for status in words.ORDER)
        columns = [
            _Column(_("state"), state),
            _Column(_("class"), cell_len(_("class"))),
            _Column(_("kind"), 11),
            _Column(_("entry"), max(20, min(34, width // 4 - 4))),
            _Column(_("speed"), 11),
        ]
        if width >= _WIDE:
            columns += [
                _Column(_("first page"), max(6, cell_len(_("first page")))),
                _Column(_("tries"), cell_len(_("tries"))),
            ]
        rest = width - sum(column.width + len(_GAP) for column in columns)
        return [*columns, _Column(_("why"), max(4, rest))]

    @staticmethod
    def _strip(cells: list[tuple[str, Style]], columns: list[_Column], width: int, base: Style) -> Strip:
        segments = []
        for (text, style), column in zip(cells, columns, strict=True):
            segments += [Segment(_fit(text, column.width), style), Segment(_GAP)]
        return Strip(segments).adjust_cell_length(width).apply_style(base)


def _fit(text: str, width: int) -> str:
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
