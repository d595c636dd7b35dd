"""Labelled text in two columns, scrollable: the details of an entry, or the summary."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tui.describe import Lines
from tui.widgets.static import Static


class Facts(VerticalScroll, can_focus=True):
    """Shows labels on the left and what they label, wrapped, on the right."""

    DEFAULT_CSS = """
    Facts { scrollbar-size-vertical: 1; }
    Facts > Static { width: 1fr; height: auto; }
    """

    def compose(self) -> ComposeResult:
        """Put the one text in its place."""
        yield Static(id="facts")

    def show(self, lines: Lines, *, start: bool = False) -> None:
        """Show `lines`; with `start` from their first one."""
        self.query_one("#facts", Static).update(grid(lines))
        if start:
            self.scroll_home(animate=False)


def grid(lines: Lines) -> Any:
    """Return the two columns as one renderable."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=max((cell_len(label) for label, _text in lines), default=1), no_wrap=True)
    table.add_column(ratio=1, overflow="fold")  # a word that is longer than the line is not cut off
    for label, text in lines:
        table.add_row(Text(label, style="dim"), text)
    return table
