"""Which option next: the rule on protection classes as a table."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.connect.choice import (
    ENOUGH,
    FRESH,
    Confirm,
    Keep,
    Standing,
    Step,
    Stop,
    Use,
    Wait,
    enough,
    lower,
    may_use,
    next_step,
    pause,
)
from client.connect.events import Hold
from client.model import Protection

A, B, C, D = Protection.TOR, Protection.TRUSTED, Protection.UNKNOWN, Protection.OPEN


def one(
    name: str,
    kind: Protection,
    *,
    age: float = 1.0,
    speed: float = 10.0,
    alive: bool = True,
    barren: bool = False,
) -> Standing:
    return Standing(id=name, protection=kind, age=age, kib_per_s=speed, alive=alive, barren=barren)


CASES: list[tuple[str, list[Standing], str | None, Protection | None, list[Protection], Step]] = [
    ("nothing is known yet", [], None, None, [C], Wait()),
    ("the first that works is used at once", [one("c", C)], None, None, [A], Use("c")),
    ("an open one waits for better ones under test", [one("d", D)], None, None, [C, D], Wait(better=True)),
    ("an open one is used where only open ones are awaited", [one("d", D)], None, None, [D], Use("d")),
    ("an open one is used when all is tested", [one("d", D)], None, None, [], Use("d")),
    ("the class comes before speed", [one("d", D, speed=999), one("c", C)], None, None, [], Use("c")),
    ("within a class the faster one", [one("c1", C), one("c2", C, speed=99)], None, None, [], Use("c2")),
    ("what works is kept", [one("c1", C), one("c2", C, speed=99)], "c1", C, [], Keep()),
    ("a lower one is never an upgrade", [one("c", C), one("d", D, speed=99)], "c", C, [], Keep()),
    ("a better class that turns up is used", [one("c", C), one("a", A)], "c", C, [], Use("a")),
    ("one that brings nothing is left for another of its class", [one("c1", C, barren=True), one("c2", C)], "c1", C, [], Use("c2")),
    ("where all bring nothing the one in use is kept", [one("c1", C, barren=True), one("c2", C, barren=True)], "c1", C, [], Keep()),
    ("one that brings nothing is not left for a lower class", [one("c", C, barren=True), one("d", D)], "c", D, [], Keep()),
    ("one that brings nothing is the last of its class", [one("c1", C, barren=True, speed=99), one("c2", C)], None, C, [], Use("c2")),
    ("a dead one is passed over", [one("c1", C, alive=False), one("c2", C)], "c1", C, [], Use("c2")),
    ("a fresh proof goes before a fast old one", [one("c1", C, age=999, speed=99), one("c2", C)], None, C, [], Use("c2")),
    ("old proofs are confirmed, several at once", [one(f"c{n}", C, age=FRESH + 1, speed=9 - n) for n in range(5)], None, C, [],
     Confirm(("c0", "c1", "c2"))),
    ("only one class is asked at once", [one("a", A, age=999), one("c", C, age=999)], None, C, [], Confirm(("a",))),
    ("the last of its class has died", [one("a", A, alive=False), one("d", D)], None, A, [], Stop(Hold.ONLY_LOWER, D)),
    ("the best of the lower ones is named", [one("d", D), one("c", C)], None, A, [], Stop(Hold.ONLY_LOWER, C)),
    ("all are dead", [one("a", A, alive=False)], None, A, [], Stop(Hold.NOTHING_WORKS)),
    ("more of the class are under test", [one("d", D)], None, A, [A], Wait()),
    ("lower ones under test are nothing to wait for", [one("d", D)], None, A, [C], Stop(Hold.ONLY_LOWER, D)),
    ("consent beforehand lowers the floor", [one("d", D)], None, D, [], Use("d")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "_"))
def test_the_next_step_is_the_one_of_the_table(
    case: tuple[str, list[Standing], str | None, Protection | None, list[Protection], Step],
) -> None:
    _, standings, current, floor, under_test, expected = case
    for order in itertools.islice(itertools.permutations(standings), 24):
        assert next_step(order, current=current, floor=floor, under_test=under_test) == expected


_standings = st.lists(
    st.builds(
        Standing,
        id=st.uuids().map(str),
        protection=st.sampled_from(Protection),
        age=st.floats(0, 1000),
        kib_per_s=st.floats(0, 1000),
        alive=st.booleans(),
    ),
    max_size=6,
)


@given(_standings, st.sampled_from(Protection), st.lists(st.sampled_from(Protection)), st.booleans())
def test_nothing_below_the_floor_and_nothing_dead_is_ever_stepped_to(
    standings: list[Standing], floor: Protection, under_test: list[Protection], in_use: bool
) -> None:
    allowed = {one.id for one in standings if one.alive and one.protection <= floor}
    current = next((one.id for one in standings if one.id in allowed), None) if in_use else None
    step = next_step(standings, current=current, floor=floor, under_test=under_test)
    if isinstance(step, Use):
        assert step.id in allowed
    elif isinstance(step, Confirm):
        assert set(step.ids) <= allowed
    elif isinstance(step, Stop):
        assert not allowed
    elif isinstance(step, Keep):
        assert current is not None


def test_a_floor_is_the_lowest_class_that_may_be_used() -> None:
    assert [may_use(kind, C) for kind in (A, B, C, D)] == [True, True, True, False]
    assert all(may_use(kind, None) for kind in Protection)


def test_of_two_floors_the_lower_one_counts_and_none_is_the_lowest() -> None:
    assert (lower(A, C), lower(D, B), lower(None, A), lower(A, None)) == (C, D, None, None)


def test_the_check_may_stop_when_the_best_class_of_the_list_has_reserves() -> None:
    three = [one(str(n), C) for n in range(ENOUGH)]
    assert enough(three, {C, D}, None)
    assert not enough(three[1:], {C, D}, None)
    assert not enough(three, {A, C}, None)
    assert not enough([*three[1:], one("x", C, alive=False)], {C}, None)
    assert not enough([one(str(n), D) for n in range(9)], {C, D}, None)
    assert not enough(three, {D}, C)


def test_pauses_grow_from_half_a_minute_to_ten_minutes_and_begin_sooner_while_nothing_works() -> None:
    assert [pause(n, 0.5) for n in (1, 2, 3, 4, 5, 6, 50)] == [30, 60, 120, 240, 480, 600, 600]
    assert [pause(n, 0.5, stopped=True) for n in (1, 2, 3, 50)] == [5, 10, 20, 600]
    assert pause(1, 0.0) == pytest.approx(24)
    assert pause(1, 1.0) == pytest.approx(36)
