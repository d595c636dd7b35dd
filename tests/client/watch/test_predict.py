from datetime import UTC, datetime

import pytest

from client.watch.calendar import Calendar, Mark
from client.watch.predict import forecast
from client.watch.replay import load

TABLE = load()


def known_at(when: float) -> Calendar:
    """Return the calendar of somebody who watched the whole time until then."""
    calendar = Calendar().marked(TABLE.start, when, Mark.SHUT)
    for window in TABLE.windows:
        if window.start < when:
            calendar = calendar.marked(window.start, min(when, window.end), window.mark)
    return calendar


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2022, 1, day, hour, minute, tzinfo=UTC).timestamp()


def test_the_ninth_of_january_is_foretold_from_the_days_before() -> None:
    found = forecast(known_at(at(8, 12)), at(8, 12))
    assert found is not None
    assert abs(found.start - at(9, 2, 30)) <= 30 * 60
    assert found.sure > 0.5
    assert found.days == 2


@pytest.mark.parametrize(("day", "start"), [(10, at(10, 3)), (11, at(11, 2, 15))])
def test_so_are_the_days_after_it(day: int, start: float) -> None:
    found = forecast(known_at(at(day - 1, 20)), at(day - 1, 20))
    assert found is not None
    assert abs(found.start - start) <= 30 * 60


def test_openings_that_do_not_repeat_themselves_foretell_nothing() -> None:
    assert forecast(known_at(at(6, 20)), at(6, 20)) is None
    assert forecast(known_at(at(7, 8)), at(7, 8)) is None
    assert forecast(Calendar(), at(7, 8)) is None


def test_a_habit_that_holds_every_day_is_surer_than_one_that_does_not() -> None:
    def watched(days: set[int]) -> Calendar:
        calendar = Calendar().marked(at(5, 0), at(11, 12), Mark.SHUT)
        for day in days:
            calendar = calendar.marked(at(day, 8), at(day, 10), Mark.OPEN)
        return calendar

    always = forecast(watched({5, 6, 7, 8, 9, 10, 11}), at(11, 12))
    seldom = forecast(watched({6, 10}), at(11, 12))
    assert always is not None
    assert seldom is not None
    assert always.sure > 0.8
    assert seldom.sure < 0.5
    assert (always.days, seldom.days) == (7, 2)
    assert always.start == at(12, 8)
    assert always.end == at(12, 10)


def test_what_was_open_already_when_the_watch_began_is_no_opening() -> None:
    calendar = Calendar()
    for day in (5, 6, 7):
        calendar = calendar.marked(at(day, 8), at(day, 10), Mark.OPEN)
    assert forecast(calendar, at(7, 12)) is None


def test_a_habit_may_lie_about_midnight() -> None:
    calendar = Calendar().marked(at(5, 0), at(8, 12), Mark.SHUT)
    calendar = calendar.marked(at(5, 23, 50), at(6, 3), Mark.OPEN)
    calendar = calendar.marked(at(7, 0, 10), at(7, 3), Mark.OPEN)
    found = forecast(calendar, at(7, 12))
    assert found is not None
    assert abs(found.start - at(8, 0)) <= 15 * 60


def test_when_its_hour_has_passed_the_next_day_is_meant() -> None:
    calendar = known_at(at(9, 2))
    early = forecast(calendar, at(9, 2))
    late = forecast(calendar, at(9, 4))
    assert early is not None
    assert late is not None
    assert late.start - early.start == 24 * 3600
    assert early.near(at(9, 2, 20))
    assert not late.near(at(9, 4))
