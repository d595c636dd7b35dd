import json
import time
from typing import Any

import pytest

from client.events import LineRejected, Noticed, Progressed
from client.model import Message, RejectedLine, Status
from client.render.jsonl import JsonLines, as_json
from tests.client.render.faces import HOST, SECRET, Paper, a_run, engine, finished, judged, started


def objects(paper: Paper) -> list[dict[str, Any]]:
    return [json.loads(line) for line in paper.getvalue().splitlines()]


def test_each_line_is_one_object_with_version_and_type_and_is_flushed() -> None:
    paper = Paper()
    face = JsonLines(reveal=False, out=paper)
    for event in a_run():
        face.show(event)
    face.close()
    found = objects(paper)
    assert [one["type"] for one in found] == ["started", "rejected", *["result"] * len(Status), "summary"]
    assert {one["v"] for one in found} == {1}
    assert paper.flushed >= len(found)


def test_times_are_whole_milliseconds_and_speed_is_kib() -> None:
    result = as_json(judged(), reveal=False)
    assert result is not None
    assert (result["elapsed_ms"], result["first_byte_ms"], result["kib_per_s"]) == (1500, 250, 128.0)
    assert [(step["name"], step["ms"], step["failure"]) for step in result["steps"]] == [
        ("connect", 12, None),
        ("proxy_handshake", 200, "generic_timeout_error"),
    ]


def test_a_proof_stands_only_where_content_came() -> None:
    for status in Status:
        result = as_json(judged(status), reveal=False)
        assert result is not None
        assert (result["proof"] is not None) == (status in (Status.WORKING, Status.DEGRADED))


def test_the_summary_counts_every_status() -> None:
    summary = as_json(finished("first", working=2, failed=1), reveal=False)
    assert summary is not None
    assert [summary[status.value] for status in Status] == [2, 0, 0, 0, 1, 0]
    assert (summary["stopped"], summary["elapsed_ms"], summary["first_working_ms"]) == ("first", 4500, 1250)


def test_what_only_serves_a_screen_is_left_out() -> None:
    assert as_json(Progressed(1, 2, 0, 3, 0.5), reveal=False) is None


def test_a_notice_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    JsonLines(reveal=False, out=paper).show(Noticed(Message("{source}: cut", {"source": "a\x1b[2J"})))
    assert paper.getvalue() == ""
    assert capsys.readouterr().err == "a\ufffd[2J: cut\n"


def test_text_from_outside_reaches_nobody_unfiltered_nor_at_any_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = Message("{x}", {"x": "\x1b[2J\u202e" + "y" * 5000})
    refused = as_json(LineRejected(RejectedLine("list", 1, hostile)), reveal=False)
    JsonLines(reveal=False, out=Paper()).show(Noticed(hostile))
    assert refused is not None
    for text in (refused["reason"], capsys.readouterr().err.rstrip("\n")):
        assert len(text) <= 400
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_an_endpoint_is_shown_only_when_asked_for() -> None:
    masked, revealed = (json.dumps(as_json(judged(), reveal=reveal)) for reveal in (False, True))
    assert HOST not in masked
    assert SECRET not in masked
    assert HOST in revealed
    assert SECRET in revealed


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "cp866", "utf-8"])
def test_every_stream_can_carry_every_line(encoding: str) -> None:
    paper = Paper(encoding)
    face = JsonLines(reveal=True, out=paper)
    face.show(judged(source="тізім 代理 ✔.txt"))
    face.show(LineRejected(RejectedLine("a\ud800b\x1b", 1, Message("нет"))))
    result, refused = objects(paper)
    assert result["source"] == "тізім 代理 ✔.txt"
    assert refused["source"] == "a\ufffdb\ufffd"


def test_all_of_the_start_is_told() -> None:
    assert as_json(started(), reveal=False) == {
        "v": 1,
        "type": "started",
        "given": 5,
        "candidates": 3,
        "duplicates": 1,
        "rejected": 1,
        "profile": "quiet",
        "budget_connections": 21,
        "budget_kib": 480,
    }


def test_an_engine_s_progress_is_for_people_and_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    paper = Paper()
    face = JsonLines(reveal=False, out=paper)
    for n in range(5):
        face.show(engine(40 + n, elapsed=n / 2))
    assert paper.getvalue() == ""
    assert capsys.readouterr().err == "tor at 40 %: it loads the list of relays, 1200 KiB loaded, 20 KiB/s.\n"


def test_a_run_tells_when_it_began() -> None:
    paper = Paper()
    before = int(time.time())
    JsonLines(reveal=False, out=paper).show(started())
    (begun,) = objects(paper)
    assert before <= begun["at"] <= time.time() + 1
