from pathlib import Path

import pytest
from textual.color import Color

from client import check, parse
from client.check import Wishes
from client.drill.serving import Peer, serving
from client.engine import Run
from tests.tui.support import at_home, listed, opened, paste, playing, text_of, until, until_shown
from tui.app import SanylauApp
from tui.intake import propose
from tui.screens.consent import ConsentScreen
from tui.screens.importing import ImportScreen
from tui.screens.results import ResultsScreen

HOSTILE = """[/x]
[@click=app.quit]press me[/]
\x1b[31mred\x1b[2J\x07
\u202e3212.0.0.721
socks5://[/x]:1
socks5://user[@click=app.quit]:pass@127.0.0.1:9
foo[b]://bar
"""


async def test_nothing_is_sent_before_yes_nor_after_no(tmp_path: Path) -> None:
    met = 0

    async def count(peer: Peer) -> None:
        nonlocal met
        met += 1

    async with (
        playing(["good-http"], tmp_path) as (played, wishes),
        serving(count) as port,
        opened(wishes) as (app, pilot),
    ):
        await paste(pilot, f"{listed(played)}\nsocks5://127.0.0.1:{port}")
        await until_shown(pilot, "2 to test")
        for answer in ("n", "escape", "enter"):  # the first button is No
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
            await until_shown(pilot, "2 entries of your list will be contacted")
            await pilot.press(answer)
            await until_shown(pilot, "Nothing was sent.")
            assert app.session is None
        assert (met, played.origin.seen.connections) == (0, 0)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "Done in")
        assert met
        assert played.origin.seen.connections


async def test_verdicts_appear_a_stop_keeps_them_and_the_way_back_is_open(tmp_path: Path) -> None:
    names = ["good-http", "good-socks5", "refused-http", "tarpit-http", "tarpit-socks5", "intercepted-http"]
    async with (
        playing(names, tmp_path, timeout=60.0) as (played, wishes),
        opened(wishes) as (app, pilot),
    ):
        await paste(pilot, listed(played))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("right", "enter")
        await until_shown(pilot, "4 of 6 · ✔ 2 working")
        assert "Your own test page answers without a proxy" in text_of(app)
        await pilot.press("s")
        await until_shown(pilot, "Stopped after")
        shown = text_of(app)
        assert "2 working, 1 hostile, 1 failed, 2 untested" in shown
        assert "→ Use the working ones for reading public pages only" in shown
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "6 entries read")
        await pilot.press("f4")
        await until_shown(pilot, "2 working, 1 hostile, 1 failed, 2 untested")


async def test_addresses_are_masked_until_they_are_revealed(tmp_path: Path) -> None:
    async with playing(["right-password-http"], tmp_path) as (played, wishes), opened(wishes) as (app, pilot):
        placed = played.parts[0]
        await paste(pilot, listed(played))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "Done in")
        await pilot.press("down")
        await until_shown(pilot, "details")
        assert str(placed.port) not in text_of(app)
        assert "addresses are masked" in text_of(app)
        await pilot.press("r")
        await until_shown(pilot, f"@127.0.0.1:{placed.port}")
        assert "addresses are shown" in text_of(app)
        await pilot.press("r")
        await until(pilot, lambda: str(placed.port) not in text_of(app))


async def test_hostile_lines_never_style_crash_or_act(tmp_path: Path) -> None:
    name = "[@click=app.quit]x[b]"
    (tmp_path / name).write_text(HOSTILE)
    assert {found.endpoint.host for found in parse.read([("", HOSTILE)]).candidates} <= {"127.0.0.1"}
    async with playing(["escapes-403", "escapes-200"], tmp_path) as (played, wishes):
        async with opened(wishes) as (app, pilot):
            await pilot.press("tab")
            await paste(pilot, f"{tmp_path / name}\n[/x]")
            await pilot.press("enter")
            await until_shown(pilot, f"{name}, line")
            await pilot.press("shift+tab")
            await paste(pilot, f"{HOSTILE}\n{listed(played)}")
            await until_shown(pilot, "pasted, line 1:")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
            await pilot.press("y")
            await until_shown(pilot, "Done in")
            await pilot.press("r", "down", "down", "end", "enter", "f1", "f1")
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    assert not set(segment.text) & set("\x1b\x07\u202e\r")
                    if segment.style and "click" in str(segment.style.meta.get("@click", "")):
                        pytest.fail("a list made something clickable")
            assert app.is_running
        assert app.return_code in (0, None)


async def test_no_color_leaves_no_colour_on_any_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with at_home() as (app, pilot):
        for keys, wanted in (
            ((), "Find a way out"),
            (("f1",), "On every screen:"),
            (("escape", "ctrl+p"), "Erase everything"),
            (("escape", "3"), "✔ working"),
        ):
            await pilot.press(*keys)
            await until_shown(pilot, wanted)
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                        if colour is not None:
                            red, green, blue = Color.from_rich_color(colour).rgb
                            assert red == green == blue, segment


async def test_control_c_stops_a_run_first_and_leaves_next(tmp_path: Path) -> None:
    async with (
        playing(["good-http", "tarpit-http"], tmp_path, timeout=60.0) as (played, wishes),
        opened(wishes) as (app, pilot),
    ):
        await paste(pilot, listed(played))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "✔ 1 working")
        await pilot.press("ctrl+c")
        await until_shown(pilot, "Stopped after")
        assert app.is_running
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.return_value == 0)


async def test_leaving_in_the_middle_ends_the_run(tmp_path: Path) -> None:
    async with (
        playing(["good-http", "tarpit-http"], tmp_path, timeout=60.0) as (played, wishes),
        opened(wishes) as (app, pilot),
    ):
        await paste(pilot, listed(played))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "✔ 1 working")
        assert isinstance(app.screen, ResultsScreen)
        session = app.session
        assert session is not None
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_value == 0)
        assert session.over
        assert session.state.finished is None


BRIDGE = f"192.0.2.1:443 {'A' * 40}"


@pytest.mark.parametrize(("answer", "allowed"), [("n", False), ("y", True)])
async def test_the_disk_has_a_question_of_its_own_where_there_is_no_folder_in_memory(
    answer: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "memory_folder", lambda: None)
    begun: list[Run] = []
    monkeypatch.setattr(SanylauApp, "begin", lambda _app, run, **_more: begun.append(run))
    async with opened() as (_app, pilot):
        await paste(pilot, BRIDGE)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "1 entry of your list will be contacted")
        await pilot.press("y")
        await until_shown(pilot, "May tor write to the disk?")
        assert begun == []
        await pilot.press(answer)
        await until(pilot, lambda: bool(begun))
    assert [run.disk for run in begun] == [allowed]


async def test_the_disk_is_no_question_where_there_is_a_folder_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "memory_folder", lambda: tmp_path)
    assert propose(Wishes(), parse.read([("pasted", BRIDGE)])).allowing is None
