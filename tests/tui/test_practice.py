"""Practise: the drill inside the screen, with its real servers and the real check."""

from __future__ import annotations

import asyncio
import ipaddress

from client.drill.cast import CAST
from client.drill.run import is_right
from client.model import Status
from tests.tui.support import at_home, paste, text_of, until, until_shown
from tui.practice import playing
from tui.screens.home import HomeScreen
from tui.screens.results import ResultsScreen
from tui.session import Session


async def test_one_key_leads_to_the_first_working_option_and_no_question_is_asked() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("3")
        await until_shown(pilot, "✔ working  ")
        assert isinstance(app.screen, ResultsScreen)
        assert "practice: nothing leaves this machine" in text_of(app)
        await until_shown(pilot, "this is the stage; it says nothing about your own line")
        assert "Your line" not in text_of(app)


async def test_whatever_is_opened_from_a_practice_says_that_it_is_one_and_other_questions_do_not() -> None:
    mark = "practice: nothing leaves this machine"
    async with at_home(size=(120, 50)) as (app, pilot):
        await pilot.press("3")
        await until_shown(pilot, "✔ working  ")
        await pilot.press("home", "u")
        await until_shown(pilot, f"Use it · {mark}")
        await pilot.press("e")
        await until_shown(pilot, f"Export · {mark}")
        await pilot.press("escape", "q")
        await until_shown(pilot, f"Question · {mark}")
        await pilot.press("y")
        await until_shown(pilot, "QR code · practice: nothing")
        await pilot.press("escape")
        await pilot.resize_terminal(58, 17)
        await until_shown(pilot, f"working · {mark}")
        await until_shown(pilot, "^x^x: panic")
        await pilot.resize_terminal(120, 50)
        await until_shown(pilot, f"Use it · {mark}")
        await pilot.press("c")
        await until_shown(pilot, f"Question · {mark}")
        assert "Profile fast" not in text_of(app)
        await pilot.press("n")
        await pilot.press("escape", "s", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("2")
        await pilot.pause(0.2)
        await paste(pilot, "socks5://192.0.2.1:1")
        await until_shown(pilot, "1 to test")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "1 entry of your list will be contacted")
        assert mark not in text_of(app)
        await pilot.press("n")


async def test_a_practice_stops_when_asked_and_its_results_are_one_key_away_afterwards() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("3")
        await until_shown(pilot, "✔ working  ")
        await pilot.press("s")
        await until_shown(pilot, "Stopped after")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until_shown(pilot, "f4 Results")
        await pilot.press("f4")
        await until_shown(pilot, "Stopped after")
        assert app.session is not None
        assert app.session.diagnosis is None


async def test_a_second_practice_takes_the_place_of_the_first_and_leaves_nothing() -> None:
    async with at_home() as (app, pilot):
        sessions = []
        for _time in range(2):
            await pilot.press("3")
            await until_shown(pilot, "✔ working  ")
            sessions.append(app.session)
            await pilot.press("s", "escape")
            await until(pilot, lambda: app.session is not None and app.session.over)
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert sessions[0] is not sessions[1]
        assert sum(isinstance(screen, ResultsScreen) for screen in app.screen_stack) == 0


async def test_leaving_in_the_middle_ends_the_servers_too() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("3")
        await until_shown(pilot, "✔ working  ")
        assert app.session is not None
        port = app.session.run.reading.candidates[0].endpoint.port
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_value == 0)
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    writer.close()
    raise AssertionError("a server of the drill still listens")


async def test_a_play_names_every_part_tells_its_tale_and_stays_on_loopback() -> None:
    async with playing() as play:
        candidates = play.run.reading.candidates
        assert [candidate.source for candidate in candidates] == [part.name for part in CAST]
        assert [play.tales[candidate.line] for candidate in candidates] == [part.story for part in CAST]
        hosts = {candidate.endpoint.host for candidate in candidates} | set(play.run.targets.hosts())
        assert all(ipaddress.ip_address(host.partition(":")[0]).is_loopback for host in hosts)


async def test_each_part_is_judged_as_in_the_drill() -> None:
    names = ["good-socks5", "captive", "frozen-16k-socks5", "refused-http"]
    async with playing(names) as play:
        session = Session(play.run, "practice", play.tales)
        await session.follow()
    parts = {part.name: part for part in CAST}
    found = {row.verdict.candidate.source: row.verdict for row in session.state.rows.values()}
    assert set(found) == set(names)
    assert all(is_right(parts[name], verdict) for name, verdict in found.items())
    assert [verdict.status for verdict in found.values()].count(Status.WORKING) == 1
