"""What comes before something is taken in: the words of the one-time key to read out, and the messages to paste."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from client.i18n import _, current
from client.model import N_, Rejected
from client.share import intake, words
from client.share.intake import Found
from tui import passing, taking
from tui.intake import clean, complaint
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.head import Head
from tui.widgets.inputs import ListArea
from tui.widgets.keys import Keys
from tui.widgets.static import Static


class KeyScreen(Page[bool]):
    """Shows the words of the one-time key `public`; gives True when the sender has all of them."""

    CSS_PATH = "incoming.tcss"
    AUTO_FOCUS = ""
    NAME = N_("Read these words out")
    ABOUT = N_(
        "They are no secret: who hears them can seal for you, but cannot open anything. They serve once."
    )
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("the sender has all of them: go on")),
        ("l", N_("the same in the words of another language")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done(True)", N_("The sender has them"), key_display="⏎"),
        Binding("l,д", "language", N_("Other words"), key_display="l"),
        Binding("escape", "done(False)", N_("Back"), key_display="esc"),
    ]

    def __init__(self, public: bytes) -> None:
        super().__init__()
        self._public = public
        self._lang = words.nearest(current())

    def compose(self) -> ComposeResult:
        """Lay out the groups."""
        yield Head(self.NAME)
        yield Static(
            Text(
                _("Read them to the sender, group by group, with the numbers. {about}", about=_(self.ABOUT))
            ),
            id="about",
        )
        yield Static(id="groups")
        yield Static(Text(_(passing.VOICE)), id="voice")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Put in the words."""
        spoken = words.speak_key(self._public, self._lang)
        table = Table.grid(padding=(0, 3, 0, 0))
        for group in spoken.groups:
            table.add_row(
                Text(str(group.number), style="dim"), *(Text(word, style="bold") for word in group.words)
            )
        self.query_one("#groups", Static).update(table)
        self.query_one("#groups").border_title = f" {words.LANGUAGES[self._lang]} "

    def action_language(self) -> None:
        """Say the same in the words of the next language."""
        self._lang = passing.next_language(self._lang)
        self.fill()

    def action_done(self, sent: bool) -> None:
        """Go on, or back."""
        self.dismiss(sent)


class MessagesScreen(Page[Found | None]):
    """Takes text messages in any order, and says what is missing; gives them when they are whole."""

    CSS_PATH = "incoming.tcss"
    AUTO_FOCUS = "#texts"
    NAME = N_("Paste the messages")
    ABOUT = N_("In any order, with whatever stands around them: from SY to the full stop counts.")
    KEYS: ClassVar[Explained] = (
        ("^s", N_("take them in")),
        ("Esc", N_("go back; what was pasted is gone")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+ы", "take", N_("Take in"), priority=True, key_display="^s"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        yield Head(self.NAME)
        yield Static(Text(_(self.ABOUT)), id="about")
        area = ListArea("", id="texts", compact=True, placeholder=_("Paste or type them here."))
        area.match_cursor_bracket = area.cursor_blink = False
        area.set_reactive(ListArea.reveal, True)  # a sealed message tells nothing
        yield area
        yield Static(id="state")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    @on(ListArea.Pasted)
    def _pasted(self, event: ListArea.Pasted) -> None:
        self._insert(event.text)

    def on_paste(self, event: events.Paste) -> None:
        """Take what was pasted while the field had not the keyboard."""
        self._insert(event.text)

    def _insert(self, text: str) -> None:
        area = self.query_one(ListArea)
        if len(area.text) + len(text) > _MOST:
            self.complain(_("This is far too long: paste the messages only."))
        else:
            area.take(clean(text))

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self.query_one("#state", Static).update(Text(taking.missing(self.query_one(ListArea).text)))
        self._say("")

    def action_take(self) -> None:
        """Take them in if they are whole."""
        try:
            found = intake.of_texts((self.query_one(ListArea).text,))
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self.dismiss(found)

    def action_back(self) -> None:
        """Go back without."""
        self.dismiss(None)


_MOST = 64 * 1024
