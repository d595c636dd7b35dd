"""What the signs mean and what the keys do, for the screen below."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from client import advise
from client.i18n import _, say
from client.model import N_, Status
from client.render import words
from tui.describe import Lines
from tui.screens.page import Dialog, Told
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts
from tui.widgets.keys import Keys

_STATES = {
    Status.WORKING: N_("authentic content came through, and enough of it to be sure"),
    Status.DEGRADED: N_("authentic, but it stalls or is too slow for pages with pictures"),
    Status.HOSTILE: N_("it alters or reads what you send: delete it"),
    Status.BLOCKED: N_("something on the way interferes; a comparison has shown it"),
    Status.FAILED: N_("it did not get through; the details say at which step"),
    Status.UNTESTED: N_("not tested; the reason says why and what is missing"),
}
_EVERYWHERE: Final = (
    ("^x ^x", N_("panic: twice within a second ends everything, leaves, and empties this terminal")),
    ("?, F1", N_("this help, on every screen")),
    ("F2", N_("end the local connection")),
    ("F3", N_("change the language")),
    ("F4", N_("show the results of the check that goes on, or of the last one")),
    ("F8", N_("erase the vault and everything temporary, and leave; asks once")),
    ("^p", N_("all commands; colours and animation too")),
    ("^c", N_("stop what runs; where nothing runs: leave")),
    ("^q", N_("stop everything and leave; only exported files are kept")),
)


class HelpScreen(Dialog[None]):
    """Explains a screen and its keys, and where it shows them the states and classes."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background; }
    HelpScreen #help {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: round $border; border-title-color: $primary; padding: 0 1;
    }
    HelpScreen Facts { height: auto; max-height: 85vh; }
    """
    AUTO_FOCUS = "Facts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,й", "close", N_("Back"), key_display="esc"),
    ]

    def __init__(self, about: type[Told]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        with Vertical(id="help"):
            yield Facts()
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#help").border_title = _("help") + " › " + _(self._about.NAME)
        self.query_one(Facts).show(help_lines(self._about), start=True)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()


def help_lines(about: type[Told]) -> Lines:
    """Return the help for a kind of screen."""
    lines: Lines = [("", Text(_(about.ABOUT), style="bold")), ("", Text())] if about.ABOUT else []
    lines += [(keys, Text(_(what))) for keys, what in about.KEYS]
    lines += [("", Text()), ("", Text(_("On every screen:"), style="bold"))]
    lines += [(keys, Text(_(what))) for keys, what in _EVERYWHERE]
    if about.SIGNS:
        lines += [("", Text()), *map(_state, words.ORDER), ("", Text())]
        for kind, label in words.CLASSES.items():
            lines.append(("", Text(f"{_(label)}: {say(advise.exposure(kind))}")))
    return lines


def _state(status: Status) -> tuple[str, Text]:
    look = words.LOOKS[status]
    text = Text(words.word(status), style=look.style)
    return look.symbol, text.append(f": {_(_STATES[status])}", style="not bold not dim")
