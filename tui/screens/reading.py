"""Reading out and writing off: words group by group, text messages one by one."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from client.i18n import _, current, ngettext
from client.model import N_
from client.share import words
from tui import passing
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import grid
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_FORWARD = "enter,space,right,down,pagedown"
_BACKWARD = "b,и,left,up,pageup"
_STEPS: Final = (
    Binding(_FORWARD, "step(1)", N_("Next"), key_display="⏎"),
    Binding(_BACKWARD, "step(-1)", N_("One back"), key_display="b"),
)
_LEAVE: Final = Binding("escape", "back", N_("Back"), key_display="esc")
_ROW = 40  # characters of a text message in one line


class Deck(Page[None]):
    """One card after another: Enter goes on, b goes back, a digit leads to that card, Esc leaves."""

    CSS_PATH = "reading.tcss"
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._digits = ""

    @property
    def of(self) -> int:
        """Return how many cards there are."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the card."""
        yield Head(self.NAME)
        yield Static(id="before")
        with Vertical(id="card"):
            yield Static(id="face")
        yield Static(id="after")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Show the card."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "step":
            return self._at > 0 if parameters == (-1,) else self._at < self.of
        return action != "spell" or self._at < self.of

    def action_step(self, by: int) -> None:
        """Go on, or back; after the last card it is said what comes next."""
        self._go(min(max(0, self._at + by), self.of))

    def on_key(self, event: events.Key) -> None:
        """Go to the card of this number: what the other side asks for again."""
        if event.character is None or not event.character.isdecimal():
            self._digits = ""
            return
        both = int((self._digits + event.character)[-2:])
        number = both if both <= self.of else int(event.character)
        self._digits = event.character
        if 1 <= number <= self.of:
            self._go(number - 1)

    def _go(self, at: int) -> None:
        self._at = at
        self._show()
        self.refresh_bindings()

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()

    def _show(self) -> None:
        raise NotImplementedError

    def _put(self, before: str, title: str, card: object, after: str) -> None:
        self.query_one("#before", Static).update(Text(before))
        self.query_one("#card").border_title = f" {title} " if title else ""
        self.query_one("#face", Static).update(card)
        self.query_one("#after", Static).update(Text(after))


class ReadingScreen(Deck):
    """Paces the reading of words. `message` is what travels; whether it is `sealed` decides what is said around it."""

    NAME = N_("Read it out")
    ABOUT = N_("Read slowly, with the numbers. The check word tells the other side when a word was misheard.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("the next group")),
        ("b", N_("the group before")),
        ("0 … 9", N_("the group of this number, if it is asked for again")),
        ("r", N_("repeat it: letter by letter")),
        ("l", N_("the same in the words of another language")),
        ("Esc", N_("leave; the words are gone then")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *_STEPS,
        Binding("r,к", "spell", N_("Repeat, spelled"), key_display="r"),
        Binding("l,д", "language", N_("Other words"), key_display="l"),
        _LEAVE,
    ]

    def __init__(self, message: bytes, *, sealed: bool) -> None:
        super().__init__()
        self._message = message
        self._sealed = sealed
        self._spelled = False
        self._spoken = passing.spoken(message, words.nearest(current()))

    @property
    def of(self) -> int:
        """Return how many groups there are."""
        return len(self._spoken.groups)

    def action_spell(self) -> None:
        """Show the letters one by one, or only the words."""
        self._spelled = not self._spelled
        self._show()

    def action_language(self) -> None:
        """Say the same in the words of the next language, from the first group on."""
        self._spoken = passing.spoken(self._message, passing.next_language(self._spoken.lang))
        self._go(0)

    def _go(self, at: int) -> None:
        self._spelled = False
        super()._go(at)

    def _show(self) -> None:
        lang = words.LANGUAGES[self._spoken.lang]
        of = ngettext(
            "{n} group of four words and a check word", "{n} groups of four words and a check word", self.of
        )
        before = _("Words in: {lang}. {of}. Say so first.", lang=lang, of=of)
        if self._at >= self.of:
            ending = _("That was the last group. Wait until the other side says what it took in.")
            self._put(before, "", Text(ending, style="bold"), _("Esc: leave. The words are gone then."))
            return
        title = _("Group {n} of {of}", n=self._at + 1, of=self.of)
        card = grid(passing.group(self._spoken, self._at, spelled=self._spelled))
        after = _(passing.VOICE) if self._sealed else _("This goes in the open: who listens gets it too.")
        self._put(before, title, card, after)


class PartsScreen(Deck):
    """Shows text messages one by one, with how long each is. `message` is what travels, `sealed` or not."""

    NAME = N_("Text messages")
    ABOUT = N_("Send each message as it stands, every character: capital letters matter. The order does not.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("the next message")),
        ("b", N_("the message before")),
        ("w", N_("messages of 70 characters, for telephones set to that; or of 160")),
        ("Esc", N_("leave; erase the messages on both telephones afterwards")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *_STEPS,
        Binding("w,ц", "width", N_("70 or 160"), key_display="w"),
        _LEAVE,
    ]

    def __init__(self, message: bytes, *, sealed: bool) -> None:
        super().__init__()
        self._message = message
        self._sealed = sealed
        self._wide = False
        self._parts = passing.messages(message, wide=False)

    @property
    def of(self) -> int:
        """Return how many messages there are."""
        return len(self._parts)

    def action_width(self) -> None:
        """Take the other length."""
        self._wide = not self._wide
        self._parts = passing.messages(self._message, wide=self._wide)
        self._go(0)

    def _show(self) -> None:
        before = ngettext(
            "{n} message. Send it as it stands, every character: capital letters matter.",
            "{n} messages. Send them as they stand, every character, in any order: capital letters matter.",
            self.of,
        )
        if self._at >= self.of:
            ending = _("That was the last message. Erase them on both telephones afterwards.")
            self._put(before, "", Text(ending, style="bold"), _("Esc: leave. The messages are gone then."))
            return
        part = self._parts[self._at]
        title = _("Message {n} of {of}", n=self._at + 1, of=self.of)
        rows = [part[start : start + _ROW] for start in range(0, len(part), _ROW)]
        after = _(
            "{size}. Without blanks or line breaks: the lines here only fit the screen.",
            size=passing.room(part, wide=self._wide),
        )
        if not self._sealed:
            after += "\n" + _("This goes in the open: who listens gets it too.")
        self._put(before, title, Text("\n".join(rows), style="bold"), after)
