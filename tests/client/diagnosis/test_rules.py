from __future__ import annotations

import random

import pytest

from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Forgery, Issuer, Name, Sight, Test
from client.i18n import say
from tests.client.diagnosis.matrix import (
    HOST,
    MATRIX,
    forbidden,
    kinds,
)
from tests.client.diagnosis.seeing import (
    FALSE,
    REFUSED,
    RIGHT,
    SILENCE,
    STOPPED,
    beside,
    bridge,
    connect,
    gone,
    moved,
    names,
    pages,
    ports,
    quic,
    relay,
    resolver,
    row,
    seen,
    shape,
    shows,
    tls,
    well,
)


@pytest.mark.parametrize("name", MATRIX)
def test_each_row_of_the_matrix_gives_its_kind_alone_and_as_sure_as_allowed(name: str) -> None:
    sights, kind, certainty = MATRIX[name]
    found = conclude(sights)
    assert (found.kinds, found.main.certainty) == ((kind,), certainty)
    assert found.main.evidence
    assert found.sights == tuple(sights)


@pytest.mark.parametrize("name", MATRIX)
def test_the_order_of_sights_changes_nothing(name: str) -> None:
    sights, kind, certainty = MATRIX[name]
    shuffled = [sight for sight in sights if sight.test is not Test.ROUTE]
    random.Random(7).shuffle(shuffled)
    found = conclude([sight for sight in sights if sight.test is Test.ROUTE] + shuffled)
    assert (found.main.kind, found.main.certainty) == (kind, certainty)


@pytest.mark.parametrize("name", MATRIX)
def test_no_sentence_holds_an_address_or_an_empty_place(name: str) -> None:
    for finding in conclude(MATRIX[name][0]).findings:
        for message in (*finding.evidence, *finding.against):
            text = say(message)
            assert "{" not in text
            assert "198.51" not in text
            assert text.endswith(".")


@pytest.mark.parametrize(
    "name", [name for name, row_ in MATRIX.items() if row_[1] not in (Kind.OPEN, Kind.UNCLEAR)]
)
def test_each_kind_says_why_it_is_no_neighbour(name: str) -> None:
    explains = name not in ("clock wrong", "8 portal, TLS dropped")
    assert bool(conclude(MATRIX[name][0]).main.against) is explains


@pytest.mark.parametrize("name", MATRIX)
def test_a_row_with_single_losses_never_becomes_another_kind(name: str) -> None:
    """One handshake, page or datagram in twenty gets no answer, and is not asked again."""
    sights, kind, _ = MATRIX[name]
    for seed in range(40):
        chance = random.Random(seed)
        rough = [
            sight if sight.test is Test.ROUTE or chance.random() > 0.05 else _lost(sight) for sight in sights
        ]
        assert set(conclude(rough).kinds) <= {kind, Kind.UNCLEAR, *_weaker(kind)}, seed


def _lost(sight: Sight) -> Sight:
    return seen(
        sight.test,
        sight.who,
        SILENCE,
        place=sight.place,
        port=sight.port,
        way=sight.way,
        name=sight.name,
        round=sight.round,
    )


def _weaker(kind: Kind) -> set[Kind]:
    """Where the one telling sight itself is lost and nothing else was asked, an open line is what was seen."""
    return (
        {Kind.OPEN}
        if kind not in (Kind.LOCAL_FAULT, Kind.OUTAGE, Kind.ALLOW_LIST, Kind.PORT_HOLES)
        else set()
    )


DEAD = row(
    gone("abroad-7", 1), ports("abroad-7-1", SILENCE, 8443, times=2), quic("abroad-7-1", SILENCE, SILENCE)
)


@pytest.mark.parametrize("name", [name for name in MATRIX if not name.startswith(("no way", "nothing"))])
def test_one_dead_server_more_changes_no_verdict(name: str) -> None:
    sights, kind, _ = MATRIX[name]
    found = kinds(sights, DEAD)
    assert found[0] in (kind, Kind.UNCLEAR)
    assert set(found) <= {kind, Kind.UNCLEAR}


