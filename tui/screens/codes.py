"""QR codes on the whole screen, one after another, dark on light or inverted."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle

from client.i18n import _
from client.model import N_, Rejected
from tui import passing
from tui.intake import complaint
from tui.screens.page import Dialog, Explained
from tui.widgets.static import Static

_INK: Final = "#000000 on #ffffff"  # whatever the theme is: cameras want it dark on light
_INVERSE: Final = "#ffffff on #000000"
_BELOW: Final = 1  # rows for the words


class CodesScreen(Dialog[None]):
    """Shows the codes of a message as large as the window allows."""

    DEFAULT_CSS = """
    CodesScreen { background: $background; }
    CodesScreen Middle { height: 1fr; }
    CodesScreen #picture { width: auto; height: auto; }
    CodesScreen #words { height: auto; width: 1fr; text-align: center; dock: bottom; }
    """
    NAME = N_("QR codes")
    ABOUT = N_("The other side takes a photo of each code; Take in, file, reads the photos.")
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("the next code")),
        ("b", N_("the code before")),
        ("i", N_("inverted: light on dark, where a camera wants it")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,right", "step(1)", N_("Next"), key_display="⏎"),
        Binding("b,и,left", "step(-1)", N_("One back"), key_display="b"),
        Binding("i,ш", "invert", N_("Invert"), key_display="i"),
        Binding("escape,q,й", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self._message = message
        self._codes: tuple[str, ...] = ()
        self._wrong = ""
        self._at = 0
        self._inverse = False

    def compose(self) -> ComposeResult:
        """Lay out the picture and the line below it."""
        with Middle(), Center():
            yield Static(id="picture")
        yield Static(id="words")

    def on_resize(self) -> None:
        """Make the codes anew for the room that there is."""
        super().on_resize()
        width, height = self.app.size
        try:
            self._codes = passing.codes(self._message, rows=height - _BELOW, columns=width)
            self._wrong = ""
        except Rejected as rejected:
            self._codes, self._wrong = (), complaint(rejected)
        self._at = min(self._at, max(0, len(self._codes) - 1))
        self._draw()

    def action_step(self, by: int) -> None:
        """Show the next code, or the one before; they are a ring."""
        if self._codes:
            self._at = (self._at + by) % len(self._codes)
            self._draw()

    def action_invert(self) -> None:
        """Show it light on dark, or dark on light again."""
        self._inverse = not self._inverse
        self._draw()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()

    def _draw(self) -> None:
        picture, said = self.query_one("#picture", Static), self.query_one("#words", Static)
        picture.display = bool(self._codes)
        if not self._codes:
            said.update(Text(": ".join((_(self.NAME), f"{self._wrong}  ")) + _("Esc: back")))
            return
        width, height = self.app.size
        code = passing.enlarged(self._codes[self._at], rows=height - _BELOW, columns=width)
        picture.update(Text(code, style=_INVERSE if self._inverse else _INK, no_wrap=True))
        number = _("{n} of {of}", n=self._at + 1, of=len(self._codes))
        keys = _("Enter: next  b: back  i: invert") if len(self._codes) > 1 else _("i: invert")
        said.update(Text("  ".join((f"{_(self.NAME)} {number}", keys, _("Esc: back"), _("? or F1: help")))))
