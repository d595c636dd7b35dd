from dataclasses import replace

import pytest

from client.diagnosis.sights import Came, Certificate, Issuer, Sight, Test
from client.watch.state import Change, Line, State
from tests.client.watch.sights import door, knock, taken, told, way_out

DEAD = "a1- h1- a2- h2- a3- a1- h1-"
OPEN = "a1+ a2+"


def line_in(answers: str) -> Line:
    line = Line()
    told(line, answers)
    return line


def test_two_servers_abroad_make_an_open_line() -> None:
    turns = told(Line(), OPEN)
    assert [(turn.new, turn.change) for turn in turns] == [(State.OPEN, Change.OPENED)]


def test_one_server_abroad_says_nothing_yet() -> None:
    assert told(Line(), "a1+ a1+ a1+") == []


def test_where_nothing_answers_it_is_an_outage() -> None:
    turns = told(Line(), DEAD)
    assert turns[-1].new is State.OUTAGE
    assert {turn.change for turn in turns} == {Change.NONE}


def test_without_anybody_in_the_country_it_is_only_a_cut() -> None:
    turns = told(Line(), "a1- a2- a3- a1- a2- a3-")
    assert [turn.new for turn in turns] == [State.SHUT]


def test_a_list_of_what_is_allowed_is_told_from_an_outage() -> None:
    line = line_in(DEAD)
    turns = told(line, "h1+ l1+ a1- a2-", at=300)
    assert [(turn.new, turn.change, turn.at) for turn in turns] == [
        (State.SHUT, Change.NONE, 300),
        (State.ALLOW_LIST, Change.OPENED, 390),
    ]


def test_without_listed_servers_four_shut_ports_tell_it() -> None:
    line = line_in(DEAD)
    told(line, "h1+ a1- a2-", at=300)
    for number, port in enumerate((179, 3785, 53, 80)):
        turn = line.take(400 + number, [knock(port, Came.SILENCE)])
    assert turn is not None
    assert turn.new is State.ALLOW_LIST
    assert line.silent_ports() == {179, 3785, 53, 80}


def test_a_port_that_crosses_makes_holes() -> None:
    line = line_in("a1- a2- a3- a1- h1+")
    line.take(400, [knock(80, Came.SILENCE), knock(993, Came.SILENCE), knock(179, Came.RIGHT)])
    assert line.state is State.HOLES


def test_it_opens_with_the_second_answer_from_abroad() -> None:
    line = line_in(DEAD)
    turns = told(line, "a2+ a3+", at=1000, each=5)
    assert [(turn.new, turn.change, turn.at, turn.began) for turn in turns] == [
        (State.OPEN, Change.OPENED, 1005, 1000)
    ]


def test_a_connection_that_another_server_takes_is_not_enough_beside_it() -> None:
    line = line_in(DEAD)
    told(line, "a2+", at=1000)
    assert line.take(1005, [way_out(), taken("abroad-3")]) is None
    assert line.state is State.OUTAGE


def test_one_of_many_that_answers_stands_on_a_list() -> None:
    line = line_in("a1- a2- a3- h1+")
    turns = told(line, "a1+ a2- a1+ a3- a1+ a4- a1+", at=1000)
    assert [(turn.new, turn.change) for turn in turns] == [(State.ALLOW_LIST, Change.NONE)]


def test_when_all_abroad_is_forged_it_shuts() -> None:
    line = line_in(OPEN)
    for number in (1, 2, 1):
        line.take(300 + number, [way_out(), *door(f"abroad-{number}", Came.FALSE)])
    assert line.state is State.SHUT


def test_a_certificate_is_looked_at_closer_where_it_helps() -> None:
    line = line_in(OPEN)
    assert not line.looks_closer("abroad-1")
    line.forget(300)
    for number in (1, 2):
        assert line.looks_closer("abroad-3")
        shown = [
            replace(one, certificate=Certificate(issuer=Issuer.UNKNOWN))
            for one in door(f"abroad-{number}", Came.FALSE)
        ]
        line.take(400 + number, [way_out(), *shown])
    assert line.looks_closer("abroad-1")
    assert not line.looks_closer("abroad-3")


def test_connections_alone_are_no_opening() -> None:
    line = line_in(DEAD)
    for number in range(1, 4):
        assert (
            line.take(1000 + number, [way_out(), taken(f"abroad-{number}")]) is None
            or line.state is not State.OPEN
        )


