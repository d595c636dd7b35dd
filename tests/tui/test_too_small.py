"""A window that has too little room for any screen."""

from __future__ import annotations

import re

import pytest
from textual.geometry import Size

from client import i18n
from client.i18n import LANGUAGES
from tests.tui.support import at_home, paste, text_of, until, until_shown
from tests.tui.walks import STOPS, go, is_at
from tui.palette import Palette
from tui.screens.consent import ConsentScreen
from tui.screens.importing import ImportScreen
from tui.widgets.inputs import ListArea
from tui.widgets.too_small import LEAST, TooSmall, is_small

SMALL = (40, 12)


@pytest.mark.parametrize(
    ("width", "height", "small"), [(60, 18, False), (59, 18, True), (60, 17, True), (160, 50, False)]
)
def test_what_is_too_small(width: int, height: int, small: bool) -> None:
    assert is_small(Size(width, height)) is small


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_says_so_in_the_persons_language_what_is_known_and_how_to_go_on(language: str) -> None:
    i18n.use(language)
    try:
        async with at_home() as (app, pilot):
            await go(pilot, "results")
            await pilot.resize_terminal(*SMALL)
            await until_shown(pilot, "40 x 12")
            shown = " ".join(text_of(app).split())
            for wanted in (f"{LEAST.width} x {LEAST.height}", "✔ 1 ", "^q", "sanylau --plain"):
                assert wanted in shown
            assert "^p" not in shown
    finally:
        i18n.use("en")


def words(shown: str) -> list[str]:
    return re.sub("[│▁-▇]", " ", shown).split()


@pytest.mark.parametrize("name", STOPS)
async def test_every_screen_gives_way_and_is_back_as_it_was_when_there_is_room(name: str) -> None:
    async with at_home() as (app, pilot):
        await go(pilot, name)
        before, focused = words(text_of(app)), app.focused
        await pilot.resize_terminal(*SMALL)
        await until_shown(pilot, "Too small a window: 40 x 12.")
        assert [line for line in text_of(app).splitlines()[6:] if line] == []
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not app.screen.query(TooSmall))
        await pilot.pause(0.1)
        if name == "commands":  # the list is closed: what was typed in it is quickly typed again
            assert not isinstance(app.screen, Palette)
            return
        assert is_at(pilot, name)
        assert app.focused is focused
        assert words(text_of(app)) == before


async def test_a_window_that_is_small_from_the_start_is_told_so() -> None:
    async with at_home(size=SMALL) as (_app, pilot):
        await until_shown(pilot, "Too small a window: 40 x 12.")
        await pilot.resize_terminal(61, 19)
        await until_shown(pilot, "Find a way out")


async def test_what_nobody_can_see_takes_no_key_no_paste_and_no_click() -> None:
    async with at_home() as (app, pilot):
        await go(pilot, "question")
        await pilot.resize_terminal(*SMALL)
        await until_shown(pilot, "Too small a window")
        await pilot.press("y", "n", "escape", "enter", "tab", "f1")
        await pilot.click(offset=(20, 8))
        assert isinstance(app.screen, ConsentScreen)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not app.screen.query(TooSmall))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await pilot.resize_terminal(*SMALL)
        await until_shown(pilot, "Too small a window")
        area = app.screen.query_one(ListArea)
        held = area.text
        area.focus()
        await paste(pilot, "")
        await pilot.press("a", "b")
        assert area.text == held


async def test_leaving_the_panic_key_and_the_language_work_all_the_same() -> None:
    async with at_home(size=SMALL) as (app, pilot):
        await until_shown(pilot, "Too small a window")
        await pilot.press("f3")
        await until(pilot, lambda: i18n.current() == "fr")
        i18n.use("en")
        await pilot.press("ctrl+x")
        await until_shown(pilot, "Once more:")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code == 0)
