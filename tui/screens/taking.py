"""Take in: how it comes, and whether it was sealed for this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.i18n import _
from client.model import N_, Rejected
from client.share.intake import Found, Got, Shape
from client.share.seal import OneTime
from tui import taking
from tui.folder import beginning
from tui.intake import complaint
from tui.screens.files import FilePicker
from tui.screens.hearing import HearingScreen
from tui.screens.incoming import KeyScreen, MessagesScreen
from tui.screens.page import Explained, Page
from tui.screens.passphrase import PassphraseScreen
from tui.screens.taken import TakenScreen
from tui.taking import LISTENED, WAYS, Way
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static

if TYPE_CHECKING:
    from tui.screens.passphrase import Attempt

_WAYS: Final = tuple(WAYS)


class TakingScreen(Page[None]):
    """Leads what somebody passes on into this machine. Nothing of it is tested or kept here."""

    CSS_PATH = "taking.tcss"
    AUTO_FOCUS = "#ways"
    NAME = N_("Take in")
    ABOUT = N_(
        "Take in what somebody passes on to you. It is shown masked first, and nothing is done with it unasked."
    )
    KEYS: ClassVar[Explained] = (
        ("1 2 3", N_("choose how it comes; or ↑ ↓ and Enter")),
        ("s", N_("it comes sealed for words that you read out first, or in the open")),
        ("a", N_("a passphrase that you both agreed on earlier is mixed in")),
        ("Esc", N_("go back")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1,quotation_mark", "way(0)", show=False),
        Binding("2,ә", "way(1)", show=False),
        Binding("3,і", "way(2)", show=False),
        Binding("s,ы", "seal", N_("Sealed or open"), key_display="s"),
        Binding("a,ф", "agree", N_("Agreed passphrase"), key_display="a"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sealed = True
        self._agreed = False
        self._codes: list[str] = []  # of the photos so far
        self._key: OneTime | None = None  # for this exchange: the sender may need more than one try

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Static(Text(_(self.ABOUT)), id="about")
        yield OptionList(*map(_way, range(len(_WAYS))), id="ways")
        yield Static(id="how")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Say how it comes."""
        ways = self.query_one("#ways", OptionList)
        ways.highlighted = ways.highlighted or 0
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        return self._sealed if action == "agree" else True

    def _show(self) -> None:
        how = _("Words and SMS come in the open: whoever listens has them too.")
        if self._sealed:
            how = _("Words and SMS come sealed: you read words to the sender first.")
        if self._agreed:
            how += " " + _("The passphrase that you agreed on earlier is asked for.")
        self.query_one("#how", Static).update(Text(how))
        self.refresh_bindings()

    def action_seal(self) -> None:
        """It was sealed, or not."""
        self._sealed, self._agreed = not self._sealed, False
        self._show()

    def action_agree(self) -> None:
        """A passphrase is mixed in, or not."""
        self._agreed = not self._agreed
        self._show()

    def action_back(self) -> None:
        """Go back; the one-time key is gone then."""
        self.dismiss()

    @on(OptionList.OptionSelected, "#ways")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_way(event.option_index)

    def action_way(self, number: int) -> None:
        """Take it in by this way."""
        self.query_one("#ways", OptionList).highlighted = number
        self._say("")
        self._take_in(_WAYS[number])

    @work(exclusive=True, group="taking", exit_on_error=False)
    async def _take_in(self, way: Way) -> None:
        try:
            got = await self._got(way)
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        if got is not None:
            await self.app.push_screen_wait(TakenScreen(got))

    async def _got(self, way: Way) -> Got | None:
        """Return what came, opened; None where the person goes back. Raises Rejected."""
        if way in LISTENED and self._sealed:
            if self._key is None:
                self._key = await asyncio.to_thread(OneTime.new)
            if not await self.app.push_screen_wait(KeyScreen(self._key.public)):
                return None
        if way is Way.WORDS:
            heard = await self.app.push_screen_wait(HearingScreen(key=False))
            return None if heard is None else await self._opened(taking.of_message(heard[0]), heard[1])
        if way is Way.SMS:
            found = await self.app.push_screen_wait(MessagesScreen())
            return None if found is None else await self._opened(found)
        path = await self.app.push_screen_wait(FilePicker(await asyncio.to_thread(beginning, "")))
        return None if path is None else await self._file(path)

    async def _file(self, path: str) -> Got | None:
        data, found = await asyncio.to_thread(taking.load, path, self._codes)
        if found.shape is not Shape.AGE:
            return await self._opened(found)
        got: list[Got] = []

        async def unseal(passphrase: bytearray) -> None:
            got.append(await asyncio.to_thread(taking.unsealed, data, passphrase))

        return await self._with(unseal, got, N_("The passphrase of the file:"))

    async def _opened(self, found: Found, repaired: tuple[str, ...] = ()) -> Got | None:
        if repaired:
            self.app.notify(_("Repaired: {words}", words="; ".join(repaired)), markup=False)
        if not self._agreed:
            return await asyncio.to_thread(taking.opened, found, self._key, None)
        got: list[Got] = []

        async def unseal(agreed: bytearray) -> None:
            got.append(await asyncio.to_thread(taking.opened, found, self._key, agreed))

        return await self._with(unseal, got, N_("The passphrase that you agreed on earlier:"))

    async def _with(self, attempt: Attempt, got: list[Got], asked: str) -> Got | None:
        await self.app.push_screen_wait(PassphraseScreen(attempt, asked))
        return got[0] if got else None


def _way(number: int) -> Item:
    name, does = WAYS[_WAYS[number]]
    text = Text.assemble((f"{number + 1} {_(name)}", "bold"), "\n  ", _(does))
    return Item(text, id=f"way-{number + 1}")
