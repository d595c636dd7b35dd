"""The Import screen alone in an app that only notes what it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual import on
from textual.app import App
from textual.pilot import Pilot

from client.check import Wishes
from tests.tui.support import SIZE
from tui.intake import Basket
from tui.messages import StartCheck
from tui.screens.importing import ImportScreen


class Alone(App[None]):
    """Shows the screen; `asked` is what it posted."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, basket: Basket) -> None:
        super().__init__()
        self.basket = basket
        self.asked: list[StartCheck] = []
        self.connection = None

    def on_mount(self) -> None:
        self.push_screen(ImportScreen(self.basket))

    @on(StartCheck)
    def _asked(self, message: StartCheck) -> None:
        self.asked.append(message)


@asynccontextmanager
async def importing(
    wishes: Wishes | None = None, *, given: str = "", size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[Alone, Pilot[Any]]]:
    """Open the screen, with toasts: they are where markup would crash."""
    app = Alone(Basket(wishes or Wishes(), given))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield app, pilot
