"""Many results at once, under a person who reads one row: it stays where it is, whatever is shown."""

import random
from dataclasses import replace

import pytest

from client.events import Judged
from client.model import Status
from tests.tui.support import SIZE, judged, made_run, text_of, until_shown
from tests.tui.test_options import key_of, line_of, results, tell, works
from tui.app import SanylauApp
from tui.listing import Filter, Sort
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.widgets.results_table import ResultsTable

KEYS = {Filter.ALL: "1", Filter.WORKING: "2", Filter.WAITING: "3", Filter.FAILED: "4"}


def burst(first: int, count: int, seed: int) -> list[Judged]:
    """Return verdicts of all kinds, the best of them better than any before."""
    drawn = random.Random(seed)
    statuses = [drawn.choice(list(Status)) for _ in range(count)]
    return [
        judged(first + number, status, kib_per_s=drawn.uniform(1, 2000) if status is Status.WORKING else None)
        for number, status in enumerate(statuses)
    ]


@pytest.mark.parametrize("count", [7, 250, 900])  # row by row, and all anew
@pytest.mark.parametrize("wanted", [Filter.ALL, Filter.WORKING, Filter.FAILED])
async def test_a_burst_moves_neither_the_row_under_the_cursor_nor_its_line(
    wanted: Filter, count: int
) -> None:
    before = [works(n, 400.0) for n in range(20)] + [judged(20 + n) for n in range(20)]
    async with results(*before) as (session, table, pilot):
        await pilot.press(KEYS[wanted], "down", "down", "down")
        chosen = key_of(table)
        height = line_of(pilot, f" #{chosen} ")
        for turn in range(3):
            tell(session, *burst(1000 * (turn + 1), count, seed=turn))
            await until_shown(pilot, f"✔ {session.state.counts[Status.WORKING]} working")
            await pilot.pause()
            assert key_of(table) == chosen
            assert line_of(pilot, f" #{chosen} ") == height
        tops = [table.listing.at(index) for index in range(3)]
        assert all(item.key != chosen for item in tops)
        await pilot.press("home")
        best = table.listing.at(0).key
        assert key_of(table) == best
        await until_shown(pilot, f" #{best} ")


@pytest.mark.parametrize("sort", [Sort.SPEED, Sort.KIND, Sort.LISTED])
async def test_in_another_order_the_row_stays_too(sort: Sort) -> None:
    async with results(*(works(n, 400.0) for n in range(100, 120))) as (session, table, pilot):
        while table.listing.sort is not sort:
            await pilot.press("o")
        await pilot.press("home", "down", "down")
        chosen = key_of(table)
        height = line_of(pilot, f" #{chosen} ")
        tell(session, *burst(1, 60, seed=5))
        await until_shown(pilot, f"✔ {session.state.counts[Status.WORKING]} working")
        await pilot.pause()
        assert (key_of(table), line_of(pilot, f" #{chosen} ")) == (chosen, height)


async def test_where_the_row_itself_leaves_the_filter_the_next_one_takes_its_place() -> None:
    app = SanylauApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        session = Session(made_run("\n".join(f"socks5://127.0.0.1:{port}" for port in range(1, 61))))
        candidates = session.run.reading.candidates
        session.changed |= session.state.expect(candidates)
        await app.push_screen(ResultsScreen(session))
        await pilot.pause()
        table = app.screen.query_one(ResultsTable)
        await pilot.press("3", *["down"] * 12)
        await pilot.pause()
        chosen = table._cursor
        height = line_of(pilot, f"pasted:{chosen + 1} ")
        order = list(session.state.waiting)
        assert key_of(table) == order[chosen]
        for number in (*range(4), chosen):  # four above it, and itself
            event = judged(number)
            verdict = replace(event.verdict, candidate=candidates[number])
            tell(session, Judged(event.id, verdict))
        await until_shown(pilot, "3▸… waiting 55")
        await pilot.pause()
        assert key_of(table) == order[chosen + 1]
        assert line_of(pilot, f"pasted:{chosen + 2} ") == height


async def test_the_first_working_one_is_on_top_before_anything_was_pressed() -> None:
    async with results(*(judged(n) for n in range(40))) as (session, table, pilot):
        tell(session, works(77, 5), *(judged(100 + n) for n in range(200)))
        await until_shown(pilot, "✔ 1 working")
        await pilot.pause()
        assert key_of(table) == judged(77).id
        rows = text_of(pilot.app).splitlines()
        assert "✔ working" in rows[next(y for y, line in enumerate(rows) if "broke at" in line) + 1]
