"""Every scenario from end to end: the real program, in the person's place, names the right kind and no wrong one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.lab import build, world
from tests.lab.rounds import Job, Result, read, wrong
from tests.lab.scenarios import SCENARIOS

LABS: Final = 6  # side by side; a diagnosis waits far more than it works
LONGEST: Final = 900.0  # seconds that the first of the tests may have to wait
ROUNDS: Final = int(os.environ.get("SANYLAU_LAB_ROUNDS", "1"))
TABLE: Final = os.environ.get("SANYLAU_LAB_TABLE", "")  # a file for what every run found and used
JOBS: Final = [
    Job(name, rough, number) for number in range(ROUNDS) for rough in (True, False) for name in SCENARIOS
]

pytestmark = pytest.mark.timeout(LONGEST)


class Runs:
    """The runs of this session, under way beside its tests. The workers of pytest-xdist share them."""

    def __init__(self, folder: Path, process: subprocess.Popen[str] | None) -> None:
        self.folder, self.process = folder, process  # no process: another worker has it

    def of(self, job: Job) -> Result:
        """Wait for what came of a job."""
        while (result := read(self.folder, job)) is None:
            over = (self.folder / "over").exists() or (self.process and self.process.poll() is not None)
            if over and read(self.folder, job) is None:
                said = (self.folder / "said").read_text()
                raise AssertionError(f"{job.id} was not carried out: {said[-2000:]}")
            time.sleep(0.1)
        return result


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    if reason := world.lacking():
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(f"the laboratory must run here: the laboratory {reason}")
        pytest.skip(f"the laboratory {reason}")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "lab-runs"
    try:
        folder.mkdir()
    except FileExistsError:
        yield Runs(folder, None)
        return
    names = {item.name for item in request.session.items}
    wanted = [job for job in JOBS if f"{_NAME}[{job.id}]" in names]  # those that -k has left
    yield from _carried_out(folder, wanted)
    if TABLE:
        rows = [(job, read(folder, job)) for job in wanted]
        Path(TABLE).write_text("".join(f"{result.row(job)}\n" for job, result in rows if result))


def _carried_out(folder: Path, wanted: Sequence[Job]) -> Iterator[Runs]:
    """Have the jobs carried out; other workers may still wait for some when the tests of this one are over."""
    command = [sys.executable, "-m", "tests.lab.rounds", str(folder), str(LABS)]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            command, cwd=build.ROOT, stdin=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        )
    assert process.stdin is not None
    with process:
        process.stdin.write(json.dumps([[job.name, job.rough, job.number] for job in wanted]) + "\n")
        process.stdin.flush()
        yield Runs(folder, process)
        if "PYTEST_XDIST_WORKER" in os.environ:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LONGEST)
    (folder / "over").touch()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.id)
def test_the_right_kind_stands_first_and_no_wrong_one_is_named(runs: Runs, job: Job) -> None:
    result = runs.of(job)
    assert wrong(SCENARIOS[job.name], result, rough=job.rough) == [], result.row(job)


_NAME: Final = test_the_right_kind_stands_first_and_no_wrong_one_is_named.__name__
