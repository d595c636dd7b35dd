"""`sanylau check` as its own process: what scripts, terminals and people can rely on."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from client.drill.parts import PASSWORD
from client.drill.stage import Stage, stage
from client.exits import Exit
from tests.client.cli.commands import (
    Ended,
    line_for,
    on_terminal,
    sanylau,
    started,
    toward,
    write_list,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
STARTED = {
    "v", "type", "given", "candidates", "duplicates", "rejected", "profile", "budget_connections", "budget_kib",
    "at",
}  # fmt: skip
RESULT = {
    "v", "type", "source", "line", "id", "transport", "class", "status", "failure", "step", "steps", "elapsed_ms",
    "first_byte_ms", "kib_per_s", "tries", "proof", "reason",
}  # fmt: skip
STATUSES = {"working", "degraded", "hostile", "blocked", "failed", "untested"}
SUMMARY = STATUSES | {
    "v", "type", "given", "candidates", "duplicates", "rejected", "stopped", "elapsed_ms", "first_working_ms",
    "line_state", "moved_kib",
}  # fmt: skip
NAMES = {"good-http", "right-password-socks5", "refused-http", "captive", "escapes-403", "escapes-200"}
SECRET = "correct-horse-battery"


def clean(ended: Ended) -> Ended:
    assert "Traceback" not in ended.everything
    assert not ESCAPE.search(ended.out + ended.err)
    return ended


def names_port(port: str, text: str) -> bool:
    """Tell whether a port stands in a text, and not as a part of an id or as the upload's size."""
    return port != "32768" and re.search(rf"(?<![0-9a-f]){port}(?![0-9a-f])", text) is not None


def complained(ended: Ended, status: int = Exit.USAGE) -> str:
    """Return the one line of complaint of a command that did nothing."""
    clean(ended)
    assert ended.status == status
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    return line


def given_list(playing: Stage, folder: Path, *more: str) -> str:
    return write_list(folder / "list.txt", [*more, *(line_for(placed) for placed in playing.parts)])


# the contract


async def test_json_keeps_its_contract(tmp_path: Path) -> None:
    async with stage(NAMES) as playing:
        path = given_list(playing, tmp_path, "# head", "nonsense", line_for(playing.parts[0]))
        ended = clean(await sanylau("check", path, *toward(playing, tmp_path), "--json", "--yes"))
    objects = ended.objects()
    assert ended.status == 0
    assert {one["v"] for one in objects} == {1}
    kinds = [one["type"] for one in objects]
    assert kinds == ["started", "rejected", *["result"] * len(NAMES), "summary"]
    first, last = objects[0], objects[-1]
    assert set(first) == STARTED
    assert set(last) == SUMMARY
    assert (first["given"], first["candidates"], first["duplicates"], first["rejected"]) == (8, 6, 1, 1)
    assert [last[name] for name in ("given", "candidates", "duplicates", "rejected")] == [8, 6, 1, 1]
    assert sum(last[status] for status in STATUSES) == 6
    assert last["working"] == 2
    assert last["line_state"] == "healthy"
    assert last["stopped"] is None
    assert 0 < last["first_working_ms"] <= last["elapsed_ms"]
    (refused,) = ended.of_type("rejected")
    assert set(refused) == {"v", "type", "source", "line", "reason"}
    assert (refused["line"], refused["source"]) == (2, path)
    for result in ended.of_type("result"):
        assert set(result) == RESULT
        assert result["status"] in STATUSES
        assert result["class"] in {"A", "B", "C", "D"}
        assert re.fullmatch(r"[0-9a-f]{8,16}", result["id"])
        assert isinstance(result["line"], int)
        assert isinstance(result["elapsed_ms"], int)
        assert isinstance(result["tries"], int)
        assert (result["proof"] is not None) == (result["status"] == "working")
        for step in result["steps"]:
            assert set(step) >= {"name", "ms", "failure"}
            assert isinstance(step["ms"], int)
    works = [result for result in ended.of_type("result") if result["status"] == "working"]
    for result in works:
        assert result["proof"]["down_bytes"] >= 65536
        assert result["proof"]["up_bytes"] >= 32768
        assert result["kib_per_s"] > 0
        assert result["first_byte_ms"] > 0
        assert (result["failure"], result["step"]) == (None, None)


