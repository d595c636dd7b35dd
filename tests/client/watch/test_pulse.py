import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.watch.pulse import BEATS, HOUR, INTERVALS, MINUTE, Mode, Pulse


def begun(
    pulse: Pulse, mode: Mode, span: float, *, cost: float, moved: float, urgent: bool = False
) -> list[float]:
    """Begin a connection whenever that is allowed, for `span` seconds."""
    now, times = 0.0, []
    while now < span:
        now = pulse.due(now, mode, cost=cost, urgent=urgent)
        pulse.begin(now)
        pulse.moved(now, moved)
        pulse.forget(now)
        times.append(now)
    return times


def most_in(times: list[float], span: float) -> int:
    return max(sum(at <= other < at + span for other in times) for at in times)


@given(
    seed=st.integers(),
    mode=st.sampled_from(Mode),
    urgent=st.booleans(),
    moved=st.integers(200, 5400),
)
def test_no_stretch_of_time_holds_more_connections_or_bytes_than_allowed(
    seed: int, mode: Mode, urgent: bool, moved: int
) -> None:
    pulse, beat = Pulse(random.Random(seed)), BEATS[mode]
    times = begun(pulse, mode, HOUR / 2, cost=moved, moved=moved, urgent=urgent)
    within = most_in(times, beat.span - 0.001)
    assert within <= beat.connections
    assert within * moved <= beat.amount * beat.span / MINUTE


@given(seed=st.integers(), mode=st.sampled_from(Mode))
def test_the_line_is_never_left_alone_for_longer_than_said(seed: int, mode: Mode) -> None:
    times = begun(Pulse(random.Random(seed)), mode, HOUR, cost=500, moved=500)
    two = [after - before for before, after in zip(times, times[2:], strict=False)]
    assert max(two) <= INTERVALS[mode], "a test is one server abroad and one in the country"


def test_the_spacing_is_random() -> None:
    times = begun(Pulse(random.Random(1)), Mode.FULL, HOUR, cost=500, moved=500)
    gaps = {round(after - before, 1) for before, after in itertools.pairwise(times)}
    assert len(gaps) > len(times) / 2
    slow = begun(Pulse(random.Random(1)), Mode.SLOW, 10 * HOUR, cost=500, moved=500)
    assert len({round(after - before, 1) for before, after in itertools.pairwise(slow)}) > 50


def test_after_an_hour_it_is_one_in_two_minutes() -> None:
    times = begun(Pulse(random.Random(1)), Mode.SLOW, HOUR, cost=500, moved=500)
    assert 25 <= len(times) <= 31


def test_a_handshake_larger_than_a_minutes_amount_is_paid_for_afterwards() -> None:
    pulse = Pulse(random.Random(1))
    pulse.begin(0.0)
    pulse.moved(0.0, 12000)
    assert pulse.due(70.0, Mode.FULL, cost=4500) == pytest.approx(120.0)


def test_one_that_costs_more_than_allowed_waits_until_nothing_else_counts() -> None:
    pulse = Pulse(random.Random(1))
    assert pulse.due(5.0, Mode.FULL, cost=9000) == 5.0
    pulse.begin(5.0)
    pulse.moved(5.0, 600)
    assert pulse.due(6.0, Mode.FULL, cost=9000) == 65.0


def test_asking_again_when_it_is_due_changes_nothing() -> None:
    pulse = Pulse(random.Random(1))
    pulse.begin(0.0)
    assert len({pulse.due(1.0, Mode.FULL, cost=500) for _ in range(10)}) == 1


def test_after_a_long_sleep_it_may_begin_at_once_and_after_a_nap_it_may_not() -> None:
    pulse = Pulse(random.Random(1))
    pulse.begin(0.0)
    pulse.moved(0.0, 5500)
    pulse.slept(30)
    assert pulse.due(1.0, Mode.FULL, cost=5000) == pytest.approx(30.0)
    pulse.slept(3600)
    assert pulse.due(1.0, Mode.SLOW, cost=5000) == 1.0
