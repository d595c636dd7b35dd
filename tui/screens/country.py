"""In which country the line is: only servers inside it tell a cut at the border from a dead network."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.diagnosis import anchors
from client.i18n import _
from client.model import N_
from tui.finding import guessed
from tui.screens.page import Dialog, Explained
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_NAMES: Final = {"KZ": N_("Kazakhstan")}
_NONE: Final = "-"


class Countries(OptionList):
    """Says in the line of keys what Enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", N_("Go on"))]


class CountryScreen(Dialog[str | None]):
    """Gives the code of the chosen country, "" for none, or None where the person goes back."""

    CSS_PATH = "country.tcss"
    AUTO_FOCUS = "OptionList"
    NAME = N_("Find a way out")
    ABOUT = N_("With your country, large public servers inside it are asked too. It is kept nowhere.")
    KEYS: ClassVar[Explained] = (
        ("↑ ↓", N_("choose")),
        ("Enter", N_("go on to the question what may be sent")),
        ("Esc", N_("go back; nothing is sent")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="box"):
            yield Static(Text(_("In which country are you?"), style="bold"))
            yield Countries(
                *(Item(Text(_(_NAMES.get(code, code))), id=code) for code in anchors.countries()),
                Item(Text(_("another one, or I would rather not say")), id=_NONE),
                compact=True,
            )
            yield Static(Text(_(self.ABOUT), style="dim"))
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Begin at the country that this machine is set to."""
        self.query_one(".box").border_title = f" {_(self.NAME)} "
        known = anchors.countries()
        guess = guessed(known)
        self.query_one(OptionList).highlighted = known.index(guess) if guess else len(known)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss("" if event.option_id == _NONE else event.option_id)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