async def test_a_result_is_written_as_soon_as_it_is_known(tmp_path: Path) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        path = given_list(playing, tmp_path)
        options = toward(playing, tmp_path, total=15.0)
        async with started("check", path, *options, "--json", "--yes") as process:
            assert process.stdout is not None
            lines = [json.loads(await asyncio.wait_for(process.stdout.readline(), 8)) for _ in range(2)]
            assert process.returncode is None  # the silent one has 15 s
    assert [line["type"] for line in lines] == ["started", "result"]
    assert lines[1]["status"] == "working"


async def test_ids_are_stable_within_a_run_and_differ_between_runs(tmp_path: Path) -> None:
    async with stage({"refused-http", "refused-socks5"}) as playing:
        path = given_list(playing, tmp_path)
        arguments = ("check", path, *toward(playing, tmp_path), "--json", "--yes")
        runs = [await sanylau(*arguments) for _ in range(2)]
    ids = [{one["id"] for one in ended.of_type("result")} for ended in runs]
    assert len(ids[0]) == len(ids[1]) == 2
    assert not ids[0] & ids[1]


async def test_reveal_adds_the_candidate_and_nothing_else(tmp_path: Path) -> None:
    async with stage({"right-password-socks5"}) as playing:
        path = given_list(playing, tmp_path)
        ended = await sanylau("check", path, *toward(playing, tmp_path), "--json", "--yes", "--reveal")
        (result,) = ended.of_type("result")
        assert set(result) == RESULT | {"candidate"}
        assert result["candidate"] == line_for(playing.parts[0])


# masking

REJECTED = [
    f"socks4://ann:{SECRET}@192.0.2.77:1080",
    f"http://ann:{SECRET}@secret-host.example",
    f"ann:{SECRET}@192.0.2.77:99999",
    "socks5://[2001:db8::77",
    "obfs4 192.0.2.77:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=secretcert",
    f"vless://{SECRET}@192.0.2.77:443",
    f"ss://{SECRET}@192.0.2.77:0",
    f"trojan://{SECRET}@secret-host.example:443?type=unheard",
]


@pytest.mark.parametrize("how", [["--json"], []])
async def test_no_address_name_or_secret_is_shown(tmp_path: Path, how: list[str]) -> None:
    untested = "tg://proxy?server=secret-host.example&port=443&secret=dd000102030405060708090a0b0c0d0e0f"
    async with stage(NAMES | {"wrong-password-http", "good-socks4a"}) as playing:
        path = given_list(playing, tmp_path, *REJECTED, untested)
        ended = clean(await sanylau("check", path, *toward(playing, tmp_path), "--yes", *how))
        ports = {str(placed.port) for placed in playing.parts}
        secrets = {placed.password for placed in playing.parts} | {
            placed.username for placed in playing.parts
        }
    assert ended.status == 0
    for secret in (
        secrets - {""} | {SECRET, PASSWORD, PASSWORD.replace(" ", "%20"), "127.0.0.1", "192.0.2.77"}
        | {"2001:db8::77", "secret-host", "secretcert", "0123456789ABCDEF", "000102030405"}
    ):  # fmt: skip
        assert secret not in ended.everything, secret
    for port in ports:
        assert not names_port(port, ended.everything)


