"""Waiting, passing on, taking in and the vault, as pictures. Words, keys and times are fixed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from client.diagnosis import inquire
from client.model import Candidate, Protection, Status
from client.options import Option
from client.redact import Namer
from client.share import envelope, words
from client.share.capsule import Capsule
from client.share.intake import Got
from client.watch import events as told
from client.watch.calendar import Calendar, Mark
from client.watch.jobs import Command, Recheck
from client.watch.predict import Forecast
from client.watch.run import Watch
from client.watch.state import Change, State, Turn
from tests.client.share.ways import OBFS4, capsule, endpoint, entry
from tests.tui.snapshots.conftest import Picture
from tests.tui.snapshots.test_home import home
from tests.tui.snapshots.views import View, in_small
from tests.tui.support import made_run, until
from tui.messages import OpenVault, TakeIn, Wait
from tui.screens.codes import CodesScreen
from tui.screens.hearing import HearingScreen
from tui.screens.incoming import KeyScreen
from tui.screens.passing import PassingScreen
from tui.screens.passphrase import PassphraseScreen
from tui.screens.reading import PartsScreen, ReadingScreen
from tui.screens.taken import TakenScreen
from tui.waiting import Waiting

MESSAGE = envelope.plain(capsule())
KEY = bytes(range(32))
Before = Callable[[Pilot[Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("SANYLAU_VAULT", "/nowhere/vault")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def option() -> Option:
    return Option(
        candidate=Candidate(endpoint(OBFS4), "pasted", 1),
        transport="tor_bridge",
        protection=Protection.TOR,
        status=Status.WORKING,
        id="12345678",
        seen=time.time(),
    )


def pushed(make: Callable[[], Any], *press: str, typed: str = "") -> Before:
    """Return what pushes a screen, types a line and presses keys."""

    async def before(pilot: Pilot[Any]) -> None:
        await home(pilot)
        screen = make()
        await pilot.app.push_screen(screen)
        if typed:
            screen.query_one(Input).value = typed
            await pilot.pause()
        await pilot.press(*press)
        await pilot.pause(0.2)

    return before


def sent(message: Any) -> Before:
    """Return what opens a screen as the app does."""

    async def before(pilot: Pilot[Any]) -> None:
        await home(pilot)
        depth = len(pilot.app.screen_stack)
        pilot.app.post_message(message())
        await until(pilot, lambda: len(pilot.app.screen_stack) > depth)
        await pilot.pause(0.2)

    return before


async def _nothing(_given: bytearray) -> None:
    """Take it."""


def waited(state: State, change: Change) -> Before:
    """Return what shows a wait in a state, two days after it began."""
    noon = datetime(2022, 1, 8, 12, tzinfo=UTC).timestamp()

    async def before(pilot: Pilot[Any]) -> None:
        calendar = Calendar()
        for day in (6, 7, 8):
            morning = datetime(2022, 1, day, tzinfo=UTC).timestamp()
            calendar = calendar.marked(morning, morning + 8 * 3600, Mark.SHUT)
            calendar = calendar.marked(morning + 8 * 3600, morning + 12 * 3600, Mark.OPEN)
        wait = Waiting(Watch(inquiry=inquire.prepare(), jobs=(Recheck(made_run()), Command(["true"]))))
        turn = Turn(old=State.UNKNOWN, new=state, at=noon, began=noon, change=change)
        likely = Forecast(start=noon, end=noon + 60, sure=0.8, spread=900, days=2, watched=3)
        for event in (
            told.Began(at=noon, network=""),
            told.Noted(at=noon, network="", calendar=calendar),
            told.Expected(at=noon, forecast=likely),
            told.Turned(at=noon, turn=turn),
            told.JobBegan(at=noon, name="recheck"),
        ):
            wait.apply(event)
        wait.since = 0.0  # how long ago it was depends on the day
        pilot.app.waiting = wait  # type: ignore[attr-defined]
        await sent(Wait)(pilot)

    return before


STATES = {
    "wait, not yet": sent(Wait),
    "wait, open": waited(State.OPEN, Change.OPENED),
    "wait, shut": waited(State.OUTAGE, Change.SHUT),
    "pass it on": pushed(lambda: PassingScreen([option()])),
    "a group": pushed(lambda: ReadingScreen(MESSAGE, sealed=True), "enter"),
    "a group, spelled": pushed(lambda: ReadingScreen(MESSAGE, sealed=True), "r"),
    "the last group": pushed(lambda: ReadingScreen(MESSAGE, sealed=False), *["enter"] * 20),
    "a message": pushed(lambda: PartsScreen(MESSAGE, sealed=True)),
    "a code": pushed(lambda: CodesScreen(MESSAGE)),
    "a code, inverted": pushed(lambda: CodesScreen(MESSAGE), "i"),
    "the key's words": pushed(lambda: KeyScreen(KEY)),
    "typing a group": pushed(
        lambda: HearingScreen(key=False),
        typed=" ".join(words.speak(MESSAGE, "en").groups[0].said).replace("e", "", 1),
    ),
    "take in": sent(TakeIn),
    "what came": pushed(
        lambda: TakenScreen(
            Got(entries=Capsule(entries=(entry(), entry("socks5://192.168.1.1:1080"))).entries, sealed=True),
            Namer(bytes(32)),
        )
    ),
    "vault": sent(OpenVault),
    "passphrase": pushed(lambda: PassphraseScreen(_nothing, "Passphrase of the vault:"), *"secret"),
}


@pytest.mark.parametrize("name", STATES)
@in_small
def test_a_screen_looks_as_agreed(view: View, name: str, picture: Picture) -> None:
    assert picture(view, STATES[name])
