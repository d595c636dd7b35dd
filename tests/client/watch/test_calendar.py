import datetime
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.watch.calendar import DAY, Calendar, Mark, Span
from transports.types import Rejected

DAY_0 = 1641340800  # 5 January 2022, 00:00 UTC
MARKS = st.tuples(st.integers(0, 3000), st.integers(1, 600), st.sampled_from(Mark))


def minutes(start: int, end: int) -> tuple[float, float]:
    return DAY_0 + 60.0 * start, DAY_0 + 60.0 * end


def test_touching_stretches_of_one_mark_are_one() -> None:
    calendar = Calendar().marked(*minutes(0, 10), Mark.SHUT).marked(*minutes(10, 20), Mark.SHUT)
    assert len(calendar.spans) == 1
    assert calendar.at(DAY_0 + 19 * 60) is Mark.SHUT
    assert calendar.at(DAY_0 + 20 * 60) is None
    assert calendar.at(DAY_0 - 1) is None


@given(st.lists(MARKS, max_size=30))
def test_every_minute_has_its_last_mark(given_marks: list[tuple[int, int, Mark]]) -> None:
    calendar, plain = Calendar(), dict[int, Mark]()
    for start, length, mark in given_marks:
        calendar = calendar.marked(*minutes(start, start + length), mark)
        plain.update(dict.fromkeys(range(start, start + length), mark))
    assert all(calendar.at(DAY_0 + 60 * minute) is plain.get(minute) for minute in range(3700))
    assert all(one.end <= other.start for one, other in zip(calendar.spans, calendar.spans[1:], strict=False))
    assert Calendar.from_json(calendar.to_json()) == calendar


@pytest.mark.parametrize("times", [(10.0, 10.0), (20.0, 10.0), (-100.0, 50.0), (0.0, float(1 << 40))])
def test_nonsense_is_not_marked(times: tuple[float, float]) -> None:
    assert Calendar().marked(*times, Mark.OPEN).spans == ()


def test_a_day_is_a_row_of_half_hours() -> None:
    calendar = Calendar().marked(*minutes(0, 1440 + 90), Mark.SHUT).marked(*minutes(150, 360), Mark.OPEN)
    first, second = calendar.rows(UTC)
    assert (first.day, second.day) == (datetime.date(2022, 1, 5), datetime.date(2022, 1, 6))
    assert first.cells == (Mark.SHUT,) * 5 + (Mark.OPEN,) * 7 + (Mark.SHUT,) * 36
    assert second.cells == (Mark.SHUT,) * 3 + (None,) * 45
    assert (first.minutes, second.minutes) == (210, 0)


def test_days_are_those_of_the_place() -> None:
    calendar = Calendar().marked(*minutes(17 * 60 + 30, 22 * 60), Mark.OPEN)
    almaty = timezone(timedelta(hours=6))
    assert [(row.day.day, row.minutes) for row in calendar.rows(almaty)] == [(5, 30), (6, 240)]
    assert [row.minutes for row in calendar.rows()] != []


def test_windows_are_what_was_open_in_whole_or_in_part() -> None:
    calendar = Calendar().marked(*minutes(0, 600), Mark.SHUT)
    calendar = calendar.marked(*minutes(100, 150), Mark.PARTLY).marked(*minutes(150, 200), Mark.OPEN)
    calendar = calendar.marked(*minutes(202, 250), Mark.OPEN).marked(*minutes(300, 302), Mark.OPEN)
    base = DAY_0 // 60
    assert calendar.windows() == [Span(base + 100, base + 250, Mark.OPEN)]


def test_the_oldest_days_are_let_go() -> None:
    calendar = Calendar()
    for day in range(120):
        calendar = calendar.marked(*minutes(day * DAY, day * DAY + 60), Mark.OPEN)
    assert len(calendar.spans) == 90
    assert calendar.at(DAY_0 + 29 * DAY * 60) is None
    assert calendar.at(DAY_0 + 30 * DAY * 60) is Mark.OPEN


def test_a_year_of_one_mark_is_cut_too() -> None:
    calendar = Calendar()
    for hour in range(365 * 24):
        calendar = calendar.marked(*minutes(hour * 60, hour * 60 + 60), Mark.OPEN)
    assert len(calendar.rows(UTC)) == 90


@pytest.mark.parametrize("years", [-50, 10])
def test_a_clock_that_was_wrong_for_a_while_costs_nothing(years: int) -> None:
    wrong = DAY_0 // 60 + years * 365 * DAY
    calendar = Calendar().marked(*minutes(0, 60), Mark.OPEN)
    calendar = calendar.marked(wrong * 60, wrong * 60 + 600, Mark.SHUT)
    calendar = calendar.marked(*minutes(120, 180), Mark.OPEN)
    assert calendar.at(DAY_0 + 60) is calendar.at(DAY_0 + 130 * 60) is Mark.OPEN
    assert len(calendar.rows(UTC)) == 2


def test_two_calendars_of_one_network_are_put_together() -> None:
    mine = Calendar().marked(*minutes(100, 200), Mark.OPEN).marked(*minutes(300, 400), Mark.SHUT)
    other = Calendar().marked(*minutes(0, 350), Mark.PARTLY).marked(*minutes(350, 500), Mark.OPEN)
    base = DAY_0 // 60
    assert mine.over(other).spans == (
        Span(base, base + 100, Mark.PARTLY),
        Span(base + 100, base + 200, Mark.OPEN),
        Span(base + 200, base + 300, Mark.PARTLY),
        Span(base + 300, base + 400, Mark.SHUT),
        Span(base + 400, base + 500, Mark.OPEN),
    )
    assert Calendar().over(other) == other
    assert mine.over(Calendar()) == mine


def test_a_calendar_of_all_years_is_drawn_all_the_same() -> None:
    whole = Calendar.from_json({"v": 1, "spans": [[0, 1 << 31, "o"]]})
    assert len(whole.rows(UTC)) <= 91


@pytest.mark.parametrize(
    "broken",
    [
        [],
        "calendar",
        {"v": 2, "spans": []},
        {"v": 1, "spans": [[1, 2]]},
        {"v": 1, "spans": [[1, 0, "o"]]},
        {"v": 1, "spans": [[5, 5, "o"], [6, 5, "s"]]},
        {"v": 1, "spans": [[True, 5, "o"]]},
        {"v": 1, "spans": [[1, 5, "x"]]},
        {"v": 1, "spans": [[1 << 31, 5, "o"]]},
        {"v": 1, "spans": "abc"},
        {"v": 1, "spans": [[[], {}, []]]},
        {"v": 1, "spans": [["1", 5, "o"]]},
        {"v": 1, "spans": [[-1, 5, "o"]]},
        {"v": 1, "spans": [[1, 5, "o"]] * 6000},
    ],
)
def test_a_broken_calendar_is_refused(broken: object) -> None:
    if broken == []:
        assert Calendar.from_json(broken) == Calendar()
        return
    with pytest.raises(Rejected):
        Calendar.from_json(broken)
