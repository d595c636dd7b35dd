"""After a stop the next check of the same lists takes what is left, says so, and can take all again."""

from __future__ import annotations

from pathlib import Path

import pytest

from client import i18n, parse
from client.check import Wishes
from client.model import Reading
from tests.tui.importing import importing
from tests.tui.support import listed, opened, paste, playing, until, until_shown
from tui.intake import Basket
from tui.screens.consent import ConsentScreen
from tui.screens.importing import ImportScreen
from tui.screens.results import ResultsScreen

LIST = "\n".join(f"socks5://127.0.0.1:{port}" for port in range(1, 6))


def read(basket: Basket) -> Reading:
    basket.reading = basket.reading or parse.read(basket.texts())
    return basket.reading


def begun(*tested: int, whole: bool = False) -> Basket:
    """Return a basket whose check has tested these of its five entries."""
    basket = Basket(Wishes())
    basket.edit(LIST)
    check(basket, *tested, whole=whole)
    return basket


def check(basket: Basket, *tested: int, whole: bool = False) -> None:
    reading = basket.hand_on(read(basket))
    keys = {one.endpoint.key() for one in reading.candidates if one.endpoint.port in tested}
    basket.tested_of(reading, keys, whole=whole)


def ports(basket: Basket) -> list[int]:
    return [one.endpoint.port for one in basket.hand_on(read(basket)).candidates]


def test_what_a_stop_has_left_is_what_the_next_check_is_for_until_all_were_tested() -> None:
    basket = begun(1, 3)
    assert ports(basket) == [2, 4, 5]
    check(basket, 4)
    assert ports(basket) == [2, 5]
    check(basket, 2, 5, whole=True)
    assert ports(basket) == [1, 2, 3, 4, 5]


def test_a_stop_that_has_left_nothing_or_all_changes_nothing() -> None:
    assert ports(begun(1, 2, 3, 4, 5)) == [1, 2, 3, 4, 5]
    assert ports(begun()) == [1, 2, 3, 4, 5]


def test_all_can_be_tested_again_and_what_was_tested_then_counts() -> None:
    basket = begun(1, 3)
    basket.all_again = True
    assert ports(basket) == [1, 2, 3, 4, 5]
    check(basket, 2)
    assert (basket.all_again, ports(basket)) == (False, [1, 3, 4, 5])


def test_another_list_is_tested_from_its_beginning_and_another_language_is_the_same_list() -> None:
    basket = begun(1, 3)
    try:
        i18n.use("kk")
        basket.rename()
        assert basket.reading is None
        assert ports(basket) == [2, 4, 5]
    finally:
        i18n.use("en")
    basket.edit(f"{LIST}\nsocks5://127.0.0.1:6")
    assert ports(basket) == [1, 2, 3, 4, 5, 6]


def test_a_check_of_something_else_leaves_the_lists_as_they_are() -> None:
    basket = begun(1)
    other = parse.read([("pasted", LIST)])
    basket.tested_of(other, {one.endpoint.key() for one in other.candidates[:4]}, whole=False)
    assert ports(basket) == [2, 3, 4, 5]
    kept = basket.hand_on(read(basket))
    basket.edit("socks5://127.0.0.1:7")  # while that check goes on
    basket.tested_of(kept, {kept.candidates[0].endpoint.key()}, whole=False)
    assert ports(basket) == [7]


@pytest.mark.parametrize("key", ["ctrl+t", "ctrl+е"])
async def test_the_rest_is_said_handed_on_and_undone_by_one_key(key: str) -> None:
    async with importing() as (app, pilot):
        await paste(pilot, LIST)
        await until_shown(pilot, "5 to test")
        screen = app.screen
        assert isinstance(screen, ImportScreen)
        assert not screen.check_action("rest", ())
        check(app.basket, 1, 3)
        screen.on_screen_resume()
        await until_shown(pilot, "only the 3 entries that are left are tested. ^t: all again.")
        for said, number in (("All are tested again", 5), ("only the 3 entries", 3)):
            await pilot.press(key)
            await until_shown(pilot, said)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: app.asked)
            assert len(app.asked.pop().reading.candidates) == number


async def test_a_stopped_check_is_gone_on_with_and_the_question_counts_the_rest_only(tmp_path: Path) -> None:
    names = ["good-socks5", "silent-socks5", "refused-http", "frozen-16k-socks5"]
    async with playing(names, tmp_path, timeout=30.0) as (stage, wishes), opened(wishes) as (app, pilot):
        await paste(pilot, listed(stage))
        await until_shown(pilot, "4 to test")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, "4 entries of your list will be contacted")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await until_shown(pilot, "✔ 1 working")
        await pilot.press("s")
        await until(pilot, lambda: app.session is not None and app.session.over)
        assert app.session is not None
        left = 4 - len(app.session.tested)
        assert 0 < left < 4
        await until_shown(pilot, "For the rest press Esc, then ^s")
        await until_shown(pilot, "○ Your own test page answers without a proxy; that says nothing of others.")
        assert app.session.state.finished is not None
        assert app.session.state.finished.own
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "Stopped before: only the")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, f"{left} entr")
        await pilot.press("n")
