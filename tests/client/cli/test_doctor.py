"""`sanylau doctor`: what is here, what is missing, and the command that mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def doctor(*arguments: str, **changes: str) -> str:
    environment = {**os.environ, "LANGUAGE": "en", "PYTHONUTF8": "1", **changes}
    command = [sys.executable, "-m", "client", "doctor", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50, check=True
    )
    return done.stdout


def findings(**changes: str) -> dict[str, dict[str, str]]:
    told = json.loads(doctor("--json", **changes))
    assert told["v"] == 1
    assert told["type"] == "doctor"
    return {finding["name"]: finding for finding in told["findings"]}


def test_the_installed_sing_box_is_named_with_its_version_and_what_it_lacks() -> None:
    found = findings()["sing-box"]
    assert "version 1." in found["what"]
    assert found["level"] == "warn"
    assert "uTLS" in found["what"]


def test_a_missing_engine_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    found = findings(PATH=str(tmp_path))["tor"]
    assert found["level"] == "missing"
    assert "install" in found["mend"]


def test_everything_that_check_depends_on_is_looked_at() -> None:
    assert {"python", "sing-box", "cryptography", "clock", "open files", "terminal"} <= findings().keys()


def test_the_text_has_a_word_for_every_level_and_no_escape_bytes() -> None:
    text = doctor()
    assert "+ ok" in text
    assert "\x1b" not in text
