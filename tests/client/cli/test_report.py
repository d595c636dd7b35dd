"""`sanylau report`."""

import json
import stat
from pathlib import Path

import pytest

from tests.client.cli.commands import on_terminal, sanylau
from tests.client.test_report import RESULT, lines


@pytest.fixture
def results(tmp_path: Path) -> str:
    path = tmp_path / "results.jsonl"
    path.write_bytes(lines(RESULT))
    return str(path)


async def test_a_report_is_written_to_a_new_file_that_only_its_owner_may_read(
    results: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.jsonl"
    done = await sanylau(
        "report", "--results", results, "-o", str(path), "--country", "KZ", "--network", "mobile"
    )
    assert (done.status, done.out) == (0, ""), done.err
    assert "Nothing was sent" in done.err
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["probe_cc"] == "KZ"
    assert "1.2.3.4" not in line
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = await sanylau("report", "--results", results, "-o", str(path))
    assert again.status == 2


async def test_a_pipe_gets_one_line_and_a_person_many(results: str) -> None:
    piped = await sanylau("report", "--results", results)
    assert len(piped.out.splitlines()) == 1
    async with on_terminal("report", "--results", results) as terminal:
        shown = (await terminal.end()).shown
    assert len(shown.splitlines()) > 20


@pytest.mark.parametrize(
    "arguments",
    [["report"], ["report", "--results", "none"], ["report", "--results", "-", "--country", "XX"]],
)
async def test_wrong_usage_is_one_line(arguments: list[str]) -> None:
    done = await sanylau(*arguments)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
