"""`sanylau vault` as a person runs it, and the vault in other commands."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from client.drill.stage import stage
from client.exits import Exit
from client.vault import age_file
from client.vault.content import with_list
from client.vault.store import Vault
from tests.client.cli.commands import Ended, line_for, on_terminal, sanylau, started, toward, write_list

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and descriptors of POSIX")

WORDS = "six words that nobody would guess"
LINES = ("10.1.2.3:8080", "socks5://user:hunter2hunter2@10.9.8.7:1080")
CLOSED = "the passphrase is wrong, or the file was altered"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(age_file, "WORK", 4)  # what is tested is not how long guessing takes
    return {"SANYLAU_VAULT": str(tmp_path / "vault"), "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}


async def run(env: dict[str, str], *arguments: str, words: Sequence[str] = (WORDS,), rest: str = "") -> Ended:
    """Run it with the passphrase (or two) on standard input, and what else belongs there behind it."""
    typed = "".join(f"{word}\n" for word in words) + rest
    return await sanylau(*arguments, "--passphrase-fd", "0", stdin=typed.encode(), env=env)


async def done(env: dict[str, str], *arguments: str, **more: str) -> Ended:
    ended = await run(env, *arguments, **more)
    assert (ended.status, "Traceback" in ended.everything) == (0, False), ended.everything
    return ended


def made(env: dict[str, str], **lists: Sequence[str]) -> Path:
    """Make the vault with these lists and return its folder."""
    folder = Path(env["SANYLAU_VAULT"])
    vault = Vault.create(folder, bytearray(WORDS.encode()))
    for name, lines in lists.items():
        vault.change(partial(with_list, name=name, lines=lines))
    return folder


def found(folder: Path | str) -> list[str]:
    """Return what there is in a folder and in those in it."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


def complained(ended: Ended) -> str:
    """Return the one line of a command that was refused."""
    assert (ended.status, ended.out) == (Exit.USAGE, "")
    assert ended.err.startswith("sanylau: ")
    assert ended.err.count("\n") == 1
    return ended.err


async def test_lists_go_in_are_shown_masked_and_come_out_whole(env: dict[str, str]) -> None:
    await done(env, "vault", "create")
    assert "2 entries (+2)" in (await done(env, "vault", "add", "-", rest="\n".join(LINES))).out
    listed = await done(env, "vault", "list")
    assert "vault:main  2 entries" in listed.out
    shown = await done(env, "vault", "list", "main")
    assert len(shown.out.splitlines()) == 2
    assert not re.search(r"10\.|1080|hunter|user", shown.everything)
    revealed = await done(env, "vault", "list", "main", "--reveal", "--json")
    assert [one["candidate"] for one in revealed.of_type("entry")] == list(LINES)
    assert (await done(env, "vault", "export")).out.split() == list(LINES)
    assert (await done(env, "vault", "export", "main")).out.split() == list(LINES)


async def test_what_is_added_twice_is_there_once_and_lines_that_are_no_entries_are_named(
    env: dict[str, str],
) -> None:
    made(env, main=LINES)
    ended = await done(env, "vault", "add", "-", rest=f"{LINES[0]}\nhello there\n10.5.5.5:3128\n")
    assert "3 entries (+1)" in ended.out
    assert "line 2" in ended.err
    assert "hello" not in ended.err


async def test_a_file_that_was_added_is_named_as_what_still_lies_in_the_open(
    env: dict[str, str], tmp_path: Path
) -> None:
    made(env)
    ended = await done(env, "vault", "add", write_list(tmp_path / "list", LINES))
    assert "erase it" in " ".join(ended.err.split())


async def test_nothing_but_the_two_files_is_written(env: dict[str, str], tmp_path: Path) -> None:
    made(env, main=LINES)
    await done(env, "vault", "open")
    await done(env, "vault", "remove", "main")
    assert found(tmp_path) == ["vault", "vault/key.age", "vault/vault.age"]


