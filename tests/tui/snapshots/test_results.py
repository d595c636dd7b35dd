"""The results in each of their states, as pictures: built from events alone, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from client.events import ControlFinished, Event, Judged, Noticed, PaceChanged, Progressed, Started
from client.model import (
    Candidate,
    Control,
    Failure,
    LineState,
    Message,
    Observation,
    Protection,
    Status,
    Step,
)
from tests.tui.snapshots.conftest import Picture
from tests.tui.snapshots.views import View, each_view, in_english
from tests.tui.support import engine, finished, judged, made_run
from tui.screens.results import ResultsScreen
from tui.session import Session

EVIL = "\x1b[31m\u202e[/x][@click=app.quit]\r\n" + "очень-длинно-" * 800
LIST = "\n".join(f"socks5://127.0.0.1:{port}" for port in range(1, 41))
SEEN = (
    Observation(step=Step.CONNECT, started=0.0, elapsed=0.02),
    Observation(step=Step.PROXY_HANDSHAKE, started=0.02, elapsed=0.03),
    Observation(step=Step.TLS_HANDSHAKE, started=0.05, elapsed=6.0, failure=Failure.TIMEOUT),
)
STARTED = Started(
    given=42,
    candidates=40,
    duplicates=1,
    rejected=1,
    profile="quiet",
    budget_connections=443,
    budget_kib=7380,
)
Part = Event | tuple[int, Status]
LINE = ControlFinished(Control(state=LineState.NO_ANSWER))


def ended(session: Session) -> None:
    session.over = True


class Story:
    """What has happened in a run, event by event. `more` does to the session what no event does."""

    def __init__(
        self,
        *parts: Part,
        keys: Sequence[str] = (),
        title: str = "",
        evil: bool = False,
    ) -> None:
        self.parts, self.keys, self.title, self.evil = parts, keys, title, evil
        self.more: list[Callable[[Session], None]] = []

    def then(self, *more: Callable[[Session], None]) -> Story:
        self.more += more
        return self

    def session(self) -> Session:
        session = Session(made_run(LIST), self.title)
        candidates = session.run.reading.candidates
        session.state.expect(candidates)
        for part in self.parts:
            event = self.verdict(*part, candidates) if isinstance(part, tuple) else part
            session.state.apply(event)
        for act in self.more:
            act(session)
        return session

    def verdict(self, number: int, status: Status, candidates: Sequence[Candidate]) -> Judged:
        works = status in (Status.WORKING, Status.DEGRADED)
        event = judged(
            number,
            status,
            kib_per_s=3.0 if status is Status.DEGRADED else 40.0 * number if works else None,
            protection=Protection.OPEN if number % 2 else Protection.UNKNOWN,
            reason=Message(
                "authentic content came through" if works else "says connected, then nothing comes"
            ),
        )
        candidate = candidates[number]
        if self.evil:
            candidate = replace(candidate, source=EVIL, endpoint=replace(candidate.endpoint, text=EVIL))
        failed = {} if works else {"step": Step.TLS_HANDSHAKE, "failure": Failure.TIMEOUT}
        reason = Message("{why}", {"why": EVIL}) if self.evil else event.verdict.reason
        known = {"candidate": candidate, "observations": SEEN[:2] if works else SEEN, "reason": reason}
        return Judged(event.id, replace(event.verdict, **failed, **known))  # type: ignore[arg-type]

    async def __call__(self, pilot: Pilot[Any]) -> None:
        app, session = pilot.app, self.session()
        app.session = session  # type: ignore[attr-defined]
        await app.push_screen(ResultsScreen(session))
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()
        await pilot.press(*self.keys)
        await pilot.pause(0.3)


W, D, H, F, U = Status.WORKING, Status.DEGRADED, Status.HOSTILE, Status.FAILED, Status.UNTESTED
FAILED = [(number, F) for number in range(6)]
HALF: tuple[Part, ...] = (
    STARTED,
    LINE,
    *FAILED,
    (7, W),
    (8, D),
    (9, H),
    (10, U),
    (12, W),
    Progressed(11, 40, 2, 61, 95.0, 900),
)
WHOLE: tuple[Part, ...] = (
    *HALF,
    *((number, F) for number in (6, 11, *range(13, 40))),
    finished(working=2, degraded=1, failed=36),
)

STATES = {
    "empty": Story(STARTED),
    "running": Story(*HALF, engine(45), keys=["down"]),
    "first found": Story(STARTED, LINE, *FAILED[:3], (7, W), Progressed(4, 40, 1, 20, 12.0, 200)),
    "done": Story(*WHOLE).then(ended),
    "details": Story(*HALF, keys=["end", "home", "4", "down", "enter"]),
}
MORE = {
    "practice": Story(*HALF, title="practice: nothing leaves this machine"),
    "none works": Story(STARTED, LINE, *((number, F) for number in range(40)), finished(failed=40)).then(
        ended
    ),
    "nothing to test": Story(finished()).then(ended),
    "stopped": Story(*HALF, finished("interrupted", working=2, degraded=1, failed=7, untested=30)).then(
        ended
    ),
    "error": Story(*HALF).then(ended, lambda session: setattr(session, "broken", "LookupError")),
    "paused": Story(*HALF, PaceChanged("quiet", True, 95.0)).then(Session.pause),
    "stopping": Story(*HALF).then(Session.stop),
    "next option": Story(*HALF, keys=["end", "n", "n"]),
    "failed only": Story(*HALF, keys=["4"]),
    "none of these": Story(STARTED, LINE, *FAILED, keys=["2"]),
    "searching": Story(*HALF, keys=["slash", *"tls"]),
    "revealed": Story(*HALF, keys=["down", "r"]),
    "the line in large": Story(*HALF, keys=["l"]),
    "pace": Story(*HALF, keys=["plus"]),
    "hostile": Story(*HALF, Noticed(Message("{why}", {"why": EVIL})), keys=["down"], evil=True),
}


@pytest.mark.parametrize("state", STATES)
@each_view
def test_the_results(view: View, state: str, picture: Picture) -> None:
    assert picture(view, STATES[state])


@pytest.mark.parametrize("state", MORE)
@in_english
def test_a_state_of_the_results(view: View, state: str, picture: Picture) -> None:
    assert picture(view, MORE[state])
