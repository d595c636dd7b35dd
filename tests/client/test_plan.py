import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.model import Candidate, Control
from client.plan import Job, Queue, budget, directory_kib, is_testable, network_of, order, stretched
from client.settings import PROFILES
from client.targets import Targets, parse_url
from tests.client.runs import candidates, endpoint
from transports.net import Limits
from transports.types import Endpoint

LIMITS = Limits(connect=4.0, handshake=6.0, exchange=8.0, bulk=16.0, total=40.0)
PAGE = parse_url("https://origin.test/", tls=True, option="--target")
TARGETS = Targets(small=(PAGE,), bulk=(PAGE,), plain=())


def transports_of(row: list[Candidate]) -> list[str]:
    return [candidate.endpoint.transport for candidate in row]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2"),
        ("2001:db8:1:2::7", "2001:db8:1"),
        ("proxy.example.com", "proxy.example.com"),
        ("a.b.c.example", "a.b.c.example"),
        ("localhost", "localhost"),
    ],
)
def test_a_network_is_a_24_or_48_and_a_name_stands_for_itself(host: str, network: str) -> None:
    assert network_of(host) == network


@given(st.lists(st.tuples(st.sampled_from(["http", "socks5", "vless"]), st.integers(1, 9)), max_size=60))
def test_ordering_loses_and_repeats_nobody(kinds: list[tuple[str, int]]) -> None:
    given_ones = candidates(*(endpoint(f"192.0.{net}.1", 80, kind) for kind, net in kinds))
    row = order(given_ones, rng=random.Random(1))
    assert sorted(candidate.line for candidate in row) == [candidate.line for candidate in given_ones]


