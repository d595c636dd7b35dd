"""The app: it owns the run, so that a run outlives the screen that shows it, and ends it when it closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerError, WorkerState

from client import consent
from client.check import BadList, Wishes
from client.engine import Run
from client.i18n import _
from client.model import Rejected
from client.platform import on_interrupt
from tui.intake import complaint, propose
from tui.messages import NewCheck, StartCheck, StopRun
from tui.screens.consent import ConsentScreen
from tui.screens.help import HelpScreen
from tui.screens.home import HomeScreen
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.state import NOTICES
from tui.theme import THEME

_LAST_WAIT = 5.0  # seconds that a run may take to stop its engines before the screen closes


class SanylauApp(App[int]):
    """Home, consent, results. `wishes` are what was set beforehand: targets, limits, a list's name."""

    TITLE = "Sanylau"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "explain", _("Help"), priority=True),
        Binding("ctrl+q", "quit", _("Quit"), priority=True),
        Binding("ctrl+c", "interrupt", show=False),
    ]

    def __init__(self, wishes: Wishes | None = None) -> None:
        super().__init__()
        self._wishes = wishes or Wishes()
        self._runner: Worker[None] | None = None
        self.session: Session | None = None

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
        else:
            self._home.complain(_("Sanylau itself broke down ({kind}). Nothing was sent.", kind=kind))

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
        """Ctrl-C: stop what runs; where nothing runs, leave."""
        if self.session is not None and not self.session.over and not self.session.stopping:
            self.session.stop()
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
        running = self._runner
        if running is not None and not running.is_finished:
            running.cancel()
            with contextlib.suppress(WorkerError, TimeoutError):
                async with asyncio.timeout(_LAST_WAIT):
                    await running.wait()
        self.exit(0)

    def action_explain(self) -> None:
        """Open the help, or close it."""
        if isinstance(self.screen, HelpScreen):
            self.screen.action_close()
        elif not isinstance(self.screen, ConsentScreen):
            self.push_screen(HelpScreen(home=isinstance(self.screen, HomeScreen)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The question is answered before anything else."""
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
