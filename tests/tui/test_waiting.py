"""The wait: what events make of it, in words; and on the screen before real servers on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from client import i18n
from client.check import Wishes
from client.diagnosis import inquire
from client.drill.windows import FastClock
from client.model import Message, Status
from client.steering import Stop
from client.watch import events as told
from client.watch import prepare
from client.watch.calendar import Calendar, Mark
from client.watch.jobs import Command, Found, Recheck
from client.watch.predict import Forecast
from client.watch.pulse import Mode
from client.watch.run import Watch, watching
from client.watch.state import Change, State, Turn
from tests.client.cli.test_watch import country
from tests.tui.handover import works
from tests.tui.support import at_home, judged, listed, made_run, paste, playing, text_of, until, until_shown
from tui import waiting
from tui.screens.consent import ConsentScreen
from tui.screens.home import HomeScreen
from tui.screens.importing import ImportScreen
from tui.screens.wait import WaitScreen, WhereScreen
from tui.session import Session
from tui.waiting import Waiting

NOON = datetime(2022, 1, 6, 12, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path / "v"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    i18n.use("en")
    yield
    monkeypatch.undo()
    time.tzset()
    i18n.use(None)


def wait(*jobs: Any, **more: Any) -> Waiting:
    return Waiting(Watch(inquiry=inquire.prepare(), jobs=jobs or (Recheck(made_run()),), **more))


def turned(new: State, change: Change = Change.NONE, at: float = NOON) -> told.Turned:
    return told.Turned(at=at, turn=Turn(old=State.UNKNOWN, new=new, at=at, began=at, change=change))


def ended(name: str, *, done: bool = True, found: Found | None = None) -> told.JobEnded:
    found = found or Found(verdicts=[], bridges=[])
    return told.JobEnded(at=NOON, name=name, done=done, message=Message("said"), found=found)


def shown(waited: Waiting) -> str:
    return "\n".join(f"{label} {text.plain}" for label, text in waiting.about(waited, NOON + 120))


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_large_word_and_a_sign(state: State) -> None:
    sign, word = waiting.large(state)
    assert sign
    assert word
    assert waiting.colour(state) in ("", "-open", "-partly", "-shut")


@pytest.mark.parametrize(
    ("change", "loud"), [(Change.OPENED, True), (Change.SHUT, True), (Change.NONE, False)]
)
def test_what_opens_or_shuts_is_loud(change: Change, loud: bool) -> None:
    waited = wait()
    text, rings = waited.apply(turned(State.OPEN, change))
    assert rings is loud
    assert "12:00" in text
    assert "2 min ago" in shown(waited)


def test_the_queue_tells_where_each_stands_and_begins_anew_at_the_next_opening() -> None:
    waited = wait(Recheck(made_run()), Command(["true"]))
    assert "○ test the best entries again\n ○ run your command" in shown(waited)
    waited.apply(told.JobBegan(at=NOON, name="recheck"))
    assert "▸ test the best entries again" in shown(waited)
    waited.apply(ended("recheck"))
    waited.apply(ended("command", done=False))
    assert "✔ test the best entries again: said" in shown(waited)
    assert "✘ run your command: said" in shown(waited)
    waited.apply(turned(State.OPEN, Change.OPENED))
    assert "○ test the best entries again\n ○ run your command" in shown(waited)


def test_what_was_tested_again_is_shown_as_results() -> None:
    waited = wait()
    events = [works(), judged(2)]
    found = Found(verdicts=[(event.id, event.verdict) for event in events], bridges=[])
    waited.apply(ended("recheck", found=found))
    assert waited.found is not None
    session = waited.session(waited.found)
    assert session is not None
    assert session.over
    assert session.state.counts[Status.WORKING] == 1
    assert session.state.finished is not None
    assert waited.session(Found(verdicts=[], bridges=[])) is None


def test_the_next_window_and_how_sure_is_told_or_what_is_missing_for_it() -> None:
    waited = wait()
    assert "opens the vault" in shown(waited)
    likely = Forecast(start=NOON, end=NOON + 60, sure=0.8, spread=900, days=2, watched=3)
    waited.apply(told.Expected(at=NOON, forecast=likely))
    assert "sure to 80 %" in shown(waited)
    assert "06.01. 12:00" in shown(waited)


def test_the_calendar_is_drawn_a_day_a_row_and_its_last_days_only() -> None:
    calendar = Calendar()
    for day in range(20):
        calendar = calendar.marked(NOON + day * 86400, NOON + day * 86400 + 3600, Mark.OPEN)
    drawn = waiting.drawn(calendar).plain.splitlines()
    assert len(drawn) == 16
    assert "██" in drawn[1]
    assert "fills while this waits" in waiting.drawn(Calendar()).plain


def test_counts_pace_and_the_end_are_followed() -> None:
    waited = wait()
    waited.apply(told.Paced(at=NOON, mode=Mode.SLOW))
    assert "one connection in two minutes" in shown(waited)
    waited.apply(told.Moved(at=NOON, network="x"))
    assert waited.state is State.UNKNOWN
    waited.apply(told.Ended(at=NOON, opened=0, shut=0, connections=3, total=2048))
    assert waited.over
    assert "Over. 3 connections, 2 KiB." in waiting.log(waited, 3).plain


async def test_without_a_list_the_queue_holds_what_worked_before() -> None:
    async with at_home() as (app, _pilot):
        assert waiting.at_hand(app.basket, None) is None
        session = Session(made_run())
        for event in (works(), judged(2)):
            session.changed |= session.state.apply(event)
        app.basket.edit("socks5://127.0.0.1:7\n")
        reading = waiting.at_hand(app.basket, session)
    assert reading is not None
    assert [one.endpoint.transport for one in reading.candidates] == ["tor_bridge", "socks5"]


async def test_nothing_is_sent_before_the_question_was_answered(tmp_path: Path) -> None:
    async with country(tmp_path, Mark.OPEN), at_home() as (app, pilot):
        await pilot.press("w")
        await until_shown(pilot, "Nothing is sent yet")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, WhereScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, WaitScreen))
        app.anchors = str(tmp_path / "anchors.toml")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, "(abroad 1)")
        await pilot.press("n")
        await until_shown(pilot, "Nothing was sent.")
        assert app.waiting is None


async def test_the_words_of_the_notice_are_the_persons_and_give_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "watching", hurried)
    async with country(tmp_path, Mark.SHUT), at_home() as (app, pilot):
        app.anchors = str(tmp_path / "anchors.toml")
        await pilot.press("w", "n")
        await until_shown(pilot, "over your shoulder")
        await paste(pilot, "the internet is back")
        await pilot.press("enter")
        await until_shown(pilot, "give nothing away")
        await pilot.press("ctrl+u", *"soup", "enter")
        await until(pilot, lambda: isinstance(app.screen, WaitScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.waiting is not None)
        assert app.waiting is not None
        assert app.waiting.watch.notice is not None
        assert app.waiting.watch.notice.text == "soup"


async def test_a_file_of_anchors_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    async with at_home() as (app, pilot):
        app.anchors = str(tmp_path / "no[b]thing.toml")
        await pilot.press("w", "enter")
        await until(pilot, lambda: app.screen.query_one("#said").has_class("-wrong"))
        assert app.waiting is None


def hurried(watch: Watch, stop: Stop) -> Any:
    """Watch on a clock that runs 30 times as fast: the questions wait for minutes."""
    return watching(replace(watch, clock=FastClock(time.time(), 30)), stop)


async def test_an_opening_is_told_on_every_screen_and_what_works_is_one_key_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "_bridges", lambda *_wishes: None)  # they would be asked for from outside
    monkeypatch.setattr(waiting, "watching", hurried)
    async with (
        country(tmp_path, Mark.OPEN),
        playing(["good-socks5", "reset-http"], tmp_path) as (stage, wishes),
        at_home(wishes) as (app, pilot),
    ):
        app.anchors = str(tmp_path / "anchors.toml")
        await paste(pilot, listed(stage))
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await pilot.press("escape", "w", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "test the best entries again")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until(pilot, lambda: app.session is not None, 45)
        await until_shown(pilot, "were tested again")
        await pilot.press("w")
        await until_shown(pilot, "●  O P E N  ●")
        await until_shown(pilot, "✔ test the best entries again: 1 entry works")
        await pilot.press("s")
        await until(pilot, lambda: app.waiting is not None and app.waiting.over)
        await until_shown(pilot, "Over")
        await pilot.press("f4")
        await until_shown(pilot, "✔ working 1")
        assert "127.0.0.1" not in text_of(app)


async def test_leaving_ends_the_wait(tmp_path: Path) -> None:
    async with country(tmp_path, Mark.SHUT), at_home(Wishes()) as (app, pilot):
        app.anchors = str(tmp_path / "anchors.toml")
        await pilot.press("w", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.waiting is not None)
        waited = app.waiting
        await pilot.press("ctrl+c")
        await until(pilot, lambda: waited is not None and waited.over)
        assert app.return_code is None
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code == 0)
