"""The whole desktop through an entry, from the screen: with the real gsettings, in a settings folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from client.connect import run
from client.connect.system_gnome import ROOT
from tests.client.connect.gnome import choose, choose_other_proxy, has_schema, listing
from tests.servers.real import free_port
from tests.tui.far import checked, far_side, until_said
from tests.tui.support import text_of, until, until_shown
from tui.app import SanylauApp
from tui.screens.consent import ConsentScreen
from tui.screens.use import UseScreen

pytestmark = pytest.mark.skipif(not has_schema(), reason="needs gsettings and GNOME's schemas")


@pytest.fixture(autouse=True)
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    port = free_port()
    monkeypatch.setattr(run, "PORT", port)
    return port


async def ask(app: SanylauApp, pilot: Pilot[int]) -> None:
    await pilot.press("u")
    await until(pilot, lambda: isinstance(app.screen, UseScreen))
    await until_shown(pilot, "w Whole desktop")
    await pilot.press("w")
    await until(pilot, lambda: isinstance(app.screen, ConsentScreen))


async def test_after_a_yes_the_desktop_leads_here_and_at_the_end_it_is_as_before(
    tmp_path: Path, port: int
) -> None:
    choose_other_proxy()
    before = listing()
    async with far_side(tmp_path, ["good-socks5"]) as far, checked(far) as (app, pilot):
        await ask(app, pilot)
        await pilot.press(*["pagedown"] * 5)
        await until_shown(pilot, "You have another system proxy now.")
        assert listing() == before
        await pilot.press("y")
        await until_shown(pilot, "✔ connected")
        await until_said(pilot, "the system proxy leads here now")
        assert f"{ROOT}.socks port {port}" in listing()
        await until(pilot, lambda: "w Whole desktop" not in text_of(app))
        await pilot.press("f2")
        await until(pilot, lambda: listing() == before)


async def test_after_a_no_nothing_is_set_and_a_connection_for_programs_sets_nothing(tmp_path: Path) -> None:
    before = listing()
    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        await ask(app, pilot)
        await pilot.press("escape")
        await until_said(pilot, "Nothing was sent.")
        assert app.connection is None
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "✔ connected")
        assert listing() == before


async def test_settings_that_could_not_be_put_back_are_named_and_nothing_is_asked(tmp_path: Path) -> None:
    choose("ignore-hosts", str([f"host-{number}.example" for number in range(4000)]))
    before = listing()
    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        await pilot.press("u")
        await until_shown(pilot, "w Whole desktop")
        await pilot.press("w")
        await until_said(pilot, "too long to be put back safely")
        assert isinstance(app.screen, UseScreen)
        assert app.connection is None
        assert listing() == before


async def test_where_no_desktop_is_known_it_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "")
    async with far_side(tmp_path, ["good-http"]) as far, checked(far) as (app, pilot):
        await pilot.press("u")
        await until_shown(pilot, "c Connect")
        assert "Whole desktop" not in text_of(app)
        await pilot.press("w")
        await pilot.pause(0.2)
        assert isinstance(app.screen, UseScreen)
