from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from client.diagnosis import anchors as anchors_file
from client.diagnosis.anchors import Anchors
from client.diagnosis.ground import key_of
from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.plan import Wishes, connections, next_asks
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.i18n import say
from tests.client.diagnosis import cuts
from tests.client.diagnosis.lines import ANCHORS, CONSENT, WISHES, Line, travel

SURE, LIKELY, UNSURE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_TELL
TCP, KIB, DEADLINE = 60, 500, 30.0

# Each kind of line, what is to be concluded about it, and in how many seconds of pace and deadlines.
LINES: dict[type[Line], tuple[Kind, Certainty, float]] = {
    Line: (Kind.OPEN, SURE, 3.0),
    cuts.NoLink: (Kind.LOCAL_FAULT, SURE, 3.0),
    cuts.NoGateway: (Kind.LOCAL_FAULT, LIKELY, DEADLINE),
    cuts.Dark: (Kind.OUTAGE, LIKELY, DEADLINE),
    cuts.ForeignDropped: (Kind.ALLOW_LIST, LIKELY, DEADLINE),
    cuts.ForeignReset: (Kind.ALLOW_LIST, LIKELY, DEADLINE),
    cuts.ForeignDroppedWithDns: (Kind.ALLOW_LIST, LIKELY, DEADLINE),
    cuts.Almaty: (Kind.PORT_HOLES, SURE, 15.0),
    cuts.AlmatyWithoutHome: (Kind.PORT_HOLES, SURE, 15.0),
    cuts.ListedAddresses: (Kind.ALLOW_LIST, SURE, DEADLINE),
    cuts.ListedNames: (Kind.ALLOW_LIST, SURE, DEADLINE),
    cuts.FalseNames: (Kind.DNS_TAMPERING, SURE, DEADLINE),
    cuts.NoSuchNames: (Kind.DNS_TAMPERING, LIKELY, DEADLINE),
    cuts.Injected: (Kind.DNS_TAMPERING, SURE, DEADLINE),
    cuts.QuietNames: (Kind.DNS_TAMPERING, LIKELY, DEADLINE),
    cuts.SniReset: (Kind.SNI_RESET, SURE, DEADLINE),
    cuts.SniDrop: (Kind.SNI_DROP, SURE, DEADLINE),
    cuts.SniDropUnasked: (Kind.OPEN, SURE, 3.0),
    cuts.NationalRoot: (Kind.TLS_INTERCEPTION, SURE, DEADLINE),
    cuts.NationalRootForNames: (Kind.TLS_INTERCEPTION, SURE, DEADLINE),
    cuts.Antivirus: (Kind.TLS_INTERCEPTION, LIKELY, DEADLINE),
    cuts.AddressList: (Kind.IP_BLOCK, LIKELY, DEADLINE),
    cuts.Port443: (Kind.PORT_BLOCK, SURE, DEADLINE),
    cuts.Port443Dropped: (Kind.PORT_BLOCK, SURE, DEADLINE),
    cuts.WebOnly: (Kind.PORT_BLOCK, LIKELY, DEADLINE),
    cuts.ProtocolList: (Kind.PROTOCOL_ALLOW_LIST, SURE, DEADLINE),
    cuts.RandomDropped: (Kind.RANDOM_TRAFFIC_BLOCK, SURE, DEADLINE),
    cuts.Freeze: (Kind.QUOTA_FREEZE, SURE, DEADLINE),
    cuts.SlowLink: (Kind.LINK_THROTTLE, LIKELY, DEADLINE),
    cuts.SlowName: (Kind.NAME_THROTTLE, LIKELY, DEADLINE),
    cuts.NoUdp: (Kind.UDP_BLOCK, SURE, DEADLINE),
    cuts.NoUdpButDns: (Kind.UDP_BLOCK, SURE, DEADLINE),
    cuts.Portal: (Kind.CAPTIVE_PORTAL, SURE, DEADLINE),
    cuts.PortalWithoutTls: (Kind.CAPTIVE_PORTAL, SURE, DEADLINE),
    cuts.BlockPage: (Kind.HTTP_BLOCK_PAGE, SURE, DEADLINE),
    cuts.NoTor: (Kind.TOR_BLOCK, SURE, DEADLINE),
    cuts.Policed: (Kind.CONNECTION_POLICING, SURE, DEADLINE),
}
KINDS = sorted(LINES, key=lambda line: line.__name__)
RANK = (UNSURE, LIKELY, SURE)
DEAD = ("abroad-1", "abroad-2", "home-1", "relay-1", "resolver-1", "all_ports-1", "bridge-1")


