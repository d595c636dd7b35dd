"""The order of the ports, and where to go on."""

import pytest

from client.beacon.wire import Protocol
from client.holes import plan
from client.holes.plan import Progress
from transports.types import Rejected


def test_the_ports_that_crossed_before_come_first() -> None:
    ports = plan.load()
    assert ports.likely[Protocol.TCP][:2] == (179, 3785)
    assert ports.likely[Protocol.UDP][0] == 53
    assert {179, 646, 3784, 3785, 4784, 5060, 53} <= set(ports.likely[Protocol.TCP])
    assert {53, 123} <= set(ports.likely[Protocol.UDP])
    assert ports.public_ports <= 20
    assert ports.public_pause >= 0.5


def test_no_port_comes_twice_and_no_control_is_a_likely_port() -> None:
    for likely in plan.load().likely.values():
        assert len(set(likely)) == len(likely)
        assert not set(likely) & set(plan.CONTROLS)
        first, rest = plan.order(likely, None, everything=True)
        assert sorted(first + rest) == list(range(1, 65536))


def test_a_search_goes_on_where_it_stopped() -> None:
    likely = (179, 3785, 646)
    assert plan.order(likely, 3785, everything=False) == ([3785, 646], [])
    first, rest = plan.order(likely, 3785, everything=True)
    assert (first, rest[:2]) == ([3785, 646], [1, 2])
    assert plan.order(likely, 60000, everything=True) == ([], list(range(60000, 65536)))
    assert plan.order(likely, 60000, everything=False) == ([179, 3785, 646], [])


def test_where_to_begin_is_read_as_it_is_printed() -> None:
    assert plan.starts("") == {}
    assert plan.starts("3785") == {Protocol.TCP: 3785, Protocol.UDP: 3785}
    assert plan.starts("tcp/4711, UDP/500") == {Protocol.TCP: 4711, Protocol.UDP: 500}
    for text in ("x", "0", "65536", "icmp/1", "tcp/", "-1", "tcp/1/2"):
        with pytest.raises(Rejected):
            plan.starts(text)


def test_progress_is_the_first_gap() -> None:
    progress = Progress([10, 20, 30])
    assert progress.resume == 10
    progress.done(1)
    assert progress.resume == 10
    progress.done(0)
    assert progress.resume == 30
    progress.done(2)
    assert progress.resume == 30
    assert Progress([]).resume == 65535


def test_profiles() -> None:
    assert plan.SPACING["quiet"] >= 0.25
    assert plan.hours(65535, plan.SPACING["quiet"]) == (4, 39)
    assert plan.hours(65535, plan.SPACING["fast"]) == (0, 1)
