"""Typing what is read out: words group by group, each checked while it is typed."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Label

from client.i18n import _
from client.model import N_, Rejected
from tui import hearing
from tui.hearing import Hearing
from tui.intake import complaint
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import grid
from tui.widgets.head import Head
from tui.widgets.inputs import LineInput
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_LONGEST = 32 * 1024
_FOR_KEY = N_(
    "Ask the other side to press t (Take in), then 1, and to read you the six groups that appear there."
)
_FOR_WORDS = N_("Type each group as you hear it, the check word last. Enter on an empty line: that was all.")
_FOUR = N_("Four letters of a word are enough. A number first goes to that group: 3 word word …")


class WordsInput(LineInput):
    """Takes the words of one group; a whole text that is pasted goes to the screen."""

    class Pasted(Message):
        """More than one line was pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_paste(self, event: events.Paste) -> None:
        """Leave more than one line to the screen."""
        if len(event.text.strip().splitlines()) > 1 or len(event.text.split()) > 10:
            event.prevent_default()
            event.stop()
            self.post_message(self.Pasted(event.text[: _LONGEST + 1]))
        else:
            super().on_paste(event)


class HearingScreen(Page["tuple[bytes, tuple[str, ...]] | None"]):
    """Gives the key or the message, and what was repaired; None where the person goes back. `key`: 24 words of a key."""

    CSS_PATH = "hearing.tcss"
    AUTO_FOCUS = "#typed"
    NAME = N_("Type the words")
    ABOUT = N_(
        "Capital letters, accents and ё do not matter, and a likely word is offered for one that is misspelled."
    )
    KEYS: ClassVar[Explained] = (
        (
            "Enter",
            N_("take the group; where a likely one is offered: put that in; on an empty line: that was all"),
        ),
        ("↑", N_("type the group before once more")),
        ("↓", N_("leave out a group that could not be heard")),
        ("Esc", N_("go back; what was typed is gone")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "again", N_("Group before"), priority=True, key_display="↑"),
        Binding("down", "skip", N_("Leave it out"), priority=True, key_display="↓"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, *, key: bool) -> None:
        super().__init__()
        self._hearing = Hearing(key=key)
        self._refused = ""  # what was refused once: the same again is kept as it is

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Static(Text(_(_FOR_KEY if self._hearing.key else _FOR_WORDS)), id="about")
        with VerticalScroll(id="heard", can_focus=False):
            yield Static(id="taken")
        with Horizontal(id="row"):
            yield Label(id="asked")
            yield WordsInput(id="typed", compact=True, select_on_focus=False)
        yield Static(id="live")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Show what was taken."""
        self.query_one("#typed", Input).cursor_blink = False
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key has no group that could be left out."""
        if action == "skip":
            return not self._hearing.key
        return self._hearing.number > 1 if action == "again" else True

    def _show(self) -> None:
        self.query_one("#taken", Static).update(hearing.taken(self._hearing))
        self.query_one("#asked", Label).update(Text(hearing.asked(self._hearing)))
        self._look(self.query_one("#typed", Input).value)
        self.query_one("#heard").scroll_end(animate=False)
        self.refresh_bindings()

    def _look(self, text: str) -> None:
        lines = hearing.typed(self._hearing.look(text))
        self.query_one("#live", Static).update(grid(lines) if lines else Text(_(_FOUR), style="dim"))

    @on(Input.Changed, "#typed")
    def _changed(self, event: Input.Changed) -> None:
        self._look(event.value)

    @on(Input.Submitted, "#typed")
    def _entered(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if not text:
            self._finish()
            return
        look = self._hearing.look(text)
        if look.offer and text != self._refused:
            self._refused = self._hearing.numbered(text, look.offer)
            event.input.value = self._refused
            event.input.cursor_position = len(self._refused)
            self.inform(_("Enter takes it; or mend it first."))
            return
        self._take(text)

    def _take(self, text: str) -> None:
        try:
            self._hearing.take(text, as_it_is=text == self._refused)
        except Rejected as rejected:
            self._refused = text
            said = complaint(rejected)
            if not self._hearing.key and self._hearing.look(text).group is not None:
                said += " " + _("Enter once more keeps it as it is: the end may repair it.")
            self.complain(said)
            return
        self._refused = ""
        self._say("")
        self.query_one("#typed", Input).value = ""
        self._show()
        if self._hearing.full and not self._hearing.doubtful:
            self._finish()

    @on(WordsInput.Pasted)
    def _pasted(self, event: WordsInput.Pasted) -> None:
        self._take(event.text)

    def _finish(self) -> None:
        if not self._hearing.groups:
            self.complain(_("No words were typed yet."))
            return
        try:
            done = self._hearing.finish()
        except Rejected as rejected:
            self.complain(complaint(rejected))
            self._show()
            return
        self.dismiss(done)

    def action_again(self) -> None:
        """Type the group before once more."""
        self._hearing.back()
        self.query_one("#typed", Input).value = ""
        self._show()

    def action_skip(self) -> None:
        """Leave this group out."""
        self._hearing.skip()
        self._show()

    def action_back(self) -> None:
        """Go back without."""
        self.dismiss(None)
