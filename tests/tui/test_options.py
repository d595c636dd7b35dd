"""The options table as a person works with it: made-up results, and real runs over the drill's servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from client import check, parse
from client.check import Wishes
from client.drill.stage import Stage
from client.events import Event, Judged, Noticed
from client.model import Failure, Message, Observation, Status, Step
from client.settings import PROFILES
from tests.tui.support import (
    SIZE,
    judged,
    listed,
    made_run,
    playing,
    text_of,
    until,
    until_shown,
)
from tui.app import SanylauApp
from tui.listing import Filter, Sort
from tui.screens.pace import PaceScreen
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.widgets.facts import Facts
from tui.widgets.results_table import ResultsTable

EVIL = "\x1b]8;;http://x\x07\x1b[31m\u202e[/x][@click=app.quit][link=http://x]\r\n" + "x" * 10_000


@asynccontextmanager
async def results(
    *events: Event, size: tuple[int, int] = SIZE, expect: int = 0
) -> AsyncIterator[tuple[Session, ResultsTable, Pilot[int]]]:
    """Show results made of `events`, over a run that waits for `expect` candidates."""
    text = "\n".join(f"socks5://127.0.0.1:{port}" for port in range(1, expect + 1))
    app = SanylauApp()
    async with app.run_test(size=size, notifications=True) as pilot:
        session = Session(made_run(text) if expect else made_run())
        if expect:
            session.changed |= session.state.expect(session.run.reading.candidates)
        app.session = session
        tell(session, *events)
        await app.push_screen(ResultsScreen(session))
        await pilot.pause()
        yield session, app.screen.query_one(ResultsTable), pilot


def tell(session: Session, *events: Event) -> None:
    for event in events:
        session.changed |= session.state.apply(event)


def line_of(pilot: Pilot[int], text: str) -> int:
    """Return the line of the screen on which `text` stands."""
    return next(y for y, line in enumerate(text_of(pilot.app).splitlines()) if text in line)


def works(number: int, rate: float = 100.0) -> Judged:
    return judged(number, Status.WORKING, kib_per_s=rate)


def key_of(table: ResultsTable) -> str:
    assert table.current is not None
    return table.current.key


# what rises, and what stays


@pytest.mark.parametrize("rows", [3, 60])
async def test_working_ones_rise_to_the_top_and_the_row_under_the_cursor_stays_where_it_is(rows: int) -> None:
    async with results(*(judged(number) for number in range(rows))) as (session, table, pilot):
        await pilot.press("down", "down")
        chosen, height = key_of(table), line_of(pilot, f"#{key_of(table)}")
        for number in range(5):
            tell(session, works(100 + number, 50.0 * number + 1))
            await until_shown(pilot, f"✔ {number + 1} working")
            await pilot.pause()
            assert key_of(table) == chosen
            assert line_of(pilot, f" #{chosen} ") == height
        assert "▲ 5 above: Home" in text_of(pilot.app)
        await pilot.press("home")
        assert key_of(table) == judged(104).id
        assert "▲" not in text_of(pilot.app)


async def test_until_the_person_moves_it_the_cursor_is_on_the_best() -> None:
    async with results(judged(1)) as (session, table, pilot):
        assert key_of(table) == judged(1).id
        tell(session, works(2))
        await until(pilot, lambda: key_of(table) == judged(2).id)
        tell(session, works(3, 900))
        await until(pilot, lambda: key_of(table) == judged(3).id)
        await pilot.press("enter", "escape")  # who looks at its details has chosen it
        tell(session, works(4, 9000))
        await until_shown(pilot, "✔ 3 working")
        await pilot.pause()
        assert key_of(table) == judged(3).id


async def test_a_waiting_row_keeps_the_cursor_when_its_verdict_comes() -> None:
    async with results(expect=30) as (session, table, pilot):
        await until_shown(pilot, "3 … waiting 30")
        await pilot.press("down", "down", "down")
        waiting = key_of(table)
        candidate = session.state.waiting[waiting].candidate
        assert "Not tested yet" in text_of(pilot.app)
        event = works(7)
        tell(session, Judged(event.id, replace(event.verdict, candidate=candidate)))
        await until_shown(pilot, "3 … waiting 29")
        await until_shown(pilot, "authentic content came through")
        assert key_of(table) == waiting


# filter, sort, search


@pytest.mark.parametrize("keys", ["1234", ["quotation_mark", "ә", "і", "ң"]])
async def test_the_filters_are_one_key_each_on_every_keyboard(keys: list[str]) -> None:
    events = (works(1), judged(2), judged(3, Status.UNTESTED), judged(4, Status.HOSTILE))
    async with results(*events, expect=5) as (_session, table, pilot):
        shown = []
        for key in keys:
            await pilot.press(key)
            shown.append(len(table.listing))
        assert shown == [9, 1, 6, 2]


async def test_a_click_on_a_filter_presses_its_key() -> None:
    async with results(works(1), judged(2)) as (session, _table, pilot):
        bar = text_of(pilot.app).splitlines()[line_of(pilot, "4 ✘ failed")]
        await pilot.click(offset=(bar.index("failed"), line_of(pilot, "4 ✘ failed")))
        await until(pilot, lambda: session.listing.filter is Filter.FAILED)


async def test_the_order_changes_with_one_key_and_the_cursor_stays_with_its_entry() -> None:
    async with results(works(1, 5), works(2, 900), judged(3)) as (session, table, pilot):
        await pilot.press("down")
        chosen = key_of(table)
        for wanted in (Sort.SPEED, Sort.NEWEST, Sort.KIND, Sort.LISTED, Sort.BEST):
            await pilot.press("o")
            assert session.listing.sort is wanted
            assert f"↕ {wanted.value}" in text_of(pilot.app)
            assert key_of(table) == chosen


async def test_a_search_narrows_while_it_is_typed_enter_keeps_it_and_escape_clears_it() -> None:
    events = [judged(number, reason=Message("refused" if number % 2 else "silent")) for number in range(20)]
    async with results(*events) as (session, table, pilot):
        await pilot.press("slash", *"ref")
        await until(pilot, lambda: len(table.listing) == 10)
        await pilot.press("enter")
        assert pilot.app.focused is table
        await pilot.press("down", "u", "1")  # keys are keys again
        assert "/▸ref" in text_of(pilot.app)
        assert len(table.listing) == 10
        await pilot.press("escape")
        assert len(table.listing) == 20
        await pilot.press("slash", *"nothing like it")
        await until_shown(pilot, "Nothing here has these words in it. Esc clears the search.")
        await pilot.press("escape")
        assert len(table.listing) == 20
        assert session.listing.search == ""
        assert isinstance(pilot.app.screen, ResultsScreen)


# details


async def test_details_in_large_show_the_ladder_step_by_step_the_meaning_and_what_to_do() -> None:
    seen = [
        Observation(step=step, started=0.0, elapsed=0.02) for step in (Step.CONNECT, Step.PROXY_HANDSHAKE)
    ]
    seen.append(Observation(step=Step.TLS_HANDSHAKE, started=0.1, elapsed=4.0, failure=Failure.TIMEOUT))
    event = judged(1, reason=Message("says connected, then nothing comes"))
    verdict = replace(
        event.verdict, observations=tuple(seen), step=Step.TLS_HANDSHAKE, failure=Failure.TIMEOUT
    )
    async with results(Judged(event.id, verdict)) as (_session, _table, pilot):
        await pilot.press("enter")
        assert isinstance(pilot.app.focused, Facts)
        for wanted in (
            "says connected, then nothing comes",
            "Silence: no answer in time.",
            "to do",
            "1  ✔ connect     20 ms",
            "   ✘ TLS       4000 ms  generic_timeout_error",
        ):
            await until_shown(pilot, wanted, 3)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, ResultsScreen)
        assert isinstance(pilot.app.focused, ResultsTable)


async def test_escape_goes_back_one_step_at_a_time_and_never_ends() -> None:
    async with results(works(1)) as (session, _table, pilot):
        await pilot.press("l", "enter", "slash", "x")
        screen = pilot.app.screen
        assert (session.listing.search, *map(screen.has_class, ("-larger", "-line"))) == ("x", True, True)
        left = []
        for _ in range(3):
            await pilot.press("escape")
            left.append((session.listing.search, *map(screen.has_class, ("-larger", "-line"))))
            assert pilot.app.screen is screen
        assert left == [("", True, True), ("", False, True), ("", False, False)]
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)
        assert pilot.app.is_running
        assert not session.stopping


# pause and pace, over real servers


def begin(app: SanylauApp, played: tuple[Stage, Wishes], **wishes: Any) -> Session:
    """Begin a check of the parts that are played; it was agreed to."""
    stage, wanted = played
    run = check.prepare(replace(wanted, **wishes), parse.read([("pasted", listed(stage))]))
    app.begin(run)
    assert app.session is not None
    return app.session


async def test_pause_holds_a_run_and_resume_ends_it(tmp_path: Path) -> None:
    parts = ["good-http", "good-socks5", "refused-http"]
    app = SanylauApp()
    async with playing(parts, tmp_path) as played, app.run_test(size=SIZE, notifications=True) as pilot:
        session = begin(app, played, profile="quiet")
        await until_shown(pilot, "p Pause")
        await pilot.press("p")
        await until_shown(pilot, "‖ paused")
        await until_shown(pilot, "p Resume")
        await pilot.pause(0.5)
        met = played[0].origin.seen.connections
        await pilot.pause(1.0)
        assert played[0].origin.seen.connections <= met + 1  # at most what was on its way
        assert not session.over
        await pilot.press("plus")
        await until_shown(pilot, "easier to notice")
        await pilot.press("up", "enter")  # fast
        await pilot.press("з")
        await until(pilot, lambda: session.over)
        assert session.state.finished is not None
        assert session.state.finished.counts["working"] == 2


async def test_another_pace_is_taken_only_after_its_risk_was_told(tmp_path: Path) -> None:
    app = SanylauApp()
    async with (
        playing(["good-http", "tarpit-http"], tmp_path) as played,
        app.run_test(size=SIZE, notifications=True) as pilot,
    ):
        session = begin(app, played, profile="normal", timeout=60.0)
        await until_shown(pilot, "+ Faster")
        await pilot.press("plus")
        await until(pilot, lambda: isinstance(app.screen, PaceScreen))
        await until_shown(pilot, "look like an attack")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert session.profile.name == "normal"
        await pilot.press("equals_sign")  # the same key without Shift
        await until(pilot, lambda: isinstance(app.screen, PaceScreen))
        await pilot.press("enter")
        await until(pilot, lambda: session.state.pace is not None and session.state.pace.profile == "fast")
        assert (session.profile.name, session.profile.interval) == ("fast", 0.0)
        assert session.profile.short.total == 60.0  # what the person has set stays
        await until_shown(pilot, "- Quieter")
        await pilot.press("minus")
        await until_shown(pilot, "○ quiet")
        await pilot.press("down", "enter")
        await until(pilot, lambda: session.profile.interval == PROFILES["quiet"].interval)
        await pilot.press("s")
        await until_shown(pilot, "Stopped after")
        for key in ("p", "plus"):
            await pilot.press(key)
            assert isinstance(app.screen, ResultsScreen)
        assert not session.paused


async def test_a_finished_run_is_as_it_was_after_going_away_and_coming_back(tmp_path: Path) -> None:
    app = SanylauApp()
    async with playing(["good-http"], tmp_path) as played, app.run_test(size=SIZE) as pilot:
        session = begin(app, played)
        await until_shown(pilot, "Done in")
        await pilot.press("2", "escape")
        await until(pilot, lambda: not isinstance(app.screen, ResultsScreen))
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await until_shown(pilot, "Done in")
        await until_shown(pilot, "→ ")
        assert app.session is session
        assert session.listing.filter is Filter.WORKING


# what comes from outside


def states_in(text: str) -> list[str]:
    return [line[:12] for line in text.splitlines() if " D     socks5" in line]


@pytest.mark.parametrize("size", [SIZE, (160, 50)])
async def test_hostile_labels_change_nothing(size: tuple[int, int]) -> None:
    def events(bad: bool) -> list[Event]:
        text = EVIL if bad else "harmless " * 1200
        made: list[Event] = [
            judged(number, status, source=text, text=text, reason=Message("{why}", {"why": text}))
            for number, status in enumerate(Status)
        ]
        made.append(Noticed(Message("{source}: too long", {"source": text})))
        return made

    async def lines(bad: bool) -> list[str]:
        async with results(*events(bad), size=size) as (_session, _table, pilot):
            seen: list[str] = []
            for key in ("r", "down", "enter", "escape", "slash", "[", "escape", "end", "r"):
                await pilot.press(key)
                await pilot.pause()
                for strip in pilot.app.screen._compositor.render_strips():
                    for segment in strip:
                        assert not set(segment.text) & set("\x1b\x07\u202e\r")
                        meta = segment.style.meta if segment.style else {}
                        assert not meta.get("@click")
                        assert not (segment.style and segment.style.link)
                seen.append(text_of(pilot.app))
            assert pilot.app.is_running
        return seen

    bad, good = await lines(bad=True), await lines(bad=False)
    for theirs, mine in ((bad[0], good[0]), (bad[1], good[1]), (bad[-1], good[-1])):
        assert states_in(theirs) == states_in(mine)  # in the same order, one line each


async def test_hostile_text_pasted_into_the_search_is_only_text() -> None:
    async with results(works(1)) as (session, _table, pilot):
        await pilot.press("slash")
        from textual import events

        assert pilot.app.focused is not None
        pilot.app.focused.post_message(events.Paste("[/x]\x1b[31m\u202e[@click=app.quit]"))
        await pilot.pause(0.3)
        for strip in pilot.app.screen._compositor.render_strips():
            for segment in strip:
                assert not set(segment.text) & set("\x1b\u202e")
                assert not (segment.style and segment.style.meta.get("@click"))
        assert not set(session.listing.search) & set("\x1b\u202e")
        assert pilot.app.is_running
