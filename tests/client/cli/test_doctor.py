"""`sanylau doctor`: what is here, what is missing, and the command that mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    found = findings(PATH=str(tmp_path), HOME=str(tmp_path))
    for name in ("obfs4", "snowflake"):
        assert found[name]["level"] == "missing"
        assert "install" in found[name]["mend"]
    for name in ("webtunnel", "conjure"):
        assert found[name]["level"] == "missing"
        assert "Tor Browser" in found[name]["what"]


def test_one_command_is_told_once(tmp_path: Path) -> None:
    fixture(tmp_path, "tor", "Tor version 0.3.5.8.")
    text = doctor(PATH=str(tmp_path), HOME=str(tmp_path))
    assert text.count("install tor") == 1
    for line in text.splitlines():
        if "→" in line:
            assert text.count(line.partition("→ ")[2]) == 1


def fixture(folder: Path, name: str, said: str) -> Path:
    """Write a program that only says its version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return path


def test_the_transport_programs_are_named_with_version_place_and_what_they_can_do(tmp_path: Path) -> None:
    place = "tor-browser/Browser/TorBrowser/Tor/PluggableTransports"
    fixture(tmp_path / place, "lyrebird", "lyrebird-0.6.1")
    fixture(tmp_path / "bin", "obfs4proxy", "obfs4proxy-0.0.8")
    found = findings(PATH=f"{tmp_path / 'bin'}:/bin:/usr/bin", HOME=str(tmp_path))
    assert found["lyrebird"]["level"] == "ok"
    assert f"version 0.6.1, ~/{place}/lyrebird: obfs4, webtunnel" in found["lyrebird"]["what"]
    assert "webtunnel" not in found


@pytest.mark.parametrize(
    ("version", "words"), [("0.0.8", "too old"), ("0.0.14", "lyrebird can do webtunnel")]
)
def test_what_an_obfs4proxy_lacks_is_told(tmp_path: Path, version: str, words: str) -> None:
    fixture(tmp_path, "obfs4proxy", f"obfs4proxy-{version}")
    found = findings(PATH=str(tmp_path), HOME=str(tmp_path))["obfs4proxy"]
    assert found["level"] == "warn"
    assert words in found["what"]
    assert version in found["what"]


def test_an_old_tor_is_a_warning_with_the_command_that_mends_it(tmp_path: Path) -> None:
    fixture(tmp_path, "tor", "Tor version 0.3.5.8.")
    found = findings(PATH=str(tmp_path))["tor"]
    assert found["level"] == "warn"
    assert "0.3.5.8 is too old" in found["what"]
    assert "install tor" in found["mend"]


def test_programs_that_never_answer_are_not_waited_for_long(tmp_path: Path) -> None:
    for name in ("obfs4proxy", "lyrebird", "webtunnel-client", "conjure-client"):
        path = tmp_path / name
        path.write_text(f"#!{sys.executable} -IS\nimport time\ntime.sleep(60)\n")
        path.chmod(0o755)
    began = time.monotonic()
    found = findings(PATH=str(tmp_path), HOME=str(tmp_path))
    assert time.monotonic() - began < 10
    assert "version ?" in found["lyrebird"]["what"]


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
