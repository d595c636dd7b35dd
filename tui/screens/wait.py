"""Wait: in large what the line is like now, the calendar, the next likely window, and what is done when it opens."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar, Final, cast

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from client.i18n import _
from client.model import N_
from client.watch import words
from client.watch.state import State
from tui import waiting
from tui.messages import StartWait, StopWait
from tui.screens.country import CountryScreen
from tui.screens.page import Explained, Page
from tui.waiting import Waiting
from tui.widgets.connection_line import ConnectionLine
from tui.widgets.facts import grid
from tui.widgets.head import Head
from tui.widgets.keys import Keys
from tui.widgets.static import Static

_DRAWS: Final = 2  # a second
_MINUTE: Final = 20.0  # seconds after which the minutes are looked at again
_LAST: Final = 4  # lines of what happened
_CLASSES: Final = ("-open", "-partly", "-shut")


class WhereScreen(CountryScreen):
    """Asks for the country before a wait."""

    NAME = N_("Wait")


class WaitScreen(Page[None]):
    """Draws the wait of the app. It never waits for it: it looks at what has changed."""

    CSS_PATH = "wait.tcss"
    AUTO_FOCUS = "#all"
    NAME = N_("Wait")
    ABOUT = N_(
        "Asks tiny questions at random times until something opens; then it rings and does what is queued."
    )
    KEYS: ClassVar[Explained] = (
        ("Enter", N_("begin to wait; you are asked first whom that contacts")),
        ("s", N_("stop")),
        ("n", N_("your own words for the notice on the desktop")),
        ("v", N_("the vault: with it the calendar is kept, and the next opening can be foretold")),
        ("↑ ↓", N_("scroll")),
        ("Esc", N_("go back; the wait goes on and rings on every screen")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", N_("Wait"), key_display="⏎"),
        Binding("s,ы", "stop", N_("Stop"), key_display="s"),
        Binding("n,т", "notice", N_("Words of the notice"), key_display="n"),
        Binding("v,м", "vault", N_("Vault"), key_display="v"),
        Binding("escape", "back", N_("Back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Waiting | None = None
        self._notice = ""

    @property
    def _waiting(self) -> Waiting | None:
        return cast("Waiting | None", getattr(self.app, "waiting", None))

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Head(self.NAME)
        yield Static(id="large")
        with VerticalScroll(id="all"):
            yield Static(id="facts")
            yield Static(id="calendar")
            yield Static(id="log")
        yield Static(id="said")
        yield ConnectionLine()
        yield Keys()

    def on_mount(self) -> None:
        """Begin to draw."""
        super().on_mount()
        self.set_interval(1 / _DRAWS, self._look)
        self.set_interval(_MINUTE, self._show)

    def fill(self) -> None:
        """Draw everything."""
        self._show()
        if self._waiting is None:
            self._look_into_vault()

    def on_screen_resume(self) -> None:
        """Show what has changed meanwhile."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        running = self._waiting is not None and not self._waiting.over
        if action in ("begin", "notice"):
            return not running
        if action == "stop":
            return running and self._waiting is not None and not self._waiting.stopping
        return True

    def _look(self) -> None:
        wait = self._waiting
        if wait is not None and (wait.changed or wait is not self._drawn):
            self._show()

    def _show(self) -> None:
        if not self.query("#large"):  # everything is said anew just now
            return
        wait = self._drawn = self._waiting
        large = self.query_one("#large", Static)
        for name in _CLASSES:
            large.set_class(wait is not None and not wait.over and waiting.colour(wait.state) == name, name)
        if wait is None:
            large.update(Text(_("Not waiting yet"), justify="center", style="bold"))
            before = _(
                "Nothing is sent yet. Enter: see whom it asks and how often; after your yes it waits and rings."
            )
            self.query_one("#facts", Static).update(Text(before))
            return
        wait.changed = False
        large.update(_large(wait))
        self.query_one("#facts", Static).update(grid(waiting.about(wait, time.time())))
        self.query_one("#calendar", Static).update(waiting.drawn(wait.calendar))
        self.query_one("#log", Static).update(waiting.log(wait, _LAST))
        self.refresh_bindings()

    @work(exclusive=True, group="calendar", exit_on_error=False)
    async def _look_into_vault(self) -> None:
        calendar, forecast = await asyncio.to_thread(waiting.kept_calendar)
        if not self.query("#calendar") or self._waiting is not None or not calendar.spans:
            return
        text = waiting.drawn(calendar)
        likely = words.expected(forecast)
        self.query_one("#calendar", Static).update(Text(f"{likely}\n").append_text(text) if likely else text)

    def action_begin(self) -> None:
        """Ask for the wait."""
        self._say("")
        self.post_message(StartWait(self._notice))

    def action_stop(self) -> None:
        """End it."""
        self.post_message(StopWait())

    @work(exclusive=True, group="asking", exit_on_error=False)
    async def action_notice(self) -> None:
        """Choose the words of the notice."""
        from tui.screens.notice import NoticeScreen

        chosen = await self.app.push_screen_wait(NoticeScreen(self._notice))
        self._notice = self._notice if chosen is None else chosen

    def action_vault(self) -> None:
        """Show the vault."""
        from tui.messages import OpenVault

        self.post_message(OpenVault())

    def action_back(self) -> None:
        """Go back; the wait goes on."""
        self.dismiss()


def _large(wait: Waiting) -> Text:
    sign, word = waiting.large(wait.state)
    if wait.over:
        return Text(_("Over"), style="bold", justify="center")
    if wait.stopping:
        text = Text(_("Stopping…"), style="bold", justify="center")
    else:
        spaced = " ".join(word) if wait.state in (State.OPEN, State.SHUT, State.UNKNOWN) else word
        text = Text(f"{sign}  {spaced}  {sign}", style="bold", justify="center")
    return text.append(f"\n{_(words.STATES[wait.state])}", style="not bold")
