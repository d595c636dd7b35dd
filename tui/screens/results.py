"""The results: progress, the person's own line, the list, the details, and at the end the next step."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from client.i18n import _, say
from client.model import N_
from client.text import printable
from tui import bars, describe
from tui.line_state import LineView, view_of
from tui.listing import Filter, Sort
from tui.messages import GoBack, PassOn, StopRun, UseOption
from tui.screens.page import Explained, Page
from tui.screens.results_keys import BOUND
from tui.session import Session
from tui.state import ENGINE, LINE, NO_ROWS, NOTICES, PACE, SUMMARY, Row
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import Facts
from tui.widgets.head import Head
from tui.widgets.inputs import SearchInput
from tui.widgets.key_line import KeyLine
from tui.widgets.keys import Keys
from tui.widgets.line_panel import LinePanel
from tui.widgets.results_table import ResultsTable
from tui.widgets.static import Static

_DRAWS: Final = 4  # a second at most
_MANY: Final = 40  # changes since the last look: of such a flood every second look is enough
_AGES: Final = 20.0  # seconds after which ages are looked at again


class ResultsScreen(Page[None]):
    """Draws a session. It never waits for the run: it looks at what has changed, a few times a second."""

    NAME = N_("Results")
    ABOUT = N_("Working ones rise to the top; the entry under the cursor stays where it is.")
    KEYS: ClassVar[Explained] = bars.HELP
    SIGNS = True
    CSS_PATH = "results.tcss"
    AUTO_FOCUS = "#results"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = BOUND

    def __init__(self, session: Session, *, listed: bool = False) -> None:
        """`listed`: Esc leads to the lists that are tested."""
        super().__init__()
        self._session = session
        self._listed = listed
        self._summing_up = self._summed_up = False
        self._over = self._drawable = self._rested = False
        self._offered: tuple[bool | None, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        session = self._session
        yield Head(self.NAME, session.title)
        yield Static(id="progress")
        yield KeyLine(id="controls")
        yield LinePanel(id="line-panel")
        yield Static(id="engine")
        yield Static(id="notice")
        yield KeyLine(id="filters")
        yield SearchInput(session.listing.search, id="search")
        with Vertical(id="both"):
            yield ResultsTable(session.listing, session.now, id="results")
            yield Facts(id="details")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(1 / _DRAWS, self._draw)
        self.set_interval(_AGES, self._grow_older)

    def fill(self) -> None:
        """Draw everything."""
        self._drawable = True
        self._session.listing.reveal = self._session.reveal
        self._session.listing.rebuild()
        self.query_one("#search").display = False
        self._draw_keys({*NO_ROWS, ""})
        self._mode()
        self._show_facts(start=True)

    async def reword(self) -> None:
        """Say everything again; nothing can be drawn meanwhile."""
        self._drawable = False
        await super().reword()

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        if self._drawable:
            self.call_after_refresh(self._bars)

    # what can be done now

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        session = self._session
        if action in ("stop", "pause", "pace"):
            return not session.over and not session.stopping
        if action in ("use", "pass_on"):
            return self._drawable and self.query_one(ResultsTable).usable is not None
        if action == "summary":
            return self._is_ended
        if action == "told":
            return not self._is_ended and bool(session.state.notices or session.state.rejected)
        return True

    @property
    def _is_ended(self) -> bool:
        return self._session.state.finished is not None or bool(self._session.broken)

    def _offer(self) -> None:
        """Say anew which keys there are, but only where that has changed: it is costly."""
        offered = tuple(self.check_action(action, ()) for action in ("stop", "use", "summary", "told"))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    # one option

    def action_use(self) -> None:
        """Go on to the use of the entry under the cursor."""
        self._go_on(UseOption)

    def action_pass_on(self) -> None:
        """Hand the entry under the cursor to somebody."""
        self._go_on(PassOn)

    def _go_on(self, message: type[UseOption | PassOn]) -> None:
        from tui.using import option_of  # the guide and the exports: not before somebody wants them

        table = self.query_one(ResultsTable)
        row = table.usable
        if row is not None:
            table.pin(chosen=True)
            self.post_message(message(option_of(row, now=self._session.now())))

    def action_next(self) -> None:
        """Go to the next option that works: to the best one first, and from the advice, which says so."""
        table, listing = self.query_one(ResultsTable), self._session.listing
        before, shown = table.usable, (listing.filter, listing.search)
        self.app.clear_notifications()  # what was said of the last press
        found = table.next_option(best=self._summing_up)
        if found is None:
            self.inform(describe.no_option(over=self._session.over, paused=self._session.paused))
            return
        self._summing_up = False
        self.query_one("#search", Input).value = listing.search
        self._bars()
        if shown != (listing.filter, listing.search):
            self.inform(_("It was not among those shown: all entries are shown again."))
        elif before is found:
            only = self._session.state.next_usable(found.key) is found
            self.inform(describe.same_option(only=only))

    def action_larger(self) -> None:
        """Give the details of the entry most of the room, or take it back."""
        table = self.query_one(ResultsTable)
        if self.has_class("-larger") and not self._summing_up:
            self._smaller()
            return
        table.pin()
        self._summing_up = self._summing_up and table.current is None
        self._larger()

    def _larger(self) -> None:
        self.add_class("-larger")
        self.query_one(Facts).focus()
        self._show_facts(start=True)

    def _smaller(self) -> None:
        self.remove_class("-larger")
        self.query_one(ResultsTable).focus()

    def action_summary(self) -> None:
        """Show the advice, then with more room, then with less; Enter and the cursor lead to the details."""
        if not self._summing_up:
            self._summing_up = True
            self._show_facts(start=True)
        elif self.has_class("-larger"):
            self._smaller()
        else:
            self._larger()

    action_told = action_summary

    def action_reveal(self) -> None:
        """Show or mask addresses and secrets."""
        self._session.reveal = not self._session.reveal
        self.query_one(ResultsTable).reveal(self._session.reveal)
        self._mode()
        self._show_facts()

    # the list

    def action_filter(self, name: str) -> None:
        """Show only such entries."""
        self.query_one(ResultsTable).show_only(Filter[name])
        self._bars()

    def action_sort(self) -> None:
        """Take the next order."""
        orders = list(Sort)
        at = orders.index(self._session.listing.sort)
        self.query_one(ResultsTable).sort_by(orders[(at + 1) % len(orders)])
        self._bars()

    def action_search(self) -> None:
        """Open the field for the words to look for."""
        field = self.query_one("#search", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        if event.value != self._session.listing.search:
            self.query_one(ResultsTable).look_for(event.value)
            self._bars()

    @on(Input.Submitted, "#search")
    def _search_taken(self) -> None:
        self.query_one("#search").display = False
        self.query_one(ResultsTable).focus()

    def _search_cleared(self) -> None:
        self.query_one("#search", Input).value = ""
        self.query_one(ResultsTable).look_for("")
        self._search_taken()
        self._bars()

    @on(ResultsTable.Highlighted)
    def _highlighted(self, event: ResultsTable.Highlighted) -> None:
        if event.by_person:
            self._summing_up = False
        self._show_facts(start=event.by_person)
        self._offer()

    # the run

    def action_stop(self) -> None:
        """Stop the run; what is known stays."""
        self.post_message(StopRun())

    def action_pause(self) -> None:
        """Let the run rest, or go on."""
        if self._session.paused:
            self._session.resume()
        else:
            self._session.pause()
        self._progress()
        self._bars()

    def action_pace(self, by: int) -> None:
        """Tell what another pace risks, and take it if that is wanted."""
        from tui.screens.pace import PaceScreen

        now = self._session.profile.name
        at = bars.PACES.index(now) + by if now in bars.PACES else -1
        if 0 <= at < len(bars.PACES):
            self.app.push_screen(PaceScreen(now, bars.PACES[at]), self._pace_chosen)

    def _pace_chosen(self, name: str | None) -> None:
        if name is not None and not self._session.over:
            self._session.take_pace(name)
            self._bars()
            self._mode()

    # the line

    def _line(self) -> LineView:
        session, state = self._session, self._session.state
        return view_of(state.control, session.diagnosis, state.tally, staged=session.staged)

    def action_line(self) -> None:
        """Show all ways out, or only two lines."""
        panel = self.query_one(LinePanel)
        panel.large = not panel.large
        self.set_class(panel.large, "-line")

    def action_evidence(self) -> None:
        """Show what was seen of the person's own line."""
        from tui.screens.evidence import EvidenceScreen

        self.app.push_screen(EvidenceScreen(self._line(), self._session.diagnosis))

    def action_back(self) -> None:
        """Go back one step: out of the search, the large details, the large line; then out of this screen."""
        if self.query_one("#search").has_focus or self._session.listing.search:
            self._search_cleared()
        elif self.has_class("-larger"):
            self._smaller()
        elif self.query_one(LinePanel).large:
            self.action_line()
        else:
            self.post_message(GoBack())

    # drawing

    def _draw(self) -> None:
        session = self._session
        if not self._drawable:
            return
        self._rested = len(session.changed) > _MANY and not self._rested
        if session.changed and not self._rested:
            changed, session.changed = session.changed, set()
            self._draw_keys(changed)
        if session.over and not self._over:
            self._over = True
            self._draw_keys({*NO_ROWS, ""})

    def _draw_keys(self, changed: set[str]) -> None:
        with self.app.batch_update():
            if changed - NO_ROWS:
                self.query_one(ResultsTable).sync(changed)
            if LINE in changed:
                self.query_one(LinePanel).show(self._line())
            if ENGINE in changed:
                self._engine()
            if NOTICES in changed:
                self._notice()
            if changed & {SUMMARY, NOTICES} and self._is_ended and not self._summed_up:
                self._summing_up = self._summed_up = True
                self._show_facts(start=True)
            if PACE in changed:
                self._mode()
            self._progress()
            self._bars()
        self._offer()

    def _progress(self) -> None:
        session = self._session
        said = describe.progress(
            session.state,
            stopping=session.stopping,
            broken=bool(session.broken),
            paused=session.paused_since,
        )
        self.query_one("#progress", Static).update(said, layout=False)

    def _bars(self) -> None:
        session = self._session
        controls = self.query_one("#controls", KeyLine)
        controls.display = not session.over and not session.stopping
        if controls.display:
            controls.show(bars.controls(session.profile.name, paused=session.paused))
        line = self.query_one("#filters", KeyLine)
        line.show(bars.filters(session.state, session.listing, line.size.width))

    def _engine(self) -> None:
        engine, said = self.query_one("#engine", Static), describe.engine(self._session.state)
        engine.update(said, layout=False)
        engine.display = bool(said.plain)

    def _notice(self) -> None:
        notice, broken = self.query_one("#notice", Static), self._session.broken
        said = say(self._session.state.notices[-1]) if self._session.state.notices else ""
        if broken:
            said = _("Sanylau itself broke down ({kind}). What is known stays here.", kind=printable(broken))
        notice.update(Text(printable(said, 300)))
        notice.display = bool(said)

    def _mode(self) -> None:
        self.query_one(Head).reveal = self._session.reveal

    def _grow_older(self) -> None:
        if self._drawable:
            self.query_one(ResultsTable).refresh()
            self._show_facts()

    def _show_facts(self, start: bool = False) -> None:
        session, facts = self._session, self.query_one(Facts)
        item = self.query_one(ResultsTable).current
        lines = []
        if self._summing_up:
            lines = describe.summary(
                session.state,
                reveal=session.reveal,
                broken=bool(session.broken),
                staged=session.staged,
                listed=self._listed,
            )
        elif item is not None:
            line = item.verdict.candidate.line if isinstance(item, Row) else 0
            tale = session.tales.get(line, "")
            lines = describe.details(item, now=session.now(), reveal=session.reveal, tale=tale)
        told = _("advice") if self._is_ended else _("notices")
        title = told if self._summing_up else _("details")
        facts.border_title = f" {title} "
        facts.show(lines, start=start)
