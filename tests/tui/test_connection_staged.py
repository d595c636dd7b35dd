"""A local connection through the servers of the practice ends with them, and the person is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.far import until_said
from tests.tui.support import at_home, text_of, until, until_shown
from tests.tui.test_connection import customary_port, is_open
from tui.app import SanylauApp
from tui.practice import playing
from tui.screens.consent import ConsentScreen
from tui.screens.home import HomeScreen
from tui.screens.use import UseScreen

__all__ = ["customary_port"]


async def connected(app: SanylauApp, pilot: Pilot[Any]) -> int:
    """Practise, connect through the first that works, go back to the first screen, and return the port."""
    await pilot.press("3")
    await until_shown(pilot, "✔ working  ")
    await pilot.press("s")
    await until_shown(pilot, "Stopped after")
    await pilot.press("home", "u")
    await until(pilot, lambda: isinstance(app.screen, UseScreen))
    await pilot.press("c")
    await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
    await pilot.press("y")
    await until_shown(pilot, "✔ connected")
    await pilot.press("escape", "escape")
    await until(pilot, lambda: isinstance(app.screen, HomeScreen))
    await until_shown(pilot, "✔ connected")
    found = re.search(r"✔ connected · .*port (\d+)", text_of(app))
    assert found, text_of(app)
    return int(found[1])


@pytest.mark.parametrize("again", ["practice", "check"])
async def test_another_run_ends_the_stage_and_the_connection_through_it(again: str) -> None:
    async with at_home() as (app, pilot):
        port = await connected(app, pilot)
        async with playing({"good-http"}) as other:
            if again == "practice":
                await pilot.press("3")
            else:
                app.begin(other.run)
            await until_said(pilot, "The practice has ended, and the local connection through it too.")
            await until(pilot, lambda: "connected" not in text_of(app))
            assert app.connection is not None
            assert app.connection.over
            assert not await is_open(port)


async def test_leaving_says_nothing_of_the_practice(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    async with at_home() as (app, pilot):
        await connected(app, pilot)
        monkeypatch.setattr(app, "tell", lambda text, loud=False: told.append(text))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_value == 0)
    assert told == []
