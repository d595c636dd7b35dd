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