def test_a_filter_that_takes_connections_and_drops_what_follows_is_no_opening() -> None:
    line = Line()
    for number, who in enumerate(("abroad-1", "abroad-2", "abroad-3", "abroad-4") * 2):
        line.take(30.0 * number, [way_out(), *stalled(who)])
    told(line, "a1+", at=1000)
    line.take(1005, [way_out(), taken("abroad-2")])
    assert line.state is not State.OPEN


def stalled(who: str) -> list[Sight]:
    (below,) = door(who, Came.SILENCE)
    tls = replace(below, test=Test.TLS)
    return [replace(below, came=Came.RIGHT), tls]


def test_a_lone_exception_does_not_flutter() -> None:
    line = line_in(DEAD)
    turns = told(line, "a2+ a1- a3- a2- a1- a2+ a3- a1- a2-", at=1000)
    assert {turn.change for turn in turns} <= {Change.NONE}
    assert line.state in (State.OUTAGE, State.SHUT)


@pytest.mark.parametrize("loss", ["a1-", "a1- a2-", "a3- a3- a3-", "a1- a2- a1+ a2-"])
def test_loss_does_not_shut_it(loss: str) -> None:
    line = line_in("a1+ a2+ h1+")
    assert told(line, loss + " a1+", at=300) == []
    assert line.state is State.OPEN


def test_it_shuts_after_three_tries_at_two_servers() -> None:
    line = line_in("a1+ a2+ h1+")
    turns = told(line, "a3- a2- a1-", at=300)
    assert [(turn.new, turn.change, turn.at, turn.began) for turn in turns] == [
        (State.SHUT, Change.SHUT, 360, 300)
    ]
    turns = told(line, "h1- h2-", at=500)
    assert [(turn.new, turn.change) for turn in turns] == [(State.OUTAGE, Change.NONE)]


def test_servers_that_never_answered_do_not_shut_it() -> None:
    line = line_in("a1+ a2+")
    assert told(line, "a3- a4- a3- a4-", at=300) == []
    assert line.doubtful


def test_who_answers_in_doubt_settles_it() -> None:
    line = line_in("a1+ a2+ a3-")
    assert line.doubtful
    assert line.urgent
    told(line, "a1+", at=300)
    assert not line.doubtful


def test_the_countrys_servers_tell_an_outage_again_when_the_list_is_shut() -> None:
    line = line_in(DEAD)
    told(line, "h1+ l1+ a1- a2-", at=300)
    turns = told(line, "h1- h2- a1- h1-", at=900)
    assert turns[-1].new is State.OUTAGE
    assert [turn.change for turn in turns if turn.change] == [Change.SHUT]


def test_a_machine_without_a_way_out_is_neither_open_nor_shut() -> None:
    line = line_in(OPEN)
    turn = line.take(300, [way_out(Came.NO_ROUTE)])
    assert turn is not None
    assert (turn.new, turn.change) == (State.LOCAL, Change.NONE)
    turns = told(line, OPEN, at=600)
    assert [(turn.new, turn.change) for turn in turns] == [(State.OPEN, Change.NONE)]


def test_what_is_old_counts_no_longer() -> None:
    line = line_in("a1+")
    assert told(line, "a2+", at=50 * 60) == []


def test_after_a_sleep_the_same_state_is_no_news() -> None:
    line = line_in(OPEN)
    line.forget(3600)
    assert line.state is State.UNKNOWN
    turns = told(line, OPEN, at=3700)
    assert [turn.change for turn in turns] == [Change.NONE]


def test_what_opened_during_a_sleep_is_news() -> None:
    line = line_in(DEAD)
    line.forget(3600)
    assert [turn.change for turn in told(line, OPEN, at=3700)] == [Change.OPENED]


def test_forged_certificates_are_no_opening() -> None:
    line = line_in(DEAD)
    for number in range(1, 4):
        line.take(1000 + number, [way_out(), *door(f"abroad-{number}", Came.FALSE)])
    assert line.state is not State.OPEN


def test_faults_of_our_own_say_nothing() -> None:
    line = line_in(OPEN)
    assert line.take(100, door("abroad-1", Came.FAULT)) is None
    assert not line.doubtful
