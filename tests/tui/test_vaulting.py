"""The vault on the screen: made and opened by a hidden passphrase, filled and offered from, closed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import i18n
from client.model import Message
from client.vault import opened, place
from client.vault.store import Vault
from tests.client.share.ways import LINES, OBFS4
from tests.tui.handover import type_words, works
from tests.tui.support import at_home, judged, made_run, paste, text_of, until, until_shown
from tests.tui.test_run import Terminal, terminal
from tui import vaulting
from tui.screens.importing import ImportScreen
from tui.screens.passing import PassingScreen
from tui.screens.passphrase import PassphraseScreen
from tui.screens.results import ResultsScreen
from tui.screens.vault import VaultScreen
from tui.session import Session
from tui.widgets.hidden import HiddenInput

SECRET = "many small words, none of them mine"
WITH_VAULT = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ['sanylau', '--vault']
from client.__main__ import main
main()
"""
WIPE = b"\x1b[19~"  # F8
WITHIN = 1.2  # seconds: the promised one, and what the yes has to stand alone
APART = ["unshare", "-rmpf", "--mount-proc", "--kill-child", "--propagation", "private"]
ON_ITS_OWN = f"""
import os, sys
scene = 'mount -t tmpfs tmpfs /dev/shm && "$0" -m client; exit $?'
os.execvp("unshare", [*{APART}, "sh", "-c", scene, sys.executable])
"""
unix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "v"
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("SANYLAU_VAULT", str(where))
    i18n.use("en")
    yield where
    vaulting.close()
    monkeypatch.undo()
    i18n.use(None)


def made(where: Path, **lists: tuple[str, ...]) -> None:
    """Make a vault with these lists, and leave it closed."""
    from client.vault.content import with_list

    vault = Vault.create(where, bytearray(SECRET.encode()))
    for name, lines in lists.items():
        vault.change(lambda content, name=name, lines=lines: with_list(content, name, lines))  # type: ignore[misc]
    vault.close()


async def test_a_vault_is_made_opened_and_closed_by_keys(folder: Path) -> None:
    async with at_home() as (app, pilot):
        await pilot.press("v")
        await until_shown(pilot, "There is no vault")
        await pilot.press("o")
        await until_shown(pilot, "Whoever forgets it")
        await type_words(pilot, SECRET, by_key=True)
        await type_words(pilot, SECRET)
        await until_shown(pilot, "The vault is open")
        assert sorted(os.listdir(folder)) == [place.KEY, place.DATA]
        await pilot.press("x")
        await until_shown(pilot, "The vault is closed")
        assert opened.current() is None
        await pilot.press("o")
        await until_shown(pilot, "Passphrase of the vault")
        await type_words(pilot, "a wrong one, surely")
        await until(pilot, lambda: app.screen.query_one("#said").has_class("-wrong"))
        assert isinstance(app.screen, PassphraseScreen)
        await type_words(pilot, SECRET)
        await until(pilot, lambda: isinstance(app.screen, VaultScreen))
        await until_shown(pilot, "The vault is open")
        assert "small" not in text_of(app)


async def test_what_is_typed_stands_in_one_buffer_that_is_overwritten() -> None:
    seen: list[bytearray] = []

    async def attempt(given: bytearray) -> None:
        assert given.decode() == "пароль 1?"
        seen.append(given)

    async with at_home() as (app, pilot):
        done: list[bool | None] = []
        await app.push_screen(PassphraseScreen(attempt, "x"), done.append)
        field = app.screen.query_one("#first", HiddenInput)
        await pilot.press(*"пароль", "space", "1", "question_mark", "x", "backspace")
        assert field.value == "•" * 9
        assert "пароль" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: done)
    assert done == [True]
    assert not any(seen[0])


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_a_passphrase_is_not_overwritten_while_a_thread_still_reads_it(key: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    seen: list[bytes] = []

    def slow(given: bytearray) -> None:
        begun.set()
        go_on.wait(10)
        seen.append(bytes(given))

    async def attempt(given: bytearray) -> None:
        await asyncio.to_thread(slow, given)

    async with at_home() as (app, pilot):
        done: list[bool | None] = []
        await app.push_screen(PassphraseScreen(attempt, "x"), done.append)
        await type_words(pilot, SECRET)
        await until(pilot, begun.is_set)
        await pilot.press(key)
        await pilot.pause()
        go_on.set()
        await until(pilot, lambda: done)
    assert done == [True]
    assert seen == [SECRET.encode()]


async def test_the_hidden_field_can_be_emptied_and_takes_no_more_than_a_passphrase_may_have() -> None:
    async with at_home() as (app, pilot):
        await app.push_screen(PassphraseScreen(_nothing, "x"))
        field = app.screen.query_one("#first", HiddenInput)
        await paste(pilot, "abc\nsecond line")
        assert field.value == "•••"
        await pilot.press("home", "d", "ctrl+u")
        assert field.value == ""
        await paste(pilot, "я" * 600)
        assert field.value == ""
        await pilot.press("a", "b", "delete")
        assert field.value == ""
        await pilot.press("enter")
        await until_shown(pilot, "Nothing was typed")


async def _nothing(_given: bytearray) -> None:
    """Take it."""


async def test_the_own_list_is_saved_and_offered_again(folder: Path) -> None:
    made(folder)
    async with at_home() as (app, pilot):
        await paste(pilot, f"{OBFS4}\n{LINES['trojan']}\n")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "2 to test")
        await pilot.press("escape", "v", "o")
        await until_shown(pilot, "Passphrase of the vault")
        await type_words(pilot, SECRET)
        await until_shown(pilot, "The vault is open")
        await pilot.press("s")
        await until_shown(pilot, "main  2 entries")
        assert "93.184" not in text_of(app)
    vaulting.close()
    async with at_home() as (app, pilot):
        await pilot.press("v", "o")
        await until_shown(pilot, "Passphrase of the vault")
        await type_words(pilot, SECRET)
        await until_shown(pilot, "main  2 entries")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "2 to test")


