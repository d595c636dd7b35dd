"""How `sanylau guide` is asked, what it refuses, and the commands that it prints: they lead to the same again."""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from client.exits import Exit
from tests.client.cli.commands import ROOT, sanylau, surroundings, write_list
from tests.client.cli.test_guide import OBFS4, clean, made, told

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


# wrong usage


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--app", "telegarm"], "did you mean telegram?"),
        (["--app", "tor-brwser"], "did you mean tor-browser?"),
        (["--app", ""], "--list names them all"),
        (["--app", " "], "--list names them all"),
        (["--list", "--app", "curl"], "leave out one of them"),
        (["--untested"], "name the list"),
        (["--untested", "--app", "orbot"], "name the list"),
        (["--os", "beos"], "beos"),
        (["--results", "a", "--untested"], "--results"),
        (["--results", "/nowhere/at/all"], "no such file"),
        (["--diagnosis", "12"], "result code"),
        (["LIST", "--diagnosis", "12", "--untested"], "result code"),
        (["/nowhere/at/all"], "no such file"),
        (["--timeout", "nan", "x"], "nan"),
    ],
)
async def test_wrong_usage_is_one_line(options: Sequence[str], words: str) -> None:
    ended = clean(await sanylau("guide", *options))
    assert (ended.status, ended.out) == (Exit.USAGE, "")
    assert words in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--app", "netscape"], ["there is no guide for netscape", "proxychains4"]),
        (["--app", "orbot", "--os", "ios"], ["not for iOS", "onion-browser"]),
    ],
)
async def test_where_many_programs_are_named_the_line_is_broken(options: list[str], words: list[str]) -> None:
    ended = clean(await sanylau("guide", *options))
    assert (ended.status, ended.out) == (Exit.USAGE, "")
    assert all(word in ended.err for word in words)
    assert all(len(line) <= 80 for line in ended.err.splitlines())


async def test_the_printed_commands_keep_what_was_asked_for(tmp_path: Path) -> None:
    path = write_list(tmp_path / "my list", ["trojan://word@192.0.2.6:443?sni=a.example", OBFS4])
    given_ = [
        "--untested",
        "--trusted",
        "--app",
        "hiddify",
        "--os",
        "android",
        "--timeout",
        "4.5",
        "--lang",
        "en",
    ]
    ended = clean(await sanylau("guide", path, *given_))
    again = f"`sanylau guide '{path}' --untested --timeout 4.5 --trusted --lang en --app hiddify --os android"
    assert f"{again} --reveal`" in ended.out
    assert "--yes" not in ended.out
    results = made(tmp_path, {"transport": "obfs4", "candidate": OBFS4})
    relative = os.path.relpath(results, ROOT)  # noqa: ASYNC240 - of names alone
    ended = clean(await sanylau("guide", "--results", relative, "--os", "windows"))
    assert f"`sanylau guide --results {results} --os windows --reveal`" in ended.out


async def test_a_printed_command_leads_to_the_same_steps_with_the_addresses(tmp_path: Path) -> None:
    path = write_list(tmp_path / "my list", ["trojan://word@192.0.2.6:443?sni=a.example", OBFS4])
    first = await sanylau("guide", path, "--untested", "--app", "hiddify", "--os", "android")
    (command,) = (one for one in first.out.split("`") if one.endswith("--reveal") and " guide " in one)
    shown = await sanylau(*shlex.split(command)[1:])
    heads = [ended.out.split("#")[0] for ended in (first, shown)]
    assert heads[0] == heads[1]
    assert "trojan://word@192.0.2.6:443" in shown.out


async def test_what_else_people_used_can_be_read_at_any_time() -> None:
    ended = await sanylau("guide", "--without")
    assert ended.status == Exit.WORKING
    assert "What to prepare for the next opening" in ended.out
    assert len(told(await sanylau("guide", "--without", "--json"))["without"]) > 10


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="needs a network namespace (unshare -rn): a machine without any network",
)
async def test_without_a_network_the_one_step_to_take_is_not_followed_by_a_long_page(tmp_path: Path) -> None:
    path = write_list(
        tmp_path / "list", ["socks5://192.0.2.1:1080", "trojan://word@192.0.2.6:443?sni=a.example"]
    )
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-rn", sys.executable, "-m", "client", "guide", path, "--yes"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=surroundings(),
        cwd=ROOT,
    )
    out, _err = await asyncio.wait_for(process.communicate(), 30)
    shown = out.decode().splitlines()
    assert process.returncode == Exit.NOT_MEASURED
    assert shown[0].startswith("→ Connect this machine to a network")
    assert "guide --without" in shown[-1]
    assert len(shown) < 6


async def test_the_guide_speaks_the_language_that_is_asked_for() -> None:
    for language in ("fr", "ru", "kk"):
        ended = await sanylau("guide", "--lang", language, "--app", "tor-browser")
        assert ended.status == Exit.WORKING
