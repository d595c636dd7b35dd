"""The first screen, the help and the list of commands, as pictures."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.snapshots.conftest import Picture
from tests.tui.snapshots.views import View, each_view, in_english
from tests.tui.support import until
from tui.app import SanylauApp
from tui.screens.consent import ConsentScreen
from tui.screens.help import HelpScreen
from tui.screens.home import HomeScreen
from tui.theme import THEMES


async def home(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen) and pilot.app.focused is not None)
    await pilot.pause()


@each_view
def test_the_first_screen(view: View, picture: Picture) -> None:
    assert picture(view, home)


@pytest.mark.parametrize("colours", THEMES)
@in_english
def test_the_first_screen_in_each_theme(view: View, colours: str, picture: Picture) -> None:
    assert picture(view, home, app=lambda: SanylauApp(colours=colours))


@in_english
def test_the_first_screen_without_colour(
    view: View, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def monochrome() -> SanylauApp:
        monkeypatch.setenv("NO_COLOR", "1")
        return SanylauApp()

    assert picture(view, home, app=monochrome)


@in_english
def test_the_first_screen_says_what_is_wrong(view: View, picture: Picture) -> None:
    async def complained(pilot: Pilot[Any]) -> None:
        await home(pilot)
        app = pilot.app
        assert isinstance(app, SanylauApp)
        app.complain("A check is running: F4 shows it. Stop it there first. " * 3)
        await pilot.pause()

    assert picture(view, complained)


@each_view
def test_the_help(view: View, picture: Picture) -> None:
    async def helped(pilot: Pilot[Any]) -> None:
        await home(pilot)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        await pilot.pause()

    assert picture(view, helped)


@in_english
def test_the_list_of_commands(view: View, picture: Picture) -> None:
    async def listed(pilot: Pilot[Any]) -> None:
        await home(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: pilot.app.screen.has_class("-ready"))
        for field in pilot.app.screen.query("CommandInput"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause(0.3)

    assert picture(view, listed)


@each_view
def test_a_question(view: View, picture: Picture) -> None:
    from client import check
    from tests.tui.support import made_run

    async def asked(pilot: Pilot[Any]) -> None:
        await home(pilot)
        lines = check.consent_text(made_run("socks5://127.0.0.1:1\nhttp://proxy.example:8080\n"))
        pilot.app.push_screen(ConsentScreen(lines))
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ConsentScreen) and pilot.app.focused is not None
        )
        await pilot.pause()

    assert picture(view, asked)
