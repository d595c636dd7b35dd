import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from client.model import Message, Status
from tests.tui.support import SIZE, engine, finished, judged, made_run, text_of, until, until_shown
from tui.app import SanylauApp
from tui.listing import Listing
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.state import KEPT, RunState
from tui.widgets.results_table import ResultsTable


async def shown(pilot: Pilot[int], session: Session) -> ResultsScreen:
    screen = ResultsScreen(session)
    await pilot.app.push_screen(screen)
    await pilot.pause()
    return screen


def tell(session: Session, *events: object) -> None:
    for event in events:
        session.changed |= session.state.apply(event)  # type: ignore[arg-type]


async def test_an_engine_has_a_line_while_it_gets_ready() -> None:
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        screen = await shown(pilot, session)
        assert not screen.query_one("#engine").display
        tell(session, engine(45))
        await until_shown(pilot, "tor at 45 %: it loads the list of relays")
        tell(session, engine(75))
        await until(pilot, lambda: not screen.query_one("#engine").display)


async def test_the_cursor_stays_with_its_entry_once_it_was_moved() -> None:
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        screen = await shown(pilot, session)
        table = screen.query_one(ResultsTable)
        tell(session, *(judged(number, Status.WORKING, kib_per_s=100 - number) for number in range(30)))
        await until_shown(pilot, "#00000000")
        await pilot.press("down", "down")
        assert table.current is not None
        chosen = table.current.key
        tell(session, *(judged(100 + number, Status.WORKING, kib_per_s=900) for number in range(40)))
        await until(pilot, lambda: not session.changed)  # so many at once are drawn at the second look
        await until_shown(pilot, f"#{chosen}")
        assert table.current.key == chosen
        await pilot.press("home")
        assert table.current.key == judged(100).id
        await pilot.press("end")
        assert table.current.key == judged(29).id
        await pilot.press("pageup", "up")
        assert table.current.key != judged(29).id
        await pilot.press("home")
        await pilot.click("#results", offset=(5, 3))
        assert table.current.key == judged(102).id


async def test_the_cursor_finds_another_row_when_its_own_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cast("dict[Status, int]", KEPT), Status.FAILED, 200)
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        screen = await shown(pilot, session)
        tell(session, judged(1))
        await until_shown(pilot, "#00000001")
        await pilot.press("down")
        tell(session, *(judged(number) for number in range(2, 400)))
        await until_shown(pilot, "#000000c8")  # the next one that is left, where the cursor was
        current = screen.query_one(ResultsTable).current
        assert current is not None
        assert current.key == judged(200).id
        assert current.key in session.state.rows
        await pilot.press("end")
        await until_shown(pilot, "and 199 more that are counted, not listed", 3)


async def test_an_error_of_ours_is_told_and_shows_no_address() -> None:
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        run = made_run()

        class Broken:
            def __getattr__(self, name: str) -> object:
                raise LookupError("socks5://127.0.0.77:1")

        object.__setattr__(run, "reading", Broken())
        app.begin(run)
        await until_shown(pilot, "Sanylau itself broke down (LookupError)")
        assert "127.0.0.77" not in text_of(app)
        await until_shown(pilot, "→ What is known stays here. Esc goes back")


async def test_a_notice_from_outside_is_plain_text() -> None:
    from client.events import Noticed

    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        await shown(pilot, session)
        tell(session, Noticed(Message("{source}: too long", {"source": "\x1b[1m[/x]"})))
        await until_shown(pilot, "\ufffd[1m[/x]: too long")


async def test_advice_and_details_take_turns_below_the_list() -> None:
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        await shown(pilot, session)
        tell(session, judged(1, Status.WORKING, kib_per_s=50), judged(2), finished(working=1, failed=1))
        session.over = True
        await until_shown(pilot, "→ Press n for the best option")
        assert "─ advice ─" in text_of(app)
        await pilot.press("down")
        await until_shown(pilot, "─ details ─")
        await pilot.press("a")
        await until_shown(pilot, "─ advice ─")
        await pilot.press("enter")
        assert pilot.app.screen.has_class("-larger")
        await until_shown(pilot, "─ details ─")
        await pilot.press("escape")
        assert not pilot.app.screen.has_class("-larger")


async def test_a_wide_screen_has_the_details_beside() -> None:
    app = SanylauApp()
    async with app.run_test(size=(170, 30), notifications=True) as pilot:
        session = Session(made_run())
        await shown(pilot, session)
        tell(session, judged(1, Status.WORKING, kib_per_s=50))
        await until_shown(pilot, "#00000001")
        titles = next(line for line in text_of(app).splitlines() if "broke at" in line)
        assert "tries" in titles
        assert "details" in titles


async def test_ten_thousand_verdicts_cost_the_screen_no_more_than_the_rows_in_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted, not timed: the benchmark `screen` has the times."""
    app = SanylauApp()
    statuses = (Status.FAILED,) * 7 + (Status.UNTESTED, Status.WORKING, Status.DEGRADED)
    calls: Counter[str] = Counter()

    def counting(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            calls[name] += 1
            return real(*given, **named)

        monkeypatch.setattr(owner, name, counted)

    counting(ResultsTable, "sync")
    counting(Listing, "at")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run())
        screen = await shown(pilot, session)
        table = screen.query_one(ResultsTable)
        calls.clear()
        for number in range(10_000):
            tell(session, judged(number, statuses[number % 10], kib_per_s=1 + number % 500))
            if number % 256 == 0:  # as many as the engine's queue holds
                await asyncio.sleep(0.01)
        assert session.state.done == 10_000
        assert calls["sync"] < 1000  # many results are taken in with one look
        await until_shown(pilot, "✔ 1000 working")

        def looked_at() -> int:
            calls.clear()
            table.sync()
            for y in range(table.size.height):
                table.render_line(y)
            return calls["at"]

        many, session.changed = looked_at(), set()
        table.listing = Listing(RunState())
        for number in range(30):
            table.listing.update(table.listing.state.apply(judged(number, Status.WORKING, kib_per_s=5)))
        assert 0 < many <= looked_at()
