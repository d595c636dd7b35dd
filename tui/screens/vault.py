"""The vault: opened or made by its passphrase, what is in it, and what goes in and out."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Item

from client.i18n import _, say
from client.model import N_, Rejected
from client.vault import opened
from tui import vaulting
from tui.intake import complaint
from tui.messages import OpenList
from tui.screens.page import Explained, Page
from tui.screens.passphrase import PassphraseScreen
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_OPEN = N_("Passphrase of the vault:")
_NEW = N_("A passphrase for the new vault, five or six words:")
_LOST = N_("Whoever forgets it has lost what is in the vault: nobody can open it without.")


async def opened_by(page: Page[None]) -> bool:
    """Open the vault, or make it where there is none, by asking for the passphrase; for workers only. Raises Rejected.

    Say whether it is open.
    """
    if opened.current() is not None:
        return True
    there = await asyncio.to_thread(vaulting.is_there)

    async def attempt(passphrase: bytearray) -> None:
        act = vaulting.open_with if there else vaulting.create_with
        notice = await asyncio.to_thread(act, passphrase)
        if notice is not None:
            page.app.notify(say(notice), severity="warning", timeout=12, markup=False)

    about = (_OPEN,) if there else (_NEW, _LOST)
    given: bool = await page.app.push_screen_wait(PassphraseScreen(attempt, *about, new=not there))
    return given


class VaultScreen(Page[None]):
    """Shows numbers and names, no entry."""

    CSS_PATH = "vault.tcss"
    AUTO_FOCUS = "#items"
    NAME = N_("Vault")
    ABOUT = N_("Lists, results and calendar, encrypted under a passphrase. Without a vault nothing is kept.")
    KEYS: ClassVar[Explained] = (
        ("o", N_("open the vault, or make one")),
        ("Enter", N_("put what is under the cursor to my own list")),
        ("s", N_("save my own list in the vault")),
        ("x", N_("close it: the key is forgotten")),
        ("F8", N_("erase it, and everything else of Sanylau; asks once")),
        ("Esc", N_("go back; an open vault stays open until the end")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,щ", "open", N_("Open or make"), key_display="o"),
        Binding("s,ы", "save", N_("Save my list"), key_display="s"),
        Binding("x,ч", "shut", N_("Close the vault"), key_display="x"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._items: list[vaulting.Item] = []

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Static(id="state")
        yield OptionList(id="items", compact=True)
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Say what is in it."""
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        is_open = opened.current() is not None
        if action == "open":
            return not is_open
        return is_open if action in ("save", "shut") else True

    @work(exclusive=True, group="looking", exit_on_error=False)
    async def _look(self) -> None:
        vault = opened.current()
        self._items = []
        wrong = ""
        if vault is not None:
            network = await asyncio.to_thread(opened.here)
            self._items = vaulting.items(vault.content, network)
            state = _("The vault is open: {about}.", about=vaulting.about(vault.content))
        else:
            there = False
            try:
                there = await asyncio.to_thread(vaulting.is_there)
            except Rejected as rejected:
                wrong = complaint(rejected)
            state = (
                _("The vault is closed. o opens it.")
                if there
                else _("There is no vault. o makes one: everything in it is encrypted.")
            )
        if not self.query("#items"):  # everything is said anew just now
            return
        where = _("Its folder: {folder}", folder=vaulting.where()) + "\n"
        where += _("F8 erases it and everything else of Sanylau on this machine; it asks once.")
        self.query_one("#state", Static).update(Text.assemble((wrong or state, "bold"), "\n", (where, "dim")))
        items = self.query_one("#items", OptionList)
        items.clear_options()
        items.add_options(Item(Text(item.said, no_wrap=True, overflow="ellipsis")) for item in self._items)
        items.display = bool(self._items)
        if self._items:
            items.highlighted = 0
            items.focus()
        self.refresh_bindings()

    @work(exclusive=True, group="vault", exit_on_error=False)
    async def action_open(self) -> None:
        """Open it, or make it."""
        try:
            if await opened_by(self):
                self.inform(_("Open. Results of checks are kept in it from now on."))
        except Rejected as rejected:
            self.complain(complaint(rejected))
        self._look()

    def action_shut(self) -> None:
        """Close it."""
        vaulting.close()
        self.inform(_("Closed: the key is forgotten."))
        self._look()

    @work(exclusive=True, group="vault", exit_on_error=False)
    async def action_save(self) -> None:
        """Save the person's own list."""
        try:
            number = await asyncio.to_thread(vaulting.save_basket, self.app.basket)  # type: ignore[attr-defined]
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self.inform(_("Saved in the list {name}: {n} in all.", name=vaulting.OWN, n=number))
        self._look()

    @on(OptionList.OptionSelected, "#items")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take_out(self._items[event.option_index])

    @work(exclusive=True, group="vault", exit_on_error=False)
    async def _take_out(self, item: vaulting.Item) -> None:
        try:
            await asyncio.to_thread(vaulting.take_out, self.app.basket, item)  # type: ignore[attr-defined]
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self.post_message(OpenList())

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()
