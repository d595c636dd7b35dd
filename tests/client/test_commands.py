"""Commands that are printed to be typed: they run as they stand, in a new terminal and another folder."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from client import commands

posix = pytest.mark.skipif(sys.platform == "win32", reason="the shell of POSIX")
_SCRIPT = "import sys\nfrom client.cli.main import main\nsys.exit(main())\n"


def installed(folder: Path) -> Path:
    """Return the program as an installation puts it there."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "sanylau"
    script.write_text(f"#!{sys.executable}\n{_SCRIPT}", "utf-8")
    script.chmod(0o755)
    return script


def ran(started: str, folder: Path, path: str, *arguments: str) -> str:
    env = {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[2]), "LANG": "C.UTF-8", "HOME": str(folder)}
    done = subprocess.run(
        [started, *arguments], capture_output=True, text=True, cwd=folder, env=env, timeout=30, check=False
    )
    return done.stdout


@posix
def test_the_first_step_is_typed_as_the_program_was_started_and_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "my list.txt").write_text("trojan://word@192.0.2.6:443?sni=a.example\n", "ascii")
    script = installed(tmp_path / "my venv" / "bin")
    shown = ran("./my venv/bin/sanylau", tmp_path, os.defpath, "guide", "my list.txt", "--untested")
    command = "~/'my venv/bin/sanylau' connect ~/'my list.txt'"
    assert f"Open a terminal and type: `{command}`" in shown
    typed = shlex.split(command.replace("~", str(tmp_path)))
    assert typed == [str(script), "connect", str(tmp_path / "my list.txt")]


@posix
def test_on_the_path_its_name_is_enough(tmp_path: Path) -> None:
    script = installed(tmp_path / "bin")
    path = f"{script.parent}:{os.defpath}"
    assert "`sanylau guide LIST`" in ran(str(script), tmp_path, path, "guide")
    assert "`~/bin/sanylau guide LIST`" in ran(str(script), tmp_path, os.defpath, "guide")


@posix
def test_another_program_of_the_same_name_on_the_path_is_not_meant(tmp_path: Path) -> None:
    mine, other = installed(tmp_path / "mine"), installed(tmp_path / "other")
    assert "`~/mine/sanylau guide" in ran(str(mine), tmp_path, f"{other.parent}:{os.defpath}", "guide")


@pytest.mark.parametrize("started", ["", "-c", "sanylau", "/somewhere/client/__main__.py", "/usr/bin/pytest"])
def test_what_no_path_leads_to_is_called_by_its_name(started: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [started])
    assert commands.program() == "sanylau"


@posix
@pytest.mark.parametrize("name", ["a b", "x; rm", "`id`", "$(id)", "'", "~", "список.txt", "~root/x", "*"])
def test_a_name_is_quoted_so_that_the_shell_gives_it_back(name: str) -> None:
    command = commands.command("guide", [name])
    done = subprocess.run(
        ["sh", "-c", f"printf %s {command.split(' ', 2)[2]}"], capture_output=True, check=True
    )
    assert done.stdout.decode() == name


@posix
def test_the_home_folder_is_a_tilde_that_the_shell_still_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    command = commands.command("guide", [commands.absolute("a b")])
    assert command == "sanylau guide ~/'a b'"
    assert commands.command("guide", [f"{tmp_path}x/a"]) == f"sanylau guide {tmp_path}x/a"


@pytest.mark.parametrize("name", ["-", "", "x" * 301, "\u202ename", "new\nline", "\x1b[2J"])
def test_what_cannot_be_typed_is_a_word_to_be_replaced(name: str) -> None:
    assert commands.command("guide", [name]) == "sanylau guide LIST"
    assert commands.command("guide", []) == "sanylau guide LIST"


def test_options_stay_as_they_are() -> None:
    words = ["--results", "a/b.jsonl", "--only", "socks5,vless", "--timeout", "4"]
    assert (
        commands.command("guide", words)
        == "sanylau guide --results a/b.jsonl --only socks5,vless --timeout 4"
    )


def test_a_list_is_named_only_where_it_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_text("x", "ascii")
    assert commands.listed("list") == str(tmp_path / "list")
    assert [commands.listed(one) for one in ("-", "pasted", ".", "", "\0")] == [""] * 5


@posix
def test_a_file_that_was_made_is_named_as_it_was_given() -> None:
    assert commands.file("x-env") == "./x-env"
    assert commands.file("../x") == "../x"
    assert commands.file("/a b/c") == "'/a b/c'"
    assert commands.file("\x1b") == "FILE"
