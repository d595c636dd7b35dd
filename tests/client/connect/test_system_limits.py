"""What the system proxy cannot be put back from: refused before anything is changed. With the real gsettings."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.connect import system
from client.connect.system_parts import Place
from tests.client.connect.gnome import choose, has_schema, listing
from transports.guard import Guard
from transports.types import Rejected

HERE = "127.0.0.1"
pytestmark = pytest.mark.skipif(not has_schema(), reason="needs gsettings and GNOME's schemas")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")


@pytest.mark.parametrize("hosts", [500, 5000])
async def test_a_long_setting_is_put_back_or_said_to_be_too_long_before_anything_is_changed(
    hosts: int,
) -> None:
    choose("ignore-hosts", str([f"host-{number}.example.test" for number in range(hosts)]))
    old = listing()
    async with Guard.running() as guard:
        if hosts == 500:
            async with system.set_to(HERE, 1080, guard):
                assert (await system.now()).places == {Place(HERE, 1080)}
        else:
            with pytest.raises(Rejected, match="too long"):
                async with system.set_to(HERE, 1080, guard):
                    pytest.fail("it could not be put back")
            with pytest.raises(Rejected, match="too long"):  # and nobody is asked for it
                system.question(await system.now())
    assert listing() == old


async def test_a_password_in_the_address_of_a_proxy_is_not_put_on_a_command_line() -> None:
    choose("host", "'ann:secret@192.0.2.7'", "http")
    with pytest.raises(Rejected, match="show the password"):
        (await system.now()).plan(Place(HERE, 1080))
