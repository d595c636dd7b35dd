"""The command of --exec: its environment, its status, its end."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from client.connect import command as command_module
from client.connect.command import Command, environment, is_there
from transports import guard_main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells and signals")


def test_the_environment_names_the_proxy_in_every_customary_way() -> None:
    env = environment(
        "127.0.0.1", 1080, {"HOME": "/home", "NO_PROXY": "example.org", "https_proxy": "http://old:1"}
    )
    http, socks = "http://127.0.0.1:1080", "socks5h://127.0.0.1:1080"
    assert env == {
        "HOME": "/home",
        "ALL_PROXY": socks,
        "all_proxy": socks,
        "HTTP_PROXY": http,
        "http_proxy": http,
        "HTTPS_PROXY": http,
        "https_proxy": http,
        "NO_PROXY": "",
        "no_proxy": "",
    }


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert environment("::1", 9, {})["ALL_PROXY"] == "socks5h://[::1]:9"


def test_a_command_is_looked_for_before_anything_else() -> None:
    assert is_there(["sh", "-c", "true"])
    assert not is_there(["no-such-command-anywhere"])
    assert not is_there([])


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
async def test_its_status_is_the_one_that_shells_give(script: str, status: int) -> None:
    command = await Command.started(["sh", "-c", script], {"PATH": "/usr/bin:/bin"})
    assert await command.ended() == status


async def test_it_is_ended_even_if_it_will_not_hear() -> None:
    script = "trap '' INT TERM; while :; do sleep 0.05; done"
    command = await Command.started(["sh", "-c", script], {"PATH": "/usr/bin:/bin"})
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await command.end()
    assert time.monotonic() - began < 8
    assert await command.ended() == 128 + signal.SIGKILL


async def test_a_polite_one_ends_at_once_by_itself() -> None:
    command = await Command.started(
        [sys.executable, "-c", "import time; time.sleep(30)"], {"PATH": "/usr/bin"}
    )
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await command.end()
    assert time.monotonic() - began < 2.5
    await command.end()


async def test_off_a_terminal_what_it_has_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "_shares_terminal", lambda: False)
    told = tmp_path / "pid"
    script = f"sh -c 'echo $$ > {told}.part; mv {told}.part {told}; exec sleep 60' & wait"
    command = await Command.started(["sh", "-c", script], {"PATH": "/usr/bin:/bin"})
    async with asyncio.timeout(10):
        while not told.exists():  # noqa: ASYNC110 - a shell tells nobody
            await asyncio.sleep(0.01)
    began = time.monotonic()
    await command.end()
    assert time.monotonic() - began < 2
    pid = int(told.read_text())
    async with asyncio.timeout(10):
        while guard_main._runs(pid, guard_main.start_time(pid)):  # noqa: ASYNC110 - nor does it
            await asyncio.sleep(0.01)
