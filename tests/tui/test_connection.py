"""The local connection from the screen: real proxies of the drill, a real curl, and what the person is told."""

import asyncio
import re
import socket
from pathlib import Path

import pytest
from textual.pilot import Pilot

from client import check
from client.connect import run
from client.connect.events import Held, Hold, Listening, Lost, Noticed, Status, Using, Why
from client.drill.serving import Peer, serving
from client.events import Judged
from client.model import Message, Protection
from client.model import Status as Verdict
from client.options import Option
from tests.servers.real import free_port
from tests.tui.far import checked, far_side, needs_curl, said, until_said
from tests.tui.support import judged, made_run, opened, paste, text_of, until, until_shown
from tests.tui.test_use import bridge, used
from tui.app import SanylauApp
from tui.connection import Connection, line
from tui.screens.consent import ConsentScreen
from tui.screens.home import HomeScreen
from tui.screens.importing import ImportScreen
from tui.screens.results import ResultsScreen
from tui.screens.use import UseScreen
from tui.state import RunState
from tui.using import option_of


@pytest.fixture(autouse=True)
def customary_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Give each test a port of its own in place of the customary one, for others run at the same time."""
    port = free_port()
    monkeypatch.setattr(run, "PORT", port)
    return port


async def use(app: SanylauApp, pilot: Pilot[int]) -> None:
    await pilot.press("u")
    await until(pilot, lambda: isinstance(app.screen, UseScreen))
    await until_shown(pilot, "addresses are masked")


async def connect(app: SanylauApp, pilot: Pilot[int]) -> int:
    """Agree to the connection and return the port that the screen shows."""
    await pilot.press("c")
    await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
    await pilot.press("y")
    await until_shown(pilot, "✔ connected")
    found = re.search(r"✔ connected · .*port (\d+)", text_of(app))
    assert found, text_of(app)
    return int(found[1])


async def is_open(port: int) -> bool:
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@needs_curl
async def test_a_program_gets_its_page_through_the_port_that_the_screen_shows(tmp_path: Path) -> None:
    async with far_side(tmp_path, ["good-socks5"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        port = await connect(app, pilot)
        for scheme in ("socks5h", "http"):
            status, body = await far.curl(f"{scheme}://127.0.0.1:{port}")
            assert (status, bool(body)) == (0, True)
        await until_shown(pilot, "ms · 0:0")
        assert "D socks5 #" in text_of(app)
        await until(pilot, lambda: "↓ 0 KiB" not in text_of(app))
        for screen in (
            ResultsScreen,
            ImportScreen,
            HomeScreen,
        ):  # it is told on every screen, and survives them
            await pilot.press("escape")
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))  # type: ignore[misc]
            await until_shown(pilot, f"port {port}")
        await pilot.press("f1")
        await until_shown(pilot, f"port {port}")
        await pilot.press("escape")
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] == 0
        await pilot.press("f2")
        await until_said(pilot, "Disconnected")
        assert not await is_open(port)
        await until(pilot, lambda: "✔ connected" not in text_of(app))


async def test_nothing_is_contacted_before_the_question_is_answered_and_no_means_no(tmp_path: Path) -> None:
    met = 0

    async def count(peer: Peer) -> None:
        nonlocal met
        met += 1

    async with far_side(tmp_path, ["good-http"]) as far, serving(count) as port:
        far.listed.append(f"socks5://127.0.0.1:{port}")
        async with checked(far) as (app, pilot):
            before = met
            await use(app, pilot)
            for answer in ("n", "escape", "enter"):
                await pilot.press("c")
                await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
                await until_shown(pilot, "This entry is asked for first: D http #")
                assert "There is no reserve: when it dies, traffic stops." in text_of(app)
                await pilot.press(*["down"] * 20)
                await until_shown(pilot, "nothing goes past it")
                await pilot.press(answer)
                await until_said(pilot, "Nothing was sent.")
                assert app.connection is None
            await connect(app, pilot)
            assert met == before  # what did not work is no reserve


@needs_curl
async def test_the_chosen_one_is_used_and_its_death_is_told_loudly_on_any_screen(tmp_path: Path) -> None:
    async with (
        far_side(tmp_path, ["good-http", "good-socks5", "good-socks4a"]) as far,
        checked(far) as (app, pilot),
    ):
        await pilot.press("end")  # the slowest: the keeper by itself would take another one
        await use(app, pilot)
        chosen = app.screen._option  # type: ignore[attr-defined]
        port = await connect(app, pilot)
        assert f"#{chosen.id}" in text_of(app).splitlines()[0]
        await pilot.press("escape")
        await far.kill({"http": "good-http", "socks5": "good-socks5", "socks4a": "good-socks4a"}[chosen.kind])
        await far.curl(f"socks5h://127.0.0.1:{port}")
        await until_said(pilot, f"D {chosen.kind} #{chosen.id} has died")
        await until_said(pilot, "Now through another one")
        await until_shown(pilot, "✔ connected")
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] == 0


@needs_curl
@pytest.mark.parametrize("answer", ["y", "n"])
async def test_going_lower_stops_the_traffic_and_asks(tmp_path: Path, answer: str) -> None:
    async with far_side(tmp_path, ["good-https", "good-http"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        port = await connect(app, pilot)
        assert "C https #" in text_of(app)
        await pilot.press("escape")
        await far.kill("good-https")
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] != 0
        await until_shown(pilot, "May traffic go on through it?")
        assert "STOPPED" in text_of(app)
        assert "has died" in text_of(app)
        assert "Yes, go on" in text_of(app)  # no notice hides the answers
        await pilot.press("y")  # meant for something else: the question has only just come
        await pilot.pause(0.2)
        assert isinstance(app.screen, ConsentScreen)
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] != 0
        await pilot.pause(1.0)
        await pilot.press(answer)
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await until_shown(pilot, "✔ connected · D http" if answer == "y" else "STOPPED")
        assert ((await far.curl(f"socks5h://127.0.0.1:{port}"))[0] == 0) is (answer == "y")


@needs_curl
async def test_when_the_last_one_dies_the_screen_says_stopped_until_it_is_back(tmp_path: Path) -> None:
    async with far_side(tmp_path, ["good-socks5"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        port = await connect(app, pilot)
        await far.kill("good-socks5")
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] != 0
        await until_shown(pilot, "✘ STOPPED")
        assert "nothing works any more" in text_of(app)
        assert await is_open(port)  # programs are refused, they do not go past it


async def test_an_entry_that_has_died_since_is_said_not_to_connect(tmp_path: Path) -> None:
    async with far_side(tmp_path, ["good-socks5"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        await far.kill("good-socks5")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_said(pilot, "Not connected: neither this entry nor a reserve works now.")
        await until_shown(pilot, "c Connect")


async def test_the_same_key_disconnects_and_leaving_ends_the_connection(tmp_path: Path) -> None:
    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        port = await connect(app, pilot)
        await until_shown(pilot, "c Disconnect")
        await pilot.press("c")
        await until_shown(pilot, "c Connect")
        assert not await is_open(port)
        port = await connect(app, pilot)
        assert await is_open(port)
        await pilot.press("ctrl+c")  # first what runs, then the app
        await until_shown(pilot, "c Connect")
        assert app.is_running
        port = await connect(app, pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_value == 0)
        assert not await is_open(port)


async def test_a_connection_starts_while_the_check_still_runs(tmp_path: Path) -> None:
    async with (
        far_side(tmp_path, ["good-http", "tarpit-http"], timeout=60.0) as far,
        opened(far.wishes) as (app, pilot),
    ):
        await paste(pilot, "\n".join(far.listed))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "✔ 1 working")
        await use(app, pilot)
        await connect(app, pilot)
        assert app.session is not None
        assert not app.session.over
        await pilot.press("escape", "s")
        await until_shown(pilot, "Stopped after")
        assert "✔ connected" in text_of(app)


async def test_a_taken_port_is_passed_over_and_the_steps_name_the_right_one(
    tmp_path: Path, customary_port: int
) -> None:
    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        with socket.socket() as blocker:
            blocker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            blocker.bind(("127.0.0.1", customary_port))
            blocker.listen()
            await use(app, pilot)
            await until_shown(pilot, "Press c here.")
            port = await connect(app, pilot)
            assert port != customary_port
            await until_shown(pilot, f"The local connection has port {port}")
            assert "Keep the window open" not in text_of(app)
            assert str(customary_port) not in text_of(app)


async def test_another_entry_takes_the_place_of_the_one_that_is_connected(tmp_path: Path) -> None:
    async with far_side(tmp_path, ["good-http", "good-socks5"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        first = app.screen._option  # type: ignore[attr-defined]
        port = await connect(app, pilot)
        await pilot.press("escape", "down")
        await use(app, pilot)
        second = app.screen._option  # type: ignore[attr-defined]
        assert second.id != first.id
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press(*["down"] * 30)
        await until_shown(pilot, "The connection that is up now ends first.")
        await pilot.press("y")
        await until_shown(pilot, f"✔ connected · D {second.kind} #{second.id} · port {port}")


def made(app: SanylauApp, event: Judged) -> tuple[Connection, Option]:
    """Return a connection that nobody carries: events are told to it by hand."""
    state = RunState()
    state.apply(event)
    option = option_of(state.at(0), now=1.0)
    return Connection(option, made_run(), consent=app._may_go_lower, loud=app.tell), option


async def test_the_question_goes_when_traffic_has_found_another_way() -> None:
    async with opened() as (app, pilot):
        connection, option = made(app, judged(1, Verdict.WORKING, protection=Protection.UNKNOWN))
        app.connection = connection
        held = Held(why=Hold.ONLY_LOWER, lowest=Protection.UNKNOWN, there=Protection.OPEN)
        connection.show(held)
        answer = asyncio.ensure_future(app._may_go_lower(Protection.OPEN, Protection.UNKNOWN))  # noqa: TID251
        await until_shown(pilot, "May traffic go on through it?")
        connection.show(Using(id=option.id, option=option, why=Why.FAILOVER, age=0.0))
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        assert await answer is None
        await until_shown(pilot, "✔ connected")
        again = asyncio.ensure_future(app._may_go_lower(Protection.OPEN, Protection.UNKNOWN))  # noqa: TID251
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        again.cancel()  # the connection is ended meanwhile
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))


async def test_the_line_tells_every_state_by_a_sign_and_a_word() -> None:
    async with opened() as (app, pilot):
        connection, option = made(app, judged(1, Verdict.WORKING, protection=Protection.OPEN))
        assert line(connection).plain == "… connecting"
        connection.show(Listening(address="127.0.0.1", port=1099))
        assert line(connection).plain == "… connecting · port 1099"
        connection.show(Using(id=option.id, option=option, why=Why.START, age=0.0))
        assert line(connection).plain == "✔ connected · D socks5 #00000001 · port 1099"
        figures = {"up": 2048, "down": 5 * 1024 * 1024, "connections": 2, "uptime": 75.0, "age": 1.0}
        connection.show(Status(id=option.id, option=option, latency=0.0456, **figures))  # type: ignore[arg-type]
        assert line(connection).plain.endswith("port 1099 · ↓ 5.0 MiB ↑ 2 KiB · 46 ms · 1:15")
        lower = Status(id=option.id, option=option, latency=0.0456, below=3, **figures)  # type: ignore[arg-type]
        connection.show(lower)
        assert "port 1099 · ⚠ 3 still through a lower class · ↓" in line(connection).plain
        for quiet, sign, word in (
            (14.0, "✔ connected · D", "46 ms"),
            (20.0, "✔ connected · D", "last answer 20 s ago"),
            (59.9, "✔ connected · D", "last answer 59 s ago"),
            (60.0, "○ not checked for 1 min · D", "1:15"),
            (150.0, "○ not checked for 2 min · D", "1:15"),
            (7300.0, "○ not checked for 2 h · D", "1:15"),
        ):
            status = Status(id=option.id, option=option, latency=0.0456, quiet=quiet, **figures)  # type: ignore[arg-type]
            connection.show(status)
            assert line(connection).plain.startswith(sign)
            assert f" · {word}" in line(connection).plain
            assert ("46 ms" in line(connection).plain) is (quiet < 15)
        hostile = Message("{why}", {"why": "\x1b[2J[/x]"})
        connection.show(Lost(id=option.id, option=option, step=None, failure=None, reason=hostile, cut=2))
        assert line(connection).plain.startswith("… connecting")
        await until_said(pilot, "\ufffd[2J[/x]; 2 connections were cut")
        connection.show(Held(why=Hold.TRYING, lowest=Protection.OPEN, there=Protection.OPEN))
        assert line(connection).plain == (
            "… trying · All traffic is stopped until an entry of class D answers."
        )
        assert "has died" not in said(app).partition("were cut")[2]
        connection.show(Held(why=Hold.NOTHING_WORKS, lowest=None))
        assert line(connection).plain.startswith(
            "✘ STOPPED · All traffic is stopped: nothing works any more."
        )
        await until_said(pilot, "nothing works any more")
        assert "has died" in said(app)
        connection.show(Noticed(Message("this machine has slept")))
        await until_said(pilot, "this machine has slept")


async def test_a_fault_of_ours_is_told_and_shows_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> int:
        raise LookupError("socks5://127.0.0.77:1")

    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        monkeypatch.setattr("tui.connection.carry_out", broken)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_said(pilot, "The local connection broke down (LookupError)")
        assert "127.0.0.77" not in text_of(app)
        await until_shown(pilot, "c Connect")


@pytest.mark.parametrize(("answer", "allowed"), [("n", False), ("y", True)])
async def test_the_disk_has_a_question_of_its_own(
    answer: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[bool] = []

    async def follow(connection: Connection) -> None:
        begun.append(connection._plan.run.disk)
        connection.over = True

    monkeypatch.setattr(check, "memory_folder", lambda: None)
    monkeypatch.setattr(Connection, "follow", follow)
    async with used(bridge()) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "May tor write to the disk?")
        assert begun == []
        await pilot.press(answer)
        await until(pilot, lambda: bool(begun))
    assert begun == [allowed]
