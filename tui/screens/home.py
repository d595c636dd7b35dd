"""The first screen: what this is, what it will contact, and three choices."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from client.i18n import LANGUAGES, _, current
from client.model import N_
from tui.messages import FindWay, OpenList, OpenVault, PassOn, Practise, TakeIn, Wait
from tui.screens.page import Explained, Page
from tui.widgets.choice import Choice
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.keys import Keys
from tui.widgets.static import Static

OWN_NAMES: Final = {"en": "English", "fr": "Français", "ru": "Русский", "kk": "Қазақша"}
_CHOICES: Final = (  # message, name, what it does and whom it contacts
    (
        FindWay,
        N_("Find a way out"),
        N_("Names what is cut here, then tests public ways into Tor."),
        N_("Contacts test sites, resolvers and Tor. You see the names first."),
    ),
    (
        OpenList,
        N_("Check my own list"),
        N_("Proxies, share links, bridges: pasted, or from a file. Which carry traffic?"),
        N_("Contacts your entries and test pages. You see how many first."),
    ),
    (
        Practise,
        N_("Practise"),
        N_("A blackout is played with real servers on this machine, good and hostile."),
        N_("Contacts nobody: nothing leaves this machine."),
    ),
)


_BESIDE: Final = (Wait, PassOn, TakeIn, OpenVault)


class HomeScreen(Page[None]):
    """Asks what is wanted. Nothing is sent from here."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#choices"
    NAME = N_("Start")
    ABOUT = N_("Nothing is sent before you have seen whom it goes to and have said yes.")
    KEYS: ClassVar[Explained] = (
        ("1 2 3", N_("choose; or ↑ ↓ and Enter")),
        ("w", N_("wait until something opens")),
        ("h", N_("pass on what works, by words, SMS, QR code or stick")),
        ("t", N_("take in what somebody passes on")),
        ("v", N_("the vault: keep lists and results, encrypted")),
        ("l, F3", N_("change the language")),
        ("Tab", N_("go to the languages, ← → chooses")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard; a Kazakh one has no digits there.
        Binding("1,quotation_mark", "choose(0)", N_("Find a way out"), key_display="1"),
        Binding("2,ә", "choose(1)", N_("Own list"), key_display="2"),
        Binding("3,і", "choose(2)", N_("Practise"), key_display="3"),
        Binding("w,ц", "go(0)", N_("Wait"), key_display="w"),
        Binding("h,р", "go(1)", N_("Pass it on"), key_display="h"),
        Binding("t,е", "go(2)", N_("Take in"), key_display="t"),
        Binding("v,м", "go(3)", N_("Vault"), key_display="v"),
        Binding("l,д", "app.language", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="head"):
            yield Label("Sanylau", id="title")
            yield Label(_("what still gets through?"), id="motto")
        yield Static(
            Text(
                _(
                    "Finds what still works where the internet is cut or filtered, and leads you to using it. It contacts nobody before you have seen whom and have said yes."
                )
            ),
            id="sentence",
        )
        yield OptionList(*map(_option, range(len(_CHOICES))), id="choices")
        yield Static(id="said")
        with Horizontal(id="languages"):
            yield Label(_("language"), classes="label")
            yield Choice(OWN_NAMES, current(), id="language")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Put the cursor on the first choice."""
        self.query_one("#choices", OptionList).highlighted = 0

    def action_choose(self, number: int) -> None:
        """Ask for what was chosen."""
        self.query_one("#choices", OptionList).highlighted = number
        self._say("")
        self.post_message(_CHOICES[number][0]())

    def action_go(self, number: int) -> None:
        """Go to what stands beside the three choices."""
        self._say("")
        self.post_message(_BESIDE[number]())

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted, or dropped, for a list of one's own."""
        event.stop()
        self.post_message(OpenList(event.text))

    @on(OptionList.OptionSelected, "#choices")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option_index)

    @on(Choice.Changed, "#language")
    async def _language_chosen(self, event: Choice.Changed) -> None:
        await self.run_action(f"app.language({event.chosen!r})")


assert OWN_NAMES.keys() == set(LANGUAGES)


def _option(number: int) -> Option:
    _message, name, does, contacts = _CHOICES[number]
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=2, justify="right")
    table.add_column(ratio=1)
    table.add_row(Text(str(number + 1), style="bold"), Text(_(name), style="bold"))
    table.add_row("", Text(_(does)))
    table.add_row("", Text(_(contacts), style="dim"))
    return Option(table, id=f"choice-{number + 1}")
