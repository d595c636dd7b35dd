"""Pictures of the screens for the documents: `python -m tools.pictures` plays the drill and writes docs/pictures.

Each screen as text and as SVG, 80 by 24, in English. Everything on them comes from servers on this machine.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from client import i18n
from tui.app import SanylauApp
from tui.screens.results import ResultsScreen

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
_SIZE: Final = (80, 24)
_PATIENCE: Final = 60.0  # seconds for one screen
_WAYS: Final = {  # picture -> the keys that lead to it from the first screen
    "home": (),
    "import": ("2",),
    "results": ("3",),
    "details": ("3", "n", "enter"),
    "use": ("3", "n", "u"),
    "help": ("3", "question_mark"),
}


def text_of(app: SanylauApp) -> str:
    """Return what stands on the screen, a line each."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()) + "\n"


async def _until(pilot: Pilot[int], there: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not there():
            await pilot.pause(0.05)


async def _take(name: str, keys: tuple[str, ...], folder: Path) -> None:
    app = SanylauApp()
    async with app.run_test(size=_SIZE) as pilot:
        await _until(pilot, lambda: app.focused is not None)
        for key in keys:
            await pilot.press(key)
            if key == "3":
                await _until(pilot, lambda: isinstance(app.screen, ResultsScreen))
                await _until(pilot, lambda: app.session is not None and app.session.over)
            await pilot.pause(1.0)
        await pilot.pause(1.0)
        (folder / f"{name}.txt").write_text(text_of(app), "utf-8")
        (folder / f"{name}.svg").write_text(app.export_screenshot(title="sanylau"), "utf-8")


def make(folder: Path = FOLDER) -> list[str]:
    """Write the pictures; return their names."""
    i18n.use("en")
    folder.mkdir(parents=True, exist_ok=True)
    for name, keys in _WAYS.items():
        asyncio.run(_take(name, keys, folder))
    return list(_WAYS)


if __name__ == "__main__":
    sys.stdout.write(f"{', '.join(make())}: written to {FOLDER.name}\n")
