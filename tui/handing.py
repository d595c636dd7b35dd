"""What the app does beside a check: it waits, passes on, takes in, keeps a vault, and erases everything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.worker import Worker

from client.i18n import _, say
from client.model import N_, Message
from tui import panic
from tui.carrying import Carrier
from tui.messages import OpenVault, PassOn, StartWait, StopWait, TakeIn, Wait
from tui.screens.page import Page

if TYPE_CHECKING:
    from client.check import Wishes
    from client.engine import Run
    from tui.intake import Basket
    from tui.session import Session
    from tui.waiting import Waiting

_WIPED_IN: Final = 0.9  # seconds after which it is left all the same: the rest is ended with us


class Hander(Carrier):
    """The part of the app that outlives one check. `given` is a list that came by standard input."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8", "wipe", N_("Erase everything"), show=False, priority=True),
    ]

    def __init__(
        self, wishes: Wishes | None = None, *, given: str = "", colours: str = "", still: bool = False
    ) -> None:
        super().__init__(wishes, colours=colours, still=still)
        self._given = given
        self._basket: Basket | None = None
        self._waiter: Worker[None] | None = None
        self._wiping = False
        self.waiting: Waiting | None = None
        self.anchors = ""

    @property
    def basket(self) -> Basket:
        """What the person puts together for a check."""
        from tui.intake import Basket

        self._basket = self._basket or Basket(self.wishes, self._given)
        return self._basket

    def _show(self, screen: Page[None]) -> None:
        if not any(isinstance(shown, type(screen)) for shown in self.screen_stack):
            self.push_screen(screen)

    # the screens

    @on(PassOn)
    def _pass_on(self, message: PassOn) -> None:
        from tui import passing
        from tui.screens.passing import PassingScreen

        found = passing.at_hand(message.option, self.session)
        if found:
            staged = passing.is_practice(message.option, self.session)
            self._show(PassingScreen(found, staged=staged))
        else:
            self.complain(
                _("There is nothing to pass on yet: find or check something first, or open the vault.")
            )

    @on(TakeIn)
    def _take_in(self) -> None:
        from tui.screens.taking import TakingScreen

        self._show(TakingScreen())

    @on(OpenVault)
    def _open_vault(self) -> None:
        from tui.screens.vault import VaultScreen

        self._show(VaultScreen())

    @on(Wait)
    def _wait(self) -> None:
        from tui.screens.wait import WaitScreen

        self._show(WaitScreen())

    # the wait

    @on(StartWait)
    @work(exclusive=True, group="proposal", exit_on_error=False)
    async def _propose_wait(self, message: StartWait) -> None:
        from client import consent
        from client.check import BadList
        from client.diagnosis import anchors
        from client.model import Rejected
        from client.watch import prepare
        from tui import waiting
        from tui.intake import complaint
        from tui.screens.wait import WhereScreen

        if self.waiting is not None and not self.waiting.over:
            return
        country = ""
        if not self.anchors and anchors.countries():
            chosen = await self.push_screen_wait(WhereScreen())
            if chosen is None:
                return
            country = chosen
        wishes = waiting.wishes(self.wishes, country=country, anchors=self.anchors, notice=message.notice)
        try:
            reading = await asyncio.to_thread(waiting.at_hand, self.basket, self.session)
            watch = await asyncio.to_thread(prepare.prepare, wishes, reading)
        except (BadList, Rejected) as error:
            self.complain(complaint(error))
            return
        if not await self.ask(prepare.consent_text(watch)):
            self.inform(_("Nothing was sent."))
            return
        if prepare.must_ask_for_disk(watch) and await self.ask(
            consent.about_disk(), no=_("No, leave bridges out")
        ):
            watch = await asyncio.to_thread(prepare.prepare, prepare.with_disk(wishes), reading)
        self.waiting = waiting.Waiting(watch)
        self._waiter = self._follow_wait(self.waiting)

    @work(exclusive=True, group="waiting", exit_on_error=False)
    async def _follow_wait(self, waited: Waiting) -> None:
        await waited.follow(self._heed)

    async def _heed(self, waited: Waiting, text: str, loud: bool) -> None:
        """Ring where it opens or shuts, and take over what the queue has found."""
        if loud:
            self.tell(text, loud=True)
        if waited.found is None:
            return
        found, waited.found = waited.found, None
        await asyncio.to_thread(waited.keep, found)
        if found.bridges:
            self.basket.add(_("fetched bridges"), "\n".join(line.text for line in found.bridges))
        session = waited.session(found)
        if session is not None and (self.session is None or self.session.over):
            self.session = session
            self.tell(_("The best entries were tested again: F4 shows what works."), loud=bool(found.working))

    @on(StopWait)
    def _stop_wait(self) -> None:
        if self.waiting is not None:
            self.waiting.stop()

    # the vault and a run

    def remembering(self, run: Run) -> Run:
        """Return a run with the short names of the open vault, and with what worked here before in front."""
        from client.vault import opened

        return opened.remembering(run) if opened.current() is not None else run

    async def keep_results(self, session: Session) -> None:
        """Keep what a run found in the open vault; nothing without one."""
        from client.vault import opened

        if opened.current() is None:
            return
        from client.model import Rejected
        from tui import vaulting

        try:
            kept = await asyncio.to_thread(vaulting.keep_results, session, session.now())
        except Rejected as rejected:
            why = say(Message(rejected.reason, rejected.values))
            self.tell(_("The results were not kept: {why}", why=why), loud=True)
            return
        if kept:
            self.notify(_("The results are kept in the vault."), markup=False)

    # the wipe key

    def action_wipe(self) -> None:
        """Ask once; then erase the vault and the temporary folders, end what runs, and leave."""
        if not self._wiping:
            self._wiping = True
            self._ask_and_wipe()

    @work(exclusive=True, group="wiping", exit_on_error=False)
    async def _ask_and_wipe(self) -> None:
        try:
            if not await self.ask(_question(), no=_("No, erase nothing")):
                return
        finally:
            self._wiping = False
        self._wiping = True
        from client import wipe

        try:
            async with asyncio.timeout(_WIPED_IN):
                await asyncio.to_thread(wipe.everything)
        except TimeoutError:
            pass  # its thread goes on until the process ends; the key was the first to go
        finally:
            panic.vanish(self._driver)


def _question() -> list[str]:
    return [
        _("Erase everything of Sanylau on this machine, and leave?"),
        "• "
        + _("The vault with all that is in it, temporary folders, what Tor has kept; what runs is ended."),
        "• "
        + _(
            "Exported files of your own stay. Flash storage may keep traces; of the vault they are encrypted."
        ),
        "• " + _("It takes less than a second and cannot be undone."),
    ]
