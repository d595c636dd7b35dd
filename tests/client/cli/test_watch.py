"""`sanylau watch` as a person runs it: before servers on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from client.drill.stage import stage
from client.drill.windows import Scenery, scenery
from client.vault.content import with_calendar
from client.vault.network import name
from client.vault.store import Vault
from client.watch.calendar import Calendar, Mark
from tests.client.cli.commands import ROOT, line_for, on_terminal, sanylau, started, toward, write_list

PASSPHRASE = b"correct horse"


@asynccontextmanager
async def country(folder: Path, mark: Mark) -> AsyncIterator[tuple[Scenery, list[str]]]:
    """Servers on loopback; gives them and the options that lead there."""
    async with scenery() as set_up:
        await set_up.set(mark)
        (folder / "roots.pem").write_text(set_up.anchors.ca)
        entries = ['date = 2026-01-01\nsource = "test"\nca = "roots.pem"\n']
        entries += [
            f'[[server]]\nplace = "{one.place}"\noperator = "{one.operator}"\nname = "localhost"\n'
            f'addresses = ["127.0.0.1"]\nports = [{one.ports[0]}]\n'
            for one in set_up.anchors.servers
        ]
        (folder / "anchors.toml").write_text("\n".join(entries))
        yield set_up, ["watch", "--anchors", str(folder / "anchors.toml")]


def hurried(folder: Path) -> dict[str, str]:
    """Return the environment in which the clock of a watch is 30 times as fast: its questions wait for minutes."""
    (folder / "sitecustomize.py").write_text(
        "import asyncio, time\n"
        "from client.watch.clock import SystemClock as Clock\n"
        "begin = time.time()\n"
        "Clock.steady = Clock.awake = lambda self: 30 * asyncio.get_running_loop().time()\n"
        "Clock.wall = lambda self: begin + self.steady()\n"
        "Clock.sleep = lambda self, seconds: asyncio.sleep(seconds / 30)\n"
    )
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_an_opening_rechecks_the_list_and_runs_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    code = f"import pathlib; pathlib.Path({str(mark)!r}).write_text('x')"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    async with country(tmp_path, Mark.OPEN) as (_, options), stage(["good-socks5", "reset-http"]) as playing:
        listed = write_list(tmp_path / "list", [line_for(placed) for placed in playing.parts])
        ended = await sanylau(
            *options,
            listed,
            "--on-open",
            command,
            "--once",
            "--json",
            "--yes",
            "--bridges",
            "none",
            *toward(playing, tmp_path),
            env=hurried(tmp_path),
        )
    assert (ended.status, ended.err) == (0, "")
    assert mark.read_text() == "x"
    found = ended.objects()
    assert [one["state"] for one in found if one["type"] == "state"] == ["open"]
    assert [(one["job"], one["done"]) for one in found if one["type"] == "job"] == [
        ("recheck", None),
        ("recheck", True),
        ("command", None),
        ("command", True),
    ]
    assert sorted(one["status"] for one in found if one["type"] == "result") == ["failed", "working"]
    assert found[-1]["type"] == "summary"
    assert not any(str(placed.port) in ended.out for placed in playing.parts)
    assert "127.0.0.1" not in ended.out


async def test_ctrl_c_ends_it_with_what_was_seen(tmp_path: Path) -> None:
    async with country(tmp_path, Mark.SHUT) as (_, options), started(*options, "--yes") as process:
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), 20)
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 130
    assert err == b""
    assert b"At most 2 connections and 6 kB a minute" in first
    assert b"Over. 1 connections" in out or b"Over. " in out


async def test_the_question_names_who_is_asked_and_what_is_done(tmp_path: Path) -> None:
    async with (
        country(tmp_path, Mark.SHUT) as (_, options),
        on_terminal(*options, "--on-open", "make tea") as terminal,
    ):
        await terminal.until("[y/N]")
        shown = terminal.shown.decode()
        terminal.type("n\n")
        ended = await terminal.end()
    assert ended.status == 2
    for part in ("localhost (abroad 1)", "6 kB a minute", "make tea", "Nothing is written"):
        assert part in " ".join(shown.split())


async def test_without_a_terminal_nothing_is_sent(tmp_path: Path) -> None:
    async with country(tmp_path, Mark.OPEN) as (_, options):
        ended = await sanylau(*options)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--notice", "internet!"], "--notice"),
        (["--on-open", "'"], "--on-open"),
        (["--country", "KZ"], "--country or --anchors"),
        (["/nowhere/list"], "no such file"),
        (["--bridges", "maybe"], "maybe"),
        (["vault:"], "vault"),
    ],
)
async def test_bad_input_is_told_in_one_line(tmp_path: Path, more: list[str], word: str) -> None:
    async with country(tmp_path, Mark.OPEN) as (_, options):
        ended = await sanylau(*options, "--yes", *more, env={"SANYLAU_VAULT": str(tmp_path / "none")})
    assert (ended.status, ended.out) == (2, "")
    assert word in ended.err
    assert ended.err.count("\n") == 1


@asynccontextmanager
async def passphrase() -> AsyncIterator[dict[str, Any]]:
    """A descriptor to read it from; gives the number as an option's value and what the process needs."""
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE + b"\n")
    os.close(writing)
    try:
        yield {"number": str(reading), "fds": (reading,)}
    finally:
        os.close(reading)


