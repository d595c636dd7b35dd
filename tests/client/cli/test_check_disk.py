"""Where no folder is in memory: the question on the terminal, before anything is written to the disk."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.drill.serving import nobody
from client.drill.stage import stage
from tests.client.cli import commands
from tests.client.cli.commands import Ended, on_terminal, toward, write_list
from tests.servers.meek import meek_server
from tests.servers.moat import moat_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

QUESTIONS = ("Go on? [y/N]", "May tor write to the disk?\r\nGo on? [y/N]")


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have commands run where /dev/shm leads to a folder on the disk, which is given."""
    folder = tmp_path / "shm"
    folder.mkdir()
    hide = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /dev/shm && exec "$@"', str(folder)]
    if not shutil.which("unshare") or subprocess.run([*hide, "true"], check=False, timeout=10).returncode:
        pytest.skip("needs unshare with mount namespaces")
    plain = 'os.execv(sys.executable, [sys.executable, "-m"'
    assert plain in commands._ON_TERMINAL
    code = commands._ON_TERMINAL.replace(plain, f'os.execvp("unshare", {hide!r} + [sys.executable, "-m"')
    monkeypatch.setattr(commands, "_ON_TERMINAL", code)
    return folder


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def asked(folder: Path, answers: tuple[str, ...], *more: str) -> Ended:
    """Check one bridge that refuses; answer each question as it is asked."""
    disk = folder / "disk"
    disk.mkdir()
    async with stage(()) as playing, nobody() as port:
        path = write_list(folder / "list", [f"127.0.0.1:{port} {'A' * 40}"])
        arguments = ("check", path, *toward(playing, folder), "--json", *more)
        async with on_terminal(*arguments, streams="", env={"TMPDIR": str(disk)}) as terminal:
            for number, answer in enumerate(answers):
                await terminal.until(QUESTIONS[number])
                assert is_empty(disk)
                terminal.type(answer + "\n")
            ended = await terminal.end()
    assert is_empty(disk)
    return ended


async def test_who_says_no_to_the_disk_has_the_bridges_untested(hidden: Path, tmp_path: Path) -> None:
    ended = await asked(tmp_path, ("y", "n"))
    (result,) = ended.of_type("result")
    assert result["status"] == "untested"
    assert "--disk" in result["reason"]
    assert "flash storage may keep traces" in " ".join(ended.shown.split())


@pytest.mark.skipif(not shutil.which("tor"), reason="needs tor")
async def test_who_says_yes_has_them_tested_and_nothing_is_left(hidden: Path, tmp_path: Path) -> None:
    ended = await asked(tmp_path, ("y", "y"))
    (result,) = ended.of_type("result")
    assert (result["status"], result["step"]) == ("failed", "connect")
    assert is_empty(hidden)


async def test_who_agrees_beforehand_is_not_asked_and_nothing_is_written(
    hidden: Path, tmp_path: Path
) -> None:
    ended = await asked(tmp_path, (), "--yes")
    (result,) = ended.of_type("result")
    assert (ended.status, result["status"]) == (3, "untested")
    assert "[y/N]" not in ended.shown


async def fronted(folder: Path, answer: str, *more: str) -> Ended:
    """Ask a bridge server behind a front, on the terminal."""
    disk = folder / "disk"
    disk.mkdir()
    async with moat_server() as server, meek_server(server.port) as meek:
        fronts, ca = folder / "fronts", folder / "ca"
        fronts.write_text(meek.line + "\n")
        ca.write_text(server.ca_pem, "ascii")
        arguments = [
            "bridges",
            "--front",
            "--fronts",
            str(fronts),
            "--moat",
            server.url,
            "--ca",
            str(ca),
            *more,
        ]
        async with on_terminal(*arguments, streams="", env={"TMPDIR": str(disk)}) as terminal:
            if answer:
                await terminal.until("its state goes to the disk")
                await terminal.until("[y/N]")
                terminal.type(answer + "\n")
            ended = await terminal.end()
        asked = server.connections
    assert is_empty(disk)
    assert bool(asked) == (ended.status == 0)
    return ended


@pytest.mark.skipif(not shutil.which("obfs4proxy"), reason="needs obfs4proxy")
@pytest.mark.parametrize(("answer", "more"), [("y", ()), ("", ("--yes", "--disk"))])
async def test_a_front_is_used_when_its_program_may_write_to_the_disk(
    hidden: Path, tmp_path: Path, answer: str, more: tuple[str, ...]
) -> None:
    assert (await fronted(tmp_path, answer, *more)).status == 0


async def test_agreeing_beforehand_does_not_let_the_program_of_a_front_write_to_the_disk(
    hidden: Path, tmp_path: Path
) -> None:
    ended = await fronted(tmp_path, "", "--yes")
    assert ended.status == 3
    assert "allow it with --disk" in ended.everything
