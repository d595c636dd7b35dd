"""Liveness by bytes, on a clock that only the test moves."""

import pytest

from client.connect.health import Doubt, Flow, Pulse


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


def test_a_connection_that_does_not_open_is_suspect_and_later_where_others_get_bytes() -> None:
    pulse = Pulse()
    pulse.dialling(0.0)
    assert first_doubt(pulse, 0.0)[0] is Doubt.SLOW
    other = Pulse()
    other.dialling(0.0)
    other.received(10, 3.5)
    assert other.doubt(3.9) is None
    other.received(10, 4.0)
    assert other.doubt(4.1) is Doubt.SLOW


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


def test_every_end_shortly_after_the_last_bytes_is_asked_about_also_after_one_that_was_good() -> None:
    assert Pulse.doubts_end(10.0, 10.1)
    assert Pulse.doubts_end(10.0, 14.9)
    assert not Pulse.doubts_end(10.0, 16.0)
    assert not Pulse.doubts_end(float("-inf"), 10.0)
    pulse, last = flowing()
    pulse.cleared(Doubt.ENDED, last)
    assert pulse.doubts_end(last + 0.1, last + 0.2)


def test_a_drip_on_one_connection_does_not_hide_that_the_flow_of_another_has_stopped() -> None:
    pulse, now = flowing()
    stopped, dripping = Flow(), Flow()
    pulse.flows |= {stopped, dripping}
    pulse.legs = 2
    for _ in range(10):
        stopped.received(20_000, now)
    began = now
    while pulse.doubt(now) is None:
        now += 0.1
        dripping.received(10, now)
        pulse.received(10, now)
        assert now < began + 5.0, "nobody has noticed"
    assert pulse.doubt(now) is Doubt.STALLED
    assert 2.5 < now - began < 3.5
    pulse.cleared(Doubt.STALLED, now)
    for _ in range(100):
        now += 0.1
        dripping.received(10, now)
        pulse.received(10, now)
        assert pulse.doubt(now) is None  # it was asked about


def test_a_heartbeat_is_shuffled_anew_each_time() -> None:
    drawn = iter([0.0, 1.0, 0.5])
    pulse = Pulse(shuffle=lambda: next(drawn))
    pulse.legs = 1
    waits, now = [], 0.0
    for _ in range(2):
        doubt, after = first_doubt(pulse, now)
        now += after
        waits.append(after)
        pulse.cleared(doubt, now)
    assert waits == [pytest.approx(45 * 0.65, abs=0.2), pytest.approx(67.5 * 1.35, abs=0.2)]


def test_alarms_without_a_byte_for_programs_between_them_are_reported_and_then_more_rarely() -> None:
    pulse, now, reported = Pulse(), 0.0, []
    for number in range(1, 13):
        now += 3.0
        pulse.cleared(Doubt.SLOW, now)
        if pulse.in_vain():
            reported.append(number)
    assert reported == [3, 6, 12]


def test_a_byte_for_a_program_takes_back_what_was_counted_and_many_failures_at_once_are_one() -> None:
    pulse, now = Pulse(), 0.0
    for _ in range(8):
        now += 3.0
        pulse.received(1, now)
        assert pulse.bears
        pulse.cleared(Doubt.UNANSWERED, now)
        assert not pulse.in_vain()
    assert not pulse.bears
    many = Pulse()
    for _ in range(50):
        many.cleared(Doubt.FAILED, 1.0)
    assert not many.in_vain()
    for number in range(50):
        many.cleared(Doubt.QUIET, 10.0 * number)
    assert not many.in_vain()


def test_a_connection_that_opens_is_no_answer_and_neither_is_a_question_that_could_not_be_put() -> None:
    pulse = Pulse()
    pulse.dialled(pulse.dialling(1.0), 2.0, opened=True)
    pulse.cleared(Doubt.BROKE, 3.0)
    assert pulse.answered == float("-inf")
    pulse.received(1, 4.0)
    assert pulse.answered == 4.0
