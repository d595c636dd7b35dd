"""`sanylau drill` as a person runs it: no network, no root, an explained outcome."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def drill(*arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANGUAGE": language, "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "client", "drill", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50, check=False
    )


def test_the_whole_drill_judges_every_server_rightly_in_under_20_seconds() -> None:
    done = drill()
    assert done.returncode == 0, done.stdout
    assert "wrong" not in done.stdout.splitlines()[-4]
    played = done.stdout.split(" proxies played, ")[0].rpartition("\n")[2]
    assert int(played) >= 60
    assert f"{played} judged rightly" in done.stdout
    seconds = float(done.stdout.split("judged rightly, in ")[1].split(" ")[0])
    assert seconds < 20
    assert done.stderr == ""


def test_one_part_can_be_played_alone() -> None:
    done = drill("captive")
    assert done.returncode == 0
    assert "captive" in done.stdout
    assert "TLS: puts a page" in done.stdout
    assert "good-http" not in done.stdout


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
