from __future__ import annotations

import pytest

from transports.failure import Failure
from transports.tor_told import Circuit, Clocks, Notice, add, listener, named, skew


@pytest.mark.parametrize(("told", "words"), [("-7201", "slow"), ("7170", "fast")])
def test_a_wrong_clock_is_noticed_in_hours_and_minutes(told: str, words: str) -> None:
    notice = skew({"SKEW": told, "SOURCE": "DIRSERV"})
    assert isinstance(notice, Notice)
    assert f"your clock is 2 h 0 min {words}" in notice.reason.format_map(notice.values)


@pytest.mark.parametrize("told", [{"SKEW": "soon"}, {}, {"SKEW": "60"}, {"SKEW": "9" * 30}])
def test_a_clock_that_is_right_enough_or_not_told_is_no_news(told: dict[str, str]) -> None:
    assert skew(told) is None


def test_bridges_that_agree_on_the_time_say_so_once() -> None:
    notices: list[Notice] = []
    clocks = Clocks(notices)
    for ahead in (0, 7201, 7200, 7202, 7200):
        clocks.take(ahead)
    assert [(one.evidence, one.values) for one in notices] == [("bridges", {"hours": 2, "minutes": 0})]
    assert "fast by the clocks of bridges" in notices[0].reason


def test_one_bridge_with_a_wrong_clock_among_others_is_its_own_affair() -> None:
    notices: list[Notice] = []
    clocks = Clocks(notices)
    for ahead in (1, -7200, 0, 2, -9000):
        clocks.take(ahead)
    assert notices == []


def test_a_wrong_clock_is_told_once_by_the_first_evidence() -> None:
    notices: list[Notice] = []
    Clocks(notices).take(-7200)
    for told in ("-7050", "7203", "1"):
        add(notices, skew({"SKEW": told}))
    assert [one.evidence for one in notices] == ["bridges"]


def test_the_socks_listener_is_taken_only_on_loopback() -> None:
    assert listener('"127.0.0.1:9050"') == 9050
    assert listener('"192.0.2.1:9050"') == listener("") == listener('"unix:/x"') == 0


def test_a_circuit_that_has_ended_is_over() -> None:
    assert [Circuit(status=status).is_over for status in ("LAUNCHED", "BUILT", "FAILED", "CLOSED")] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("reason", "remote", "failure"),
    [
        ("TIMEOUT", "", Failure.TIMEOUT),
        ("DESTROYED", "CONNECTFAILED", Failure.HOST_UNREACHABLE),
        ("CHANNEL_CLOSED", "", Failure.CONNECTION_RESET),
        ("DESTROYED", "", Failure.UNKNOWN),
    ],
)
def test_the_end_of_a_circuit_has_a_name(reason: str, remote: str, failure: Failure) -> None:
    assert named(Circuit(status="FAILED", reason=reason, remote=remote)) is failure