async def test_without_a_place_of_its_own_it_lies_among_the_application_data(tmp_path: Path) -> None:
    ended = await run({"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}, "vault", "create")
    assert ended.status == 0
    assert len([name for name in found(tmp_path) if name.endswith(".age")]) == 2


async def test_a_wrong_passphrase_is_one_line_and_does_not_say_which_part_failed(env: dict[str, str]) -> None:
    key = made(env, main=LINES) / "key.age"
    wrong = complained(await run(env, "vault", "open", words=("another passphrase",)))
    key.write_bytes(key.read_bytes()[:-1] + b"?")
    assert complained(await run(env, "vault", "open")) == wrong
    assert CLOSED in wrong


async def test_altered_content_is_refused_kept_aside_and_said(env: dict[str, str]) -> None:
    folder = made(env, main=LINES)
    (folder / "vault.age").write_bytes(b"altered")
    assert "vault.refused-1.age" in complained(await run(env, "vault", "export"))
    assert (folder / "vault.refused-1.age").read_bytes() == b"altered"
    again = await done(env, "vault", "open")
    assert "begins empty" in again.err


async def test_without_a_vault_nobody_is_asked_and_the_way_to_one_is_told(env: dict[str, str]) -> None:
    for arguments in (("vault", "open"), ("vault", "add", "-"), ("check", "vault:"), ("check", "--vault")):
        assert "sanylau vault create" in complained(await sanylau(*arguments, env=env))


async def test_without_a_terminal_and_a_descriptor_it_says_what_to_give(env: dict[str, str]) -> None:
    made(env)
    assert "--passphrase-fd" in complained(await sanylau("vault", "passphrase", env=env))
    ended = await sanylau("vault", "create", env=env | {"SANYLAU_VAULT": env["HOME"] + "/other"})
    assert "--passphrase-fd" in ended.err
    assert ended.status == Exit.USAGE
    assert "other" not in found(env["HOME"])


async def test_a_weak_passphrase_makes_no_vault(env: dict[str, str]) -> None:
    ended = await run(env, "vault", "create", words=("short",))
    assert ended.status == Exit.USAGE
    assert "guessed" in ended.err
    assert found(env["HOME"]) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("vault", "remove"), "--results"),
        (("vault", "remove", "main", "--results"), "--results"),
        (("vault", "remove", "other"), "no list of this name"),
        (("vault", "list", "other"), "no list of this name"),
        (("vault", "export", "other"), "no list of this name"),
        (("vault", "add", "-", "--name", "../x"), "name"),
        (("vault", "add", "no-such-file"), "no such file"),
        (("vault", "create"), "already"),
        (("check", "vault:other"), "no list of this name"),
        (("check", "vault:"), "nothing is in the vault"),
        (("guide", "--results", "vault:"), "sanylau check vault:"),
        (("vault", "export", "-o", "/nowhere/file"), "written"),
    ],
)
async def test_wrong_usage_is_one_line_and_status_2(
    env: dict[str, str], arguments: tuple[str, ...], why: str
) -> None:
    made(env)
    assert why in complained(await run(env, *arguments))


async def test_another_passphrase_from_the_same_descriptor(env: dict[str, str]) -> None:
    made(env, main=LINES)
    ended = await run(
        env, "vault", "passphrase", "--new-passphrase-fd", "0", words=(WORDS, "a new one, of more words")
    )
    assert ended.status == 0
    assert "old key.age" in ended.err
    assert CLOSED in complained(await run(env, "vault", "open"))
    assert "2 entries" in (await run(env, "vault", "open", words=("a new one, of more words",))).out


async def test_a_plain_copy_is_for_its_owner_only_and_over_no_other_file(
    env: dict[str, str], tmp_path: Path
) -> None:
    made(env, main=LINES)
    out = tmp_path / "plain"
    ended = await done(env, "vault", "export", "-o", str(out))
    assert "not encrypted" in ended.err
    assert out.read_text().split() == list(LINES)
    assert out.stat().st_mode & 0o777 == 0o600
    assert "already" in complained(await run(env, "vault", "export", "-o", str(out)))


async def test_a_list_goes_with_its_name(env: dict[str, str]) -> None:
    made(env, main=LINES[:1], көмек=LINES[1:])
    await done(env, "vault", "remove", "main")
    assert (await done(env, "vault", "list", "--json")).of_type("list") == [
        {"v": 1, "type": "list", "name": "көмек", "entries": 1}
    ]
    assert (await done(env, "vault", "export", "vault:көмек")).out.strip() == LINES[1]


# on a terminal


def echoes(descriptor: int) -> bool:
    import termios

    return bool(termios.tcgetattr(descriptor)[3] & termios.ECHO)


async def test_on_a_terminal_a_new_passphrase_is_asked_twice_and_not_shown(env: dict[str, str]) -> None:
    async with on_terminal("vault", "create", env=env) as terminal:
        await terminal.until("New passphrase: ")
        await hidden(terminal.master)
        terminal.type(WORDS + "\n")
        await terminal.until("Once more: ")
        await hidden(terminal.master)
        terminal.type(WORDS + "\n")
        await terminal.until("The vault is made")
        ended = await terminal.end()
        assert ended.status == 0
        assert "nobody can open it" in " ".join(ended.shown.split())
        assert WORDS not in ended.shown
        assert echoes(terminal.master)
    assert (await run(env, "vault", "open")).status == 0


async def hidden(master: int) -> None:
    """Wait until what is typed is not shown any more: before that it would be thrown away."""
    async with asyncio.timeout(10):
        while echoes(master):  # noqa: ASYNC110 - the terminal tells nobody
            await asyncio.sleep(0.01)


async def test_two_passphrases_that_differ_make_no_vault(env: dict[str, str]) -> None:
    async with on_terminal("vault", "create", env=env) as terminal:
        for prompt, word in (("New passphrase: ", WORDS), ("Once more: ", WORDS + "!")):
            await terminal.until(prompt)
            await hidden(terminal.master)
            terminal.type(word + "\n")
        ended = await terminal.end()
    assert ended.status == Exit.USAGE
    assert "not the same" in ended.shown
    assert found(env["HOME"]) == []


