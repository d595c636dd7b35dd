import re
import subprocess
import sys

import pytest

from client.cli.main import COMMANDS, language_of
from tests.client.cli.commands import ROOT, sanylau, surroundings


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["--lang", "ru", "check"], "ru"),
        (["check", "--lang=kk"], "kk"),
        (["check", "--lang"], None),
        (["check", "x"], None),
    ],
)
def test_the_language_is_known_before_anything_is_said(arguments: list[str], language: str | None) -> None:
    assert language_of(arguments) == language


async def test_help_names_every_command() -> None:
    ended = await sanylau("--help")
    assert ended.status == 0
    for name in COMMANDS:
        assert re.search(rf"^\s+{name}\s", ended.out, re.MULTILINE)


@pytest.mark.parametrize("arguments", [["check", "--help"], ["-h"], ["check", "-h"]])
async def test_help_is_no_error(arguments: list[str]) -> None:
    ended = await sanylau(*arguments)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("Usage: sanylau")


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["--no-such-option"], ["--lang", "xx", "check"], ["--lang"], ["\x1b[2J"]],
)
async def test_wrong_usage_is_one_line_and_2(arguments: list[str]) -> None:
    ended = await sanylau(*arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert "\x1b" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["check", "--nosuch"], "(see sanylau check --help)"),
        (["bridges", "--port", "0"], "(see sanylau bridges --help)"),
        (["nosuch"], "(see sanylau --help)"),
    ],
)
async def test_an_error_points_at_the_help_of_its_own_command(arguments: list[str], hint: str) -> None:
    assert hint in (await sanylau(*arguments)).err


async def test_the_summary_says_that_check_tests_bridges_too() -> None:
    line = next(one for one in (await sanylau("--help")).out.splitlines() if one.startswith("  check"))
    assert "bridges" in line


async def test_the_screen_needs_a_terminal_and_says_what_does_without() -> None:
    ended = await sanylau()
    assert ended.status == 2
    assert "sanylau check" in ended.err


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    heavy = {"aiohttp", "textual", "stem", "pydantic", "rich.table", "cryptography", "yaml", "asyncio"}
    code = (
        "import sys\nfrom client.cli.main import main\n"
        f"main({arguments!r})\nprint(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert not heavy & set(done.stderr.split())
