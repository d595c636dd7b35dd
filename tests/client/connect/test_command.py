"""The command of --exec: its environment, its status, its end."""

import asyncio
import signal
import sys
import time
import tomllib
from pathlib import Path

import pytest

from client.connect import command as command_module
from client.connect.command import DATA, Command, environment, goes_direct, is_there
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


def test_a_password_stands_in_the_addresses() -> None:
    env = environment("127.0.0.1", 9, {}, password="a b@c")
    assert env["HTTPS_PROXY"] == "http://x:a%20b%40c@127.0.0.1:9"
    assert env["all_proxy"] == "socks5h://x:a%20b%40c@127.0.0.1:9"


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("ssh host", "ssh"),
        ("/usr/bin/SSH.exe host", "ssh"),
        ("env LANG=C timeout -k 1 5 dig a.test", "dig"),
        ("sudo curl https://a.test", "sudo"),
        ("git clone git@a.test:b.git", "git"),
        ("git clone ssh://a.test/b.git", "git"),
        ("git clone https://me@a.test:8443/b.git", ""),
        ("curl https://ssh.test/dig", ""),
        ("sh script ssh", ""),
        ("env", ""),
        ("", ""),
    ],
)
def test_a_program_that_is_known_to_go_directly_is_named(command: str, named: str) -> None:
    assert goes_direct(command.split()) == named


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("cd x && LANG=C ping -c1 a.test", "ping"),
        ("if nc -z a.test 80; then echo yes; fi", "nc"),
        ("a=$(whois a.test); echo $a", "whois"),
        ('curl "$host"; echo ssh', ""),
        ("sh -c 'telnet a.test'", "telnet"),
        ("git clone git@a.test:b.git", "git"),
    ],
)
def test_the_script_of_a_shell_is_looked_at_too(script: str, named: str) -> None:
    assert goes_direct(["bash", "-ec", script]) == named


def test_the_list_of_programs_has_a_date_and_says_why_for_each() -> None:
    known = tomllib.loads(DATA.read_text("utf-8"))
    assert known["date"].year >= 2026
    names = [name for group in known["direct"] for name in group["names"]]
    assert len(names) == len(set(names))
    assert not {"curl", "git", "wget", "pip"} & set(names)
    assert all(group["why"] and group["source"] for group in known["direct"])


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


async def test_off_a_terminal_what_is_left_in_the_background_ends_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "_shares_terminal", lambda: False)
    told = tmp_path / "pid"
    script = f"(trap '' TERM; while :; do sleep 0.05; done) & echo $! > {told}"
    command = await Command.started(["sh", "-c", script], {"PATH": "/usr/bin:/bin"})
    assert await command.ended() == 0
    pid = int(told.read_text())
    start = guard_main.start_time(pid)
    assert guard_main._runs(pid, start)
    await command.end()
    async with asyncio.timeout(5):
        while guard_main._runs(pid, start):  # noqa: ASYNC110 - the system ends it, and tells nobody
            await asyncio.sleep(0.01)
