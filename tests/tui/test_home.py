"""The first screen: three choices, the language, and what it says before anything is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from textual.widgets import OptionList

from client import i18n
from tests.tui.support import at_home, paste, text_of, until, until_shown
from tui import app as apps
from tui.app import SanylauApp
from tui.screens.home import OWN_NAMES, HomeScreen
from tui.screens.importing import ImportScreen


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


@pytest.fixture
def led(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note where the choices lead."""
    found: list[str] = []
    monkeypatch.setattr(SanylauApp, "_find", lambda app: found.append("find"))
    monkeypatch.setattr(SanylauApp, "_play", lambda app: found.append("practise"))
    return found


async def test_the_first_screen_says_what_this_is_and_whom_each_choice_contacts() -> None:
    async with at_home() as (app, _pilot):
        shown = " ".join(text_of(app).split())
        assert "It contacts nobody before you have seen whom and have said yes." in shown
        for name in ("1 Find a way out", "2 Check my own list", "3 Practise"):
            assert name in shown
        assert shown.count("Contacts ") == 3
        assert "^x^x Panic" in shown
        assert "? Help" in shown


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("1", "find"), ("quotation_mark", "find"), ("3", "practise"), ("і", "practise"), ("enter", "find")],
)
async def test_a_choice_is_one_key(key: str, wanted: str, led: list[str]) -> None:
    async with at_home() as (_app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: led == [wanted])


@pytest.mark.parametrize("key", ["2", "ә"])
async def test_the_list_is_one_key_away_and_escape_leads_back_and_never_out(key: str) -> None:
    async with at_home() as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, HomeScreen)
        assert app.is_running


async def test_arrows_and_enter_and_a_click_choose_too(led: list[str]) -> None:
    async with at_home() as (app, pilot):
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: led == ["practise"])
        choices = app.screen.query_one("#choices", OptionList)
        await pilot.click(choices, offset=(8, 0))
        await until(pilot, lambda: led == ["practise", "find"])


async def test_one_key_goes_through_the_languages_and_everything_is_said_anew() -> None:
    seen = []
    async with at_home() as (app, pilot):
        for key in ("l", "д", "f3", "l"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(i18n.current())
            assert f"● {OWN_NAMES[i18n.current()]}" in text_of(app)
            assert app.focused is not None
            assert app.focused.id == "choices"
    assert seen == ["fr", "ru", "kk", "en"]


async def test_the_keys_at_the_bottom_are_said_in_the_new_language_too() -> None:
    async with at_home() as (app, pilot):
        await until_shown(pilot, "^q Quit")
        await pilot.press("l", "l")
        await until_shown(pilot, "^q Выход")
        assert "Quit" not in text_of(app)


async def test_the_language_can_be_chosen_from_the_row_by_keyboard_and_by_mouse() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("tab", "right", "right")
        await until_shown(pilot, "● Русский")
        assert i18n.current() == "ru"
        assert app.focused is not None
        assert app.focused.id == "language"  # the row can be gone through to its end
        await pilot.press("right")
        await until_shown(pilot, "● Қазақша")
        await pilot.click("#language", offset=(2, 0))
        await until_shown(pilot, "● English")


async def test_what_is_opened_later_speaks_the_new_language_too() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("l", "l", "2")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, i18n._("pace"))
        assert i18n.current() == "ru"
        assert " pace " not in text_of(app)


async def test_a_choice_while_something_runs_is_told_how_to_get_back_to_it() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: app.session is not None)
        first = app.session
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert first is not None
        assert not first.over
        await pilot.press("3")
        await until_shown(pilot, "F4 shows it")
        assert app.session is first


def test_every_language_has_its_own_name() -> None:
    assert tuple(OWN_NAMES) == i18n.LANGUAGES


def test_the_first_screen_loads_no_engine_and_no_parser() -> None:
    import subprocess
    import sys

    code = "import sys, tui.app; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    ).stdout.split()
    assert not {"client.check", "client.engine", "client.parse", "cryptography"} & set(loaded)
    assert apps.__name__ in loaded


async def test_what_is_pasted_on_the_first_screen_is_a_list() -> None:
    async with at_home() as (app, pilot):
        await paste(pilot, "socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\n")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "2 to test")
