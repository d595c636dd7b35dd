"""Runs `sanylau diagnose` in many scenarios, several laboratories side by side: most of each run is waiting.

    python -m tests.lab.rounds FOLDER 6    # jobs as JSON on standard input, one file for each into FOLDER

It is a program of its own, because tests may leave no child process behind them, and these run on from test to test.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from client.diagnosis import code
from client.diagnosis.kinds import Certainty, Kind
from tests.lab import places
from tests.lab.scenarios import SCENARIOS, Scenario
from tests.lab.world import Counts, Lab, Line, NoLab, laboratory

LIMIT: Final = 30.0  # seconds for any diagnosis
QUICK: Final = {"open": 3.0, "almaty": 15.0}
STARTING: Final = 10.0  # seconds more for Python to start, on a machine that has much to do
CUT: Final = 0.5  # seconds for a diagnosis that its deadline ends to be ended
CONNECTIONS: Final = 60
BYTES: Final = 500_000
TRIES: Final = 3  # a run that a busy machine made late is measured again
_SURE: Final = (Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_TELL)


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One run: which scenario, with loss and a dead anchor or without, and which repetition of it."""

    name: str
    rough: bool
    number: int

    @property
    def id(self) -> str:
        """Return what a test and a file are called by."""
        return f"{'rough' if self.rough else 'calm'}-{self.name}" + (f"-{self.number}" if self.number else "")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a run: the program's status and its JSON, and what the border saw of it. `wall` in seconds."""

    status: int
    told: dict[str, Any]
    error: str
    wall: float
    counts: Counts

    @property
    def seconds(self) -> float:
        """Return how long the diagnosis itself took."""
        return float(self.told.get("elapsed_ms", 1e6)) / 1000

    def row(self, job: Job) -> str:
        """Return a line of the table."""
        told, counts = self.told, self.counts
        others = ",".join(told.get("kinds", [])[1:]) or "-"
        return (
            f"{job.id:28} {told.get('kind', self.error[-60:])!s:22} {told.get('certainty')!s:12} {others:22} "
            f"{self.seconds:5.1f} s {counts.tcp:3} TCP {counts.udp:3} UDP {counts.moved / 1000:6.1f} kB"
        )


def diagnose(line: Line, *more: str, before: Sequence[str] = (), timeout: float = LIMIT + STARTING) -> Result:
    """Run the program where the person is; `before` is a program to run it under."""
    argv = [*before, sys.executable, "-m", "client", "diagnose", "--anchors", str(line.anchors)]
    argv += ["--json", "--yes", *more]
    began = time.monotonic()
    try:
        done = line.person(argv, timeout=timeout)
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess(argv, -1, "", f"not over after {timeout} s")
    wall = time.monotonic() - began
    told: dict[str, Any] = {}
    with suppress(ValueError):
        told = json.loads(done.stdout)
    return Result(status=done.returncode, told=told, error=done.stderr, wall=wall, counts=line.counts())


def carried_out(lab: Lab, job: Job) -> Result:
    """Carry a job out; once or twice more where it alone was late."""
    scenario = SCENARIOS[job.name]
    options = [*(["--yes-forbidden"] * scenario.consent), *(["--policing"] * scenario.policing)]
    for _ in range(TRIES):
        result = diagnose(lab.play(scenario, rough=job.rough), *options)
        if job.rough or result.seconds < QUICK.get(job.name, LIMIT):
            break
    return result


def wrong(scenario: Scenario, result: Result, *, rough: bool = False) -> list[str]:
    """Return all that is not as it has to be; nothing where the run is right."""
    told, counts = result.told, result.counts
    if not told:
        return [f"no JSON, status {result.status}: {result.error[-1500:]}"]
    kinds = [Kind(kind) for kind in told["kinds"]]
    first = scenario.when_rough if rough else {scenario.kind}
    forbidden = scenario.neighbours - first
    quick = LIMIT if rough else QUICK.get(scenario.name, LIMIT)
    found = {
        f"{kinds[0]} stands first": kinds[0] not in first,
        f"{[*forbidden & set(kinds)]} named": bool(forbidden & set(kinds)),
        f"{told['certainty']} is too sure": _SURE.index(told["certainty"]) < _SURE.index(scenario.certainty)
        and kinds[0] is scenario.kind,
        f"{told['connections']} connections told, {counts.tcp} seen": max(told["connections"], counts.tcp)
        > CONNECTIONS,
        f"{counts.moved} bytes": counts.moved >= BYTES,
        f"{counts.echo} echo requests": counts.echo > 0,
        f"names seen: {sorted(counts.names)}": not scenario.consent
        and bool(counts.names & set(places.FORBIDDEN)),
        f"{result.seconds} s": result.seconds > quick + CUT * (quick == LIMIT),
        f"{result.wall} s in all": result.wall > LIMIT + STARTING,
        f"status {result.status}: {result.error[-1500:]}": result.status not in (0, 3) or bool(result.error),
    }
    return [text for text, bad in found.items() if bad] + _code(told)


def _code(told: dict[str, Any]) -> list[str]:
    """Say where the result code does not tell the same."""
    read = code.decode(told["code"])
    same = {
        "kinds": told["kinds"][: len(read.kinds)] == [kind.value for kind in read.kinds],
        "certainty": told["certainty"] == read.certainty.value,
        "tcp": set(read.tcp) <= set(told["tcp"]),
        "udp": set(read.udp) <= set(told["udp"]),
        "passes": told["passes"] == sorted(read.passes),
        "length": len(told["code"]) < 60,
    }
    return [f"the code tells other {what}" for what, right in same.items() if not right]


def write(folder: Path, job: Job, result: Result) -> None:
    """Write a result down, whole or not at all."""
    text = json.dumps(asdict(result), default=list)
    (folder / f"{job.id}.part").write_text(text)
    (folder / f"{job.id}.part").rename(folder / f"{job.id}.json")


def read(folder: Path, job: Job) -> Result | None:
    """Return a result that was written."""
    try:
        told = json.loads((folder / f"{job.id}.json").read_text())
    except FileNotFoundError:
        return None
    counts = told["counts"]
    told["counts"] = Counts(
        **{**counts, "names": frozenset(counts["names"]), "ports": tuple(counts["ports"])}
    )
    return Result(**told)


def _work(folder: Path, jobs: queue.SimpleQueue[Job]) -> None:
    with laboratory() as lab, suppress(queue.Empty):
        while True:
            job = jobs.get_nowait()
            write(folder, job, carried_out(lab, job))


def main(folder: Path, labs: int) -> None:
    """Carry out the jobs that stand on standard input."""
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    told: Sequence[list[Any]] = json.loads(sys.stdin.readline())
    for one in told:
        jobs.put(Job(*one))
    threading.Thread(target=_until_alone, daemon=True).start()
    workers = [threading.Thread(target=_work, args=(folder, jobs)) for _ in range(min(labs, len(told)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _until_alone() -> None:
    """End with whoever has started this: the laboratories end with their standard input."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except NoLab as reason:
        sys.exit(str(reason))
