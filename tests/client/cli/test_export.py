"""`sanylau export` as its own process."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from client.drill.serving import Peer, serving
from client.drill.stage import stage
from client.exits import Exit
from client.export.formats import FORMATS
from tests.client.cli.commands import Ended, line_for, on_terminal, sanylau, started, toward, write_list
from tests.transports.links import CERT, FP, TROJAN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and modes of POSIX")

SOCKS = "socks5://ann:correct-horse@192.0.2.1:1080"
BRIDGE = f"obfs4 192.0.2.77:4433 {FP} cert={CERT} iat-mode=0"


def clean(ended: Ended) -> Ended:
    assert "Traceback" not in ended.everything
    assert "192.0.2" not in ended.err
    assert "correct-horse" not in ended.err
    return ended


def given(folder: Path, *lines: str) -> str:
    return write_list(folder / "list", lines or (SOCKS, *TROJAN, BRIDGE))


async def test_nothing_is_shown_and_nothing_sent_without_reveal_or_a_file(tmp_path: Path) -> None:
    asked = 0

    async def count(peer: Peer) -> None:
        nonlocal asked
        asked += 1

    async with serving(count) as port:
        path = given(tmp_path, f"http://127.0.0.1:{port}")
        for more in ([], ["-o", "-"]):
            ended = clean(await sanylau("export", "env", path, "--yes", *more))
            assert (ended.status, ended.out) == (Exit.USAGE, "")
            assert ended.err.count("\n") == 1
            assert "--reveal" in ended.err
    assert asked == 0


@pytest.mark.parametrize("more", [["--reveal"], ["--reveal", "-o", "-"]])
async def test_with_reveal_it_goes_to_standard_output(more: list[str], tmp_path: Path) -> None:
    ended = clean(await sanylau("export", "links", given(tmp_path), "--untested", *more))
    assert ended.status == 0
    assert ended.out.splitlines() == [TROJAN[0].partition("#")[0], SOCKS]
    assert "1 entry is left out: a bridge line is no share link" in ended.err
    assert "Class D: " in ended.err
    assert "Nothing of this was tested." in ended.err


async def test_a_file_is_new_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "torrc"
    ended = clean(await sanylau("export", "torrc", given(tmp_path), "--untested", "-o", str(file)))
    assert (ended.status, ended.out) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"Bridge {BRIDGE}\n" in file.read_text("ascii")
    assert "1 entry is in " in ended.err
    assert "Class D" not in ended.err


async def test_a_file_that_is_there_is_left_alone_and_nothing_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine", "ascii")
    ended = clean(await sanylau("export", "env", given(tmp_path), "-o", str(file)))
    assert ended.status == Exit.USAGE
    assert "another name" in ended.err
    assert file.read_text("ascii") == "mine"


async def test_where_nothing_fits_no_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new"
    ended = clean(await sanylau("export", "sip008", given(tmp_path), "--untested", "-o", str(file)))
    assert ended.status == Exit.NOTHING
    assert "3 entries are left out: " in ended.err
    assert not file.exists()


async def test_where_it_cannot_be_written_the_reason_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    ended = clean(await sanylau("export", "links", given(tmp_path), "--untested", "-o", str(path)))
    assert ended.status == Exit.USAGE
    assert "cannot be written" in ended.err


async def test_no_more_than_asked_for_are_written(tmp_path: Path) -> None:
    lines = (f"socks5://192.0.2.{number}:1080" for number in range(1, 5))
    path = given(tmp_path, *lines)
    ended = clean(await sanylau("export", "links", path, "--untested", "--first", "2", "--reveal"))
    assert len(ended.out.splitlines()) == 2


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.local])
async def test_the_local_connection_needs_no_list(name: str) -> None:
    ended = clean(await sanylau("export", name, "--local", "1080", "--reveal"))
    assert ended.status == 0
    assert ended.err == ""
    assert "127.0.0.1" in ended.out or name == "pac-url"


@pytest.mark.parametrize(
    "arguments",
    [
        ["torrc", "--local", "1080"],
        ["qr", "--local", "1080"],
        ["env", "--local", "1080", "list"],
        ["env", "--local", "1080", "--untested"],
        ["env", "--local", "0"],
        ["env", "--yes"],
        ["links", "--results", "x", "--untested"],
        ["nothing"],
    ],
)
async def test_wrong_usage_is_said_in_one_line(arguments: list[str]) -> None:
    ended = clean(await sanylau("export", *arguments, "--reveal"))
    assert (ended.status, ended.out) == (Exit.USAGE, "")
    assert ended.err.count("\n") == 1


async def test_without_a_terminal_and_without_yes_nothing_is_tested(tmp_path: Path) -> None:
    ended = clean(await sanylau("export", "env", given(tmp_path, SOCKS), "--reveal"))
    assert (ended.status, ended.out) == (Exit.USAGE, "")


async def test_what_works_is_found_and_written(tmp_path: Path) -> None:
    file = tmp_path / "proxy.sh"
    async with stage({"good-http", "refused-http", "captive"}) as playing:
        lines = [line_for(placed) for placed in playing.parts]
        path = given(tmp_path, *lines, BRIDGE)
        ended = await sanylau("export", "env", path, *toward(playing, tmp_path), "--yes", "-o", str(file))
        (good,) = (placed for placed in playing.parts if placed.part.name == "good-http")
    assert ended.status == 0, ended.err
    assert f"export ALL_PROXY=http://127.0.0.1:{good.port}\n" in file.read_text("ascii")
    assert "Nothing of this was tested" not in ended.err


async def test_where_nothing_works_no_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "proxy.sh"
    async with stage({"refused-http"}) as playing:
        path = given(tmp_path, *(line_for(placed) for placed in playing.parts))
        ended = await sanylau("export", "env", path, *toward(playing, tmp_path), "--yes", "-o", str(file))
    assert ended.status == Exit.NOTHING
    assert not file.exists()


async def test_results_of_a_check_are_taken(tmp_path: Path) -> None:
    async with stage({"good-http", "right-password-socks5"}) as playing:
        path = given(tmp_path, *(line_for(placed) for placed in playing.parts))
        told = await sanylau("check", path, *toward(playing, tmp_path), "--json", "--yes", "--reveal")
        places = {f"127.0.0.1:{placed.port}" for placed in playing.parts}
    results = tmp_path / "results"
    results.write_text(told.out, "utf-8")
    ended = await sanylau("export", "links", "--results", str(results), "--reveal")
    assert ended.status == 0, ended.err
    assert {line.rpartition("@")[2].removeprefix("http://") for line in ended.out.splitlines()} == places


async def test_a_picture_goes_to_a_pipe_and_not_to_a_terminal(tmp_path: Path) -> None:
    arguments = ("export", "qr-png", given(tmp_path), "--untested", "--reveal")
    async with started(*arguments) as process:
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert out.startswith(b"\x89PNG")
    async with on_terminal(*arguments) as terminal:
        ended = await terminal.end()
    assert ended.status == Exit.USAGE
    assert "PNG" not in ended.shown


async def test_singbox_configuration_is_json(tmp_path: Path) -> None:
    ended = clean(await sanylau("export", "singbox", given(tmp_path), "--untested", "--reveal"))
    assert json.loads(ended.out)["route"]["final"] == "way"


async def test_the_built_in_list_is_not_tested_for_a_format_without_bridges() -> None:
    ended = clean(await sanylau("export", "env", "--reveal", "--yes"))
    assert ended.status == Exit.USAGE
    assert "give a LIST" in ended.err


@pytest.mark.parametrize(
    ("line", "fits"), [("http://192.0.2.1:1", True), ("trojan://x@192.0.2.1:443?path=" + "a" * 900, False)]
)
async def test_a_code_on_the_terminal_that_is_too_wide_says_so(line: str, fits: bool, tmp_path: Path) -> None:
    async with on_terminal("export", "qr", given(tmp_path, line), "--untested", "--reveal") as terminal:
        ended = await terminal.end()
    assert ended.status == 0
    assert "\u2588" in ended.shown
    assert ("make the letters smaller" in ended.shown) != fits


MTPROTO = "tg://proxy?server=192.0.2.9&port=443&secret=dd00112233445566778899aabbccddeeff"


async def test_of_telegrams_own_proxies_it_is_said_that_they_cannot_be_tested(tmp_path: Path) -> None:
    ended = clean(await sanylau("export", "telegram", given(tmp_path, MTPROTO), "--reveal", "--yes"))
    assert (ended.status, ended.out) == (Exit.NOT_MEASURED, "")
    assert "export telegram LIST --untested" in ended.err.splitlines()[-1]
    assert "Nothing works" not in ended.err
    ended = clean(await sanylau("export", "telegram", given(tmp_path, MTPROTO), "--reveal", "--untested"))
    assert ended.status == 0
    assert ended.out.startswith("tg://proxy?server=192.0.2.9")


async def test_beside_one_that_works_those_of_telegram_are_named_too(tmp_path: Path) -> None:
    async with stage({"good-socks5"}) as playing:
        path = given(tmp_path, MTPROTO, *(line_for(placed) for placed in playing.parts))
        ended = await sanylau("export", "telegram", path, *toward(playing, tmp_path), "--yes", "--reveal")
    assert ended.status == 0, ended.err
    assert "tg://socks?server=127.0.0.1" in ended.out
    assert ended.err.count("export telegram LIST --untested") == 1


@pytest.mark.parametrize("arguments", [["--untested"], ["--local", "1080"]])
async def test_that_chromium_does_not_read_a_proxy_file_from_the_disk_is_said_loudly(
    arguments: list[str], tmp_path: Path
) -> None:
    lists = [] if "--local" in arguments else [given(tmp_path, "http://192.0.2.1:8080")]
    for name in ("pac", "pac-url"):
        ended = clean(await sanylau("export", name, *lists, *arguments, "-o", str(tmp_path / name)))
        assert ended.status == 0
        assert ("WITHOUT any proxy" in ended.err) is (name == "pac")


async def test_for_a_format_of_bridges_a_list_without_any_is_refused_before_anybody_is_asked(
    tmp_path: Path,
) -> None:
    asked = 0

    async def count(peer: Peer) -> None:
        nonlocal asked
        asked += 1

    async with serving(count) as port:
        path = given(tmp_path, f"http://127.0.0.1:{port}", *TROJAN)
        for consent in ([], ["--yes"]):
            file = tmp_path / "torrc"
            ended = clean(await sanylau("export", "torrc", path, "-o", str(file), *consent))
            assert ended.status == Exit.NOTHING
            assert "this format holds Tor bridges only" in ended.err
            assert "--only" not in ended.err
            assert "Nothing works" not in ended.err
            assert not file.exists()
    assert asked == 0


async def test_what_the_format_cannot_hold_is_told_before_the_question(tmp_path: Path) -> None:
    path = given(tmp_path, "http://127.0.0.1:9", *TROJAN)
    async with on_terminal("export", "env", path, "--reveal", streams="02") as terminal:
        await terminal.until("Go on?")
        terminal.type("n\n")
        ended = await terminal.end()
    assert ended.status == Exit.USAGE
    kept = ended.shown.index("left out: this format holds these kinds only: SOCKS5")
    assert kept < ended.shown.index("Go on?")


async def test_a_folder_that_is_not_there_is_told_before_the_question(tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "file")
    ended = clean(await sanylau("export", "env", given(tmp_path), "-o", path))
    assert (ended.status, ended.err.count("\n")) == (Exit.USAGE, 1)
    assert "cannot be written (No such file or directory)" in ended.err


async def test_the_end_names_the_next_step_and_it_can_be_typed(tmp_path: Path) -> None:
    file = tmp_path / "my proxy"
    path = given(tmp_path, SOCKS)
    ended = clean(await sanylau("export", "env", path, "--untested", "-o", str(file)))
    assert f"→ Use it, in every terminal anew: `. '{file}'`\n" in ended.err
    script = f". '{file}' && printf %s \"$ALL_PROXY\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=10)  # noqa: ASYNC221
    assert done.stdout.decode().endswith("@192.0.2.1:1080")
    ended = clean(await sanylau("export", "singbox", path, "--untested", "-o", str(tmp_path / "sb")))
    assert f"`sing-box run -c {tmp_path}/sb`, then SOCKS or HTTP on 127.0.0.1, port 2080." in ended.err


async def test_where_only_class_d_fits_the_local_connection_is_named(tmp_path: Path) -> None:
    path = given(tmp_path, SOCKS, *TROJAN)
    more = ("--untested", "--trusted", "-o")
    ended = clean(await sanylau("export", "env", path, *more, str(tmp_path / "one")))
    assert f"`sanylau connect {path} --trusted`" in ended.err
    assert "`sanylau export env --local 1080 -o FILE`" in ended.err
    ended = clean(await sanylau("export", "links", path, *more, str(tmp_path / "two")))
    assert "local connection" not in ended.err
    ended = clean(await sanylau("export", "env", given(tmp_path, SOCKS), *more, str(tmp_path / "three")))
    assert "local connection" not in ended.err


async def test_after_a_test_the_local_connection_is_named_for_what_was_not_tested_either(
    tmp_path: Path,
) -> None:
    async with stage({"good-http"}) as playing:
        path = given(tmp_path, *TROJAN, *(line_for(placed) for placed in playing.parts))
        options = toward(playing, tmp_path)
        ended = await sanylau("export", "env", path, *options, "--yes", "-o", str(tmp_path / "new"))
    assert ended.status == 0, ended.err
    assert "left out: this format holds these kinds only" in ended.err
    assert f"`sanylau connect {path} --profile fast" in ended.err


async def test_without_a_format_the_formats_stand_in_one_clean_line() -> None:
    ended = clean(await sanylau("export"))
    assert (ended.status, ended.err.count("\n")) == (Exit.USAGE, 1)
    assert "bridges, clash, curl" in ended.err
    assert "\ufffd" not in ended.err
