"""The farm behind the benchmarks: every kind of entry is what it is listed as, and is judged as that."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import farm
from benchmarks.farm import TRUTH, Farm
from benchmarks.runs import fast, ladder, ours

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="one listener for all of 127.0.0.0/8: Linux only"
)


@pytest.fixture(scope="module")
def small_farm() -> Iterator[Farm]:
    with farm.running() as running:
        yield running


def results(command: list[str]) -> list[dict[str, Any]]:
    ended = subprocess.run(command, cwd=farm.ROOT, stdout=subprocess.PIPE, timeout=45, check=False)
    return [row for row in map(json.loads, ended.stdout.splitlines()) if row["type"] == "result"]


def test_the_program_gives_every_kind_of_entry_its_true_verdict(small_farm: Farm) -> None:
    entries = small_farm.placed([kind for kind in TRUTH for _ in range(3)], seed=1)
    listed = small_farm.write(entries)
    found = results(ours(listed, small_farm, "--profile=fast", *fast(30, 1.0, 5.0)))
    assert farm.false_verdicts(entries, found) == []


def test_the_bare_ladder_agrees_about_what_works(small_farm: Farm) -> None:
    entries = small_farm.placed([kind for kind in TRUTH for _ in range(2)], seed=2)
    found = results(ladder(small_farm.write(entries), small_farm, *fast(30, 1.0, 5.0)))
    working = {row["line"] for row in found if row["status"] == "working"}
    assert working == {number for number, entry in enumerate(entries, 1) if entry.kind in farm.GOOD}


def test_a_connection_into_the_black_hole_gets_neither_answer_nor_refusal(small_farm: Farm) -> None:
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.77.1.2", small_farm.ports["hole"]), timeout=0.5)


def test_nobody_listens_on_the_closed_port(small_farm: Farm) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.77.1.2", small_farm.ports["closed"]), timeout=5)


def test_a_mix_keeps_its_parts_and_no_entry_stands_in_it_twice(small_farm: Farm) -> None:
    entries = small_farm.mix("blackout", 1000)
    assert sum(entry.kind == "hole" for entry in entries) == 600
    assert sum(entry.kind in farm.GOOD for entry in entries) == 30
    assert len({entry.line for entry in entries}) == 1000


def test_a_false_a_double_and_a_missing_verdict_are_all_found(small_farm: Farm) -> None:
    entries = small_farm.placed(["closed", "closed", "closed"], seed=1)
    right: dict[str, object] = {"status": "failed", "failure": "connection_refused", "step": "connect"}
    wrong: dict[str, object] = {"status": "working", "failure": None, "step": None}
    told: list[dict[str, object]] = [{"line": 1, **right}, {"line": 1, **right}, {"line": 2, **wrong}]
    assert [text.partition(",")[0] for text in farm.false_verdicts(entries, told)] == [
        "line 1",
        "line 2",
        "line 3: no verdict",
    ]


def test_the_farm_ends_with_the_block() -> None:
    with farm.running() as running:
        port = running.ports["http"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