def name_of(line: type[Line]) -> str:
    return line.__name__


@pytest.mark.parametrize("line", KINDS, ids=name_of)
def test_each_line_is_named_alone_in_time_and_within_the_budget(line: type[Line]) -> None:
    kind, certainty, seconds = LINES[line]
    trip = travel(line())
    assert (trip.diagnosis.kinds, trip.diagnosis.main.certainty) == ((kind,), certainty)
    assert trip.seconds < seconds
    assert trip.connections <= TCP
    assert trip.kib <= KIB


@pytest.mark.parametrize("line", KINDS, ids=name_of)
def test_with_loss_and_a_dead_anchor_no_other_kind_is_named_and_none_more_surely(line: type[Line]) -> None:
    kind, certainty, _ = LINES[line]
    for seed in range(21):
        trip = travel(line(), loss=0.05, dead=[DEAD[seed % len(DEAD)]], seed=seed)
        found = trip.diagnosis
        assert set(found.kinds) <= {kind, Kind.UNCLEAR}, (seed, found.kinds)
        assert RANK.index(found.main.certainty) <= RANK.index(certainty), seed
        assert trip.connections <= TCP
        assert trip.kib <= KIB


@pytest.mark.parametrize("line", KINDS, ids=name_of)
def test_no_question_is_put_twice(line: type[Line]) -> None:
    asked = Counter(map(key_of, travel(line()).asks))
    assert max(asked.values()) == 1


@pytest.mark.parametrize("line", KINDS, ids=name_of)
def test_forbidden_names_and_many_handshakes_are_asked_only_when_wished(line: type[Line]) -> None:
    trip = travel(line(), wishes=WISHES)
    assert not any(ask.name is Name.FORBIDDEN or ask.beside > 1 for ask in trip.asks)
    assert not any("bad-" in ask.value for ask in trip.asks)


def test_an_open_line_takes_three_steps_and_eleven_connections() -> None:
    trip = travel(Line())
    assert trip.steps == 3
    assert trip.connections == 11


def test_the_first_step_asks_this_machine_first_and_the_last_one_sends_noise() -> None:
    trip = travel(Line())
    assert trip.asks[0].test is Test.ROUTE
    assert trip.asks[-1].test is Test.BYTES
    assert [ask for ask in trip.asks if ask.test is Test.BYTES] == trip.asks[-1:]


def test_zeros_are_sent_to_another_server_before_noise_is_sent_there() -> None:
    asked = [(ask.who, ask.way) for ask in travel(cuts.RandomDropped()).asks if ask.test is Test.BYTES]
    (first, _), *_ = asked
    other = next(who for who, way in asked if way == "zeros")
    assert other != first
    assert asked.index((other, "zeros")) < asked.index((other, "random"))


def test_a_forbidden_name_that_gets_no_answer_is_shown_three_times_in_three_steps() -> None:
    trip = travel(cuts.SniDrop())
    for who in ("abroad-1", "abroad-2"):
        rounds = [
            ask.round
            for ask in trip.asks
            if ask.who == who and ask.name is Name.FORBIDDEN and ask.test is Test.TLS
        ]
        assert rounds == [1, 2, 3]


def test_two_forbidden_names_can_be_shown_to_one_server() -> None:
    both = replace(ANCHORS, forbidden=tuple(replace(one, server="abroad-1") for one in ANCHORS.forbidden))
    trip = travel(cuts.SniReset(), anchors=both)
    shown = {ask.value for ask in trip.asks if ask.test is Test.TLS and ask.name is Name.FORBIDDEN}
    assert shown == {"bad-1.example", "bad-2.example"}


def test_without_any_way_out_one_step_is_all() -> None:
    assert travel(cuts.NoLink()).steps == 1


def test_a_settled_cut_is_not_asked_further() -> None:
    trip = travel(cuts.Almaty())
    assert trip.steps == 2
    assert not any(ask.test in (Test.DOWNLOAD, Test.TOR_LINK, Test.QUIC) for ask in trip.asks)


