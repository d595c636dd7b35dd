"""The world comes and goes in one piece, and says why where it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import build, programs, world
from tests.lab.rules import ruleset
from tests.lab.scenarios import SCENARIOS, Scenario

STAYS = """
import time
from tests.lab.world import laboratory
with laboratory() as lab:
    print(lab.folder, *lab.pids.values(), flush=True)
    time.sleep(60)
"""
GONE = 10.0  # seconds for a world to end whose maker was killed


@pytest.mark.timeout(120)
@pytest.mark.skipif(bool(world.lacking()), reason=world.lacking())
def test_nothing_outlives_a_test_process_that_is_killed() -> None:
    command = [sys.executable, "-c", STAYS]
    with subprocess.Popen(command, cwd=build.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder, *pids = process.stdout.readline().split()
        assert len(pids) == 4
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        process.kill()
    paths = [Path(folder), *(Path(f"/proc/{pid}") for pid in pids)]
    until = time.monotonic() + GONE
    while any(path.exists() for path in paths) and time.monotonic() < until:
        time.sleep(0.05)
    assert [path for path in paths if path.exists()] == []


def test_without_root_it_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert world.lacking() == "needs root (it makes network namespaces)"
    with pytest.raises(world.NoLab), world.laboratory():
        pass


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(programs, "FOLDERS", "/nonexistent")
    assert "nginx" in world.lacking()


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_each_scenario_has_rules_of_its_own_and_names_no_wrong_neighbour_as_right(scenario: Scenario) -> None:
    assert scenario.kind not in scenario.neighbours | scenario.beside
    ruled = ruleset(scenario.border)
    assert ruled.count("{") == ruled.count("}")
