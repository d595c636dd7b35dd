"""The app: it owns the run, so that a run outlives the screen that shows it, and ends it when it closes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from client.i18n import _, say
from client.model import N_, Message
from tui.handing import Hander
from tui.messages import (
    FindWay,
    GoBack,
    NewCheck,
    OpenList,
    Practise,
    StartCheck,
    StopRun,
)
from tui.screens.home import HomeScreen
from tui.screens.page import PRACTICE, Page
from tui.shell import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.check import Wishes
    from client.diagnosis.kinds import Diagnosis
    from client.engine import Run
    from client.model import Reading
    from tui.finding import Survey
    from tui.session import Session

_BUSY: Final = N_("A check is running: F4 shows it. Stop it there first.")
_SURVEYED: Final = N_("The line is being looked at: press 1 to see it. Stop it there first.")


class SanylauApp(Hander):
    """The first screen and where its choices lead. `wishes` are what was set beforehand: targets, limits, lists.

    `given` is a list that came by standard input. `colours` and `still`: see Shell.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "results", N_("Results"), priority=True),
        Binding("ctrl+c", "interrupt", show=False),
    ]

    def __init__(
        self, wishes: Wishes | None = None, *, given: str = "", colours: str = "", still: bool = False
    ) -> None:
        super().__init__(wishes, given=given, colours=colours, still=still)
        self._runner: Worker[None] | None = None
        self._finder: Worker[None] | None = None
        self._stage: Worker[None] | None = None
        self.survey: Survey | None = None
        self.diagnosis: Diagnosis | None = None

    def on_mount(self) -> None:
        """Show the first screen, and behind it get ready what the next key needs."""
        self.push_screen(HomeScreen())
        if self._given:
            self.post_message(OpenList())
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        from client.platform import calm_collector

        calm_collector()
        self._get_ready()

    @work(thread=True, group="getting ready", exit_on_error=False)
    def _get_ready(self) -> None:
        import tui.practice
        import tui.screens.consent
        import tui.screens.importing
        import tui.screens.results  # noqa: F401

    # the ways to a run

    @property
    def _is_busy(self) -> bool:
        """Whether a run is going on; says so."""
        if self.survey is not None and not self.survey.over:
            self.complain(_(_SURVEYED))
            return True
        if self.session is not None and not self.session.over:
            self.complain(_(_BUSY))
            return True
        return False

    @on(FindWay)
    def _find_way(self) -> None:
        from tui import finding

        if not finding.resume(self) and not self._is_busy:
            self._finder = self._find()

    @work(exclusive=True, group="finding", exit_on_error=False)
    async def _find(self) -> None:
        from tui import finding

        await finding.find(self, self.wishes)

    @on(OpenList)
    async def _open_list(self, message: OpenList) -> None:
        from tui.screens.importing import ImportScreen

        screen = ImportScreen(self.basket)
        await self.push_screen(screen)
        if message.pasted:
            screen.take(message.pasted)

    @on(StartCheck)
    def _start_check(self, message: StartCheck) -> None:
        if not self._is_busy:
            self._propose(message.wishes, message.reading)

    @work(exclusive=True, group="proposal", exit_on_error=False)
    async def _propose(self, wishes: Wishes, reading: Reading) -> None:
        from client import consent
        from client.check import BadList
        from client.model import Rejected
        from tui.intake import complaint, propose

        try:
            proposal = await asyncio.to_thread(propose, wishes, reading)
        except (BadList, Rejected) as error:
            self.complain(complaint(error))
            return
        if proposal.question and not await self.ask(list(proposal.question)):
            self.inform(_("Nothing was sent."))
            return
        run = proposal.run
        if proposal.allowing is not None:
            allowed = await self.ask(consent.about_disk(), no=_("No, leave bridges out"))
            run = proposal.allowing if allowed else run
        self.begin(run)

    @on(Practise)
    def _practise(self) -> None:
        if not self._is_busy:
            self._stage = self._play()

    @work(exclusive=True, group="practice", exit_on_error=False)
    async def _play(self) -> None:
        from tui.practice import CannotMeasure, playing

        try:
            async with playing() as play:
                self.begin(play.run, PRACTICE, tales=play.tales, of_stage=True)
                try:
                    await asyncio.Event().wait()  # the servers stay as long as one may connect through them
                finally:
                    await self._end_staged()
        except CannotMeasure as missing:
            self.complain(say(Message(missing.reason, missing.values)))

    def begin(
        self,
        run: Run,
        title: str = "",
        *,
        show: bool = True,
        tales: Mapping[int, str] | None = None,
        of_stage: bool = False,
    ) -> None:
        """Start a run that was agreed to, and show it.

        `title` is a message id. `of_stage`: it is the drill's run that plays now.
        """
        from tui.session import Session

        self.session = Session(run if of_stage else self.remembering(run), title, tales)
        self.session.diagnosis = None if of_stage else self.diagnosis
        if self._stage is not None and not of_stage:
            self._stage.cancel()
        self._runner = self._follow(self.session)
        if show:
            self._show_results(self.session)

    def _show_results(self, session: Session) -> None:
        from tui.screens.importing import ImportScreen
        from tui.screens.results import ResultsScreen

        while any(isinstance(screen, ResultsScreen) for screen in self.screen_stack):
            self.pop_screen()  # those of another run, and what lies over them
        listed = self._basket is not None and self._basket.has_begun(session.run.reading)
        self.push_screen(ResultsScreen(session, listed=listed and isinstance(self.screen, ImportScreen)))

    @work(exclusive=True, group="run", exit_on_error=False)
    async def _follow(self, session: Session) -> None:
        from tui.describe import LEFT

        try:
            await session.follow()
        finally:
            if self._basket is not None:
                end = session.state.finished
                whole = end is not None and end.stopped not in LEFT
                self._basket.tested_of(session.run.reading, session.tested, whole=whole)
            if not session.staged:
                await self.keep_results(session)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is not WorkerState.ERROR:
            return
        from tui.state import NOTICES

        kind = kind_of(event.worker.error)
        if event.worker is self._runner and self.session is not None:
            self.session.broken = kind
            self.session.changed |= {NOTICES, ""}  # the end may be on the screen already
        elif event.worker is self._carrier:
            self.tell(_("The local connection broke down ({kind}): it is closed.", kind=kind), loud=True)
        elif event.worker.group == "waiting":
            self.tell(_("The wait broke down ({kind}): it is over.", kind=kind), loud=True)
        elif event.worker.group == "connecting":
            self.tell(_("Not connected: Sanylau itself broke down ({kind}).", kind=kind), loud=True)
        elif event.worker.group != "getting ready" and (self.survey or self.session):
            self.complain(_("Sanylau itself broke down ({kind}).", kind=kind))
        elif event.worker.group != "getting ready":  # there, whatever it was comes again when it is needed
            self.complain(_("Sanylau itself broke down ({kind}). Nothing was sent.", kind=kind))

    # the ways out of it

    @on(StopRun)
    def _stop_run(self) -> None:
        if self.session is not None:
            self.session.stop()

    @on(GoBack)
    @on(NewCheck)
    def _go_back(self) -> None:
        from tui.screens.results import ResultsScreen

        if isinstance(self.screen, ResultsScreen):
            self.pop_screen()

    def action_results(self) -> None:
        """Show the results of the run that goes on, or of the last one."""
        if self.session is not None:
            self._show_results(self.session)

    def action_interrupt(self) -> None:
        """Ctrl-C: stop what runs, the check first, then the connection; where nothing runs, leave."""
        if self.survey is not None and not self.survey.over:
            self.survey.stop()
        elif self.session is not None and not self.session.over and not self.session.stopping:
            self.session.stop()
        elif self._is_connected:
            self.action_disconnect()
        elif self.waiting is not None and not self.waiting.over:
            self.waiting.stop()
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
        await self._end_all()
        self.exit(0)

    async def on_unmount(self) -> None:
        """Leave nothing running, however the screen was closed."""
        await self._end_all()

    async def _end_all(self) -> None:
        await asyncio.gather(*map(self._ended, (self._carrier, self._finder, self._runner, self._waiter)))
        await self._ended(self._stage)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is in sight is not shown."""
        if action == "results":
            return self.session is not None and isinstance(self.screen, Page) and not self._in_sight
        return super().check_action(action, parameters)

    @property
    def _in_sight(self) -> bool:
        """Whether the results are on the screen, or something that was opened from them."""
        from tui.screens.results import ResultsScreen

        return any(isinstance(screen, ResultsScreen) for screen in self.screen_stack)


def run(wishes: Wishes | None = None, *, given: str = "", colours: str = "", still: bool = False) -> int:
    """Open the screen and return the exit status."""
    return asyncio.run(_live(SanylauApp(wishes, given=given, colours=colours, still=still)))


async def _live(app: SanylauApp) -> int:
    from client.platform import on_interrupt, remember_terminal

    remember_terminal()
    with on_interrupt(app.hang_up, hangup=True):
        status = await app.run_async()
    return status if status is not None else 3
