"""What was read from the lists, line by line: the rejected first, for they need a hand. Draws only what is in sight."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
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


class EntryList(ScrollView, can_focus=True):
    """Shows a Reading: notices, rejected lines with their reasons, then what was found, masked until revealed."""

    DEFAULT_CSS = """
    EntryList { scrollbar-size-vertical: 1; overflow-x: hidden; }
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

    class Looked(Message):
        """The cursor is on another row, or came here. `text` is the whole of it, "" where the cursor left."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

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

    def show(self, reading: Reading | None, *, reveal: bool) -> None:
        """Show what was read; None: nothing yet."""
        self._reading = reading or Reading((), (), 0)
        self._reveal = reveal
        self._cursor = max(0, min(self._cursor, len(self) - 1))
        self.virtual_size = Size(self.scrollable_content_region.width, len(self))
        self.display = bool(len(self))
        self.refresh()

    def __len__(self) -> int:
        reading = self._reading
        return len(reading.notices) + len(reading.rejected) + len(reading.candidates)

    def __bool__(self) -> bool:
        return True  # a widget, however little is in it

    def on_resize(self) -> None:
        """Fill the new width."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self))

    def on_focus(self) -> None:
        """Say the whole of the row that the cursor is on."""
        self._tell()

    def on_blur(self) -> None:
        """Leave the word to others."""
        self.post_message(self.Looked(""))

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screenfuls."""
        self._go(self._cursor + by * max(1, self._room - 1))

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
        if self.scroll_offset.y + event.y < len(self):
            self._go(self.scroll_offset.y + event.y)

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.height)

    def _go(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self) - 1))
        top = self.scroll_offset.y
        wanted = min(max(top, self._cursor - self._room + 1), self._cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)
        self.refresh()
        self._tell()

    def _tell(self) -> None:
        if len(self):
            self.post_message(self.Looked(told(self._row(self._cursor), reveal=self._reveal)))

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
        index = self.scroll_offset.y + y
        if index >= len(self):
            return Strip.blank(width, base)
        row = self._row(index)
        name = "entries--found" if isinstance(row, Candidate) else "entries--rejected"
        style = self.get_component_rich_style(name, partial=True)
        if index == self._cursor and self.has_focus:
            style += self.get_component_rich_style("entries--cursor", partial=True)
        text = told(row, reveal=self._reveal)
        text = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
        return Strip([Segment(text, style or Style())]).extend_cell_length(width, style).apply_style(base)


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
