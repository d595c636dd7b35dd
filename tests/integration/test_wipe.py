"""`sanylau wipe` where sessions run: on a machine of its own, so that nobody else's are met."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.client.cli.commands import ROOT, surroundings

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces of Linux"),
    pytest.mark.skipif(not all(map(shutil.which, ("tor", "obfs4proxy"))), reason="needs tor and obfs4proxy"),
]
WITHIN = 1.0  # seconds: what is promised
APART = ["unshare", "-rmpf", "--mount-proc", "--kill-child", "--propagation", "private"]
SCENE = (
    'mount -t tmpfs tmpfs /dev/shm && exec setsid "$0" -c '
    "\"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-m', 'tests.integration.wipe_scene', sys.argv[1]]).returncode)\""
    ' "$1"'
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if subprocess.run([*APART, "true"], check=False, capture_output=True, timeout=10).returncode:
        pytest.skip("needs namespaces")
    place = tmp_path_factory.mktemp("machine")
    (place / "tmp").mkdir()
    around = surroundings(
        {
            "HOME": str(place),
            "TMPDIR": str(place / "tmp"),
            "SANYLAU_VAULT": str(place / "vault"),
            "PYTHONWARNINGS": "",
        }
    )
    done = subprocess.run(
        [*APART, "sh", "-c", SCENE, sys.executable, str(place)],
        env=around,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_sessions_were_real(played: dict[str, Any]) -> None:
    programs = " ".join(played["seen"]["programs"].values())
    assert all(name in programs for name in ("guard_main", "sing-box", "obfs4proxy", "/tor -f -"))
    assert len([name for name in played["seen"]["folders"] if name.startswith("sanylau-")]) >= 3


def test_everything_is_gone_in_under_a_second(
    played: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    assert (played["status"], played["complained"]) == (0, "")
    record_property("seconds", round(played["took"], 3))
    assert played["took"] < WITHIN
    assert played["left"] == []
    assert played["client"] == -9
    assert played["folders"] == ["of-another-program"]


def test_the_vault_is_gone_and_its_key_was_overwritten(played: dict[str, Any]) -> None:
    assert played["vault"] == ["of-the-person.txt"]
    assert not played["key is readable"]


def test_programs_of_others_go_on(played: dict[str, Any]) -> None:
    assert played["decoys"] == [True, True, True]


def test_it_says_what_it_cannot_do(played: dict[str, Any]) -> None:
    said = " ".join(played["said"].split())
    assert "The vault is gone, its key first." in said
    assert "1 running Sanylau was ended." in said
    assert "Flash storage" in said
    assert "history of your shell" in said