def kept(folder: Path, *calendars: Calendar) -> dict[str, str]:
    """Make a vault; gives the environment that leads to it."""
    vault = Vault.create(folder / "vault", bytearray(PASSPHRASE))
    for calendar in calendars:
        from client.vault.network import _router

        network = name(_router(), vault.content.id_key)
        vault.change(lambda content, to=network, it=calendar: with_calendar(content, to, it.to_json()))  # type: ignore[misc]
    vault.close()
    return {"SANYLAU_VAULT": str(folder / "vault")}


async def test_the_vaults_calendar_is_drawn(tmp_path: Path) -> None:
    calendar = Calendar().marked(1641340800, 1641513600, Mark.SHUT)
    calendar = calendar.marked(1641351600, 1641362400, Mark.OPEN).marked(1641438000, 1641448800, Mark.OPEN)
    env = kept(tmp_path, calendar) | {"TZ": "UTC"}
    for more in ([], ["--json"]):
        async with passphrase() as given:
            ended = await sanylau(
                "watch",
                "--calendar",
                *more,
                "--passphrase-fd",
                given["number"],
                env=env,
                pass_fds=given["fds"],
            )
        assert (ended.status, ended.err) == (0, "")
        if more:
            days = ended.of_type("day")
            assert [one["day"] for one in days] == ["2022-01-05", "2022-01-06"]
            assert days[0]["spans"][1] == [180, 360, "open"]
            assert ended.of_type("prediction")[0]["opens"] is None, "that was years ago"
        else:
            assert "05.01." in ended.out
            assert "3 h 0 min" in ended.out


async def test_a_watch_keeps_its_calendar_in_the_vault_and_nowhere_else(tmp_path: Path) -> None:
    env = kept(tmp_path)
    before = sorted(path.name for path in (tmp_path / "vault").iterdir())
    async with country(tmp_path, Mark.OPEN) as (_, options), passphrase() as given:
        ended = await sanylau(
            *options,
            "--once",
            "--yes",
            "--passphrase-fd",
            given["number"],
            env=env | hurried(tmp_path),
            pass_fds=given["fds"],
        )
    assert (ended.status, ended.err) == (0, "")
    assert "It opened" in ended.out
    vault = Vault.open(tmp_path / "vault", bytearray(PASSPHRASE))
    assert [set(data) for data in vault.content.calendars.values()] == [{"v", "spans"}]  # type: ignore[arg-type]
    vault.close()
    assert sorted(path.name for path in (tmp_path / "vault").iterdir()) == before
