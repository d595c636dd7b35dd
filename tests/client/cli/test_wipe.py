"""`sanylau wipe` where nothing of ours runs but itself: what it asks and says. Whole sessions: tests/integration/test_wipe.py.

It would end every Sanylau of this user, so it runs on a machine of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client import wipe
from client.vault.place import DATA, KEY
from tests.client.cli import commands
from tests.client.cli.commands import Ended, on_terminal, surroundings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces of Linux")

APART = ["unshare", "-rmpf", "--mount-proc", "--kill-child", "--propagation", "private", "sh", "-c"]
SHARED = 'mount -t tmpfs tmpfs /dev/shm && exec "$0" "$@"'
HONEST = "Flash storage (SSD, telephone, stick), backups and synchronised folders may keep what was erased."


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    if not shutil.which("unshare") or subprocess.run([*APART, SHARED, "true"], check=False).returncode:
        pytest.skip("needs namespaces")
    (tmp_path / "tmp").mkdir()
    return {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "SANYLAU_VAULT": str(tmp_path / "v" / "vault"),
    }


@pytest.fixture
def vault(env: dict[str, str]) -> Path:
    folder = Path(env["SANYLAU_VAULT"])
    folder.mkdir(parents=True, mode=0o700)
    for name in (KEY, DATA, "vault.refused-1.age", KEY + ".new"):
        (folder / name).write_bytes(b"age-encryption.org/v1\n" + os.urandom(200))
    return folder


def run(env: dict[str, str], *arguments: str) -> Ended:
    done = subprocess.run(
        [*APART, SHARED, sys.executable, "-m", "client", "wipe", *arguments],
        env=surroundings(env),
        cwd=commands.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        start_new_session=True,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


async def on(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], answer: str) -> Ended:
    """Wipe on a terminal; answer its question."""
    plain = 'os.execv(sys.executable, [sys.executable, "-m"'
    assert plain in commands._ON_TERMINAL
    code = commands._ON_TERMINAL.replace(
        plain, f'os.execvp("unshare", {[*APART, SHARED]!r} + [sys.executable, "-m"'
    )
    monkeypatch.setattr(commands, "_ON_TERMINAL", code)
    async with on_terminal("wipe", env=env) as terminal:
        await terminal.until("Erase it? [y/N]")
        terminal.type(answer + "\n")
        return await terminal.end()


def test_nothing_is_erased_without_a_yes(env: dict[str, str], vault: Path) -> None:
    ended = run(env)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--yes" in ended.err
    assert len(list(vault.iterdir())) == 4


async def test_a_no_leaves_everything(
    env: dict[str, str], vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = await on(monkeypatch, env, "n")
    shown = "".join(ended.shown.split())
    assert ended.status == 2
    assert "nobodycanbringitback" in shown
    assert str(vault) in shown
    assert len(list(vault.iterdir())) == 4  # noqa: ASYNC240 - a test may block


async def test_a_yes_erases_the_vault_and_its_folder(
    env: dict[str, str], vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = await on(monkeypatch, env, "y")
    assert ended.status == 0, ended.shown
    assert not vault.exists()  # noqa: ASYNC240 - a test may block
    assert HONEST in " ".join(ended.shown.split())


def test_folders_that_a_killed_session_has_left_are_erased_and_others_stay(
    env: dict[str, str], tmp_path: Path
) -> None:
    for name in ("sanylau-tor-1.2.3-abc", "sanylau-pt-1.2.3-abc", "sanylau-bundle-0", "of-another"):
        (tmp_path / "tmp" / name).mkdir()
        (tmp_path / "tmp" / name / "file").write_text("x")
    (tmp_path / "tmp" / "sanylau-link").symlink_to(tmp_path / "tmp" / "of-another")
    ended = run(env, "--yes")
    assert (ended.status, ended.err) == (0, "")
    assert "2 temporary folders are gone." in ended.out
    assert "start.sh --erase" in ended.out
    left = sorted(path.name for path in (tmp_path / "tmp").iterdir())
    assert left == ["of-another", "sanylau-bundle-0", "sanylau-link"]
    assert (tmp_path / "tmp" / "of-another" / "file").exists()


def test_where_nothing_is_it_says_so_without_asking(env: dict[str, str]) -> None:
    ended = run(env)
    assert (ended.status, ended.err) == (0, "")
    assert "There is nothing to erase." in ended.out
    assert f"Novaultisin{env['SANYLAU_VAULT']}" in "".join(ended.out.split())


def test_a_link_in_the_vault_s_place_is_left_alone_and_said(env: dict[str, str], tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / KEY).write_text("somebody else's")
    Path(env["SANYLAU_VAULT"]).parent.mkdir()
    Path(env["SANYLAU_VAULT"]).symlink_to(precious)
    ended = run(env, "--yes")
    assert (precious / KEY).read_text() == "somebody else's"
    assert ended.status == 3
    assert "It was left alone." in " ".join(ended.out.split())


def test_a_key_that_is_a_link_goes_itself(env: dict[str, str], vault: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of another")
    (vault / KEY).unlink()
    (vault / KEY).symlink_to(other)
    assert run(env, "--yes").status == 0
    assert other.read_text() == "of another"
    assert not os.path.lexists(vault)


def test_what_cannot_be_erased_is_named_and_the_rest_goes(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vault / DATA).unlink()
    (vault / DATA).mkdir()  # no file: unlink fails
    monkeypatch.setenv("SANYLAU_VAULT", str(vault))
    monkeypatch.setattr(wipe, "_places", lambda: [vault.parent])
    monkeypatch.setattr(wipe, "_tells", lambda: False)
    done = wipe.everything()
    assert done.left == (vault / DATA,)
    assert not done.is_whole
    assert [path.name for path in vault.iterdir()] == [DATA]