async def test_a_crash_would_not_show_them_either(tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.txt", [f"http://ann:{SECRET}@127.0.0.1:9"])
    ended = await sanylau("check", path, "--yes", "--target", "https://localhost:1/", "--target-ca", path)
    assert SECRET not in complained(ended)


# exit statuses


async def test_nothing_that_works_ends_with_1(tmp_path: Path) -> None:
    async with stage({"refused-http", "captive"}) as playing:
        path = given_list(playing, tmp_path)
        ended = clean(await sanylau("check", path, *toward(playing, tmp_path), "--yes"))
    assert ended.status == 1


async def test_nothing_that_can_be_measured_ends_with_3(tmp_path: Path) -> None:
    line = "tg://proxy?server=127.0.0.1&port=443&secret=dd000102030405060708090a0b0c0d0e0f"
    path = write_list(tmp_path / "list.txt", [line])
    async with stage(()) as playing:
        ended = clean(
            await sanylau("check", path, *toward(playing, tmp_path), "--json")
        )  # nothing to agree to
        assert playing.origin.seen.connections == 0
    assert ended.status == 3
    assert [one["status"] for one in ended.of_type("result")] == ["untested"]


async def test_a_list_of_rejects_only_ends_with_3_and_says_what_to_mend(tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.txt", ["nonsense", "127.0.0.1:99999"])
    async with stage(()) as playing:
        ended = clean(await sanylau("check", path, *toward(playing, tmp_path)))
    assert ended.status == 3
    assert "line 2" in ended.out


# wrong usage


async def test_what_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    binary, empty, blank, comments = (tmp_path / name for name in ("binary", "empty", "blank", "comments"))
    binary.write_bytes(b"\x7fELF\x00\x01")
    empty.write_bytes(b"")
    blank.write_bytes(b" \n\n")
    comments.write_bytes(b"# only\n# comments\n")
    for path in (tmp_path / "missing", tmp_path, binary, empty, blank):
        assert path.name in complained(await sanylau("check", str(path), "--yes"))
    assert "no entry" in complained(await sanylau("check", str(comments), "--yes"))
    assert complained(await sanylau("check", "-", "--yes"))


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    if os.geteuid() == 0:  # root may read every file, but nobody may read the start of this one
        path.symlink_to("/proc/self/mem")
    else:
        path.write_text("127.0.0.1:9\n")
        path.chmod(0)
    assert "locked" in complained(await sanylau("check", str(path), "--yes"))


@pytest.mark.parametrize(
    "options",
    [
        ["--only", "carrier-pigeon"],
        ["--target", "http://localhost/"],
        ["--target", "https://"],
        ["--target", "https://localhost/a b"],
        ["--target", "https://localhost/\x1b[2J"],
        ["--bulk-target", "localhost"],
        ["--plain-target", "https://localhost/", "--target", "https://localhost/"],
        ["--plain-target", "http://localhost/"],
        ["--target-ca", "/nonexistent/ca.pem"],
        ["--target-ca", __file__],
        ["--timeout", "0"],
        ["--timeout", "nan"],
        ["--connect-timeout", "nan"],
        ["--budget", "nan"],
        ["--budget", "inf"],
        ["--budget", "1e308"],
        ["--concurrency", "many"],
        ["--first", "0"],
        ["--profile", "reckless"],
        ["--no-such-option"],
    ],
)
async def test_wrong_options_end_with_2_and_one_line(tmp_path: Path, options: list[str]) -> None:
    path = write_list(tmp_path / "list.txt", ["127.0.0.1:9"])
    assert complained(await sanylau("check", path, "--yes", *options))


# consent


async def test_without_a_terminal_and_without_yes_nothing_is_sent(tmp_path: Path) -> None:
    async with stage({"good-http"}) as playing:
        path = given_list(playing, tmp_path)
        line = complained(await sanylau("check", path, *toward(playing, tmp_path), stdin=b"y\n"))
        assert playing.origin.seen.connections == 0
    assert "--yes" in line


@pytest.mark.parametrize(("answer", "status"), [("n", 2), ("", 2), ("perhaps", 2), ("y", 0), ("yes", 0)])
async def test_the_question_is_asked_on_the_terminal_and_the_answer_counts(
    tmp_path: Path, answer: str, status: int
) -> None:
    async with stage({"good-http"}) as playing:
        listed = line_for(playing.parts[0]).encode()
        arguments = ("check", "-", *toward(playing, tmp_path), "--json")
        async with on_terminal(*arguments, streams="", stdin=listed) as terminal:
            await terminal.until("[y/N]")
            assert playing.origin.seen.connections == 0
            terminal.type(answer + "\n")
            ended = await terminal.end()
        assert bool(playing.origin.seen.connections) == (status == 0)
    assert ended.status == status
    assert "localhost" in ended.shown  # what will be contacted
    assert "connections" in ended.shown
    assert bool(ended.out) == (status == 0)


async def test_what_was_pasted_before_the_question_does_not_answer_it(tmp_path: Path) -> None:
    async with stage({"good-http"}) as playing:
        pasted = line_for(playing.parts[0]) + "\n\x04" + "y\n" * 400
        async with on_terminal("check", "-", *toward(playing, tmp_path), streams="012") as terminal:
            await terminal.until("Ctrl-D")
            terminal.type(pasted)
            await terminal.until("[y/N]")
            await asyncio.sleep(0.5)
            assert terminal.process.returncode is None
            assert playing.origin.seen.connections == 0
            terminal.type("n\n")
            ended = await terminal.end()
        assert playing.origin.seen.connections == 0
    assert ended.status == 2


async def test_the_end_of_a_paste_that_comes_late_does_not_answer_either(tmp_path: Path) -> None:
    async with stage({"good-http"}) as playing:
        async with on_terminal("check", "-", *toward(playing, tmp_path), streams="012") as terminal:
            await terminal.until("Ctrl-D")
            terminal.type(line_for(playing.parts[0]) + "\n\x04")
            for _ in range(20):
                if b"[y/N]" in terminal.shown:
                    break
                terminal.type("y\n")
                await asyncio.sleep(0.03)
            await terminal.until("[y/N]")
            await asyncio.sleep(0.3)
            assert terminal.process.returncode is None
        assert playing.origin.seen.connections == 0


# signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_ends_with_the_summary_and_130(tmp_path: Path, number: int) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        path = given_list(playing, tmp_path)
        arguments = ("check", path, *toward(playing, tmp_path, total=60.0), "--json", "--yes")
        async with started(*arguments) as process:
            assert process.stdout is not None
            for _ in range(2):
                await asyncio.wait_for(process.stdout.readline(), 8)
            process.send_signal(number)
            out, err = await asyncio.wait_for(process.communicate(), 5)
    objects = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 130
    assert objects[-1]["type"] == "summary"
    assert (objects[-1]["stopped"], objects[-1]["working"], objects[-1]["untested"]) == ("interrupted", 1, 1)
    assert err == b""


async def test_two_signals_end_at_once(tmp_path: Path) -> None:
    async with stage({"silent-http"}) as playing:
        path = given_list(playing, tmp_path)
        arguments = ("check", path, *toward(playing, tmp_path, total=60.0), "--json", "--yes")
        async with started(*arguments) as process:
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 8)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            _out, err = await asyncio.wait_for(process.communicate(), 5)
    assert process.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    "options",
    [
        ["--country", "KZ"],
        ["--anchors", "anchors.toml"],
        ["--diagnose", "--diagnosis", "1194-6072-6786-2499-4082-2"],
        ["--diagnose", "--country", "KZ", "--anchors", "anchors.toml"],
        ["--diagnose", "--country", "XX"],
        ["--diagnosis", "1194-6072-6786-2499-4082-3"],
    ],
)
async def test_what_orders_a_check_is_told_in_one_way_only(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "list.txt").write_text("socks5://127.0.0.1:9\n")
    ended = await sanylau("check", str(tmp_path / "list.txt"), "--yes", *options)
    assert ended.status == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
