"""The QR code of one entry, as large as it has to be: a camera reads it from the screen."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from client.export.common import Exported
from client.export.formats import export
from client.export.here import here
from client.i18n import _, say
from client.model import N_
from client.options import Option
from client.text import printable
from tui.screens.page import Dialog, Explained, framed
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.static import Static

_INK = "#000000 on #ffffff"  # whatever the theme is: cameras want it dark on light
_WORDS = 22  # cells beside the picture from which on words stand there
_LINES = 8  # lines below it, else


class QrScreen(Dialog[bool]):
    """Shows the code; gives True when the person wants it as a file instead."""

    DEFAULT_CSS = """
    QrScreen { align: center middle; background: $background; }
    QrScreen Horizontal { width: auto; height: auto; align: center middle; }
    QrScreen #picture { width: auto; height: auto; }
    QrScreen #side { width: 28; height: auto; margin-left: 2; }
    QrScreen.-tall Horizontal { layout: vertical; }
    QrScreen #words { width: 1fr; height: auto; }
    QrScreen ConnectionLine { dock: none; max-height: 8; margin-top: 1; }
    """
    NAME = N_("QR code")
    ABOUT = N_("The camera of another device reads the whole entry from here.")
    KEYS: ClassVar[Explained] = (
        ("e", N_("write it as a picture instead")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,й", "close(False)", N_("Back"), key_display="esc"),
        Binding("e,у", "close(True)", N_("Export"), key_display="e"),
    ]

    def __init__(self, option: Option, *, staged: bool = False) -> None:
        super().__init__()
        self._staged = staged
        self._made: Exported = export("qr-light", (option,), here())
        self._rows = _rows(self._made)

    def compose(self) -> ComposeResult:
        """Lay out the picture and the words beside it."""
        with Horizontal():
            yield Static(id="picture")
            with Vertical(id="side"):
                yield Static(id="words")
                yield ConnectionLine()

    def on_resize(self) -> None:
        """Draw as much as there is room for."""
        super().on_resize()
        self._draw(*self.app.size)

    def action_close(self, export: bool) -> None:
        """Go back, or on to the file."""
        self.dismiss(export)

    def _draw(self, width: int, height: int) -> None:
        picture, said = self.query_one("#picture", Static), self.query_one("#words", Static)
        side = self.query_one("#side")
        rows = self._rows
        if len(rows) == height + 1:
            rows = rows[:-1]  # half of its margin: what a window has around it will do
        wide = len(rows[0]) if rows else 0
        fits = bool(rows) and len(rows) <= height and wide <= width
        picture.display = fits
        beside = width - wide >= _WORDS + 2
        below = fits and not beside and height - len(rows) >= _LINES
        self.set_class(below, "-tall")
        side.display = not fits or beside or below
        picture.update(Text("\n".join(rows), style=_INK, no_wrap=True))
        text = Text(f"{framed(self.NAME, staged=self._staged).strip()}\n\n", style="bold")
        said.update(text.append(_beside() if fits else self._instead(width, height), style="not bold"))

    def _instead(self, width: int, height: int) -> str:
        if not self._rows:
            why = " ".join(printable(say(reason), 200) for _option, reason in self._made.left_out)
            return _("There is no code for this entry: {why}.", why=why) + "\n\n" + _keys()
        return (
            _(
                "This window is too small for the code: {width} x {height}, and it takes {wide} x {high}. Enlarge it, make its letters smaller, or export the picture.",
                width=width,
                height=height,
                wide=len(self._rows[0]),
                high=len(self._rows) - 1,
            )
            + "\n\n"
            + _keys()
        )


def _rows(made: Exported) -> list[str]:
    """Return the picture's rows, without the number above it."""
    content = made.content if isinstance(made.content, str) else ""
    return content.rstrip("\n").split("\n")[1:]


def _beside() -> str:
    return (
        _("Scan this with the camera of the other device.")
        + "\n\n"
        + _("Whoever photographs it has the whole entry.")
        + "\n\n"
        + _keys()
    )


def _keys() -> str:
    return "\n".join((_("Esc: back"), _("e: export to a file instead"), _("? or F1: help")))
