"""The wait as the screen follows it: what the line is like, what was noted, what is done when it opens. No Textual."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from client.i18n import _, say
from client.model import N_, LineState, Reading, Status
from client.steering import Stop
from client.text import printable
from client.watch import events as told
from client.watch import prepare, words
from client.watch.calendar import Calendar
from client.watch.jobs import Found
from client.watch.predict import Forecast
from client.watch.pulse import Mode
from client.watch.run import Watch, watching
from client.watch.state import CLOSED, PARTLY, Change, State
from tui.describe import Lines

if TYPE_CHECKING:
    from client.check import Wishes
    from tui.intake import Basket
    from tui.session import Session

_SAID: Final = 60  # lines that are kept
_LONGEST: Final = 400
_DAYS: Final = 14  # rows of the calendar

WAITING: Final = "waiting"
DOING: Final = "doing"
DONE: Final = "done"
FAILED: Final = "failed"
_SIGNS: Final = {WAITING: "○", DOING: "▸", DONE: "✔", FAILED: "✘"}
_QUEUE: Final = {
    "recheck": N_("test the best entries again"),
    "bridges": N_("fetch fresh bridges"),
    "command": N_("run your command"),
}
_OPENED: Final = N_("As long as it lasts: Esc, then 1 finds a way out. F4 shows what is tested already.")
_LARGE: Final = {
    State.UNKNOWN: ("…", N_("LOOKING")),
    State.OPEN: ("●", N_("OPEN")),
    State.ALLOW_LIST: ("◐", N_("ONLY A LIST PASSES")),
    State.HOLES: ("◐", N_("SOME PORTS PASS")),
    State.SHUT: ("○", N_("SHUT")),
    State.OUTAGE: ("○", N_("NOTHING ANSWERS")),
    State.LOCAL: ("✘", N_("NO CONNECTION HERE")),
    State.PORTAL: ("✘", N_("LOGIN PAGE")),
}

Heed = Callable[["Waiting", str, bool], Awaitable[None]]
"""Is told of every event: the wait, what a person reads of it, and whether it must not be missed."""


@dataclass(slots=True)
class Task:
    """One thing of the queue: its name as in client.watch.jobs, where it stands, and what came of it."""

    name: str
    stand: str = WAITING
    said: str = ""


class Waiting:
    """A wait. It lives on the app; `changed` is emptied by whoever draws, `found` by whoever takes it over."""

    def __init__(self, watch: Watch) -> None:
        self.watch: Final = watch
        self.state = State.UNKNOWN
        self.since = 0.0  # Unix time; 0 before anything was seen
        self.mode = Mode.FULL
        self.calendar: Calendar = watch.calendar
        self.forecast: Forecast | None = None
        self.tasks = [Task(job.name) for job in watch.jobs]
        self.said: deque[str] = deque(maxlen=_SAID)
        self.connections = 0
        self.total = 0.0  # bytes
        self.found: Found | None = None
        self.over = False
        self.changed = True
        self._stop: Final = Stop()

    @property
    def stopping(self) -> bool:
        """Say whether the end was asked for."""
        return self._stop.event.is_set() and not self.over

    @property
    def kept(self) -> bool:
        """Say whether the calendar is kept in a vault."""
        return self.watch.save is not None

    def stop(self) -> None:
        """End it."""
        self._stop.ring("interrupted")
        self.changed = True

    async def follow(self, heed: Heed) -> None:
        """Wait until the stop; tell of every event."""
        try:
            async with watching(self.watch, self._stop) as events:
                async for event in events:
                    text, loud = self.apply(event)
                    await heed(self, text, loud)
        finally:
            self.over = self.changed = True

    def apply(self, event: told.Event) -> tuple[str, bool]:
        """Take in an event; return what a person reads of it, and whether it must not be missed."""
        self.changed = True
        loud = False
        match event:
            case told.Asked():
                self.connections, self.total = event.connections, event.total
            case told.Paced():
                self.mode = event.mode
            case told.Turned():
                self.state, self.since = event.turn.new, event.at
                loud = event.turn.change is not Change.NONE
                if event.turn.change is Change.OPENED:
                    for task in self.tasks:
                        task.stand, task.said = WAITING, ""
            case told.Expected():
                self.forecast = event.forecast
            case told.Moved():
                self.state, self.since = State.UNKNOWN, event.at
            case told.Noted():
                self.calendar = event.calendar
            case told.JobBegan() | told.JobEnded():
                self._work(event)
            case told.Ended():
                self.over = True
        text = words.line(event)
        if text:
            self.said.append(text)
        return text, loud

    def _work(self, event: told.JobBegan | told.JobEnded) -> None:
        for task in self.tasks:
            if task.name != event.name:
                continue
            if isinstance(event, told.JobBegan):
                task.stand, task.said = DOING, ""
            else:
                task.stand = DONE if event.done else FAILED
                task.said = printable(say(event.message), _LONGEST)
                if event.name == "recheck":
                    self.found = Found(verdicts=list(event.found.verdicts), bridges=[])
                elif event.name == "bridges":
                    self.found = Found(verdicts=[], bridges=list(event.found.bridges))

    # what the queue has found

    @staticmethod
    def keep(found: Found) -> None:
        """Keep it in the open vault; nothing without one. Blocks."""
        prepare.keep(found)

    def session(self, found: Found) -> Session | None:
        """Return what was tested again as results that can be shown and used; None where nothing was."""
        from client.events import Finished, Judged
        from client.watch.jobs import Recheck
        from tui.session import Session

        run = next((job.run for job in self.watch.jobs if isinstance(job, Recheck)), None)
        if run is None or not found.verdicts:
            return None
        session = Session(run, N_("tested again when it opened"))
        counts = Counter(verdict.status.value for _name, verdict in found.verdicts)
        for name, verdict in found.verdicts:
            session.changed |= session.state.apply(Judged(name, verdict))
        end = Finished(
            given=len(found.verdicts),
            candidates=len(found.verdicts),
            duplicates=0,
            rejected=0,
            counts={status.value: counts[status.value] for status in Status},
            stopped="",
            elapsed=0.0,
            first_working=None,
            line_state=LineState.UNKNOWN,
        )
        session.changed |= session.state.apply(end)
        session.over = True
        return session


# before it begins


def wishes(wished: Wishes, *, country: str, anchors: str, notice: str = "") -> prepare.Wishes:
    """Return what is waited for, with the settings of the app."""
    from dataclasses import replace

    return prepare.Wishes(check=replace(wished, lists=()), country=country, anchors=anchors, notice=notice)


def at_hand(basket: Basket, session: Session | None) -> Reading | None:
    """Return what is tested when it opens: what worked in the last check, then the person's own lists. Blocks.

    None where there is neither: then the open vault is asked. Raises BadList.
    """
    from client import parse
    from tui import intake
    from tui.state import USABLE

    known = {}
    if session is not None and not session.staged:
        verdicts = [session.state.at(index).verdict for index in range(len(session.state))]
        known = {one.candidate.endpoint.key(): one.candidate for one in verdicts if one.status in USABLE}
    texts = [*basket.texts(), *map(intake.load, basket.awaited)]
    for candidate in parse.read(texts).candidates if texts else ():
        known.setdefault(candidate.endpoint.key(), candidate)
    return Reading(tuple(known.values()), (), 0) if known else None


# in words


def large(state: State) -> tuple[str, str]:
    """Return the sign and the word for a state."""
    sign, word = _LARGE[state]
    return sign, _(word)


def colour(state: State) -> str:
    """Return the class of style for a state: open, partly, shut, or "" where nothing is known of the line."""
    if state is State.OPEN:
        return "-open"
    if state in PARTLY:
        return "-partly"
    return "-shut" if state in CLOSED else ""


def about(waiting: Waiting, now: float) -> Lines:
    """Return the facts: since when, how it is asked, when it is likely to open next, what is done then."""
    lines: Lines = []
    step = _OPENED if waiting.state is State.OPEN else words.NEXT[waiting.state]
    if step and not waiting.over:
        lines.append((_("now"), Text(_(step))))
    if waiting.since:
        minutes = max(0, round((now - waiting.since) / 60))
        since = _("{clock}, {minutes} min ago", clock=words.clock(waiting.since), minutes=minutes)
        lines.append((_("since"), Text(since)))
    spent = _("{n} connections, {kib} KiB so far", n=waiting.connections, kib=round(waiting.total / 1024))
    lines.append((_("asked"), Text(f"{_(words.PACES[waiting.mode])} {spent}")))
    likely = words.expected(waiting.forecast)
    lines.append((_("next"), Text(likely or _no_forecast(waiting))))
    lines += queue(waiting.tasks)
    return lines


def _no_forecast(waiting: Waiting) -> str:
    if waiting.kept:
        return _("Two days with an opening at about the same time are needed for a forecast.")
    return _("A forecast needs days: s stops, v opens the vault, and a wait begun then keeps its calendar.")


def queue(tasks: Sequence[Task]) -> Lines:
    """Return what is done when it opens, in order, and where each stands."""
    label = _("then")
    if not tasks:
        return [(label, Text(_("It rings. For more, check a list first: what works is tested again then.")))]
    lines: Lines = []
    for task in tasks:
        text = Text(f"{_SIGNS[task.stand]} {_(_QUEUE.get(task.name, task.name))}")
        if task.said:
            text.append(f": {task.said}")
        lines.append((label, text))
        label = ""
    return lines


def log(waiting: Waiting, most: int) -> Text:
    """Return the last things that happened, the latest first: below it may be out of sight."""
    return Text("\n".join(printable(line, _LONGEST) for line in list(waiting.said)[: -most - 1 : -1]))


def drawn(calendar: Calendar) -> Text:
    """Return the calendar: the line of hours, the last days, the legend."""
    lines = words.drawn(calendar)
    if not lines:
        return Text(_("Nothing was seen yet: the calendar fills while this waits."), style="dim")
    head, *rows, legend = lines
    return Text("\n".join([head, *rows[-_DAYS:], legend]), no_wrap=True, overflow="ellipsis")


def kept_calendar() -> tuple[Calendar, Forecast | None]:
    """Return what the open vault holds of this network, and what is likely next; an empty one without. Blocks."""
    from client.model import Rejected
    from client.vault import opened
    from client.watch.predict import forecast

    vault = opened.current()
    if vault is None:
        return Calendar(), None
    try:
        calendar = Calendar.from_json(vault.content.calendars.get(opened.here()))
    except Rejected:
        return Calendar(), None
    return calendar, forecast(calendar, time.time())
