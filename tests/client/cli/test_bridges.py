"""`sanylau bridges` as a person runs it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client.drill.proxies import World, socks5_proxy
from client.drill.serving import Peer, nobody, serving
from tests.client.cli.commands import ROOT, on_terminal, sanylau, started, surroundings
from tests.servers.meek import meek_server
from tests.servers.moat import JPEG, LETTERS, OBFS4, OTHER_PORT, WEBTUNNEL, Moat, moat_server

needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of this kind")


def toward(server: Moat, folder: Path) -> list[str]:
    ca = folder / "ca.pem"
    ca.write_text(server.ca_pem, "ascii")
    return ["--moat", server.url, "--ca", str(ca), "--timeout", "3"]


def pictures(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.jpg")]


async def test_without_a_way_the_built_in_lines_come_with_their_date_and_what_they_are_worth() -> None:
    ended = await sanylau("bridges")
    assert ended.status == 0
    assert all(line.split()[0] in ("obfs4", "meek_lite", "snowflake") for line in ended.out.splitlines())
    assert "public and the first to be blocked" in ended.err
    assert "2026-04-09" in ended.err


async def test_filters_and_json() -> None:
    ended = await sanylau("bridges", "--transport", "obfs4", "--port", "443", "--json")
    assert ended.status == 0
    lines = ended.of_type("bridge")
    assert len(lines) == 3
    assert {(one["transport"], one["port"], one["source"]) for one in lines} == {("obfs4", 443, "builtin")}
    assert ended.of_type("summary")[0]["lines"] == 3


async def test_a_port_that_no_line_has_ends_in_how_to_ask_for_one() -> None:
    ended = await sanylau("bridges", "--port", "179", "--country", "KZ")
    assert (ended.status, ended.out) == (1, "")
    assert "frontdesk@torproject.org" in ended.err
    assert "private bridge kz" in ended.err


async def test_how_tells_the_other_ways() -> None:
    ended = await sanylau("bridges", "--how")
    assert (ended.status, ended.err) == (0, "")
    assert "@GetBridgesBot" in ended.out
    assert "private bridge CC" in ended.out
    assert "the two letters of your country" in ended.out
    ended = await sanylau("bridges", "--how", "--country", "by")
    assert "private bridge by" in ended.out
    assert "CC" not in ended.out


@pytest.mark.parametrize(
    ("country", "words"), [("ru", "Built-in lines for RU come first"), ("kz", "no built-in lines for KZ")]
)
async def test_without_a_way_it_is_told_what_a_country_changes(country: str, words: str) -> None:
    ended = await sanylau("bridges", "--country", country)
    assert ended.status == 0
    assert words in ended.err
    assert "--direct, --front or --through LIST" in ended.err
    assert words not in (await sanylau("bridges")).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--direct", "--front"],
        ["--country", "kaz"],
        ["--country", "uk"],
        ["--moat", "https://localhost/"],
        ["--ask", "map"],
        ["--captcha", "x"],
        ["--direct", "--moat", "http://localhost/"],
        ["--through", "no-such-file"],
        ["--direct", "--fronts", "x"],
        ["--port", "0"],
        ["--transport", "nosuch"],
    ],
)
async def test_wrong_usage_is_one_line_and_2(arguments: list[str]) -> None:
    ended = await sanylau("bridges", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1


def test_help_loads_nothing_heavy() -> None:
    heavy = {"aiohttp", "asyncio", "ssl", "cryptography", "textual", "rich.table"}
    code = (
        "import sys\nfrom client.cli.main import main\n"
        "main(['bridges', '--help'])\nprint(*sorted(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=surroundings(), cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
    )
    assert not heavy & set(done.stderr.split())
    assert "not masked" in done.stdout


async def test_nothing_is_sent_without_consent(tmp_path: Path) -> None:
    async with moat_server() as server:
        ended = await sanylau("bridges", "--direct", *toward(server, tmp_path))
        assert server.connections == 0
    assert (ended.status, ended.out) == (2, "")
    assert "--yes" in ended.err


@needs_terminal
async def test_the_question_names_the_host_and_no_is_no(tmp_path: Path) -> None:
    async with moat_server() as server:
        async with on_terminal("bridges", "--direct", *toward(server, tmp_path), streams="") as terminal:
            await terminal.until("[y/N]")
            terminal.type("n\n")
            ended = await terminal.end()
        assert server.connections == 0
    assert ended.status == 2
    assert "localhost will be asked directly" in ended.shown


async def test_fresh_lines_come_on_standard_output_and_the_sentences_do_not(tmp_path: Path) -> None:
    async with moat_server() as server:
        where = toward(server, tmp_path)
        ended = await sanylau("bridges", "--direct", "--country", "tm", "--yes", *where)
    assert ended.status == 0
    assert ended.out.splitlines() == [OBFS4, OTHER_PORT, WEBTUNNEL]
    assert "From localhost, directly." in ended.err


async def test_fresh_lines_come_through_a_real_proxy_past_a_dead_one(tmp_path: Path) -> None:
    async with moat_server() as server, nobody() as dead, serving(socks5_proxy(World())) as port:
        given = tmp_path / "list"
        given.write_text(f"socks5://127.0.0.1:{dead}\nsocks5://127.0.0.1:{port}\n")
        options = ["--through", str(given), "--country", "tm", "--port", "5060", "--yes", "--json"]
        ended = await sanylau("bridges", *options, *toward(server, tmp_path))
    assert ended.status == 0
    assert [one["line"] for one in ended.of_type("bridge")] == [OTHER_PORT]
    assert ended.of_type("summary")[0]["source"] == "moat"


@pytest.mark.skipif(shutil.which("obfs4proxy") is None, reason="needs obfs4proxy")
async def test_fresh_lines_come_behind_a_front(tmp_path: Path) -> None:
    async with moat_server() as server, meek_server(server.port) as meek:
        fronts = tmp_path / "fronts"
        fronts.write_text(meek.line + "\n")
        options = ["--front", "--fronts", str(fronts), "--country", "tm", "--yes", "--disk"]
        ended = await sanylau("bridges", *options, *toward(server, tmp_path))
    assert ended.status == 0
    assert ended.out.splitlines()[0] == OBFS4


async def test_without_a_program_for_meek_the_built_in_lines_stand_in_and_the_status_is_3(
    tmp_path: Path,
) -> None:
    async with moat_server() as server:
        env = {"PATH": str(tmp_path)}
        ended = await sanylau("bridges", "--front", "--yes", *toward(server, tmp_path), env=env)
    if "obfs4proxy" not in ended.err:  # a Tor Browser lies in one of its usual places
        pytest.skip("this machine has a program for meek outside the search path")
    assert ended.status == 3
    assert "stand in" in ended.err
    assert ended.out.startswith("obfs4 ")


@pytest.mark.parametrize("lie", [b"<html>", b'{"errors":[{"code":404}]}', b"[" * 9999])
async def test_where_the_server_gives_nothing_the_built_in_lines_stand_in(tmp_path: Path, lie: bytes) -> None:
    async with moat_server() as server:
        server.lies["circumvention/settings"] = lie
        ended = await sanylau("bridges", "--direct", "--country", "tm", "--yes", *toward(server, tmp_path))
    assert ended.status == 1
    assert "the built-in lines stand in" in ended.err
    assert len(ended.out.splitlines()) > 5


@pytest.mark.parametrize(
    ("what", "first"), [("countries", "cn"), ("map", "cn: snowflake builtin"), ("builtin", OBFS4)]
)
async def test_the_other_questions_are_answered(tmp_path: Path, what: str, first: str) -> None:
    async with moat_server() as server:
        ended = await sanylau("bridges", "--direct", "--ask", what, "--yes", *toward(server, tmp_path))
    assert ended.status == 0
    assert ended.out.splitlines()[0] == first


@needs_terminal
async def test_a_captcha_is_shown_as_a_file_answered_on_the_terminal_and_erased(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    async with moat_server() as server:
        options = ["--direct", "--captcha", str(picture), "--yes", *toward(server, tmp_path)]
        async with on_terminal("bridges", *options, streams="") as terminal:
            await terminal.until("type what it shows")
            assert picture.read_bytes() == JPEG
            assert picture.stat().st_mode & 0o777 == 0o600
            terminal.type("wrong\n")
            await terminal.until("type what it shows: ")
            while server.paths.count("fetch") < 2:
                await terminal.came.wait()
                terminal.came.clear()
            terminal.type(LETTERS + "\n")
            ended = await terminal.end()
    assert ended.status == 0
    assert ended.out.splitlines() == [OBFS4]
    assert not picture.exists()


async def test_a_captcha_never_writes_over_a_file_and_needs_a_terminal(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_text("mine")
    async with moat_server() as server:
        where = ["bridges", "--direct", "--yes", *toward(server, tmp_path), "--captcha"]
        ended = await sanylau(*where, str(picture))
        assert ended.status == 2
        ended = await sanylau(*where, str(tmp_path / "new.jpg"))
        assert ended.status == 2
        assert "terminal" in ended.err
        assert server.connections == 0
    assert picture.read_text() == "mine"
    assert pictures(tmp_path) == ["picture.jpg"]


@needs_terminal
async def test_ctrl_c_at_the_picture_erases_it_and_is_130(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    async with moat_server() as server:
        options = ["--direct", "--captcha", str(picture), "--yes", *toward(server, tmp_path)]
        async with on_terminal("bridges", *options, streams="") as terminal:
            await terminal.until("type what it shows")
            terminal.type("\x03")
            ended = await terminal.end()
    assert ended.status == 130
    assert not pictures(tmp_path)


@needs_terminal
async def test_ctrl_c_during_a_request_ends_at_once_with_130(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def silent(peer: Peer) -> None:
        arrived.set()
        await peer.read()

    async with moat_server() as server:
        server.lies["circumvention/settings"] = silent
        async with started("bridges", "--direct", "--yes", *toward(server, tmp_path)) as process:
            await asyncio.wait_for(arrived.wait(), 10)
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), 2) == 130


async def test_with_check_and_no_line_that_fits_nothing_is_tested() -> None:
    ended = await sanylau("bridges", "--transport", "webtunnel", "--check", "--json", "--yes")
    assert (ended.status, ended.out) == (1, "")