async def test_results_are_kept_in_an_open_vault_and_can_be_passed_on_from_it(folder: Path) -> None:
    made(folder)
    vaulting.open_with(bytearray(SECRET.encode()))
    async with at_home() as (app, pilot):
        session = Session(made_run())
        for event in (works(), judged(2)):
            session.changed |= session.state.apply(event)
        await app.keep_results(session)
        vault = opened.current()
        assert vault is not None
        (kept,) = vault.content.results.values()
        assert {one.line for one in kept} >= {OBFS4}
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        await until_shown(pilot, "was working less than an hour ago")
        await pilot.press("escape", "v")
        await until_shown(pilot, "1 entry that worked on this network")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen))
        await until_shown(pilot, "1 to test")


async def test_after_a_practice_what_the_vault_knows_can_be_passed_on_and_nothing_of_the_stage(
    folder: Path,
) -> None:
    made(folder)
    vaulting.open_with(bytearray(SECRET.encode()))
    async with at_home() as (app, pilot):
        session = Session(made_run())
        session.changed |= session.state.apply(works())
        await app.keep_results(session)
        app.session = Session(made_run(), tales={})
        app.session.changed |= app.session.state.apply(works(LINES["trojan"]))
        app.session.over = True
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        assert "trojan" not in text_of(app)
        assert "obfs4" in text_of(app)
        assert "practice" not in text_of(app)


async def test_what_is_passed_on_from_a_practice_is_marked_as_such() -> None:
    async with at_home() as (app, pilot):
        session = Session(made_run(), tales={})
        session.changed |= session.state.apply(works())
        session.over = True
        app.session = session
        await app.push_screen(ResultsScreen(session))
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        await until_shown(pilot, "practice: nothing leaves this machine")


async def test_practice_is_never_kept(folder: Path) -> None:
    made(folder)
    vaulting.open_with(bytearray(SECRET.encode()))
    session = Session(made_run(), tales={})
    session.changed |= session.state.apply(works())
    assert vaulting.keep_results(session, 0.0) == 0


async def test_a_vault_that_was_damaged_is_said_so(folder: Path) -> None:
    made(folder)
    (folder / place.DATA).unlink()
    notice = vaulting.open_with(bytearray(SECRET.encode()))
    assert isinstance(notice, Message)
    async with at_home() as (_app, pilot):
        vaulting.close()
        (folder / place.DATA).unlink(missing_ok=True)
        await pilot.press("v", "o")
        await until_shown(pilot, "Passphrase of the vault")
        await type_words(pilot, SECRET)
        await until_shown(pilot, "begins empty")


@unix
def test_the_screen_opens_with_the_vault_after_its_prompt(folder: Path) -> None:
    made(folder, main=(OBFS4,))
    with terminal(WITH_VAULT) as screen:
        screen.read_until(b"Passphrase of the vault")
        os.write(screen.master, SECRET.encode() + b"\n")
        screen.read_until(b"Practise")
        os.write(screen.master, b"v")
        screen.read_until(b"1 entry")
        leave(screen)
        assert b"small words" not in screen.seen


@unix
def test_a_wrong_passphrase_at_the_start_opens_no_screen(folder: Path) -> None:
    made(folder)
    with terminal(WITH_VAULT) as screen:
        for _try in range(3):
            screen.read_until(b"Passphrase of the vault")
            screen.seen = b""
            os.write(screen.master, b"not this one, no\n")
        assert screen.rest() == 2
        assert b"\x1b[?1049h" not in screen.seen


def leave(screen: Terminal) -> None:
    os.write(screen.master, b"\x11")
    assert screen.rest() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces of Linux")
def test_the_wipe_key_asks_once_and_then_everything_is_gone_in_a_second(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if subprocess.run([*APART, "true"], check=False, capture_output=True, timeout=10).returncode:
        pytest.skip("needs namespaces: nobody else's sessions may be met")
    made(folder, main=(OBFS4,))
    for name in ("HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(folder.parent))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with terminal(ON_ITS_OWN) as screen:
        screen.read_until(b"Practise")
        os.write(screen.master, WIPE)
        screen.read_until(b"Erase everything of Sanylau")
        os.write(screen.master, b"n")
        time.sleep(0.5)
        assert (folder / place.KEY).exists()
        os.write(screen.master, WIPE)
        time.sleep(0.7)
        os.write(screen.master, b"y")
        began = time.monotonic()
        assert screen.rest() == 0
        assert time.monotonic() - began < WITHIN
        assert b"\x1b[3J" in screen.seen
    assert not folder.exists()
