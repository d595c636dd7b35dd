"""Where the output of `sanylau check` goes: pipes, full disks, terminals of every kind."""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from client.drill.stage import stage
from tests.client.cli.commands import (
    line_for,
    on_terminal,
    sanylau,
    started,
    toward,
    write_list,
)
from tests.client.cli.test_check import NAMES, clean, given_list, names_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


async def test_a_reader_that_has_seen_enough_causes_no_complaint(tmp_path: Path) -> None:
    async with stage(NAMES) as playing:
        path = given_list(playing, tmp_path)
        for how in (["--json"], []):
            async with started("check", path, *toward(playing, tmp_path), "--yes", *how) as process:
                assert process.stdout is not None
                await asyncio.wait_for(process.stdout.readline(), 8)
                process.stdout._transport.close()  # type: ignore[attr-defined]
                assert process.stderr is not None
                err = await asyncio.wait_for(process.stderr.read(), 15)
                await process.wait()
            assert b"Traceback" not in err
            assert err == b""
            assert process.returncode == 141  # neither "it works" nor "nothing works" was found out


@pytest.fixture
def full() -> Iterator[BinaryIO]:
    with Path("/dev/full").open("wb") as device:
        yield device


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("how", [["--json"], []])
async def test_a_full_disk_is_one_line_and_no_success(tmp_path: Path, how: list[str], full: BinaryIO) -> None:
    async with stage({"good-http"}) as playing:
        path = given_list(playing, tmp_path)
        ended = clean(await sanylau("check", path, *toward(playing, tmp_path), "--yes", *how, stdout=full))
    assert ended.status not in (0, 1)
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"PYTHONIOENCODING": "ascii"}, {"FORCE_COLOR": "1"}])
async def test_hostile_bytes_and_colours_never_reach_a_pipe(tmp_path: Path, env: dict[str, str]) -> None:
    names = {"escapes-403", "escapes-200", "captive", "good-http"}
    async with stage(names) as playing:
        odd = tmp_path / "odd\x1b[2J name.txt"
        path = write_list(
            odd, ["\x1b]0;owned\x07 nonsense", "\x1b[31mhttp://\x1b", *map(line_for, playing.parts)]
        )
        for how in (["--json"], []):
            ended = clean(await sanylau("check", path, *toward(playing, tmp_path), "--yes", *how, env=env))
            assert ended.status == 0
            assert "owned" not in ended.everything


@pytest.mark.parametrize("language", ["en", "fr", "ru", "kk"])
async def test_every_language_carries_a_whole_check(tmp_path: Path, language: str) -> None:
    async with stage({"good-http", "refused-http"}) as playing:
        path = given_list(playing, tmp_path, "nonsense")
        arguments = ("check", path, *toward(playing, tmp_path), "--yes")
        ended = clean(await sanylau("--lang", language, *arguments))
        ascii_only = clean(await sanylau("--lang", language, *arguments, env={"PYTHONIOENCODING": "ascii"}))
    assert (ended.status, ascii_only.status) == (0, 0)
    assert ascii_only.out.isascii()


async def test_the_live_table_fits_and_gives_the_terminal_back(tmp_path: Path) -> None:
    async with stage(NAMES | {"silent-http"}) as playing:
        path = given_list(playing, tmp_path, "nonsense", "\x1b[2J\x1b]0;owned\x07nonsense")
        arguments = ("check", path, *toward(playing, tmp_path, total=2.0), "--yes")
        async with on_terminal(*arguments) as terminal:
            ended = await terminal.end()
        ports = {str(placed.port) for placed in playing.parts}
    assert ended.status == 0
    assert ended.shown.count("\x1b[?25h") >= ended.shown.count("\x1b[?25l") > 0
    assert "owned" not in ended.shown
    assert "\x1b[2J" not in ended.shown
    assert "127.0.0.1" not in ended.shown
    assert not any(names_port(port, ended.shown) for port in ports)
    assert ended.shown.endswith("\n")
    assert "1 untested" not in ended.shown


async def test_ctrl_c_in_the_live_table_keeps_what_is_known(tmp_path: Path) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        path = given_list(playing, tmp_path)
        async with on_terminal("check", path, *toward(playing, tmp_path, total=60.0), "--yes") as terminal:
            await terminal.until("1 working")
            terminal.type("\x03")
            ended = await terminal.end()
    assert ended.status == 130
    assert ended.shown.rstrip().endswith("run it again to test the rest.")
    assert ended.shown.rfind("\x1b[?25h") > ended.shown.rfind("\x1b[?25l")
    assert "Traceback" not in ended.shown


async def test_a_terminal_that_knows_ascii_only_shows_the_table_too(tmp_path: Path) -> None:
    async with stage(NAMES) as playing:
        path = given_list(playing, tmp_path)
        arguments = ("check", path, *toward(playing, tmp_path), "--yes")
        async with on_terminal(*arguments, env={"PYTHONIOENCODING": "ascii"}) as terminal:
            ended = await terminal.end()
    assert ended.status == 0, ended.shown
    assert ended.shown.isascii()


async def test_a_terminal_without_colours_gets_none(tmp_path: Path) -> None:
    async with stage({"good-http"}) as playing:
        path = given_list(playing, tmp_path)
        arguments = ("check", path, *toward(playing, tmp_path), "--yes")
        async with on_terminal(*arguments, env={"NO_COLOR": "1"}) as terminal:
            ended = await terminal.end()
    assert ended.status == 0
    assert not re.search(r"\x1b\[(?:[0-9;]*;)?[34][0-8]m", ended.shown)
