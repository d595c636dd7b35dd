"""The app: it owns the run, so that a run outlives the screen that shows it, and ends it when it closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerError, WorkerState

from client import check, consent
from client.check import BadList, Wishes
from client.engine import Run
from client.i18n import _
from client.model import LineState, Rejected
from client.platform import on_interrupt
from tui.intake import complaint, propose
from tui.messages import ConnectThrough, Disconnect, NewCheck, StartCheck, StopRun, UseOption
from tui.screens.consent import ConsentScreen
from tui.screens.help import HelpScreen
from tui.screens.home import HomeScreen
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.state import NOTICES
from tui.theme import THEME

if TYPE_CHECKING:
    from client.model import Protection
    from client.options import Option
    from tui.connection import Connection

_LAST_WAIT = 5.0  # seconds that a run may take to stop its engines before the screen closes
_LOUD = 12.0  # seconds for which a notice stands that nobody may miss
_NOT_BY_ACCIDENT = 1.0  # seconds


class SanylauApp(App[int]):
    """Home, consent, results. `wishes` are what was set beforehand: targets, limits, a list's name."""

    TITLE = "Sanylau"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "explain", _("Help"), priority=True),
        Binding("f2", "disconnect", _("Disconnect"), priority=True),
        Binding("ctrl+q", "quit", _("Quit"), priority=True),
        Binding("ctrl+c", "interrupt", show=False),
    ]

    def __init__(self, wishes: Wishes | None = None) -> None:
        super().__init__()
        self._wishes = wishes or Wishes()
        self._runner: Worker[None] | None = None
        self._carrier: Worker[None] | None = None
        self._lower: ConsentScreen | None = None
        self.session: Session | None = None
        self.connection: Connection | None = None

    def on_mount(self) -> None:
        """Put on the colours and show home."""
        self.register_theme(THEME)
        if not os.environ.get("TEXTUAL_THEME"):
            self.theme = THEME.name
        file = self._wishes.lists[0] if self._wishes.lists else ""
        self._home = HomeScreen(profile=self._wishes.profile, file=file)
        self.push_screen(self._home)

    # the way to a run

    @on(StartCheck)
    def _start_check(self, message: StartCheck) -> None:
        self._propose(replace(self._wishes, lists=(), profile=message.profile), message.text, message.file)

    @work(exclusive=True, group="proposal", exit_on_error=False)
    async def _propose(self, wishes: Wishes, text: str, file: str) -> None:
        try:
            proposal = await asyncio.to_thread(propose, wishes, text, file)
        except (BadList, Rejected) as error:
            self._home.complain(complaint(error))
            return
        self._home.show_reading(proposal.reading)
        if proposal.question and not await self.push_screen_wait(ConsentScreen(proposal.question)):
            self._home.inform(_("Nothing was sent."))
            return
        run = proposal.run
        if proposal.allowing is not None:
            question = ConsentScreen(consent.about_disk(), no=_("No, leave bridges out"))
            run = proposal.allowing if await self.push_screen_wait(question) else run
        self.begin(run)

    def begin(self, run: Run) -> None:
        """Start a run that was agreed to, and show it."""
        self.session = Session(run)
        self._runner = self._follow(self.session)
        self.push_screen(ResultsScreen(self.session))

    @work(exclusive=True, group="run", exit_on_error=False)
    async def _follow(self, session: Session) -> None:
        await session.follow()

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is not WorkerState.ERROR:
            return
        kind = _kind_of(event.worker.error)
        if event.worker is self._runner and self.session is not None:
            self.session.broken = kind
            self.session.changed |= {NOTICES, ""}  # the end may be on the screen already
        elif event.worker is self._carrier:
            self.tell(_("The local connection broke down ({kind}): it is closed.", kind=kind), loud=True)
        elif event.worker.group == "connecting":
            self.tell(_("Not connected: Sanylau itself broke down ({kind}).", kind=kind), loud=True)
        else:
            self._home.complain(_("Sanylau itself broke down ({kind}). Nothing was sent.", kind=kind))

    # the use of what works

    @on(UseOption)
    def _use_option(self, message: UseOption) -> None:
        from tui.screens.use import UseScreen  # the guide and the exports: not before somebody wants them

        control = self.session.state.control if self.session is not None else None
        state = control.state if control is not None else LineState.UNKNOWN
        self.push_screen(UseScreen(message.option, state))

    @on(ConnectThrough)
    def _connect_through(self, message: ConnectThrough) -> None:
        if self.session is not None:
            self._open_connection(message.option, self.session)

    @work(exclusive=True, group="connecting", exit_on_error=False)
    async def _open_connection(self, option: Option, session: Session) -> None:
        from tui import connection as connections

        run = connections.run_for(option, session)
        question = connections.question(option, run, instead=self._is_connected)
        if not await self.push_screen_wait(ConsentScreen(question)):
            self.tell(_("Nothing was sent."))
            return
        if check.must_ask_for_disk(run):
            about = ConsentScreen(consent.about_disk(), no=_("No, leave bridges out"))
            if await self.push_screen_wait(about):
                allowed = check.prepare(replace(self._wishes, disk=True), run.reading)
                run = replace(run, disk=True, engines=allowed.engines)
        await self._ended(self._carrier)
        self.connection = connections.Connection(option, run, consent=self._may_go_lower, loud=self.tell)
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
        if question is not None:
            question.dismiss(None)

    def tell(self, text: str, loud: bool = False) -> None:
        """Say something on whatever screen the person is; `loud` is for what must not be missed."""
        if loud:
            self.bell()
        if self._lower is not None and self.connection is not None and self.connection.using is not None:
            self._take_back()  # traffic goes on without an answer
        self.call_later(self.clear_notifications)  # a pile of them would hide the screen
        self.notify(
            text,
            severity="error" if loud else "information",
            timeout=_LOUD if loud else None,
            markup=False,
        )

    @on(Disconnect)
    def action_disconnect(self) -> None:
        """End the local connection; the programs that use it are told by a reset."""
        if self._is_connected:
            self._disconnect()

    @work(exclusive=True, group="connecting", exit_on_error=False)
    async def _disconnect(self) -> None:
        await self._ended(self._carrier)
        self.tell(_("Disconnected: programs that used the port have no way out through it any more."))

    # the ways out of it

    @on(StopRun)
    def _stop_run(self) -> None:
        if self.session is not None:
            self.session.stop()

    @on(NewCheck)
    def _new_check(self) -> None:
        if self.session is not None and self.session.over:
            self.session = None
            self.pop_screen()

    def action_interrupt(self) -> None:
        """Ctrl-C: stop what runs, the check first, then the connection; where nothing runs, leave."""
        if self.session is not None and not self.session.over and not self.session.stopping:
            self.session.stop()
        elif self._is_connected:
            self.action_disconnect()
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Leave, from a key or from a signal."""
        self._leave()

    async def action_quit(self) -> None:
        """Stop everything and leave."""
        self._leave()

    @work(exclusive=True, group="leaving", exit_on_error=False)
    async def _leave(self) -> None:
        await asyncio.gather(self._ended(self._carrier), self._ended(self._runner))
        self.exit(0)

    async def _ended(self, worker: Worker[None] | None) -> None:
        """End a worker and wait until everything of it has been put back."""
        if worker is None or worker.is_finished:
            return
        worker.cancel()
        with contextlib.suppress(WorkerError, TimeoutError):
            async with asyncio.timeout(_LAST_WAIT):
                await worker.wait()

    def action_explain(self) -> None:
        """Open the help, or close it."""
        if isinstance(self.screen, HelpScreen):
            self.screen.action_close()
        elif not isinstance(self.screen, ConsentScreen):
            self.push_screen(HelpScreen(self._topic()))

    def _topic(self) -> str:
        if isinstance(self.screen, HomeScreen):
            return "home"
        return "results" if isinstance(self.screen, ResultsScreen) else "use"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The question is answered before anything else, and what is not up is not ended."""
        if action == "disconnect":
            return self._is_connected
        if action == "explain" and isinstance(self.screen, ConsentScreen):
            return False
        return super().check_action(action, parameters)

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of variables: addresses and secrets among them.
        kind = _kind_of(self._exception)
        self.panic(
            Text(_("sanylau: the screen broke down ({kind}). `sanylau check` works without it.", kind=kind))
        )


def _kind_of(error: BaseException | None) -> str:
    """Return the type of an error, or of the first one in a group: its text could tell too much."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


def run(wishes: Wishes | None = None) -> int:
    """Open the screen and return the exit status."""
    return asyncio.run(_live(SanylauApp(wishes)))


async def _live(app: SanylauApp) -> int:
    with on_interrupt(app.hang_up):
        status = await app.run_async()
    return status if status is not None else 3
