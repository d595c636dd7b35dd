import datetime
import random
from collections import Counter

from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.sights import Came, Place, Test
from client.watch.asks import Question, Rotation
from client.watch.state import Line
from tests.client.watch.sights import door, taken, told, way_out

PORTS = (179, 443, 3785, 53, 80, 993)


def anchors(abroad: int = 4, home: int = 2, listed: int = 0, **more: tuple[str, ...]) -> Anchors:
    counts = {Place.ABROAD: abroad, Place.HOME: home, Place.LISTED: listed}
    servers = tuple(
        Server(
            who=f"{place}-{number}",
            place=place,
            operator=f"{place} {number}",
            name=f"{place}{number}.example",
            addresses=more.get("addresses", (f"192.0.2.{number}",)),
            ports=(8443,),
        )
        for place, count in counts.items()
        for number in range(1, count + 1)
    )
    return Anchors(date=datetime.date(2026, 1, 1), source="test", servers=servers)


def asked(rotation: Rotation, line: Line, count: int, came: dict[str, Came] | None = None) -> list[Question]:
    """Put questions; every server answers as `came` says, by its place or its name."""
    questions = []
    for number in range(count):
        question = rotation.next(line)
        who = question.ask.who
        answer = (came or {}).get(who) or (came or {}).get(who.partition("-")[0], Came.RIGHT)
        if question.ask.test is Test.TLS:
            sights = door(who, answer)
        else:
            sights = [taken(who, answer)] if question.ask.name else []
        line.take(line.since + 30.0 * number, [way_out(), *sights])
        questions.append(question)
    return questions


def places(questions: list[Question]) -> Counter[Place]:
    return Counter(question.ask.place for question in questions if question.ask.test is Test.TLS)


def test_all_servers_have_their_turn_while_it_is_shut() -> None:
    rotation, line = Rotation(anchors(), random.Random(1)), Line()
    dead = dict.fromkeys(("abroad", "home"), Came.SILENCE)
    questions = asked(rotation, line, 40, dead)
    assert len({question.ask.who for question in questions}) == 6
    assert places(questions) == {Place.ABROAD: 20, Place.HOME: 20}


def test_the_order_is_random() -> None:
    def order(seed: int) -> list[str]:
        return [one.ask.who for one in asked(Rotation(anchors(), random.Random(seed)), Line(), 8)]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 5


def test_open_it_is_mostly_those_abroad_who_are_asked() -> None:
    count = places(asked(Rotation(anchors(), random.Random(1)), Line(), 60))
    assert count[Place.ABROAD] > 45
    assert count[Place.HOME] > 3


def test_without_anybody_at_home_only_those_abroad_are_asked() -> None:
    rotation = Rotation(anchors(home=0), random.Random(1))
    assert places(asked(rotation, Line(), 20, {"abroad": Came.SILENCE})) == {Place.ABROAD: 20}


def test_a_doubt_is_settled_by_one_who_had_answered() -> None:
    rotation, line = Rotation(anchors(), random.Random(1)), Line()
    told(line, "a1+ a2+ a3-")
    assert rotation.next(line).ask.who == "abroad-2"
    told(line, "a2-", at=200)
    assert rotation.next(line).ask.who == "abroad-1"


def test_a_first_answer_is_followed_by_another_server() -> None:
    rotation, line = Rotation(anchors(), random.Random(1)), Line()
    told(line, "a1- h1- a2- h2- a3- a1- h1- a2+")
    ask = rotation.next(line).ask
    assert ask.who in ("abroad-1", "abroad-3", "abroad-4")
    assert ask.test is Test.TLS, "a connection alone proves nothing"


def test_where_the_country_answers_the_listed_are_asked_next() -> None:
    rotation, line = Rotation(anchors(listed=2), random.Random(1)), Line()
    told(line, "a1- h1- a2- h2- a3- a1- h1- h2+")
    assert rotation.next(line).ask.place is Place.LISTED


def test_without_listed_servers_other_ports_are_tried() -> None:
    rotation, line = Rotation(anchors(), random.Random(1), PORTS), Line()
    told(line, "a1- h1- a2- h2- a3- a1- h1- h2+")
    asks = [rotation.next(line).ask for _ in range(8)]
    knocks = [ask for ask in asks if ask.test is Test.CONNECT]
    assert knocks
    assert {ask.port for ask in knocks} <= set(PORTS) - {443}
    assert all(ask.place is Place.ABROAD for ask in knocks)


def test_the_port_where_a_server_is_asked_stands_for_443() -> None:
    question = Rotation(anchors(), random.Random(1)).next(Line())
    assert question.ask.port == 8443
    assert [sight.port for sight in question.seen(door(question.ask.who, Came.RIGHT))] == [443, 443]


def test_a_server_with_a_large_certificate_is_left_out() -> None:
    rotation, line = Rotation(anchors(home=0), random.Random(1)), Line()
    first = rotation.next(line)
    rotation.learn(first, 9000)
    later = {question.ask.who for question in asked(rotation, line, 20)}
    assert first.ask.who not in later
    assert len(later) == 3
    again = rotation.next(line)
    rotation.learn(again, 3000)
    handshakes = [one for one in asked(rotation, line, 12) if one.ask.test is Test.TLS]
    assert {one.cost for one in handshakes if one.ask.who == again.ask.who} == {3000}


def test_servers_with_an_address_go_before_those_with_a_name_only() -> None:
    mixed = anchors(abroad=3, home=0)
    named = anchors(abroad=5, home=0, addresses=()).servers[3:]
    both = Anchors(date=mixed.date, source="test", servers=(*mixed.servers, *named))
    asks = asked(Rotation(both, random.Random(1)), Line(), 12, {"abroad": Came.SILENCE})
    assert {question.ask.who for question in asks} == {"abroad-1", "abroad-2", "abroad-3"}
