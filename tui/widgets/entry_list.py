"""What was read from the lists: the rejected first, for they need a hand. Only what is in sight is drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from client.events import LineRejected
from client.i18n import _, say
from client.model import N_, Candidate, Reading, RejectedLine
from client.model import Message as Said
from client.render import plain
from client.text import printable
from tui.intake import kind_of

_MASK = "••••••••"
_LONGEST = 400  # characters of a revealed entry
_WHOLE = (
    500  # rows that take as many lines as they need; of those below, only as much is shown as fits in one
)
_INDENT = "  "


class EntryList(ScrollView, can_focus=True):
    """Shows a Reading: notices, rejected lines with their reasons, then what was found, masked until revealed."""

    DEFAULT_CSS = """
    EntryList { scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    EntryList > .entries--rejected { color: $text-error; }
    EntryList > .entries--found { color: $text-muted; }
    EntryList:focus > .entries--cursor { background: $primary 30%; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"entries--rejected", "entries--found", "entries--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Go to the line")),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(False)", show=False),
        Binding("end", "edge(True)", show=False),
    ]

    class Opened(Message):
        """The person wants to see this line of this list."""

        def __init__(self, source: str, line: int) -> None:
            super().__init__()
            self.source = source
            self.line = line

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._reading = Reading((), (), 0)
        self._reveal = False
        self._cursor = 0
        self._lines: list[tuple[int, str]] = []  # of the first rows: which one, and what stands there
        self._tops: list[int] = []  # the line where each of these rows begins

    def show(self, reading: Reading | None, *, reveal: bool) -> None:
        """Show what was read; None: nothing yet."""
        self._reading = reading or Reading((), (), 0)
        self._reveal = reveal
        self._cursor = max(0, min(self._cursor, len(self) - 1))
        self._lay_out()
        self.display = bool(len(self))
        self.refresh()

    def __len__(self) -> int:
        reading = self._reading
        return len(reading.notices) + len(reading.rejected) + len(reading.candidates)

    def __bool__(self) -> bool:
        return True  # a widget, however little is in it

    def on_resize(self) -> None:
        """Fill the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._lines, self._tops = [], []
        if width:  # none before there is anything to show
            for row in range(min(len(self), _WHOLE)):
                self._tops.append(len(self._lines))
                text = told(self._row(row), reveal=self._reveal)
                self._lines.extend((row, line) for line in wrapped(text, width, self.app.console))
        self.virtual_size = Size(width, self._top(len(self)))

    def _top(self, row: int) -> int:
        whole = len(self._tops)
        return self._tops[row] if row < whole else len(self._lines) + row - whole

    def _at(self, line: int) -> tuple[int, str]:
        """Return the row that a line belongs to, and what stands in it. There has to be such a line."""
        if line < len(self._lines):
            return self._lines[line]
        row = len(self._tops) + line - len(self._lines)
        return row, told(self._row(row), reveal=self._reveal)

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screenfuls."""
        if len(self):
            line = self._top(self._cursor) + by * max(1, self._room - 1)
            self._go(self._at(max(0, min(line, self._top(len(self)) - 1)))[0])

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self._go(len(self) if last else 0)

    def action_open(self) -> None:
        """Ask for the line under the cursor."""
        row = self._row(self._cursor) if len(self) else None
        if isinstance(row, RejectedLine | Candidate):
            self.post_message(self.Opened(row.source, row.line))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to what was clicked."""
        line = self.scroll_offset.y + event.y
        if line < self._top(len(self)):
            self._go(self._at(line)[0])

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.height)

    def _go(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self) - 1))
        top = self.scroll_offset.y
        last = self._top(self._cursor + 1) - 1
        wanted = min(max(top, last - self._room + 1), self._top(self._cursor))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)
        self.refresh()

    def _row(self, index: int) -> Said | RejectedLine | Candidate:
        for part in (self._reading.notices, self._reading.rejected):
            if index < len(part):
                return part[index]
            index -= len(part)
        return self._reading.candidates[index]

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        line = self.scroll_offset.y + y
        if line >= self._top(len(self)):
            return Strip.blank(width, base)
        index, text = self._at(line)
        row = self._row(index)
        name = "entries--found" if isinstance(row, Candidate) else "entries--rejected"
        style = self.get_component_rich_style(name, partial=True)
        if index == self._cursor and self.has_focus:
            style += self.get_component_rich_style("entries--cursor", partial=True)
        text = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
        return Strip([Segment(text, style or Style())]).extend_cell_length(width, style).apply_style(base)


def wrapped(text: str, width: int, console: Console) -> list[str]:
    """Return a text in lines of at most `width` cells; all but the first are indented."""
    if cell_len(text) <= width:
        return [text]
    lines = Text(text).wrap(console, max(1, width - len(_INDENT)))
    return [f"{_INDENT if number else ''}{line.plain.rstrip()}" for number, line in enumerate(lines)]


def told(row: Said | RejectedLine | Candidate, *, reveal: bool) -> str:
    """Return one row in words, safe to show."""
    if isinstance(row, RejectedLine):
        return f"✘ {plain.rejected(LineRejected(row))}"
    if isinstance(row, Candidate):
        kind = kind_of(row)
        entry = printable(row.endpoint.reveal(), _LONGEST) if reveal else f"{kind} {_MASK}"
        line = f"{row.line}.{row.item}" if row.item else row.line
        return "+ " + _("{source}, line {line}: {reason}", source=row.source, line=line, reason=entry)
    return f"! {printable(say(row), 300)}"
