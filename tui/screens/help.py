"""What the signs mean and what the keys do, for the screen below."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer

from client import advise
from client.i18n import _, say
from client.model import N_, Status
from client.render import words
from tui.describe import Lines
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts

_STATES = {
    Status.WORKING: N_("authentic content came through, and enough of it to be sure"),
    Status.DEGRADED: N_("authentic, but it stalls or is too slow for pages with pictures"),
    Status.HOSTILE: N_("it alters or reads what you send: delete it"),
    Status.BLOCKED: N_("something on the way interferes; a comparison has shown it"),
    Status.FAILED: N_("it did not get through; the details say at which step"),
    Status.UNTESTED: N_("not tested; the reason says why and what is missing"),
}
_HOME_KEYS = (
    ("^s", N_("read the list and ask before anything is sent")),
    ("Tab", N_("go to the next field; Shift+Tab goes back")),
    ("← →", N_("choose the pace")),
    ("^q", N_("leave; nothing is kept on this machine")),
)
_RESULT_KEYS = (
    ("↑ ↓", N_("choose an entry; its details stand below")),
    ("s, ^c", N_("stop and keep what is known")),
    ("u", N_("use a working or degraded entry: the guide, a file, a QR code, the local connection")),
    ("r", N_("show or mask addresses and secrets")),
    ("a", N_("at the end: the advice, or the details again")),
    ("Enter", N_("more room for the details; Tab, then ↑ ↓ scrolls them")),
    ("n", N_("at the end: a new check")),
    ("^q", N_("stop everything and leave; nothing is kept on this machine")),
)
_USE_KEYS = (
    ("↑ ↓", N_("scroll the guide")),
    ("c", N_("open a port on this machine for its programs, through this entry; again: close it")),
    ("e", N_("write the entry as another program wants it; the file is for you only")),
    ("q", N_("show the entry as a QR code, for the camera of another device")),
    ("← →", N_("another program or device; a shows them all")),
    ("r", N_("show or mask addresses and secrets")),
    ("F2", N_("on every screen: end the local connection")),
    ("Esc", N_("go back; a connection that is up stays up")),
    ("^q", N_("stop everything and leave; only exported files are kept")),
)
_KEYS = {"home": _HOME_KEYS, "results": _RESULT_KEYS, "use": _USE_KEYS}


class HelpScreen(ModalScreen[None]):
    """Explains keys, states and classes; `about` is the screen below."""

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
        Binding("escape,f1,enter,q", "close", _("Close"), key_display="esc"),
    ]

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        with Vertical(id="help"):
            yield Facts()
        yield ConnectionLine()
        yield Footer()

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#help").border_title = _("help")
        self.query_one(Facts).show(help_lines(self._about), start=True)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()


def help_lines(about: str) -> Lines:
    """Return the help for a screen: "home", "results" or "use"."""
    lines: Lines = [(keys, Text(_(what))) for keys, what in _KEYS[about]]
    if about == "home":
        lines += [
            ("", Text()),
            ("", Text(_("A line may be host:port, a link such as socks5:// or vless://, or a bridge line."))),
            ("", Text(_("Whole subscriptions, Clash, sing-box and Xray files are read as well."))),
        ]
    if about != "use":
        lines += [("", Text()), *map(_state, words.ORDER)]
    lines.append(("", Text()))
    for kind, label in words.CLASSES.items():
        lines.append(("", Text(f"{_(label)}: {say(advise.exposure(kind))}")))
    return lines


def _state(status: Status) -> tuple[str, Text]:
    look = words.LOOKS[status]
    text = Text(words.word(status), style=look.style)
    return look.symbol, text.append(f": {_(_STATES[status])}", style="not bold not dim")