ALONE: dict[str, list[Sight]] = {
    "a server abroad": DEAD,
    "a server at home": gone("home-7", 1),
    "a relay": relay(1, SILENCE, SILENCE),
    "a relay and a bridge": row(relay(1, RIGHT), bridge(SILENCE, SILENCE)),
    "a resolver": resolver("udp", SILENCE, SILENCE, who="resolver-2"),
    "a resolver's refusal": resolver("doh", REFUSED),
    "a transfer": moved("abroad-2", STOPPED, received=16000, kib_per_s=None),
    "a QUIC server": quic("abroad-2", SILENCE, SILENCE),
    "random bytes, once": shape("abroad-1", "random", SILENCE),
    "a slow server": moved("abroad-2", RIGHT, kib_per_s=5.0),
    "a page": pages(RIGHT, RIGHT, SILENCE),
    "a port": ports(HOST, SILENCE, 587, times=2),
    "a question that our side could not ask": tls("abroad-6", Came.FAULT),
}


@pytest.mark.parametrize("what", ALONE)
def test_one_anchor_that_fails_by_itself_leaves_the_line_open(what: str) -> None:
    assert kinds(well(), ALONE[what]) == (Kind.OPEN,)


ODD: dict[str, list[Sight]] = {
    "two servers without more": row(
        gone("abroad-7", 1, times=1, came=REFUSED), gone("abroad-8", 1, came=REFUSED, times=1)
    ),
    "a forged page": pages(RIGHT, RIGHT, FALSE)[2:],
    "a name that is denied": [
        seen(Test.RESOLVE, "name-9", FALSE, way="system", name=Name.HARMLESS, forgery=Forgery.NO_NAME)
    ],
    "a strange certificate": shows("abroad-9", Issuer.UNKNOWN),
    "handshakes at once, some lost": beside("abroad-1", STOPPED),
    "a forbidden name, silent once": forbidden("abroad-1", SILENCE),
    "one address for names that have nothing in common": names(
        RIGHT, RIGHT, addresses=("198.51.100.7",), forgery=Forgery.SAME_FOR_ALL
    ),
    "several ports": row(connect("all_ports-2", RIGHT), ports("all_ports-2", SILENCE, 587, 993, 8443)),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_but_proves_nothing_is_unclear_and_said(what: str) -> None:
    found = conclude(row(well(), ODD[what]))
    assert found.kinds == (Kind.UNCLEAR,)
    assert len(found.main.evidence) > 1


@pytest.mark.parametrize(
    "odd",
    [
        [
            seen(Test.UPLOAD, "abroad-1", STOPPED, port=443),
            seen(Test.UPLOAD, "abroad-1", STOPPED, port=443, round=2),
        ],
        [*resolver("udp", SILENCE, SILENCE), *resolver("tcp", SILENCE, SILENCE)],
    ],
    ids=["nothing larger goes up", "no resolver abroad answers"],
)
def test_what_an_open_line_lets_through_and_this_one_does_not_is_never_open(odd: list[Sight]) -> None:
    kept = [one for one in row(well()) if one.test not in {each.test for each in odd} or one.way == "system"]
    assert conclude(kept).main.kind is Kind.OPEN
    assert conclude([*kept, *odd]).main.kind is Kind.UNCLEAR


def test_a_reset_of_one_server_is_not_certain_where_another_answers_to_the_name() -> None:
    one = row(well(), forbidden("abroad-1", Came.RESET, Came.RESET))
    other = row(one, forbidden("abroad-2", RIGHT))
    assert conclude(one, asked_forbidden=True).main.certainty is Certainty.CERTAIN
    assert conclude(other, asked_forbidden=True).main.certainty is Certainty.LIKELY
