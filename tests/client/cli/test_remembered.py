"""A consent that the vault remembers: for exactly what was agreed to, and never without a vault."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from client.drill.stage import stage
from client.vault.content import with_list
from client.vault.store import Vault
from tests.client.cli.commands import Ended, line_for, on_terminal, sanylau, toward, write_list
from tests.client.diagnosis.country import country

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

PASSPHRASE = "six words that nobody would guess"
REMEMBER = "Remember this in the vault"
FORBIDDEN = "Names that may be forbidden here"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "vault", bytearray(PASSPHRASE.encode()))


async def asked(folder: Path, *arguments: str, answers: tuple[str, ...]) -> Ended:
    """Run a command on a terminal: the passphrase first, then the answers to its questions."""
    env = {"SANYLAU_VAULT": str(folder / "vault")}
    async with on_terminal(*arguments, streams="", env=env) as terminal:
        await terminal.until("Passphrase of the vault:")
        await asyncio.sleep(0.3)  # until nothing that is typed is shown
        terminal.type(PASSPHRASE + "\n")
        for question, answer in zip(("Go on? [y/N]", REMEMBER, FORBIDDEN), answers, strict=False):
            await terminal.until(question)
            terminal.type(answer + "\n")
        return await terminal.end()


async def alone(folder: Path, *arguments: str) -> Ended:
    """Run a command without a terminal."""
    env = {"SANYLAU_VAULT": str(folder / "vault")}
    return await sanylau(*arguments, "--passphrase-fd", "0", stdin=PASSPHRASE.encode(), env=env)


async def test_what_was_agreed_to_is_not_asked_again_and_anything_else_is(
    vault: Vault, tmp_path: Path
) -> None:
    async with stage({"good-socks5", "refused-http"}) as playing:
        lines = [line_for(placed) for placed in playing.parts]
        vault.change(lambda content: with_list(content, "main", lines))
        more = write_list(tmp_path / "more", ["socks5://127.0.0.1:9"])
        targets = toward(playing, tmp_path)
        first = await asked(tmp_path, "check", "vault:", *targets, answers=("y", "n"))
        assert (first.status, REMEMBER in first.shown) == (0, True)
        before = await alone(tmp_path, "check", "vault:", *targets)
        assert (before.status, before.out) == (2, "")
        await asked(tmp_path, "check", "vault:", *targets, answers=("y", "y"))
        again = await alone(tmp_path, "check", "vault:", *targets)
        assert again.status == 0, again.err
        assert "the vault remembers it" in " ".join(again.err.split())
        wider = await alone(tmp_path, "check", "vault:", more, *targets)
        assert (wider.status, wider.out) == (2, "")
        slower = await alone(tmp_path, "check", "vault:", *targets[:-4])
        assert (slower.status, slower.out) == (2, "")
        denser = await alone(tmp_path, "check", "vault:", *targets, "--concurrency", "3")
        assert (denser.status, denser.out) == (2, "")
        assert "1 consent is remembered" in (await alone(tmp_path, "vault", "open")).out
        assert (await alone(tmp_path, "vault", "remove", "--consents")).status == 0
        assert "remembered" not in (await alone(tmp_path, "vault", "open")).out
        taken_back = await alone(tmp_path, "check", "vault:", *targets)
        assert (taken_back.status, taken_back.out) == (2, "")


async def test_a_no_is_not_remembered(vault: Vault, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list", ["socks5://127.0.0.1:9"])
    ended = await asked(tmp_path, "check", path, "--vault", answers=("n",))
    assert (ended.status, REMEMBER in ended.shown) == (2, False)


async def test_without_a_vault_nothing_is_offered(tmp_path: Path) -> None:
    async with stage({"refused-http"}) as playing:
        path = write_list(tmp_path / "list", [line_for(placed) for placed in playing.parts])
        async with on_terminal("check", path, *toward(playing, tmp_path), streams="") as terminal:
            await terminal.until("Go on? [y/N]")
            terminal.type("y\n")
            ended = await terminal.end()
    assert (ended.status, REMEMBER in ended.shown) == (1, False)


async def test_a_diagnosis_is_remembered_and_its_forbidden_names_are_not(
    vault: Vault, tmp_path: Path
) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    async with country(lab) as place:
        arguments = ("diagnose", "--anchors", str(place.anchors), "--profile", "fast")
        first = await asked(tmp_path, *arguments, "--vault", answers=("y", "y"))
        assert first.status == 0, first.shown
        again = await alone(tmp_path, *arguments)
        assert again.status == 0, again.err
        await asked(tmp_path, *arguments, "--vault", "--forbidden", answers=("y", "y", "y"))
        forbidden = await alone(tmp_path, *arguments, "--forbidden")
        assert (forbidden.status, forbidden.out) == (2, "")
        assert "--yes-forbidden" in forbidden.err
