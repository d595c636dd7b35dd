"""The local connection of the app: opened after consent, followed, and ended with the app."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerError

from client.i18n import _, say
from client.model import N_, LineState, Message, Rejected
from tui.messages import ConnectThrough, Disconnect, UseOption
from tui.shell import Shell

if TYPE_CHECKING:
    from client.check import Wishes
    from client.model import Protection
    from client.options import Option
    from tui.connection import Connection
    from tui.screens.consent import ConsentScreen
    from tui.session import Session

_LAST_WAIT: Final = 5.0  # seconds that a run may take to stop its engines before the screen closes
_NOT_BY_ACCIDENT: Final = 1.0  # seconds


class Carrier(Shell):
    """The part of the app that uses what a run has found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "disconnect", N_("Disconnect"), priority=True),
    ]

    def __init__(self, wishes: Wishes | None = None, *, colours: str = "", still: bool = False) -> None:
        super().__init__(colours=colours, still=still)
        self._wishes = wishes
        self._carrier: Worker[None] | None = None
        self._lower: ConsentScreen | None = None
        self.session: Session | None = None
        self.connection: Connection | None = None

    @property
    def wishes(self) -> Wishes:
        """What was set beforehand."""
        from client.check import Wishes  # reading lists and the rest of a check: not before the first paint

        self._wishes = self._wishes or Wishes()
        return self._wishes

    @on(UseOption)
    def _use_option(self, message: UseOption) -> None:
        from tui.screens.use import UseScreen  # the guide and the exports: not before somebody wants them

        control = self.session.state.control if self.session is not None else None
        state = control.state if control is not None else LineState.UNKNOWN
        self.push_screen(UseScreen(message.option, state))

    @on(ConnectThrough)
    def _connect_through(self, message: ConnectThrough) -> None:
        if self.session is not None:
            self._open_connection(message.option, self.session, message.system)

    @work(exclusive=True, group="connecting", exit_on_error=False)
    async def _open_connection(self, option: Option, session: Session, system: bool) -> None:
        from client import check, consent
        from tui import connection as connections

        run = connections.run_for(option, session)
        question = connections.question(option, run, instead=self._is_connected)
        if system:
            try:
                question += await connections.about_system()
            except Rejected as rejected:
                self.tell(say(Message(rejected.reason, rejected.values)), loud=True)
                return
        if not await self.ask(question, staged=session.staged):
            self.tell(_("Nothing was sent."))
            return
        if check.must_ask_for_disk(run) and await self.ask(
            consent.about_disk(), no=_("No, leave bridges out")
        ):
            allowed = check.prepare(replace(self.wishes, disk=True), run.reading)
            run = replace(run, disk=True, engines=allowed.engines)
        await self._ended(self._carrier)
        self.connection = connections.Connection(
            option, run, consent=self._may_go_lower, loud=self.tell, system=system, staged=session.staged
        )
        self._carrier = self._carry(self.connection)

    @work(exclusive=True, group="connection", exit_on_error=False)
    async def _carry(self, connection: Connection) -> None:
        await connection.follow()

    @property
    def _is_connected(self) -> bool:
        return self.connection is not None and not self.connection.over

    async def _may_go_lower(self, there: Protection, before: Protection | None) -> bool | None:
        """Ask, on whatever screen the person is. The question goes when traffic has found another way."""
        from client.connect import asking
        from tui.screens.consent import ConsentScreen

        answer: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        first, *rest = asking.about_lower(there, before)
        death = self.connection.death if self.connection is not None else ""
        question = ConsentScreen(
            [first, *([f"• {death}"] if death else []), *rest],
            no=_("No, keep it stopped"),
            patience=_NOT_BY_ACCIDENT,
        )

        def settle(yes: bool | None) -> None:
            self._lower = None
            if not answer.done():
                answer.set_result(yes)

        self._lower = question
        self.bell()
        self.call_later(self.clear_notifications)  # none may hide the answers
        self.push_screen(question, settle)
        try:
            return await answer
        finally:
            self._take_back()

    def _take_back(self) -> None:
        """Close the question that nobody needs answered any more."""
        question, self._lower = self._lower, None
        if question is not None and question in self.screen_stack:
            while self.screen is not question:
                self.pop_screen()  # the help, or another question, that came over it
            question.dismiss(None)

    def tell(self, text: str, loud: bool = False) -> None:
        """Say something on whatever screen the person is; `loud` is for what must not be missed."""
        if self._lower is not None and self.connection is not None and self.connection.using is not None:
            self._take_back()  # traffic goes on without an answer
        super().tell(text, loud)

    @on(Disconnect)
    def action_disconnect(self) -> None:
        """End the local connection; the programs that use it are told by a reset."""
        if self._is_connected:
            self._disconnect()

    @work(exclusive=True, group="connecting", exit_on_error=False)
    async def _disconnect(self) -> None:
        await self._ended(self._carrier)
        self.tell(_("Disconnected: programs that used the port have no way out through it any more."))

    async def _end_staged(self) -> None:
        """End a connection through the drill's servers, for these end now: nothing would answer any more."""
        if self.connection is not None and self.connection.staged and self._is_connected:
            await self._ended(self._carrier)
            self.tell(_("The practice has ended, and the local connection through it too."), loud=True)

    async def _ended(self, worker: Worker[None] | None) -> None:
        """End a worker and wait until everything of it has been put back."""
        if worker is None or worker.is_finished:
            return
        if not worker.is_cancelled:
            worker.cancel()  # a second time would tear what the first one makes it put back
        with contextlib.suppress(WorkerError, TimeoutError):
            async with asyncio.timeout(_LAST_WAIT):
                await worker.wait()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is not up is not ended."""
        if action == "disconnect":
            return self._is_connected
        return super().check_action(action, parameters)
