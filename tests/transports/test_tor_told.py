from __future__ import annotations

import pytest

from transports.failure import Failure
from transports.tor_told import Circuit, Notice, listener, named, skew


def test_a_wrong_clock_is_noticed_with_the_seconds() -> None:
    notice = skew({"SKEW": "-7200", "SOURCE": "DIRSERV"})
    assert isinstance(notice, Notice)
    assert notice.values == {"seconds": -7200}
    assert "{seconds}" in notice.reason
    assert skew({"SKEW": "soon"}) is None
    assert skew({}) is None


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
