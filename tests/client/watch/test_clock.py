import time

import pytest

from client.watch.clock import Drift, Jump, SystemClock, Why, network_print


class Hands:
    """A clock that is set by hand."""

    def __init__(self, *, tells: bool) -> None:
        self.at = [1_600_000_000.0, 100.0, 1000.0]
        self.tells = tells

    def pass_by(self, seconds: float, *, asleep: float = 0.0, set_by: float = 0.0) -> None:
        self.at[0] += seconds + asleep + set_by
        self.at[1] += seconds
        self.at[2] += seconds + asleep

    def wall(self) -> float:
        return self.at[0]

    def steady(self) -> float:
        return self.at[1]

    def awake(self) -> float | None:
        return self.at[2] if self.tells else None

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)


@pytest.mark.parametrize("tells", [True, False])
def test_time_that_passes_as_it_should_is_no_jump(tells: bool) -> None:
    clock = Hands(tells=tells)
    drift = Drift(clock)
    clock.pass_by(5000, set_by=-3)
    assert drift.look() == []


@pytest.mark.parametrize("tells", [True, False])
def test_sleep_is_noticed_once(tells: bool) -> None:
    clock = Hands(tells=tells)
    drift = Drift(clock)
    clock.pass_by(10, asleep=7200)
    assert drift.look() == [Jump(Why.SLEEP, 7200)]
    clock.pass_by(10)
    assert drift.look() == []


@pytest.mark.parametrize("tells", [True, False])
def test_a_clock_that_is_set_back_is_noticed(tells: bool) -> None:
    clock = Hands(tells=tells)
    drift = Drift(clock)
    clock.pass_by(10, set_by=-3600)
    assert drift.look() == [Jump(Why.CLOCK, -3600)]


def test_sleep_and_a_set_clock_are_told_apart_where_the_system_can() -> None:
    clock = Hands(tells=True)
    drift = Drift(clock)
    clock.pass_by(10, asleep=600, set_by=86400)
    assert drift.look() == [Jump(Why.SLEEP, 600), Jump(Why.CLOCK, 86400)]


async def test_the_systems_clock_goes() -> None:
    clock = SystemClock()
    drift = Drift(clock)
    began = clock.steady()
    await clock.sleep(0.02)
    assert 0.01 < clock.steady() - began < 5
    assert abs(clock.wall() - time.time()) < 5
    assert drift.look() == []


def test_the_same_network_looks_the_same() -> None:
    assert network_print() == network_print()
