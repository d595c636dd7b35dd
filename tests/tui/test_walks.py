"""Through every screen by keyboard: where one is, the way back, the help, the languages, and the names of the keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from client import i18n
from client.i18n import LANGUAGES, _
from tests.tui.support import at_home, text_of, until, until_shown
from tests.tui.walks import STOPS, go, is_at, step
from tui.palette import Palette
from tui.screens.home import HomeScreen
from tui.screens.page import Page, Told
from tui.widgets.keys import Keys

_LETTERS = 8  # of a text that is looked for: shorter ones stand inside other words
each_stop = pytest.mark.parametrize("name", STOPS)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path_factory.mktemp("v") / "vault"))
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


def title(pilot: Pilot[Any]) -> str:
    """Return what has to stand on the screen so that one knows where one is."""
    screen = pilot.app.screen
    if isinstance(screen, HomeScreen):
        return "Sanylau"
    return _(screen.NAME if isinstance(screen, Told) else "What shall be done? Type a few letters.")


@each_stop
async def test_a_screen_is_reached_by_keys_says_where_one_is_and_escape_goes_back_one(name: str) -> None:
    stop = STOPS[name]
    async with at_home() as (app, pilot):
        await go(pilot, name)
        assert title(pilot).casefold() in text_of(app).casefold(), text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: is_at(pilot, stop.back or stop.before or name))
        depth = len(app.screen_stack)
        for _press in range(10):
            await pilot.press("escape")
        assert depth >= len(app.screen_stack)
        assert isinstance(app.screen, HomeScreen)
        assert app.is_running
        assert app.return_code is None


@each_stop
async def test_the_help_of_a_screen_opens_with_f1_and_escape_leads_back_to_it(name: str) -> None:
    async with at_home() as (app, pilot):
        await go(pilot, name)
        told = app.screen if isinstance(app.screen, Told) else app.screen_stack[-2]
        assert isinstance(told, Told)
        await pilot.press("f1")
        await until_shown(pilot, f"help › {_(told.NAME)}")
        await pilot.press("escape")
        await until(pilot, lambda: is_at(pilot, name))
        typing = isinstance(app.focused, Input | TextArea)
        await pilot.press("question_mark")
        await pilot.pause()
        assert is_at(pilot, name) == typing


@each_stop
async def test_another_language_leaves_nothing_of_the_first_and_the_keys_are_named(name: str) -> None:
    async with at_home() as (app, pilot):
        await go(pilot, name)
        for language in (*LANGUAGES[1:], LANGUAGES[0]):
            await say_in(pilot, name, language)
            await pilot.pause(0.1)
            assert english_left(text_of(app)) == set(), text_of(app)
            assert title(pilot).casefold() in text_of(app).casefold(), text_of(app)
            keys_are_named(pilot)


async def say_in(pilot: Pilot[Any], name: str, language: str) -> None:
    """Press F3; a dialog is closed before, and opened again."""
    page = isinstance(pilot.app.screen, Page)
    stop = STOPS[name]
    if not page:
        await pilot.press("escape")
        await until(pilot, lambda: is_at(pilot, stop.back or stop.before))
    await pilot.press("f3")
    await until(pilot, lambda: i18n.current() == language)
    if not page:
        for before in [stop.before] if stop.back else []:
            await step(pilot, before)
        await step(pilot, name)


def keys_are_named(pilot: Pilot[Any]) -> None:
    app = pilot.app
    shown = text_of(app)
    if not app.screen.query(Keys):
        assert isinstance(app.screen, Palette) or _("Esc: back") in shown
        return
    footer = "\n".join(shown.splitlines()[-app.screen.query_one(Keys).size.height :])
    assert "^x^x " in footer, shown
    assert "…" not in footer, shown
    assert isinstance(app.screen, HomeScreen) or "esc " in footer, shown
    typing = isinstance(app.focused, Input | TextArea)
    assert re.search(r"\bf1 " if typing else r"\? ", footer), shown


def english_left(shown: str) -> set[str]:
    """Return the texts of the catalog that are on the screen in English, though they are said otherwise now."""
    flat = " ".join(re.sub("[│╭╮╰╯─━▸•▃▂▁▄▅▆▇█]", " ", shown).split())
    left = set()
    for text, said in i18n._catalog()._catalog.items() if i18n.current() != "en" else ():  # type: ignore[attr-defined]
        english = text[0] if isinstance(text, tuple) else text
        for part in re.split(r"\{\w+\}", english):
            part = part.strip()
            letters = sum(map(str.isalpha, part))
            if letters >= _LETTERS and part not in said and part in flat:
                left.add(part)
    return left
