"""How the Import screen looks, from lists alone: no clock, no network, nothing that blinks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.snapshots.conftest import Picture
from tests.tui.snapshots.views import View, each_view, in_english, in_small
from tests.tui.support import paste, until
from tui.screens.files import FilePicker
from tui.screens.importing import ImportScreen
from tui.widgets.entry_list import EntryList

LIST = f"""socks5://friend:password@192.0.2.7:1080#home
socks5://friend:password@192.0.2.7:1080#again
http://198.51.100.4:8080
obfs4 192.0.2.9:443 {"A" * 40} cert={"b" * 70} iat-mode=0
192.0.2.10:3128
a line that somebody wrote above the list
obfs4 192.0.2.9:443 AAAA cert=abc
"""
LONG = "socks5://192.0.2.1:1080#" + "очень-длинное-имя-" * 40 + "\n" + "нет" * 3000 + "\n"

Steps = Callable[[Pilot[Any]], Awaitable[None]]


async def is_open(pilot: Pilot[Any]) -> ImportScreen:
    if not isinstance(pilot.app.screen, ImportScreen):
        await pilot.press("2")
    await until(pilot, lambda: isinstance(pilot.app.screen, ImportScreen) and pilot.app.focused)
    screen = pilot.app.screen
    assert isinstance(screen, ImportScreen)
    return screen


async def is_read(pilot: Pilot[Any], text: str = "") -> None:
    screen = await is_open(pilot)
    if text:
        await paste(pilot, text)
        await pilot.pause(0.05)
    await until(pilot, lambda: screen.query_one(EntryList).display)
    await pilot.pause(0.2)


async def empty(pilot: Pilot[Any]) -> None:
    await is_open(pilot)


async def found(pilot: Pilot[Any]) -> None:
    await is_read(pilot, LIST)


async def revealed(pilot: Pilot[Any]) -> None:
    await found(pilot)
    await pilot.press("ctrl+r")


async def long_texts(pilot: Pilot[Any]) -> None:
    await is_read(pilot, LONG)
    await pilot.press("ctrl+r", "home")


async def everything_open(pilot: Pilot[Any]) -> None:
    screen = await is_open(pilot)
    screen.take("socks5://192.0.2.1:1080\n" * 3000)
    await is_read(pilot, LIST)
    screen.query_one("#profile").focus()
    await pilot.press("left", "tab", "tab", "enter")


async def a_reason(pilot: Pilot[Any]) -> None:
    await found(pilot)
    await pilot.press("shift+tab", "down")


async def wrong(pilot: Pilot[Any]) -> None:
    await is_open(pilot)
    await pilot.press("ctrl+s")
    await pilot.pause(0.2)


@each_view
@pytest.mark.parametrize("state", [empty, found, everything_open], ids=lambda state: state.__name__)
def test_the_screen_looks_as_it_was_agreed(
    state: Steps,
    view: View,
    picture: Picture,
) -> None:
    assert picture(view, state)


@in_english
@pytest.mark.parametrize("state", [revealed, long_texts, a_reason, wrong], ids=lambda state: state.__name__)
def test_each_state_looks_as_it_was_agreed(state: Steps, view: View, picture: Picture) -> None:
    assert picture(view, state)


@in_small
def test_the_picker_looks_as_it_was_agreed(
    view: View,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    picture: Picture,
) -> None:
    for folder in ("lists", ".hidden folder"):
        (tmp_path / folder).mkdir()
    for name, size in (
        ("мои мосты.txt", 1500),
        ("proxies.json", 3_000_000),
        (".list", 7),
        ("x" * 90 + ".exe", 0),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to("nowhere")
    monkeypatch.setattr("tui.screens.files.shown_path", lambda path: "/home/user/lists")

    async def picker(pilot: Pilot[Any]) -> None:
        screen = await is_open(pilot)
        screen._basket.field = str(tmp_path)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(pilot.app.screen, FilePicker))
        await pilot.pause(0.3)

    assert picture(view, picker)
