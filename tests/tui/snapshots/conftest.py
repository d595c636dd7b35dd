"""What the pictures of the screens have in common: size, language and colours are fixed, nothing blinks or moves.

A picture is a text file, so that a change of it can be read: the letters on the screen, below them the style of
each run of cells. `pytest --snapshot-update` writes them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import groupby
from string import ascii_letters
from typing import Any

import pytest
from rich.cells import cell_len
from rich.style import Style
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from client import i18n
from tests.tui.snapshots.views import View
from tui.app import SanylauApp

Before = Callable[[Pilot[Any]], Awaitable[None]]
"""Brings the app to what the picture shows: pushes a screen, feeds it events, waits for a text."""

Picture = Callable[..., bool]
"""`picture(view, before=None, press=(), app=None)` says whether the screen looks as it did.

`app` is made after the language is chosen: a function without arguments. See test_home.py.
"""


class TextFile(SingleFileSnapshotExtension):
    """One text file for each picture."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def picture(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> Iterator[Picture]:
    monkeypatch.setenv("LANGUAGE", "en")
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
    kept = snapshot.use_extension(TextFile)

    def compare(
        view: View,
        before: Before | None = None,
        press: Iterable[str] = (),
        app: Callable[[], SanylauApp] = SanylauApp,
    ) -> bool:
        i18n.use(view.language)
        return bool(asyncio.run(_taken(app(), view, before, press)) == kept)

    yield compare
    monkeypatch.undo()
    i18n.use(None)


async def _taken(app: SanylauApp, view: View, before: Before | None, press: Iterable[str]) -> str:
    app.animation_level = "none"
    async with app.run_test(size=view.size, notifications=True) as pilot:
        await pilot.pause()
        if before is not None:
            await before(pilot)
        await pilot.press(*press)
        await pilot.pause()
        return drawn(app)


def drawn(app: SanylauApp) -> str:
    """Return the screen as text, and below it how each line is styled: letters that stand for styles, and how long."""
    letters: dict[str, str] = {}
    lines, styles = [], []
    for strip in app.screen._compositor.render_strips():
        lines.append(strip.text.rstrip())
        cells = ((_named(segment.style, letters), cell_len(segment.text)) for segment in strip)
        runs = ((name, sum(width for _, width in run)) for name, run in groupby(cells, lambda cell: cell[0]))
        styles.append(" ".join(f"{name}{width}" for name, width in runs))
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join([*lines, "=" * 8, *styles, "=" * 8, *legend, ""])


def _named(style: Style | None, letters: dict[str, str]) -> str:
    # Offsets and the like are for the mouse; they are seen by nobody.
    name = str(style.without_color.clear_meta_and_links()) if style else "none"
    colours = f" {_shown(style.color)} on {_shown(style.bgcolor)}" if style else ""
    return letters.setdefault(name + colours, _letter(len(letters)))


def _shown(colour: Any) -> str:
    return colour.get_truecolor().hex if colour is not None else "-"


def _letter(number: int) -> str:
    return (
        ascii_letters[number]
        if number < len(ascii_letters)
        else f"{_letter(number // 52 - 1)}{_letter(number % 52)}"
    )