def test_a_thousand_dead_of_one_kind_do_not_hide_the_few_of_another() -> None:
    crowd = [endpoint(f"192.0.2.{n % 250 + 1}", 1000 + n) for n in range(1000)]
    few = [endpoint(f"198.51.{n}.1", 443, "vless") for n in range(4)]
    row = transports_of(order(candidates(*crowd, *few), rng=random.Random(3)))
    places = [place for place, kind in enumerate(row) if kind == "vless"]
    quarters = {place * 4 // len(row) for place in places}
    assert quarters == {0, 1, 2, 3}


def test_one_hoster_does_not_hide_the_other_networks() -> None:
    crowd = [endpoint("192.0.2.1", 1000 + n) for n in range(300)]
    others = [endpoint(f"198.51.{n}.1", 80) for n in range(3)]
    row = order(candidates(*crowd, *others), rng=random.Random(3))
    places = [n for n, one in enumerate(row) if one.endpoint.host.startswith("198.")]
    assert min(places) < len(row) * 3 // 4
    assert max(places) < len(row)


def test_two_runs_do_not_begin_with_the_same_ones() -> None:
    crowd = candidates(*(endpoint("192.0.2.1", 1000 + n) for n in range(200)))
    firsts = {order(crowd, rng=random.Random(seed))[0].line for seed in range(8)}
    assert len(firsts) > 3


def test_the_budget_counts_what_can_be_tested_and_the_control() -> None:
    untested = Endpoint(transport="telegram", host="192.0.2.9", port=443, untested="why")
    none = budget(candidates(untested), TARGETS, PROFILES["quiet"])
    one = budget(candidates(endpoint(), untested), TARGETS, PROFILES["quiet"])
    many = budget(candidates(*[endpoint(port=n) for n in range(1, 11)]), TARGETS, PROFILES["quiet"])
    assert none.connections > 0
    assert one.connections > none.connections
    assert many.connections - none.connections == 10 * (one.connections - none.connections)
    assert one.kib >= none.kib + (TARGETS.quota + TARGETS.upload) // 1024


def test_the_list_of_relays_is_planned_for_once_for_bridges_together_and_for_each_that_stands_alone() -> None:
    def kib(*kinds: str | None) -> int:
        bridges = [
            Endpoint(transport="tor_bridge" if kind else "tor", host="", port=n, options={"pt": kind or ""})
            for n, kind in enumerate(kinds, 1)
        ]
        per_candidate = budget(candidates(endpoint()), TARGETS, PROFILES["quiet"]).kib // 2
        return budget(candidates(*bridges), TARGETS, PROFILES["quiet"]).kib - (len(kinds) + 1) * per_candidate

    assert directory_kib() >= 3072
    assert kib("obfs4", "vanilla", "webtunnel") == directory_kib()
    assert kib("snowflake", "meek_lite") == 2 * directory_kib()
    assert kib("obfs4", "snowflake", None) == 3 * directory_kib()
    assert kib() == 0


@pytest.mark.parametrize(
    ("transport", "untested", "testable"),
    [
        ("http", "", True),
        ("vless", "", True),
        ("vless", "this version cannot", False),
        ("tor_bridge", "", True),
        ("no such kind", "", False),
    ],
)
def test_only_what_has_a_transport_is_testable(transport: str, untested: str, testable: bool) -> None:
    one = Endpoint(transport=transport, host="192.0.2.1", port=1, untested=untested)
    assert is_testable(candidates(one)[0]) is testable


# deadlines


def test_a_quick_or_unmeasured_line_keeps_the_limits() -> None:
    assert stretched(LIMITS, Control(), TARGETS) == LIMITS
    assert stretched(LIMITS, Control(connect=0.05, kib_per_s=900.0), TARGETS) == LIMITS


def test_a_slow_line_gets_every_limit_longer() -> None:
    longer = stretched(LIMITS, Control(connect=1.0), TARGETS)
    assert (longer.connect, longer.handshake, longer.exchange, longer.bulk) == (8.0, 12.0, 16.0, 32.0)
    assert longer.total >= LIMITS.total + longer.bulk - LIMITS.bulk


def test_the_stretch_has_an_end() -> None:
    longest = stretched(LIMITS, Control(connect=60.0, kib_per_s=0.01), TARGETS)
    assert longest.connect == 4 * LIMITS.connect
    assert longest.bulk <= 120.0


def test_the_bulk_limit_lets_the_quota_through_at_the_speed_of_the_line() -> None:
    speed = 4.0
    longer = stretched(LIMITS, Control(kib_per_s=speed), TARGETS)
    assert longer.bulk >= (TARGETS.quota + TARGETS.upload) / 1024 / speed
    assert longer.total - longer.bulk >= LIMITS.total - LIMITS.bulk


# the queue


def job_of(queue: Queue, now: float = 0.0) -> Job:
    job = queue.take(now)
    assert isinstance(job, Job)
    return job


def lines(*jobs: Job) -> list[int]:
    return [job.candidate.line for job in jobs]


def test_everybody_gets_a_short_try_before_anybody_gets_a_long_one() -> None:
    queue = Queue(candidates(endpoint(port=1), endpoint(port=2), endpoint(port=3)))
    first = job_of(queue)
    queue.later(first)
    second, third = job_of(queue), job_of(queue)
    assert lines(second, third) == [2, 3]
    assert not second.deep
    queue.back()
    queue.back()
    assert job_of(queue) is first
    assert first.deep


def test_a_second_try_comes_when_it_is_due_and_then_before_fresh_ones() -> None:
    queue = Queue(candidates(endpoint(port=1), endpoint(port=2), endpoint(port=3)))
    first = job_of(queue, 0.0)
    queue.again(first, 5.0)
    assert lines(job_of(queue, 1.0)) == [2]
    assert job_of(queue, 5.0) is first
    assert lines(job_of(queue, 5.0)) == [3]


def test_the_queue_says_how_long_to_wait_for_a_second_try() -> None:
    queue = Queue(candidates(endpoint()))
    queue.again(job_of(queue), 5.0)
    assert queue.take(2.0) == 3.0


def test_second_tries_come_in_the_order_in_which_they_are_due() -> None:
    queue = Queue(candidates(endpoint(port=1), endpoint(port=2), endpoint(port=3)))
    one, two, three = job_of(queue), job_of(queue), job_of(queue)
    for job, at in ((one, 5.0), (two, 4.0), (three, 4.0)):
        queue.again(job, at)
    assert [job_of(queue, 9.0) for _ in range(3)] == [two, three, one]


def test_a_long_try_waits_for_second_tries_that_are_not_yet_due() -> None:
    queue = Queue(candidates(endpoint(port=1), endpoint(port=2)))
    broken, silent = job_of(queue), job_of(queue)
    queue.later(silent)
    queue.again(broken, 5.0)
    assert queue.take(1.0) == 4.0
    assert job_of(queue, 5.0) is broken
    assert job_of(queue, 5.0) is silent


def test_the_queue_is_done_only_when_nobody_is_out() -> None:
    queue = Queue(candidates(endpoint()))
    job_of(queue)
    assert queue.take(0.0) == float("inf")
    queue.back()
    assert queue.take(0.0) is None


def test_what_is_left_comes_out_once() -> None:
    queue = Queue(candidates(*(endpoint(port=n) for n in range(1, 5))))
    one, two = job_of(queue), job_of(queue)
    queue.again(one, 9.0)
    queue.later(two)
    assert sorted(lines(*queue.rest())) == [1, 2, 3, 4]
    assert queue.rest() == []
    assert queue.take(99.0) is None
