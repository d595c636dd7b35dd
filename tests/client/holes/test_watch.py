"""Silence counts only between two signs of life."""

from client.beacon.wire import Protocol
from client.holes.plan import Seen, State
from client.holes.watch import QUIET, Watch

GOOD = (Protocol.TCP, 179)


def silent(port: int) -> Seen:
    return Seen(protocol=Protocol.TCP, port=port, state=State.SILENT)


def test_silence_is_held_back_until_a_later_answer() -> None:
    watch = Watch(["one"])
    assert watch.silent(silent(1), ["one"], ended=5.0) == []
    assert watch.alive("one", GOOD, began=4.0) == []  # asked before: it may have died since
    assert watch.alive("one", GOOD, began=6.0) == [silent(1)]
    assert watch.rest() == []


def test_who_has_answered_once_and_is_silent_for_long_is_asked_again() -> None:
    watch = Watch(["one", "two"])
    watch.alive("one", GOOD, began=1.0)
    assert watch.doubtful(100.0) == []  # nothing is held back
    watch.silent(silent(1), ["one", "two"], ended=4.0)
    assert watch.doubtful(1.0 + QUIET) == []
    assert watch.doubtful(1.1 + QUIET) == [("one", GOOD)]
    assert watch.waiting() == [("one", GOOD)]


def test_a_death_makes_silence_unknown_but_not_where_another_was_silent_too() -> None:
    watch = Watch(["one", "two"])
    watch.alive("one", GOOD, began=1.0)
    watch.alive("two", GOOD, began=1.0)
    watch.silent(silent(1), ["one"], ended=4.0)
    watch.silent(silent(2), ["one", "two"], ended=4.0)
    assert [(seen.port, seen.state) for seen in watch.died("one")] == [(1, State.UNKNOWN)]
    assert not watch.lost
    assert watch.alive("two", GOOD, began=5.0) == [silent(2)]
    assert watch.died("two") == []
    assert watch.lost


def test_what_is_asked_of_the_dead_is_unknown_at_once() -> None:
    watch = Watch(["one"])
    watch.alive("one", GOOD, began=1.0)
    watch.died("one")
    assert [seen.state for seen in watch.silent(silent(1), ["one"], ended=9.0)] == [State.UNKNOWN]


def test_where_nobody_ever_answered_silence_is_silence() -> None:
    watch = Watch(["one"])
    watch.silent(silent(1), ["one"], ended=4.0)
    assert not watch.contact
    assert watch.doubtful(100.0) == []
    assert watch.rest() == [silent(1)]


def test_the_silence_of_one_who_never_answered_says_nothing_beside_one_who_did() -> None:
    watch = Watch(["one", "two"])
    watch.alive("one", GOOD, began=1.0)
    watch.silent(silent(1), ["two"], ended=4.0)
    assert [seen.state for seen in watch.rest()] == [State.UNKNOWN]
