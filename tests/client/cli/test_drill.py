"""`sanylau drill` as a person runs it: no network, no root, an explained outcome."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from client.drill.bridges import BRIDGE_CAST
from client.drill.tornet import missing
from client.model import Status
from tests.client.cli.commands import on_terminal

ROOT = Path(__file__).parents[3]

installed = pytest.mark.skipif(bool(missing()), reason="needs " + ", ".join(missing()))


def drill(*arguments: str, language: str = "en", **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANGUAGE": language, "PYTHONUTF8": "1", **env}
    command = [sys.executable, "-m", "client", "drill", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def judged(done: subprocess.CompletedProcess[str], what: str) -> tuple[int, int, float]:
    found = re.search(
        rf"^(\d+) {what} played, (\d+) judged rightly, in ([0-9.]+) s\.$", done.stdout, re.MULTILINE
    )
    assert found is not None, done.stdout
    return int(found[1]), int(found[2]), float(found[3])


def test_a_drill_without_tor_judges_every_proxy_rightly_in_under_20_seconds() -> None:
    done = drill("--no-tor")
    assert done.returncode == 0, done.stdout
    played, right, seconds = judged(done, "proxies")
    assert played == right >= 60
    assert seconds < 20
    assert "wrong: please" not in done.stdout
    assert "Tor" not in done.stdout
    assert done.stderr == ""


@installed
@pytest.mark.timeout(120)
def test_the_whole_drill_plays_proxies_and_bridges_and_judges_all_rightly() -> None:
    done = drill()
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    assert "\r" not in done.stdout
    played, right, _ = judged(done, "proxies")
    assert played == right >= 60
    assert judged(done, "Tor bridges")[:2] == (len(BRIDGE_CAST), len(BRIDGE_CAST))
    for part in BRIDGE_CAST:
        (line,) = [line for line in done.stdout.splitlines() if f" {part.name} " in line]
        word = "working" if part.expect[0][0] is Status.WORKING else "failed"
        assert line.split()[1] == word
        assert part.story in " ".join(done.stdout.split())
    assert "lost its own way out" in done.stdout
    assert done.stdout.index("about 15 seconds") < done.stdout.index("good-http")
    assert done.stdout.index("crawl-http") < done.stdout.index("bridge-zombie")


def test_without_tor_the_drill_says_in_one_line_what_is_missing_and_plays_the_rest(tmp_path: Path) -> None:
    done = drill(PATH=str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    (line,) = [line for line in done.stdout.splitlines() if "Tor" in line]
    assert re.search(r"missing: .*obfs4proxy\. To install: .*install .*obfs4proxy", line)
    played, right, _ = judged(done, "proxies")
    assert played == right >= 60
    assert "bridge-" not in done.stdout


def test_a_bridge_whose_programs_are_missing_cannot_be_played(tmp_path: Path) -> None:
    done = drill("bridge-zombie", PATH=str(tmp_path))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "To install:" in done.stderr


def test_a_bridge_without_tor_is_refused() -> None:
    done = drill("--no-tor", "bridge-zombie")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sanylau: bridge-zombie needs Tor: leave --no-tor out\n"


@installed
@pytest.mark.timeout(120)
async def test_a_bridge_is_played_alone_and_a_terminal_counts_the_wait() -> None:
    stem = {"PYTHONWARNINGS": "error,ignore:setDaemon:DeprecationWarning"}  # as in pyproject.toml
    async with on_terminal("drill", "bridge-zombie", env=stem) as terminal:
        await terminal.until("(1 s so far)")
        assert b"(0 s so far)\rA private Tor network" in terminal.shown
        await terminal.process.wait()
        ended = await terminal.end()
    assert ended.status == 0, ended.shown
    assert ended.everything.count("→") == 1
    assert "Tor: the bridge answers, but has lost its own way out" in ended.shown
    assert "proxies" not in ended.shown
    assert "proxy" not in ended.shown
    assert "1 Tor bridge played, 1 judged rightly" in ended.shown
    for line in ended.shown.split("\n"):
        assert all(len(part) < 80 for part in line.split("\r") if "so far" in part)


def test_one_part_can_be_played_alone() -> None:
    done = drill("captive")
    assert done.returncode == 0
    assert "captive" in done.stdout
    assert "TLS: puts a page" in done.stdout
    assert "good-http" not in done.stdout
    assert "Tor" not in done.stdout


def test_an_unknown_part_is_refused_in_one_line() -> None:
    done = drill("nosuch\x1b[31m")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_the_drill_speaks_the_language_of_the_person() -> None:
    told = {language: drill("good-http", language=language).stdout for language in ("en", "fr", "ru", "kk")}
    assert len(set(told.values())) == 4
    assert all(any("а" <= char <= "я" for char in told[language]) for language in ("ru", "kk"))


def test_an_old_code_page_replaces_letters_and_ends_nothing() -> None:
    environment = {**os.environ, "LANGUAGE": "ru", "PYTHONIOENCODING": "cp850"}
    command = [sys.executable, "-m", "client", "drill", "captive"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
