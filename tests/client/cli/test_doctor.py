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


def test_a_hostile_program_cannot_put_controls_into_either_form(tmp_path: Path) -> None:
    program = tmp_path / "sing-box"
    program.write_text(
        f"#!{sys.executable}\nprint('sing-box version 1.\\x07\\u202e9')\nprint('Tags: with_\\x9b2J')\n",
        "utf-8",
    )
    program.chmod(0o700)
    changes = {"PATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    told = findings(**changes)["sing-box"]["what"]
    assert "version" in told
    for text in (told, doctor(**changes)):
        assert not {"\x07", "\u202e", "\x9b"} & set(text)


def test_an_old_code_page_is_no_obstacle() -> None:
    changes = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1", "LANG": "C", "LANGUAGE": "ru"}
    assert "sing-box" in doctor(**changes)
    assert findings(**changes)
