"""The results: progress, the person's own line, the list, the details, and at the end the advice."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Label, Static

from client.i18n import _, say
from client.text import printable
from tui import describe
from tui.messages import NewCheck, StopRun, UseOption
from tui.session import Session
from tui.state import ENGINE, LINE, NOTICES, PROGRESS, SUMMARY, USABLE, Row
from tui.theme import PROFILES
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts
from tui.widgets.results_table import ResultsTable

_DRAWS: Final = 8  # a second at most, however fast results come
_AGES: Final = 20.0  # seconds after which "just now" is looked at again


class ResultsScreen(Screen[None]):
    """Draws a session. It never waits for the run: it looks at what has changed, a few times a second."""

    CSS_PATH = "results.tcss"
    AUTO_FOCUS = "#results"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard.
        Binding("u,г", "use", _("Use it"), key_display="u"),
        Binding("s,ы", "stop", _("Stop"), key_display="s"),
        Binding("n,т", "new", _("New check"), key_display="n"),
        Binding("a,ф", "summary", _("Advice"), key_display="a"),
        Binding("r,к", "reveal", _("Reveal"), key_display="r"),
        Binding("enter", "larger", _("Larger")),
        Binding("escape", "smaller", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._summing_up = False
        self._over = False

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="head"):
            yield Label("Sanylau", id="title")
            yield Static(id="mode")
        yield Static(id="progress")
        yield Static(id="line")
        yield Static(id="engine")
        yield Static(id="notice")
        with Vertical(id="both"):
            yield ResultsTable(self._session.state, id="results")
            yield Facts(id="details")
        yield ConnectionLine()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin to draw."""
        self.query_one("#details").border_title = _pane(_("details"))
        self.set_interval(1 / _DRAWS, self._draw)
        self.set_interval(_AGES, self._show_facts)
        self._mode()
        self._draw_all()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        over = self._session.over
        if action == "stop":
            return not over and not self._session.stopping
        if action == "new":
            return over
        if action == "use":
            return self._usable() is not None
        if action == "summary":
            return self._session.state.finished is not None
        return True

    def action_use(self) -> None:
        """Go on to the use of the entry under the cursor."""
        from tui.using import option_of  # the guide and the exports: not before somebody wants them

        row = self._usable()
        if row is not None:
            self.post_message(UseOption(option_of(row, now=self._session.now())))

    def _usable(self) -> Row | None:
        table = self.query_one(ResultsTable) if self.is_mounted else None
        row = table.current if table is not None else None
        return row if row is not None and row.verdict.status in USABLE else None

    def action_stop(self) -> None:
        """Stop the run; what is known stays."""
        self.post_message(StopRun())

    def action_new(self) -> None:
        """Go back to the list."""
        self.post_message(NewCheck())

    def action_summary(self) -> None:
        """Go between the advice and the details of the entry."""
        self._summing_up = not self._summing_up
        self._show_facts(start=True)

    def action_reveal(self) -> None:
        """Show or mask addresses and secrets."""
        self._session.reveal = not self._session.reveal
        self.query_one(ResultsTable).reveal(self._session.reveal)
        self._mode()
        self._show_facts()

    def action_larger(self) -> None:
        """Give the lower pane most of the room, or take it back."""
        self.toggle_class("-larger")

    def action_smaller(self) -> None:
        """Give the list its room back."""
        self.remove_class("-larger")

    @on(ResultsTable.Highlighted)
    def _highlighted(self, event: ResultsTable.Highlighted) -> None:
        if event.by_person:
            self._summing_up = False
        self._show_facts(start=event.by_person)
        self.refresh_bindings()

    def _draw(self) -> None:
        session = self._session
        if session.changed:
            changed, session.changed = session.changed, set()
            self._draw_keys(changed)
        if session.over and not self._over:
            self._over = True
            self._draw_all()

    def _draw_all(self) -> None:
        self._draw_keys({LINE, PROGRESS, ENGINE, SUMMARY, NOTICES, ""})

    def _draw_keys(self, changed: set[str]) -> None:
        session = self._session
        with self.app.batch_update():
            if changed - {LINE, PROGRESS, ENGINE, SUMMARY, NOTICES}:
                self.query_one(ResultsTable).sync()
            if LINE in changed:
                self.query_one("#line", Static).update(
                    describe.line(session.state.control, over=session.over)
                )
            if ENGINE in changed:
                self._engine()
            if NOTICES in changed:
                self._notice()
            if SUMMARY in changed and session.state.finished is not None:
                self._summing_up = True
                self._show_facts(start=True)
            self.query_one("#progress", Static).update(
                describe.progress(session.state, stopping=session.stopping, broken=bool(session.broken))
            )
        self.refresh_bindings()

    def _engine(self) -> None:
        engine, said = self.query_one("#engine", Static), describe.engine(self._session.state)
        engine.update(said)
        engine.display = bool(said.plain)

    def _notice(self) -> None:
        notice = self.query_one("#notice", Static)
        if self._session.broken:
            said = _(
                "Sanylau itself broke down ({kind}). What is known stays here; start a new check.",
                kind=printable(self._session.broken),
            )
        else:
            said = say(self._session.state.notices[-1]) if self._session.state.notices else ""
        notice.update(Text(printable(said, 300)))
        notice.display = bool(said)

    def _mode(self) -> None:
        reveal = self._session.reveal
        name = self._session.run.profile.name
        pace = _(PROFILES[name][0]) if name in PROFILES else printable(name)
        masked = _("addresses are shown") if reveal else _("addresses are masked")
        mode = self.query_one("#mode", Static)
        mode.update(Text(f"{pace} · {masked}"))
        mode.set_class(reveal, "-revealed")

    def _show_facts(self, start: bool = False) -> None:
        session, facts = self._session, self.query_one(Facts)
        if self._summing_up and session.state.finished is not None:
            facts.border_title = _pane(_("advice"))
            facts.show(describe.summary(session.state, reveal=session.reveal), start=start)
            return
        facts.border_title = _pane(_("details"))
        row = self.query_one(ResultsTable).current
        lines = describe.details(row, now=session.now(), reveal=session.reveal) if row else []
        facts.show(lines, start=start)


def _pane(title: str) -> str:
    return f" {title} "
