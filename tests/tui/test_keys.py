"""The lines that name the keys."""

from __future__ import annotations

import pytest

from tests.tui.support import at_home, text_of, until, until_shown
from tui.screens.importing import ImportScreen
from tui.widgets.keys import Key, Keys, broken, fitting

A, B, C = (Key(name, name, "word" * 3) for name in "abc")  # 14 cells each


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, [[A, B, C]]),
        (2 + 14 * 3 + 4, [[A, B, C]]),
        (2 + 14 * 3 + 3, [[A, B], [C]]),
        (16, [[A], [B], [C]]),
        (5, [[A], [B], [C]]),  # too narrow for one: still one a line
    ],
)
def test_keys_are_broken_into_lines_between_two_keys_only(width: int, lines: list[list[Key]]) -> None:
    assert broken([A, B, C], width) == lines


def test_wide_letters_take_their_room() -> None:
    assert Key("a", "a", "漢字").width == 6


def test_where_there_are_too_many_the_last_ones_of_the_screen_go_and_never_those_that_stay() -> None:
    own = [Key(name, name, "word" * 3, stays=name == "d") for name in "abcd"]
    common = [Key(name, name, "word" * 3, stays=name == "x") for name in "xyz"]

    def names(most: int) -> str:
        return " ".join(key.name for line in fitting(own, common, 16, most) for key in line)

    assert names(7) == "a b c d x y z"
    assert names(5) == "a d x y z"
    assert names(3) == "d x y"
    assert names(2) == names(1) == "d x"


@pytest.mark.parametrize("width", [60, 80, 160])
async def test_every_key_stands_at_the_bottom_whatever_the_width(width: int) -> None:
    async with at_home(size=(width, 30)) as (app, _pilot):
        for wanted in ("1 Find a way out", "3 Practise", "^x^x Panic", "? Help", "f3 Language", "^q Quit"):
            assert wanted in text_of(app)


async def test_a_question_still_shows_the_keys_that_hold_everywhere() -> None:
    async with at_home() as (_app, pilot):
        await pilot.press("f1")
        await until_shown(pilot, "^x^x Panic")


async def test_a_click_presses_the_key() -> None:
    async with at_home() as (app, pilot):
        keys = app.screen.query_one(Keys)
        await pilot.click(keys, offset=(22, 0))
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
