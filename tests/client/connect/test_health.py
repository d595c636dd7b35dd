"""Liveness by bytes, on a clock that only the test moves."""

import pytest

from client.connect.health import Doubt, Pulse


def flowing(latency: float = 0.01, seconds: float = 3.0) -> tuple[Pulse, float]:
    """Return a pulse in the middle of a download, and the moment of its last bytes."""
    pulse = Pulse()
    pulse.dialled(pulse.dialling(0.0), latency, opened=True)
    pulse.legs = 1
    now = 0.0
    while now < seconds:
        now += 0.1
        pulse.received(20_000, now)
    return pulse, now


def first_doubt(pulse: Pulse, since: float, most: float = 400.0) -> tuple[Doubt, float]:
    now = since
    while now < since + most:
        doubt = pulse.doubt(now)
        if doubt is not None:
            return doubt, now - since
        now += 0.1
    raise AssertionError("nothing became suspect")


def test_a_flow_that_stops_is_suspect_within_a_second_on_a_fast_line() -> None:
    pulse, last = flowing()
    doubt, after = first_doubt(pulse, last)
    assert doubt is Doubt.STALLED
    assert 0.8 < after < 1.2
    assert after + pulse.patience() < 2.8  # with the look that is late, still within three seconds


def test_deadlines_stretch_with_the_latency_but_not_without_end() -> None:
    slow, last = flowing(latency=1.0)
    assert first_doubt(slow, last)[1] == pytest.approx(6.0, abs=0.3)
    assert slow.patience() == pytest.approx(6.0)
    crawling, last = flowing(latency=60.0, seconds=63.0)
    assert crawling.patience() == 15.0


def test_a_flow_that_goes_on_is_never_suspect() -> None:
    pulse, now = flowing(seconds=120)
    assert pulse.doubt(now + 0.5) is None


def test_a_few_bytes_and_then_nothing_are_no_flow() -> None:
    pulse = Pulse()
    pulse.dialled(pulse.dialling(0.0), 0.01, opened=True)
    pulse.legs = 1
    pulse.received(500, 1.0)
    doubt, after = first_doubt(pulse, 1.0)
    assert (doubt, round(after)) == (Doubt.QUIET, 45)


def test_heartbeats_come_only_while_connections_are_open_and_more_and_more_rarely() -> None:
    pulse = Pulse()
    assert pulse.doubt(10_000.0) is None
    pulse.legs = 1
    waits, now = [], 0.0
    for _ in range(6):
        doubt, after = first_doubt(pulse, now)
        now += after
        assert doubt is Doubt.QUIET
        waits.append(round(after))
        pulse.cleared(doubt, now)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (45, 180)


def test_what_was_sent_and_is_not_answered_is_suspect() -> None:
    pulse = Pulse()
    pulse.dialled(pulse.dialling(0.0), 0.01, opened=True)
    pulse.legs = 1
    pulse.sent(400, 1.0)
    doubt, after = first_doubt(pulse, 1.0)
    assert doubt is Doubt.UNANSWERED
    assert 1.1 < after < 1.5


def test_an_answer_takes_the_doubt_away() -> None:
    pulse = Pulse()
    pulse.legs = 1
    pulse.sent(400, 1.0)
    pulse.received(100, 2.0)
    assert pulse.doubt(20.0) is None


def test_a_connection_that_does_not_open_is_suspect_unless_others_get_bytes() -> None:
    pulse = Pulse()
    pulse.dialling(0.0)
    assert first_doubt(pulse, 0.0)[0] is Doubt.SLOW
    other = Pulse()
    other.dialling(0.0)
    other.received(10, 5.0)
    assert other.doubt(5.5) is None


def test_a_fault_is_suspect_at_once_and_asked_about_once_a_second_at_most() -> None:
    pulse = Pulse()
    pulse.fault(Doubt.BROKE)
    assert pulse.doubt(0.0) is Doubt.BROKE
    pulse.cleared(Doubt.BROKE, 0.0)
    assert pulse.doubt(0.1) is None
    pulse.fault(Doubt.FAILED)
    assert pulse.doubt(0.5) is None
    assert pulse.troubled
    assert pulse.doubt(1.1) is Doubt.FAILED


def test_a_connection_that_opens_takes_a_fault_away() -> None:
    pulse = Pulse()
    pulse.fault(Doubt.FAILED)
    pulse.dialled(pulse.dialling(1.0), 1.1, opened=True)
    assert not pulse.troubled


def test_the_same_silence_is_asked_about_once() -> None:
    pulse, last = flowing()
    _, after = first_doubt(pulse, last)
    pulse.cleared(Doubt.STALLED, last + after)
    doubt, _ = first_doubt(pulse, last + after)
    assert doubt is Doubt.QUIET


def test_false_alarms_make_the_next_one_wait_longer_up_to_eight_seconds() -> None:
    pulse, now = flowing()
    waits = []
    for _ in range(5):
        doubt, after = first_doubt(pulse, now)
        assert doubt is Doubt.STALLED
        now += after
        pulse.cleared(doubt, now)
        began = now
        for _ in range(10):  # bytes, and again nothing
            pulse.received(20_000, now)
        while pulse.doubt(now) is None:
            now += 0.1
        waits.append(round(now - began))
        for _ in range(10):
            pulse.received(20_000, now)
    assert waits == [2, 4, 8, 8, 8]


def test_bytes_are_counted_both_ways() -> None:
    pulse = Pulse()
    pulse.sent(3, 1.0)
    pulse.sent(4, 1.1)
    pulse.received(5, 1.2)
    assert (pulse.up, pulse.down) == (7, 5)


def test_the_end_of_a_connection_is_asked_about_in_a_flow_or_shortly_after_its_last_bytes() -> None:
    pulse, last = flowing()
    assert pulse.doubts_end(last, last + 0.2)
    assert pulse.doubts_end(last, last + 4.0)
    assert not pulse.doubts_end(last, last + 6.0)
    assert not Pulse().doubts_end(float("-inf"), 10.0)


def test_every_end_in_the_middle_of_something_is_asked_about_where_the_program_cannot_tell() -> None:
    pulse = Pulse()
    pulse.received(100, 10.0)
    assert pulse.doubts_end(10.0, 10.1)
    pulse.cleared(Doubt.ENDED, 10.2)
    assert pulse.doubts_end(10.3, 10.4)
    assert not pulse.doubts_end(10.3, 16.0)


def test_of_tls_a_good_end_is_believed_for_a_moment_but_not_in_a_flow() -> None:
    pulse = Pulse()
    pulse.received(100, 10.0)
    assert pulse.doubts_end(10.0, 10.1, tells=True)
    pulse.cleared(Doubt.ENDED, 10.2)
    assert not pulse.doubts_end(10.3, 10.4, tells=True)
    assert pulse.doubts_end(10.3, 12.5, tells=True)
    pulse.cleared(Doubt.ENDED, 12.7)
    for _ in range(10):
        pulse.received(20_000, 12.8)
    assert pulse.doubts_end(12.8, 12.9, tells=True)
