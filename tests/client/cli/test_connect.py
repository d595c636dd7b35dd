"""`sanylau connect` as its own process: what scripts, terminals and people can rely on."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from client.drill.stage import Stage, stage
from tests.client.cli.commands import line_for, on_terminal, sanylau, started, toward, write_list

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

NAMES = {"good-http", "right-password-socks5"}


@asynccontextmanager
async def playing(folder: Path, names: set[str] | None = None) -> AsyncIterator[tuple[list[str], Stage]]:
    """Give the command line that leads a connection to the drill's pages."""
    async with stage(NAMES if names is None else names) as play:
        path = write_list(folder / "list.txt", [line_for(placed) for placed in play.parts])
        yield ["connect", path, *toward(play, folder)], play


def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def objects(process: asyncio.subprocess.Process, until: str) -> list[dict[str, Any]]:
    """Read JSON Lines up to one of a type."""
    assert process.stdout is not None
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(15):
        while not seen or seen[-1]["type"] != until:
            seen.append(json.loads(await process.stdout.readline()))
    return seen


async def test_json_tells_the_port_then_the_option_and_at_ctrl_c_the_sum(tmp_path: Path) -> None:
    where = port()
    async with (
        playing(tmp_path) as (command, _),
        started(*command, "--port", str(where), "--yes", "--json") as process,
    ):
        listening, *_, using = await objects(process, "using")
        assert (listening["type"], listening["address"]) == ("listening", "127.0.0.1")
        assert listening["port"] == where
        assert (using["class"], using["why"]) == ("D", "start")
        assert "candidate" not in using
        process.send_signal(2)
        *_, summary = await objects(process, "summary")
        assert summary["status"] == 130
        assert await asyncio.wait_for(process.wait(), 10) == 130


async def test_a_list_with_nothing_working_ends_with_status_1_and_advice(tmp_path: Path) -> None:
    async with playing(tmp_path, {"refused-http", "captive"}) as (command, _):
        ended = await sanylau(*command, "--port", str(port()), "--yes", "--json")
    assert ended.status == 1
    assert [one["type"] for one in ended.objects()] == ["listening", "held", "summary"]
    assert "→" in ended.err


async def test_a_floor_that_nothing_reaches_ends_with_status_1(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, _):
        ended = await sanylau(*command, "--port", str(port()), "--yes", "--json", "--lowest", "B")
    assert ended.status == 1
    (held,) = ended.of_type("held")
    assert (held["why"], held["lowest"]) == ("only_lower", "B")
    assert ended.of_type("using") == []


async def test_without_a_terminal_and_without_yes_nothing_is_sent(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, play):
        ended = await sanylau(*command)
        assert play.origin.seen.connections == 0
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)


async def test_a_no_on_the_terminal_sends_nothing(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, play), on_terminal(*command) as terminal:
        await terminal.until("[y/N]")
        terminal.type("n\n")
        ended = await terminal.end()
        assert play.origin.seen.connections == 0
    assert ended.status == 2
    assert "a port is opened on this machine" in " ".join(ended.shown.split())


async def test_a_yes_on_the_terminal_connects_and_shows_what_is_in_use(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, _), on_terminal(*command, "--port", str(port())) as terminal:
        await terminal.until("[y/N]")
        terminal.type("y\n")
        await terminal.until("in use: D")
        await terminal.until("proof 0:")
        terminal.type("\x03")
        ended = await terminal.end()
    assert ended.status == 130
    assert "Ended after" in ended.shown
    assert "Traceback" not in ended.everything


async def test_below_the_floor_the_person_is_asked_and_a_yes_is_enough(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, _):
        more = ("--port", str(port()), "--yes", "--lowest", "C")
        async with on_terminal(*command, *more) as terminal:
            await terminal.until("[y/N]")
            terminal.type("y\n")
            await terminal.until("in use: D")
            terminal.type("\x03")
            ended = await terminal.end()
    assert ended.status == 130


async def test_a_port_that_was_asked_for_and_is_taken_is_one_line(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, play):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ended = await sanylau(*command, "--port", str(taken.getsockname()[1]), "--yes")
        assert play.origin.seen.connections == 0
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(("script", "status"), [("exit 5", 5), ("kill -TERM $$", 143)])
async def test_the_status_of_the_command_is_passed_on_and_our_words_go_to_standard_error(
    tmp_path: Path, script: str, status: int
) -> None:
    async with playing(tmp_path) as (command, _):
        more = ("--port", str(port()), "--yes", "--exec", "sh", "-c", f"echo $ALL_PROXY; {script}")
        ended = await sanylau(*command, *more)
    assert ended.status == status
    assert re.fullmatch(r"socks5h://x:[a-z0-9-]{23}@127\.0\.0\.1:[0-9]+\n", ended.out)
    assert ended.out.partition("@")[0].rpartition(":")[2] not in ended.err
    assert len(ended.out.splitlines()) == 1
    assert "in use" in ended.err


async def test_options_behind_exec_belong_to_the_command(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, _):
        ended = await sanylau(
            *command, "--port", str(port()), "--yes", "--exec", "echo", "--json", "--help", "--yes"
        )
    assert (ended.status, ended.out) == (0, "--json --help --yes\n")


async def test_a_command_that_is_not_there_is_one_line_before_anything_is_sent(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, play):
        ended = await sanylau(*command, "--yes", "--exec", "no-such-command-anywhere")
        assert play.origin.seen.connections == 0
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (127, "", 1)


@pytest.mark.parametrize(
    "more",
    [
        ("--exec",),
        ("--listen", "not-an-address"),
        ("--listen", "127.0.0.2", "--password-file", "/nonexistent/file"),
        ("--listen", "0.0.0.0"),  # without a terminal and without a password
        ("--listen", "0.0.0.0", "--system"),
        ("--lowest", "E"),
        ("--port", "0"),
    ],
)
async def test_wrong_usage_is_status_2_and_sends_nothing(tmp_path: Path, more: tuple[str, ...]) -> None:
    async with playing(tmp_path) as (command, play):
        ended = await sanylau(*command, "--yes", *more)
        assert play.origin.seen.connections == 0
    assert (ended.status, ended.out) == (2, "")
    assert "Traceback" not in ended.err


async def test_the_command_is_not_run_where_nothing_works(tmp_path: Path) -> None:
    async with playing(tmp_path, {"refused-http"}) as (command, _):
        ended = await sanylau(*command, "--port", str(port()), "--yes", "--exec", "echo", "it ran")
    assert (ended.status, ended.out) == (1, "")


async def test_a_command_that_goes_directly_is_said_to_in_one_line_before_it_starts(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, _):
        ended = await sanylau(*command, "--yes", "--json", "--exec", "sh", "-c", "ping -V >&2")
        other = await sanylau(*command, "--yes", "--json", "--exec", "sh", "-c", "echo ping >&2")
    first = ended.err.splitlines()[0]
    assert first.startswith("sanylau: ping ")
    assert "goes directly" in first
    assert "goes directly" not in other.err


async def test_the_question_says_what_a_command_may_send_past_it(tmp_path: Path) -> None:
    async with playing(tmp_path) as (command, play), on_terminal(*command, "--exec", "true") as terminal:
        await terminal.until("[y/N]")
        terminal.type("n\n")
        ended = await terminal.end()
        assert play.origin.seen.connections == 0
    shown = " ".join(ended.shown.split())
    assert "for the command alone" in shown
    assert "connect directly, past Sanylau" in shown
