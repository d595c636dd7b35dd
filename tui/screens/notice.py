"""The words of the notice on the desktop: neutral, and the person's own to choose."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from client.i18n import _
from client.model import N_, Rejected
from client.watch import ring
from tui.intake import complaint
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.inputs import LineInput
from tui.widgets.keys import Keys
from tui.widgets.static import Static


class NoticeScreen(Dialog[str | None]):
    """Gives the words, "" for the built-in ones, or None where the person goes back."""

    CSS_PATH = "passphrase.tcss"
    AUTO_FOCUS = "#notice"
    NAME = N_("Notice")
    ABOUT = N_("Whoever looks over your shoulder reads it: nothing about networks, no address.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("take these words; an empty line: the built-in ones")),
        ("Esc", N_("go back; the words stay as they were")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical(classes="box"):
            yield Static(Text(_(self.ABOUT)), classes="about")
            field = LineInput(value=self._words, id="notice", compact=True, placeholder=_(ring.OPENED))
            field.cursor_blink = False
            yield field
            yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = f" {_(self.NAME)} "

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        try:
            self.dismiss(ring.checked(text) if text else "")
        except Rejected as rejected:
            self._say(complaint(rejected).removeprefix("--notice: "), wrong=True)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
