"""What engines tell, with reports as they stand after each second; a real tor: integration/test_bridge_progress.py."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from client.events import EngineProgressed, Noticed
from client.following import Follower, stage
from client.i18n import say
from transports.tor_told import Notice, Progress


@dataclass
class Report:
    progress: Progress = field(default_factory=Progress)
    received: int = 0
    rate: float = 0.0
    notices: list[Notice] = field(default_factory=list)


def following(report: Report) -> Follower:
    follower = Follower()
    follower.reports = {"tor": report}
    return follower


def test_only_what_has_changed_is_news() -> None:
    report = Report()
    follower = following(report)
    assert follower.news(0.5) == []
    report.progress = Progress(percent=30, tag="loading_status", summary="Loading", received=2048)
    report.received, report.rate = 2048, 1024.0
    (event,) = follower.news(1.0)
    assert isinstance(event, EngineProgressed)
    assert (event.engine, event.percent, event.received_kib, event.kib_per_s) == ("tor", 30, 2, 1.0)
    assert follower.news(1.5) == []
    report.progress.received = 4096
    assert len(follower.news(2.0)) == 1


def test_what_comes_after_the_list_of_relays_is_no_news() -> None:
    report = Report(Progress(percent=75, tag="enough_dirinfo", received=5000))
    follower = following(report)
    assert len(follower.news(1.0)) == 1
    report.progress.received = 90_000
    assert follower.news(1.5) == []
    report.progress.percent, report.progress.tag = 100, "done"
    assert len(follower.news(2.0)) == 1


def test_a_notice_is_told_once_and_late_ones_too() -> None:
    notice = Notice(reason="your clock is {seconds} seconds fast", values={"seconds": 7200})
    report = Report()
    follower = following(report)
    assert follower.news(0.5) == []
    report.notices.append(notice)
    (event,) = follower.news(1.0)
    assert isinstance(event, Noticed)
    assert say(event.message) == "your clock is 7200 seconds fast"
    assert follower.news(1.5) == []
    report.notices.append(Notice(reason="another", values={}))
    assert len(follower.news(2.0)) == 1


def test_a_tor_that_takes_the_place_of_a_dead_one_starts_again() -> None:
    report = Report(Progress(percent=30, tag="loading_status"))
    follower = following(report)
    follower.news(0.5)
    report.progress = Progress(received=1024)
    (event,) = follower.news(1.0)
    assert isinstance(event, EngineProgressed)
    assert (event.percent, say(event.stage)) == (0, "it starts again")


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("conn_pt", "it connects to the first server"),
        ("handshake_done", "it connects to the first server"),
        ("loading_descriptors", "it loads the list of relays"),
        ("enough_dirinfo", "it has the list of relays"),
        ("ap_conn", "it connects to its first relay"),
        ("circuit_create", "it builds circuits"),
        ("done", "it is ready"),
    ],
)
def test_tags_become_plain_words(tag: str, words: str) -> None:
    assert say(stage(tag, "what tor says")) == words


def test_what_tor_says_itself_passes_the_gate() -> None:
    said = say(stage("unheard_of", "a\x1b[2J{x}\u202e" + "y" * 500))
    assert said.startswith("a\ufffd[2J{x}\ufffd")
    assert len(said) == 120
