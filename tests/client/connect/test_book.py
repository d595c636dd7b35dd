"""What is known of the options, on a clock that only the test moves."""

import itertools
import random

import pytest

from client.connect.book import Book, Knocks
from client.connect.probing import Outcome
from client.model import Candidate, Protection, Status
from client.options import Option
from transports.types import Endpoint

OPTION = Option(
    candidate=Candidate(Endpoint(transport="socks5", host="127.0.0.1", port=9), "list", 1),
    transport="socks5",
    protection=Protection.UNKNOWN,
    status=Status.WORKING,
)


def book() -> Book:
    made = Book(random.Random(1))
    made.take("one", OPTION, 0.0)
    return made


def test_only_a_whole_test_renews_the_proof_and_an_answer_only_what_was_heard_of_it() -> None:
    made = book()
    made.note("one", Outcome(alive=True), 100.0, stopped=False)
    assert made.entries["one"].age(100.0) == 100.0
    assert made.standings(100.0)[0].age == 0.0
    made.note("one", Outcome(alive=True, option=OPTION), 200.0, stopped=False)
    assert made.entries["one"].age(200.0) == 0.0


def test_a_void_proof_has_no_age_until_the_next_whole_test() -> None:
    made = book()
    made.void()
    made.note("one", Outcome(alive=True), 5.0, stopped=False)
    assert made.entries["one"].age(5.0) is None
    assert made.standings(5.0)[0].age == 0.0


@pytest.mark.parametrize("alive", [True, False])
def test_what_this_machine_could_not_ask_stays_as_it_was_and_is_asked_later(alive: bool) -> None:
    made = book()
    made.entries["one"].alive = alive
    made.note("one", Outcome(alive=False, ours=True), 100.0, stopped=False)
    assert made.standings(100.0)[0].alive is alive
    assert made.entries["one"].failures == 0
    assert 100.0 < made.entries["one"].again < 110.0


def test_knocking_while_traffic_is_stopped_makes_us_look_again_more_and_more_rarely() -> None:
    knocks, looks, now = Knocks(random.Random(1)), [], 0.0
    while now < 3600:
        if knocks.count(now):
            looks.append(now)
        now += 1.0
    gaps = [later - sooner for sooner, later in itertools.pairwise(looks)]
    assert gaps[0] == pytest.approx(15, rel=0.3)
    assert gaps[-1] == pytest.approx(600, rel=0.3)
    assert len(looks) < 14
    knocks.forget()
    assert knocks.count(now)


def test_the_last_sign_of_life_is_an_answer_to_us_or_bytes_for_a_program() -> None:
    made, never = book(), float("-inf")
    assert made.entries["one"].quiet(30.0, never) == 30.0
    assert made.entries["one"].quiet(30.0, 20.0) == 10.0
    made.note("one", Outcome(alive=True), 25.0, stopped=False)
    assert made.entries["one"].quiet(30.0, 20.0) == 5.0
    made.note("one", Outcome(alive=False, ours=True), 29.0, stopped=False)
    assert made.entries["one"].quiet(30.0, 20.0) == 5.0
    made.void()
    assert made.entries["one"].quiet(30.0, never) is None


def test_a_doubt_is_for_those_below_the_floor_alone() -> None:
    made = book()
    made.doubt(Protection.UNKNOWN)
    assert made.standings(1.0)[0].age == 1.0
    made.doubt(Protection.TRUSTED)
    assert made.standings(1.0)[0].age == float("inf")
    assert made.entries["one"].age(1.0) == 1.0  # of the whole test, which was what it was
