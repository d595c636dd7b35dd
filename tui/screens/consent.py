"""The question before the first packet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static

from client import consent
from client.i18n import _
from client.text import printable
from tui.widgets.facts import grid

_LONGEST = 2000


class ConsentScreen(ModalScreen[bool]):
    """Shows what a person has to agree to; gives True for yes. `no` is what the other answer does."""

    CSS_PATH = "consent.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{consent.letter()},y", "answer(True)", _("Yes"), key_display=consent.letter()),
        Binding("n,escape", "answer(False)", _("No")),
        Binding("left,right", "other", show=False),
    ]

    def __init__(self, lines: Sequence[str], no: str = "") -> None:
        super().__init__()
        self._lines = lines
        self._no = no or _("No, send nothing")

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(id="question"):
            yield Static(Text(_shown(self._lines[0])), classes="first")
            with VerticalScroll(can_focus=False):
                yield Static(grid([_point(line) for line in self._lines[1:]]))
            with Horizontal(id="answers"):
                yield Button(self._no, id="no")
                yield Button(_("Yes, go on"), id="yes", variant="primary")
        yield Footer()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

    def action_other(self) -> None:
        """Go to the other button."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


def _shown(line: str) -> str:
    return printable(line, _LONGEST)


def _point(line: str) -> tuple[str, Text]:
    mark = "• " if line.startswith("• ") else ""
    return mark.strip(), Text(_shown(line.removeprefix(mark)) + "\n")
