"""What was taken in: shown masked, and then tested, kept or put to the own list only if the person says so."""

from __future__ import annotations

import asyncio
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from client.i18n import _
from client.model import N_, Rejected
from client.redact import Namer
from client.share.capsule import Entry
from client.share.intake import Got
from tui import taking
from tui.intake import Basket, complaint
from tui.messages import StartCheck
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static


class TakenScreen(Page[None]):
    """Shows what came. `got` lives as long as this screen."""

    CSS_PATH = "taken.tcss"
    AUTO_FOCUS = "#came"
    NAME = N_("What came")
    ABOUT = N_("Nothing of it was contacted. What it is said to do is the sender's word.")
    KEYS: ClassVar[Explained] = (
        ("t", N_("test it; you are asked first whom that contacts")),
        ("k", N_("keep it in the vault")),
        ("m", N_("put it to my own list, for a later check")),
        ("i", N_("take what leads into a private network too, or leave it out")),
        ("r", N_("show or mask addresses and secrets")),
        ("Esc", N_("go back; what was not kept is gone")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,е", "test", N_("Test"), key_display="t"),
        Binding("k,л", "keep", N_("Keep in the vault"), key_display="k"),
        Binding("m,ь", "mine", N_("To my list"), key_display="m"),
        Binding("i,ш", "inward", N_("Private ones too"), key_display="i"),
        Binding("r,к", "reveal", N_("Reveal"), key_display="r"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, got: Got, namer: Namer | None = None) -> None:
        super().__init__()
        self._got = got
        self._namer = namer or Namer()
        self._inward = self._reveal = False

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Facts(id="came")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def fill(self) -> None:
        """Show what came."""
        self._show(start=True)

    def _show(self, *, start: bool = False) -> None:
        lines = taking.shown(self._got, self._namer, inward=self._inward, reveal=self._reveal)
        self.query_one(Facts).show(lines, start=start)
        self.query_one(Head).reveal = self._reveal
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "inward":
            return any(entry.inward for entry in self._got.entries)
        return bool(self._entries) if action in ("test", "keep", "mine") else True

    @property
    def _entries(self) -> tuple[Entry, ...]:
        return taking.allowed(self._got.entries, inward=self._inward)

    @property
    def _basket(self) -> Basket:
        return cast(Basket, self.app.basket)  # type: ignore[attr-defined]

    def action_test(self) -> None:
        """Ask for a check of it."""
        self.post_message(StartCheck(reading=taking.reading(self._entries), wishes=self._basket.wishes))

    @work(exclusive=True, group="keeping", exit_on_error=False)
    async def action_keep(self) -> None:
        """Keep it in the vault, which is opened first where it is closed."""
        from tui import vaulting
        from tui.screens.vault import opened_by

        try:
            if not await opened_by(self):
                return
            number = await asyncio.to_thread(vaulting.save, vaulting.TAKEN, taking.lines_of(self._entries))
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self.inform(_("Kept in the vault, in the list {name}: {n} in all.", name=vaulting.TAKEN, n=number))

    def action_mine(self) -> None:
        """Put it to the person's own list."""
        try:
            self._basket.add(_(taking.SOURCE), taking.text_of(self._entries))
        except Rejected as rejected:
            self.complain(complaint(rejected))
            return
        self.inform(_("It is in your list now: Start, 2."))

    def action_inward(self) -> None:
        """Take what leads inward too, or leave it out."""
        self._inward = not self._inward
        self._show()

    def action_reveal(self) -> None:
        """Show or mask addresses and secrets."""
        self._reveal = not self._reveal
        self._show()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()
