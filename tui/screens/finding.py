"""The diagnosis while it goes on: what is asked now, and what is known of each way out."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from client.i18n import _
from client.model import N_
from client.render import diagnosis as face
from client.text import printable
from tui import line_words
from tui.finding import Survey
from tui.line_state import LineView, so_far, view_of
from tui.messages import FindWay
from tui.screens.evidence import EvidenceScreen
from tui.screens.page import Explained, Page
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.line_panel import LinePanel
from tui.widgets.static import Static

_DRAWS: Final = 4  # a second


class FindingScreen(Page[None]):
    """Draws a survey. It never waits for it: it looks at what has changed, a few times a second."""

    CSS_PATH = "finding.tcss"
    NAME = N_("Find a way out")
    ABOUT = N_(
        "Your line is asked what still passes. After that what is at hand is tested, the likeliest first."
    )
    KEYS: ClassVar[Explained] = (
        ("s", N_("stop and keep what is known; nothing more is sent until you say so")),
        ("c", N_("test what is at hand now, with what is known so far")),
        ("a", N_("when it is over: look at the line again, after a new question")),
        ("e", N_("the evidence: what was seen, question by question")),
        ("Esc", N_("go back; it goes on meanwhile")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        # The second key is the same place on a Russian or Kazakh keyboard.
        Binding("c,с", "check", N_("Test now"), key_display="c"),
        Binding("s,ы", "stop", N_("Stop"), key_display="s"),
        Binding("a,ф", "again", N_("Look again"), key_display="a"),
        Binding("e,у", "evidence", N_("Evidence"), key_display="e"),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self, survey: Survey) -> None:
        super().__init__()
        self._survey = survey

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Static(id="asking")
        yield LinePanel(id="line-panel", large=True)
        yield Static(id="next")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(1 / _DRAWS, self._look)

    async def on_screen_resume(self) -> None:
        """Go on to the results, where the check has begun while something else lay over this screen."""
        if self._survey.handed_on:
            self.dismiss()
            await self.run_action("app.results")

    def fill(self) -> None:
        """Draw all of it."""
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        survey = self._survey
        if action == "stop":
            return not survey.over and not survey.stopped
        if action == "check":
            return not survey.broken and (not survey.over or survey.waits)
        return survey.waits or action != "again"

    def action_stop(self) -> None:
        """End the diagnosis with what is known."""
        self._survey.stop()

    def action_check(self) -> None:
        """Let the check begin with what is known."""
        self._survey.go_on()

    def action_again(self) -> None:
        """Look at the line anew; what was agreed to is used up."""
        self._survey.drop()
        self.app.post_message(FindWay())
        self.dismiss()

    def action_evidence(self) -> None:
        """Show what was seen so far."""
        survey = self._survey
        self.app.push_screen(EvidenceScreen(self._view(), survey.found, tuple(survey.sights)))

    def action_back(self) -> None:
        """Go back; the diagnosis goes on."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll what does not fit."""
        self.query_one(LinePanel).scroll_relative(y=lines, animate=False)

    def _look(self) -> None:
        if self._survey.changed:
            self._draw()

    def _draw(self) -> None:
        self._survey.changed = False
        self.query_one("#asking", Static).update(asking(self._survey))
        self.query_one(LinePanel).show(self._view())
        what = self.query_one("#next", Static)
        found = self._survey.found
        if found is not None and self._survey.waits:
            what.update(Group(*line_words.next_steps(self._view(), found)))
        what.display = found is not None and self._survey.waits
        self.refresh_bindings()

    def _view(self) -> LineView:
        survey = self._survey
        return so_far(survey.sights) if survey.found is None else view_of(None, survey.found)


def asking(survey: Survey) -> Text:
    """Return the line that says what is asked now, or what came of it."""
    if survey.broken:
        return Text(_("Sanylau itself broke down ({kind}).", kind=printable(survey.broken)), style="bold red")
    if survey.found is not None:
        if survey.stopped:
            return Text(_("Stopped. This is what is known so far. c tests what is at hand."))
        return (
            Text(_("Mend this first, then press a. c tests what is at hand all the same."))
            if survey.waits
            else Text()
        )
    if survey.stopped:
        return Text(_("stopping…"))
    if survey.last is None:
        return Text(_("The first question is being prepared…"), style="dim")
    return Text(
        _(
            "Asking: {what}. {asked} asked, {answered} answered.",
            what=face.asking(survey.last),
            asked=survey.asked,
            answered=survey.answered,
        )
    )
