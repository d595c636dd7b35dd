"""`sanylau --plain`: the first screen as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from client import i18n
from client.cli import plain
from tests.client.cli.commands import on_terminal, sanylau

unix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


def typed(*lines: str) -> plain.Ask:
    left = list(lines)

    def ask(prompt: str) -> str:
        assert prompt.endswith(": ")
        if not left:
            raise click.Abort
        return left.pop(0) + "\n"

    return ask


@pytest.mark.parametrize(
    ("lines", "arguments"),
    [
        (["1"], ["check", "--diagnose"]),
        (["2", "my list.txt"], ["check", "--", "my list.txt"]),
        (["2", ""], ["check", "--", "-"]),
        (["2", "--yes"], ["check", "--", "--yes"]),
        (["nonsense", "9", "3"], ["drill"]),
        ([""], []),
        (["x"] * 20, []),
    ],
)
def test_what_is_typed_leads_to_a_command(lines: list[str], arguments: list[str]) -> None:
    assert plain.choose(typed(*lines)) == arguments


def test_the_end_of_the_input_is_the_end() -> None:
    with pytest.raises(click.Abort):
        plain.choose(typed("x"))


def test_the_language_is_one_key_here_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain.choose(typed("l", "L", "д", "l", "")) == []
    said = capsys.readouterr().out
    assert said.count("sanylau check --diagnose") == 5
    assert i18n.current() == "en"


async def test_without_a_terminal_it_says_what_there_is_and_does_nothing() -> None:
    ended = await sanylau("--plain")
    assert ended.status == 2
    for wanted in ("sanylau check --diagnose", "sanylau check LIST", "sanylau drill", "guide", "connect"):
        assert wanted in ended.out
    assert "nothing was done" in ended.err
    assert "\x1b" not in ended.everything


@unix
async def test_a_list_is_checked_as_text_after_the_same_question(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("socks5://127.0.0.1:9\n")
    async with on_terminal("--plain") as terminal:
        await terminal.until("Which?")
        terminal.type("2\n")
        await terminal.until("Name of the file")
        terminal.type(f"{tmp_path / 'list'}\n")
        await terminal.until("1 entry of your list will be contacted")
        await terminal.until("[y/N]")
        terminal.type("n\n")
        ended = await terminal.end()
    assert ended.status == 2
    assert "\x1b[?1049h" not in ended.shown


@unix
@pytest.mark.parametrize("language", i18n.LANGUAGES)
async def test_no_line_is_longer_than_the_terminal_or_broken_in_a_word(language: str) -> None:
    i18n.use(language)
    whole = " ".join(" ".join(plain.lines()).split())
    async with on_terminal("--plain", env={"LANGUAGE": language}) as terminal:
        await terminal.until(plain.lines()[-1].split()[-1])
        terminal.type("\n")
        shown = (await terminal.end()).shown
    lines = [line.rstrip() for line in str(shown).replace("\r", "").split("\n")]
    assert max(map(len, lines)) < 80
    assert whole in " ".join(" ".join(lines).split())


@unix
async def test_the_drill_breaks_its_lines_at_words_too() -> None:
    async with on_terminal("drill", "good-http") as terminal:
        shown = str((await terminal.end()).shown)
    assert max(len(line) for line in shown.replace("\r", "").split("\n")) < 80
    assert "What it shows" in shown


@unix
async def test_enter_alone_leaves() -> None:
    async with on_terminal("--plain") as terminal:
        await terminal.until("Which?")
        terminal.type("\n")
        assert (await terminal.end()).status == 0


@unix
async def test_the_screen_opens_in_the_colours_that_were_asked_for() -> None:
    async with on_terminal("--colours", "contrast", "--still", env={"COLORTERM": "truecolor"}) as terminal:
        await terminal.until("Practise")
        assert b"48;2;0;0;0m" in terminal.shown
        terminal.type("\x11")
        assert (await terminal.end()).status == 0


async def test_unknown_colours_are_wrong_usage() -> None:
    ended = await sanylau("--colours", "pink")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
