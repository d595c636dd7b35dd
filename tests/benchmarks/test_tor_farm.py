"""The private Tor network behind the benchmarks, and its yardsticks: they see the same bridges as we do."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks import farm, tor_farm
from benchmarks.farm import ROOT, Farm
from benchmarks.tor_farm import TorFarm
from client.drill.tornet import missing

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(sys.platform != "linux", reason="the farm is Linux only"),
    pytest.mark.skipif(bool(missing()), reason="needs tor and obfs4proxy"),
]
YARDSTICKS = ("bare_pt", "bare_tor", "bare_describe")


@pytest.fixture(scope="module")
def small_farm() -> Iterator[Farm]:
    with farm.running() as running:
        yield running


@pytest.fixture(scope="module")
def network() -> Iterator[TorFarm]:
    with tor_farm.running(2, 2) as running:
        yield running
    assert [pid for pid in running.pids if os.path.exists(f"/proc/{pid}")] == []
    assert not os.path.exists(running.folder)


def told(*command: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, timeout=60, check=True
    )
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


@pytest.mark.parametrize("which", ["benchmarks.tor_knock", "benchmarks.bare_pt"])
def test_our_handshakes_and_the_bare_ones_count_the_same_lines(
    network: TorFarm, small_farm: Farm, which: str
) -> None:
    good, some = network.lines, network.among_dead(small_farm, 2, seed=1)
    assert len(set(good)) == 4
    assert told(which, network.write(good, "good.txt"))["good"] == 4
    mixed = network.write([*good, *some], "mixed.txt")  # one more good one, a wrong cert, a refused one
    assert told(which, mixed, "--link")["good"] == 5


def test_the_yardsticks_for_whole_paths_reach_the_bridges(network: TorFarm, small_farm: Farm) -> None:
    listed = network.write([lines[0] for lines in network.bridges], "live.txt")
    assert told("benchmarks.bare_describe", listed, "2")["good"] == 2
    targets = [option for option in small_farm.targets() if option.startswith("--target")]
    ended = told("benchmarks.bare_tor", listed, *targets, f"--torrc={network.torrc}")
    assert ended["good"] == 1  # the first one is what tor starts with


def test_the_dead_are_of_three_kinds_and_the_good_one_is_among_them(
    network: TorFarm, small_farm: Farm
) -> None:
    lines = network.among_dead(small_farm, 60, seed=3)
    assert len(set(lines)) == 61
    assert len(set(lines) & set(network.lines)) == 1
    ports = [int(line.split()[1].rpartition(":")[2]) for line in lines]
    assert ports.count(small_farm.ports["closed"]) == 20
    assert ports.count(small_farm.ports["tarpit"]) == 20


def started_by(pid: int) -> set[int]:
    """Return the processes of this network: its own process and all below it."""
    found, todo = set[int](), [pid]
    while todo:
        found.add(one := todo.pop())
        with suppress(OSError):
            todo += map(int, Path(f"/proc/{one}/task/{one}/children").read_text("ascii").split())
    return found


def test_a_network_whose_owner_is_killed_leaves_nothing() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tor_farm_main", "1", "1"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with owner:
        until = time.monotonic() + 30
        while len(pids := started_by(owner.pid)) < 5 and time.monotonic() < until:  # guard and authorities
            time.sleep(0.02)
        owner.kill()
    assert len(pids) >= 5
    until = time.monotonic() + 10
    while (left := [pid for pid in pids if os.path.exists(f"/proc/{pid}")]) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []


@pytest.mark.parametrize("name", YARDSTICKS)
def test_a_yardstick_is_short_and_has_nothing_of_ours(name: str) -> None:
    text = Path(ROOT, "benchmarks", f"{name}.py").read_text("utf-8")
    assert len(text.splitlines()) < 100
    nodes = list(ast.walk(ast.parse(text)))
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    ours = {module for module in modules if module.split(".")[0] in ("benchmarks", "client", "transports")}
    assert ours <= {"benchmarks.bare_tor"}
