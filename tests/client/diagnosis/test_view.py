from __future__ import annotations

import pytest

from client.diagnosis.sights import Came, Forgery, Issuer, Name, Place, Test
from client.diagnosis.view import Fact, View
from tests.client.diagnosis.seeing import (
    FALSE,
    OTHER,
    REFUSED,
    RESET,
    RIGHT,
    SILENCE,
    connect,
    gone,
    moved,
    names,
    ports,
    row,
    seen,
    servers,
    shows,
    tls,
    well,
)


def fact(*came: Came) -> Fact:
    return Fact(tuple(connect("abroad-1", *came)))


@pytest.mark.parametrize(
    ("came", "crossed", "dead", "doubtful"),
    [
        ((RIGHT,), True, False, False),
        ((SILENCE, RIGHT), True, False, False),
        ((SILENCE,), False, False, True),
        ((SILENCE, SILENCE), False, True, False),
        ((REFUSED,), False, True, False),
        ((SILENCE, RESET), False, True, False),
        ((OTHER,), True, False, False),
        ((FALSE,), False, False, False),
        ((Came.NO_ROUTE,), False, False, False),
        ((), False, False, False),
    ],
)
def test_rounds_are_one_fact_in_which_any_crossing_beats_silence(
    came: tuple[Came, ...], crossed: bool, dead: bool, doubtful: bool
) -> None:
    found = fact(*came)
    assert (found.crossed, found.dead, found.doubtful) == (crossed, dead, doubtful)


def test_what_our_side_could_not_ask_is_no_sight_of_the_line() -> None:
    assert View(tls("abroad-1", Came.FAULT)).fronts(Place.ABROAD) == {}
    assert not fact(Came.NO_ROUTE).asked


def test_a_front_is_the_handshake_or_the_connection_where_it_came_to_none() -> None:
    view = View(row(tls("abroad-1", SILENCE), connect("abroad-1", SILENCE, SILENCE)[1:]))
    assert view.front("abroad-1").silences == 2


def test_forbidden_names_and_other_addresses_say_nothing_about_the_server_itself() -> None:
    sights = row(
        tls("abroad-1", RIGHT),
        tls("abroad-1", RESET, name=Name.FORBIDDEN, way="forbidden-1"),
        shows("abroad-1", Issuer.WRONG_NAME, way="system"),
    )
    assert View(sights).alive(Place.ABROAD) == ["abroad-1"]
    assert View(sights).forged == []


def test_an_alert_is_an_answer_but_not_authentic() -> None:
    view = View(servers("abroad", OTHER))
    assert view.alive(Place.ABROAD) == []
    assert not view.cut


def test_the_web_is_cut_only_where_nothing_on_443_is_taken() -> None:
    assert View(gone("abroad")).cut
    assert not View(gone("abroad", 1)).cut
    assert not View(row(gone("abroad"), tls("abroad-9", RIGHT))).cut
    assert not View(row(gone("abroad"), connect("all_ports-1", RIGHT))).cut


def test_a_refusal_shows_that_a_port_crosses_unless_a_filter_refuses() -> None:
    hole = connect("abroad-1", REFUSED, port=179)
    assert View(row(gone("abroad"), hole)).tcp() == (179,)
    assert View(row(gone("abroad", came=REFUSED), hole)).tcp() == ()


def test_a_host_that_listens_on_every_port_does_not_refuse_by_itself() -> None:
    assert View(row(gone("abroad"), connect("all_ports-1", REFUSED, port=179))).tcp() == ()


def test_connections_that_are_taken_and_then_silent_show_no_port_that_crosses() -> None:
    view = View(row(servers("abroad", SILENCE, SILENCE), ports("all_ports-1", RIGHT, 179, 8443)))
    assert view.tcp() == ()


def test_the_speed_of_a_server_is_the_best_that_was_measured_under_its_own_name() -> None:
    view = View(
        row(
            moved("abroad-1", RIGHT, kib_per_s=20.0),
            moved("abroad-1", RIGHT, kib_per_s=90.0),
            moved("abroad-1", RIGHT, kib_per_s=900.0, name=Name.FORBIDDEN),
        )
    )
    assert view.speeds == {"abroad-1": 90.0}


def test_one_address_for_several_names_is_judged_over_harmless_names_of_the_system_only() -> None:
    assert View(names(RIGHT, RIGHT, addresses=("203.0.113.1",))).same_answer
    assert not View(names(RIGHT, addresses=("203.0.113.1",))).same_answer
    other = seen(
        Test.RESOLVE,
        "resolver-1",
        FALSE,
        way="tcp",
        name=Name.HARMLESS,
        forgery=Forgery.SAME_FOR_ALL,
        addresses=("203.0.113.1",),
    )
    view = View([*names(RIGHT, addresses=("203.0.113.1",)), other])
    assert not view.same_answer
    assert view.find(Test.RESOLVE, way="tcp")[0].came is RIGHT


def test_an_answer_from_the_gateway_about_an_unreachable_host_is_no_answer_of_the_line() -> None:
    from client.model import Failure

    away = seen(Test.CONNECT, "abroad-1", REFUSED, port=443, failure=Failure.HOST_UNREACHABLE)
    assert not View([away]).anything
    assert View(well()).anything
