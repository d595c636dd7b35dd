import pytest

from client.settings import PROFILES, tuned


def test_quiet_opens_at_most_four_connections_a_second_and_two_handshakes_a_network() -> None:
    quiet = PROFILES["quiet"]
    assert quiet.interval >= 0.25
    assert 1 <= quiet.per_network <= 2


@pytest.mark.parametrize("name", PROFILES)
def test_in_every_profile_no_step_is_longer_than_the_whole(name: str) -> None:
    profile = PROFILES[name]
    for limits in (profile.short, profile.deep):
        assert limits is not None
        assert max(limits.connect, limits.handshake, limits.exchange, limits.bulk) <= limits.total
    assert profile.name == name


@pytest.mark.parametrize("name", PROFILES)
def test_the_patient_try_is_longer_in_every_step(name: str) -> None:
    short, deep = PROFILES[name].short, PROFILES[name].deep
    assert deep is not None
    for step in ("connect", "handshake", "exchange", "bulk", "total"):
        assert getattr(deep, step) > getattr(short, step)


def test_without_wishes_a_profile_stays_as_it_is() -> None:
    assert tuned(PROFILES["quiet"], concurrency=None, connect=None, total=None) == PROFILES["quiet"]


def test_own_deadlines_bind_every_step_and_allow_no_deeper_try() -> None:
    profile = tuned(PROFILES["quiet"], concurrency=None, connect=None, total=2.0)
    limits = profile.short
    assert profile.deep is None
    assert limits.total == 2.0
    assert max(limits.connect, limits.handshake, limits.exchange, limits.bulk) <= 2.0


def test_an_own_connect_limit_leaves_the_rest() -> None:
    profile = tuned(PROFILES["quiet"], concurrency=7, connect=0.5, total=None)
    assert profile.short.connect == 0.5
    assert profile.short.total == PROFILES["quiet"].short.total
    assert profile.concurrency == 7


def test_a_connect_limit_is_never_longer_than_the_whole() -> None:
    assert tuned(PROFILES["quiet"], concurrency=None, connect=9.0, total=3.0).short.connect == 3.0
