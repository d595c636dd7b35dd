"""`sanylau connect --system` as its own process, with the real gsettings in a settings folder of its own."""

import os
import signal
import sys
from pathlib import Path

import pytest

from client.connect.system_gnome import ROOT
from tests.client.cli.commands import on_terminal, sanylau, started
from tests.client.cli.test_connect import objects, playing, port
from tests.client.connect.gnome import becomes, choose, choose_other_proxy, has_schema, listing, run

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes through /proc"),
    pytest.mark.skipif(not has_schema(), reason="needs gsettings and GNOME's schemas"),
]


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    around = {
        "GSETTINGS_BACKEND": "keyfile",
        "XDG_CONFIG_HOME": str(tmp_path / "settings"),
        "XDG_CURRENT_DESKTOP": "GNOME",
    }
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    return around


def guards(client: int) -> list[int]:
    """Return the guard processes of a client."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (folder / "stat").exists():
            words = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(words[1]) == client and b"guard_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def ours(where: int) -> bool:
    text = listing()
    return f"{ROOT} mode 'manual'" in text and f"{ROOT}.socks port {where}" in text


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_the_system_proxy_is_as_before_within_two_seconds_of_any_end(
    tmp_path: Path, env: dict[str, str], number: signal.Signals
) -> None:
    choose_other_proxy()
    before, where = listing(), port()
    async with (
        playing(tmp_path) as (command, _),
        started(*command, "--port", str(where), "--yes", "--json", "--system", env=env) as process,
    ):
        await objects(process, "using")
        await objects(process, "status")
        assert ours(where)
        process.send_signal(number)
        await process.wait()
        assert becomes(before, 2.0)


async def test_what_a_power_loss_has_left_is_offered_before_anything_else_and_switched_off_after_a_yes(
    tmp_path: Path, env: dict[str, str]
) -> None:
    where = port()
    async with playing(tmp_path) as (command, play):
        async with started(*command, "--port", str(where), "--yes", "--json", "--system", env=env) as process:
            await objects(process, "using")
            await objects(process, "status")
            assert ours(where)
            for guard in guards(process.pid):  # a power loss leaves nobody who could put it back
                os.kill(guard, signal.SIGKILL)
            process.kill()
            await process.wait()
        assert ours(where)
        play.origin.seen.connections = 0
        told = await sanylau(*command, "--yes", "--exec", "no-such-command-anywhere", env=env)
        assert (told.status, len(told.err.splitlines())) == (127, 1)

        for answer, left in (("n\n", True), ("y\n", False)):
            async with on_terminal(*command, "--port", str(where), env=env) as terminal:
                await terminal.until("Switch it off now?")
                await terminal.until("[y/N]")
                terminal.type(answer)
                await terminal.until("Before the first packet")
                terminal.type("n\n")
                ended = await terminal.end()
            assert ended.status == 2
            assert ours(where) is left
        assert run("get", ROOT, "mode") == "'none'"

        async with on_terminal(*command, env=env) as terminal:
            await terminal.until("[y/N]")
            terminal.type("n\n")
            assert "Switch it off" not in (await terminal.end()).shown
        assert play.origin.seen.connections == 0


async def test_with_yes_nobody_is_asked_and_what_was_left_is_only_told(
    tmp_path: Path, env: dict[str, str]
) -> None:
    where = port()
    choose("host", "'127.0.0.1'", "socks")
    choose("port", str(where), "socks")
    choose("mode", "'manual'")
    before = listing()
    async with playing(tmp_path) as (command, _):
        ended = await sanylau(*command, "--yes", "--json", "--exec", "true", env=env)
    assert ended.status == 0
    assert f"port {where} of this machine, where nothing listens" in ended.err
    assert listing() == before


async def test_the_question_names_the_system_whose_proxy_is_set(tmp_path: Path, env: dict[str, str]) -> None:
    before = listing()
    async with playing(tmp_path) as (command, play), on_terminal(*command, "--system", env=env) as terminal:
        await terminal.until("[y/N]")
        terminal.type("n\n")
        ended = await terminal.end()
        assert play.origin.seen.connections == 0
    shown = " ".join(ended.shown.split())
    assert "The system proxy of GNOME will be set to this connection." in shown
    assert "After a power loss it stays set" in shown
    assert listing() == before