async def test_a_wrong_passphrase_may_be_corrected_on_the_terminal(env: dict[str, str]) -> None:
    made(env, main=LINES)
    async with on_terminal("vault", "open", env=env) as terminal:
        for number, word in enumerate(("wrong one, first", WORDS)):
            async with asyncio.timeout(20):
                while terminal.shown.count(b"Passphrase of the vault: ") <= number:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await hidden(terminal.master)
            terminal.type(word + "\n")
        await terminal.until("2 entries")
        ended = await terminal.end()
    assert ended.status == 0
    assert CLOSED in " ".join(ended.shown.split())


async def test_ctrl_c_at_the_question_ends_with_130_and_the_terminal_shows_again(env: dict[str, str]) -> None:
    made(env)
    async with on_terminal("vault", "open", env=env) as terminal:
        await terminal.until("Passphrase of the vault: ")
        await hidden(terminal.master)
        terminal.type("half of it\x03")
        ended = await terminal.end()
        assert echoes(terminal.master)
    assert ended.status == Exit.INTERRUPTED
    assert "half" not in ended.shown
    assert "Traceback" not in ended.shown


# in other commands


async def test_a_check_of_the_vault_keeps_what_it_found_and_the_short_names(
    env: dict[str, str], tmp_path: Path
) -> None:
    async with stage({"good-http", "refused-http"}) as playing:
        entries = [line_for(placed) for placed in playing.parts]
        made(env, main=entries)
        options = ["--json", "--yes", *toward(playing, tmp_path)]
        first = await run(env, "check", "vault:", *options)
        again = await run(env, "check", "vault:main", *options)
        other = await run(env, "check", write_list(tmp_path / "file", entries), "--vault", *options)
        told = await run(env, "check", "vault:", "--yes", *toward(playing, tmp_path))
    assert "guide --results vault:" in told.out  # it need not test again
    for ended in (first, again, other):
        assert ended.status == 0, ended.err
    names = [{one["id"]: one["status"] for one in ended.of_type("result")} for ended in (first, again, other)]
    assert names[0] == names[1] == names[2]
    assert first.of_type("result")[0]["source"] == "vault:"
    (network,) = (await done(env, "vault", "open", "--json")).of_type("vault")[0]["networks"]
    assert network["results"] == 2
    listed = {
        one["id"]: one["status"] for one in (await done(env, "vault", "list", "main", "--json")).objects()
    }
    assert listed == names[0]
    guided = await done(env, "guide", "--results", "vault:", "--list", "--json")
    assert guided.objects()
    await done(env, "vault", "remove", "--results")
    assert (await done(env, "vault", "open", "--json")).of_type("vault")[0]["networks"] == []


async def test_ctrl_c_in_a_check_keeps_what_is_known_by_then(env: dict[str, str], tmp_path: Path) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        made(env, main=[line_for(placed) for placed in playing.parts])
        arguments = ["check", "vault:", "--json", "--yes", *toward(playing, tmp_path, total=15)]
        async with started(*arguments, "--passphrase-fd", "0", env=env) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{WORDS}\n".encode())
            async with asyncio.timeout(15):
                while b'"working"' not in await process.stdout.readline():
                    pass
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.communicate(), 15)
            assert process.returncode == Exit.INTERRUPTED
    shown = (await done(env, "vault", "list", "main", "--json")).of_type("entry")
    assert "working" in {one["status"] for one in shown}


async def test_a_check_whose_results_cannot_be_kept_says_so_and_ends_as_it_would(
    env: dict[str, str], tmp_path: Path
) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        folder = made(env, main=[line_for(placed) for placed in playing.parts])
        arguments = ["check", "vault:", "--json", "--yes", *toward(playing, tmp_path, total=4)]
        async with started(*arguments, "--passphrase-fd", "0", env=env) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{WORDS}\n".encode())
            await asyncio.wait_for(process.stdout.readline(), 15)
            shutil.rmtree(folder)  # wiped by another process
            _out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert "The results were not kept" in err.decode()
    assert "vault" not in found(env["HOME"])


async def test_the_passphrase_is_in_no_argument_and_no_environment(env: dict[str, str]) -> None:
    made(env)
    async with started("vault", "open", "--passphrase-fd", "0", env=env) as process:
        assert process.stdin is not None
        process.stdin.write(f"{WORDS}\n".encode())
        await process.stdin.drain()
        assert WORDS.encode() not in seen_by_others(process.pid)
        await asyncio.wait_for(process.communicate(), 15)


def seen_by_others(process: int) -> bytes:
    """Return a process's arguments and environment, where the system shows them."""
    proc = Path("/proc", str(process))
    return b"".join((proc / name).read_bytes() for name in ("cmdline", "environ") if proc.is_dir())
