"""The programs that an option goes into, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.guide.way import Way
from client.i18n import _
from client.model import N_
from tui import using
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.keys import Keys


class ProgramsScreen(Dialog[int | None]):
    """Gives the number of the chosen way, None for none."""

    CSS_PATH = "lists.tcss"
    AUTO_FOCUS = "OptionList"
    NAME = N_("Programs")
    ABOUT = N_("Programs and devices that this entry goes into, the recommended one first.")
    KEYS: ClassVar[Explained] = (("↑ ↓, Enter", N_("choose")), ("Esc", N_("go back")))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, ways: Sequence[Way], at: int) -> None:
        super().__init__()
        self._ways = ways
        self._at = at

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="box"):
            yield OptionList(*(Item(_shown(way)) for way in self._ways), compact=True)
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Put the cursor on the one that is shown."""
        self.query_one(".box").border_title = f" {_(self.NAME)} "
        self.query_one(OptionList).highlighted = self._at

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

    def action_back(self) -> None:
        """Choose none."""
        self.dismiss(None)


def _shown(way: Way) -> Text:
    return Text(using.title_of(way), no_wrap=True, overflow="ellipsis")
