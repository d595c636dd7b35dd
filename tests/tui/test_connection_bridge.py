"""The local connection from the screen through a real obfs4 bridge of a private network."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.connect import run
from client.drill.tornet import TorNet
from tests.servers.real import free_port
from tests.servers.tornet import tornet
from tests.tui.far import checked, far_side, needs_curl
from tests.tui.support import text_of, until, until_shown
from tui.screens.consent import ConsentScreen
from tui.screens.use import UseScreen

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)


@needs_curl
async def test_a_program_gets_its_page_through_a_bridge_while_the_screen_says_class_a(
    tornet: TorNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PORT", free_port())
    (tmp_path / "torrc").write_text(tornet.torrc)
    async with far_side(
        tmp_path, ["good-http"], torrc=str(tmp_path / "torrc"), disk=True, timeout=30.0, connect_timeout=4.0
    ) as far:
        far.listed.append(tornet.bridges["obfs4-1"].line)
        async with checked(far, patience=60.0) as (app, pilot):
            await pilot.press("u")
            await until(pilot, lambda: isinstance(app.screen, UseScreen))
            await until_shown(pilot, "A  obfs4  #")
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
            await until_shown(pilot, "1 other entry that has worked is tested too")
            await pilot.press("y")
            await until_shown(pilot, "✔ connected · A obfs4 #", 60.0)
            assert app.connection is not None
            status, body = await far.curl(f"socks5h://127.0.0.1:{app.connection.port}")
            assert (status, bool(body)) == (0, True), text_of(app)
            await pilot.press("f2")
            await until(pilot, lambda: app.connection is not None and app.connection.over)