def test_a_quick_run_leaves_out_protocols_and_still_knows_an_open_line() -> None:
    trip = travel(Line(), wishes=replace(WISHES, quick=True))
    assert trip.diagnosis.kinds == (Kind.OPEN,)
    assert {ask.test for ask in trip.asks} == {
        Test.ROUTE,
        Test.RESOLVE,
        Test.TLS,
        Test.PAGE,
        Test.DOWNLOAD,
    }
    assert any("quick" in say(text) for text in trip.left_out)


def test_the_budget_ends_a_run_and_says_so() -> None:
    trip = travel(cuts.ForeignDropped(), wishes=replace(WISHES, connections=9))
    assert trip.connections <= 9
    assert any("limit" in say(text) for text in trip.left_out)
    assert not any("limit" in say(text) for text in travel(cuts.ForeignDropped()).left_out)


def test_the_budget_of_data_keeps_transfers_away() -> None:
    trip = travel(Line(), wishes=replace(WISHES, kib=60))
    assert not any(ask.test in (Test.DOWNLOAD, Test.UPLOAD) for ask in trip.asks)
    assert trip.diagnosis.main.certainty is LIKELY


@pytest.mark.parametrize(
    ("wishes", "anchors", "text"),
    [
        (WISHES, ANCHORS, "without your consent"),
        (WISHES, ANCHORS, "Many connections"),
        (WISHES, replace(ANCHORS, servers=ANCHORS.at(Place.ABROAD)), "--country"),
    ],
)
def test_what_is_left_out_is_said_with_its_reason(wishes: Wishes, anchors: Anchors, text: str) -> None:
    assert any(text in say(one) for one in travel(Line(), wishes=wishes, anchors=anchors).left_out)


def test_with_consent_nothing_is_said_of_missing_consent() -> None:
    assert not any("consent" in say(one) for one in travel(Line(), wishes=CONSENT).left_out)


def test_questions_that_leave_no_sight_are_not_put_again() -> None:
    first = next_asks(ANCHORS, [], WISHES)
    again = next_asks(ANCHORS, [], WISHES, first.asks)
    assert not {key_of(ask) for ask in first.asks} & {key_of(ask) for ask in again.asks}


def test_deadlines_are_longer_on_a_slow_line() -> None:
    slow = [
        Sight(
            test=Test.CONNECT,
            place=Place.ABROAD,
            who="abroad-1",
            came=Came.RIGHT,
            port=443,
            elapsed=1.7,
        )
    ]
    usual = {key_of(ask): ask.limit for ask in next_asks(ANCHORS, [], WISHES).asks}
    longer = {key_of(ask): ask.limit for ask in next_asks(ANCHORS, slow, WISHES).asks}
    shared = usual.keys() & longer.keys()
    assert shared
    assert all(longer[key] == pytest.approx(1.7 * usual[key]) for key in shared)


def test_datagrams_and_the_system_open_no_connection() -> None:
    assert not connections(Test.ROUTE)
    assert not connections(Test.QUIC)
    assert not connections(Test.RESOLVE, "udp")
    assert connections(Test.RESOLVE, "doh")
    assert connections(Test.PT)


def test_unrelated_operators_are_asked_first() -> None:
    same = tuple(
        replace(server, operator="one") if server.who in ("abroad-1", "abroad-2") else server
        for server in ANCHORS.servers
    )
    asked = [
        ask.who for ask in next_asks(replace(ANCHORS, servers=same), [], WISHES).asks if ask.test is Test.TLS
    ]
    assert asked[:2] == ["abroad-1", "abroad-3"]


@pytest.mark.parametrize("country", anchors_file.countries())
@pytest.mark.parametrize("line", [Line, cuts.Almaty, cuts.ForeignDropped, cuts.SniReset, cuts.Freeze])
def test_the_shipped_anchors_serve_too(line: type[Line], country: str) -> None:
    trip = travel(line(), anchors=anchors_file.load(country))
    assert trip.diagnosis.main.kind in (LINES[line][0], Kind.UNCLEAR)
    assert trip.connections <= TCP
    assert trip.seconds < DEADLINE
