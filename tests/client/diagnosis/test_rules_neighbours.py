from __future__ import annotations

import pytest

from client.diagnosis.kinds import Diagnosis, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Forgery, Issuer, Place, Sight, Test
from client.i18n import say
from tests.client.diagnosis.matrix import (
    FORBIDDEN,
    HOLES,
    HOME,
    HOST,
    LIKELY,
    LIKELY_PORTS,
    MATRIX,
    SHUT,
    SURE,
    TOR,
    UNSURE,
    USUAL,
    forbidden,
    kinds,
)
from tests.client.diagnosis.seeing import (
    FALSE,
    OTHER,
    RESET,
    RIGHT,
    SILENCE,
    STOPPED,
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
    route,
    row,
    servers,
    shape,
    shows,
    tls,
    well,
    without,
)


def changed(name: str, *instead: list[Sight], drop: tuple[Test, ...] = (), who: str = "") -> Diagnosis:
    return conclude(row(without(MATRIX[name][0], *drop, who=who), *instead))


def test_a_server_at_home_that_answers_turns_an_outage_into_something_abroad() -> None:
    assert Kind.OUTAGE not in changed("1 outage", tls("home-9", RIGHT)).kinds


def test_a_gateway_that_answers_tells_an_outage_from_a_local_fault() -> None:
    dark = row(names(SILENCE, SILENCE, place=Place.HOME), gone("abroad"), gone("home", 2))
    assert kinds(route(), dark) == (Kind.OUTAGE,)
    assert kinds(route(SILENCE), dark) == (Kind.LOCAL_FAULT,)


def test_one_port_that_crosses_turns_an_allow_list_into_holes() -> None:
    shut = row(SHUT, HOME, connect(HOST, SILENCE, SILENCE), ports(HOST, SILENCE, *LIKELY_PORTS, *USUAL))
    assert kinds(shut, ports(HOST, SILENCE, 179)) == (Kind.ALLOW_LIST,)
    assert kinds(shut, ports(HOST, RIGHT, 179)) == (Kind.PORT_HOLES,)


def test_one_hole_seen_once_is_likely_only() -> None:
    shut = row(SHUT, HOME, connect(HOST, SILENCE, SILENCE), ports(HOST, SILENCE, *LIKELY_PORTS, *USUAL))
    assert conclude(row(shut, ports(HOST, RIGHT, 179))).main.certainty is LIKELY


def test_usual_ports_that_cross_turn_holes_into_one_blocked_port() -> None:
    shut = row(SHUT, HOME, connect(HOST, SILENCE, SILENCE), ports(HOST, RIGHT, *HOLES))
    assert kinds(shut, ports(HOST, SILENCE, *USUAL)) == (Kind.PORT_HOLES,)
    assert kinds(shut, ports(HOST, RIGHT, *USUAL)) == (Kind.PORT_BLOCK,)


def test_refusals_where_everything_is_refused_are_no_holes() -> None:
    found = conclude(MATRIX["2 allow-list, refused"][0])
    assert found.tcp == ()
    assert any("filter" in say(text) for text in found.main.against)


def test_a_proxy_of_the_operator_on_port_80_is_no_hole() -> None:
    shut = row(SHUT, HOME, connect(HOST, SILENCE, SILENCE), ports(HOST, SILENCE, *HOLES, 8443, 993, 587))
    assert kinds(shut, ports(HOST, RIGHT, 80)) == (Kind.ALLOW_LIST,)


def test_a_server_abroad_that_answers_turns_an_allow_list_into_blocked_addresses() -> None:
    dead = row(
        gone("abroad", 2),
        ports("abroad-1", SILENCE, 8443, times=2),
        ports("abroad-2", SILENCE, 8443, times=2),
    )
    assert kinds(route(), HOME, dead, tls("abroad-3", RIGHT)) == (Kind.IP_BLOCK,)
    assert Kind.IP_BLOCK not in kinds(route(), HOME, dead, gone("abroad-3", 1))


def test_another_port_of_the_same_addresses_tells_a_port_from_an_address() -> None:
    dead = row(gone("abroad", 2), tls("abroad-3", RIGHT), route(), HOME)
    shut = row(ports("abroad-1", SILENCE, 8443, times=2), ports("abroad-2", SILENCE, 8443, times=2))
    taken = row(ports("abroad-1", RIGHT, 8443), ports("abroad-2", RIGHT, 8443))
    assert kinds(dead, shut) == (Kind.IP_BLOCK,)
    assert kinds(dead, taken) == (Kind.UNCLEAR,)


def test_the_harmless_name_tells_a_filter_of_names_from_a_dead_server() -> None:
    name = forbidden("abroad-9", RESET, RESET)
    assert Kind.SNI_RESET in kinds(well(), name, tls("abroad-9", RIGHT))
    assert Kind.SNI_RESET not in kinds(well(), name, tls("abroad-9", RESET, RESET))


def test_a_server_that_knows_another_name_only_is_no_filter() -> None:
    own = shows("abroad-1", Issuer.WRONG_NAME, name=FORBIDDEN, way="forbidden-1")
    assert kinds(well(), own) == (Kind.OPEN,)
    assert kinds(well(), forbidden("abroad-1", OTHER)) == (Kind.OPEN,)


def test_one_answer_to_a_forbidden_name_shows_that_silence_was_loss() -> None:
    assert kinds(well(), forbidden("abroad-1", SILENCE, SILENCE, RIGHT)) == (Kind.OPEN,)


def test_reset_and_silence_tell_the_two_filters_of_names() -> None:
    assert kinds(well(), forbidden("abroad-1", RESET, RESET)) == (Kind.SNI_RESET,)
    assert kinds(well(), forbidden("abroad-1", SILENCE, SILENCE)) == (Kind.SNI_DROP,)


def test_a_dropped_name_is_certain_only_when_the_server_is_seen_to_live_afterwards() -> None:
    silent = forbidden("abroad-1", SILENCE, SILENCE, SILENCE)
    assert conclude(row(well(), silent)).main.certainty is LIKELY


def test_zeros_tell_noise_from_a_list_of_protocols() -> None:
    noise = row(shape("abroad-1", "random", SILENCE), shape("abroad-2", "random", SILENCE))
    elsewhere = row(shape("abroad-2", "http", OTHER), shape("abroad-1", "random", OTHER, port=8443))
    no_zeros = row(shape("abroad-1", "zeros", SILENCE), shape("abroad-2", "zeros", SILENCE))
    zeros = shape("abroad-2", "zeros", OTHER)
    assert kinds(well(), noise, no_zeros, elsewhere) == (Kind.PROTOCOL_ALLOW_LIST,)
    assert kinds(well(), noise, zeros) == (Kind.RANDOM_TRAFFIC_BLOCK,)
    assert kinds(well(), noise, zeros, shape("abroad-3", "random", Came.CLOSED)) == (Kind.UNCLEAR,)


def test_stopping_at_one_place_tells_a_freeze_from_a_flaky_line() -> None:
    base = row(without(well(), Test.DOWNLOAD), moved("home-1", RIGHT))
    first = moved("abroad-1", STOPPED, received=16000, kib_per_s=None)
    near = moved("abroad-2", STOPPED, received=17000, kib_per_s=None)
    far = moved("abroad-2", STOPPED, received=50000, kib_per_s=None)
    assert conclude(row(base, first, near)).main.certainty is SURE
    assert conclude(row(base, first, far)).main.certainty is LIKELY
    assert kinds(base, first, moved("abroad-1", RIGHT)) == (Kind.OPEN,)


def test_a_fast_transfer_tells_a_slow_server_from_a_slow_line() -> None:
    base = row(without(well(), Test.DOWNLOAD), moved("abroad-1", RIGHT, kib_per_s=14.0))
    assert kinds(base, moved("home-1", RIGHT, kib_per_s=15.0)) == (Kind.LINK_THROTTLE,)
    assert kinds(base, moved("home-1", RIGHT, kib_per_s=300.0)) == (Kind.OPEN,)


def test_a_slow_name_on_a_slow_line_is_the_line() -> None:
    base = row(
        without(well(), Test.DOWNLOAD),
        moved("abroad-1", RIGHT, kib_per_s=20.0),
        moved("home-1", RIGHT, kib_per_s=20.0),
    )
    assert kinds(base, moved("abroad-1", RIGHT, RIGHT, name=FORBIDDEN, kib_per_s=15.0)) == (
        Kind.LINK_THROTTLE,
    )


def test_any_datagram_that_comes_back_is_no_udp_block() -> None:
    silent = row(quic("abroad-2", SILENCE, SILENCE), quic("abroad-3", SILENCE, SILENCE))
    assert Kind.UDP_BLOCK in kinds(without(well(), Test.QUIC), silent)
    assert Kind.UDP_BLOCK not in kinds(well(), silent)


def test_like_ports_elsewhere_tell_blocked_relays_from_blocked_ports() -> None:
    odd = row(*(relay(n, SILENCE, SILENCE, port=9001) for n in (1, 2, 3)))
    assert Kind.TOR_BLOCK not in kinds(well(), odd)
    assert kinds(well(), odd, ports(HOST, RIGHT, 9001)) == (Kind.TOR_BLOCK,)


def test_one_relay_that_answers_is_no_block_of_tor() -> None:
    assert kinds(well(), TOR, relay(4, RIGHT)) == (Kind.OPEN,)


def test_a_true_certificate_anywhere_tells_replaced_pages_from_a_portal() -> None:
    replaced = row(route(), pages(FALSE, FALSE), gone("abroad"))
    assert Kind.CAPTIVE_PORTAL in kinds(replaced, gone("home", 2))
    assert Kind.CAPTIVE_PORTAL not in kinds(replaced, tls("home-1", RIGHT))


def test_one_certificate_for_all_is_a_portal_and_many_are_interception() -> None:
    many = row(shows("abroad-1", Issuer.UNKNOWN), shows("abroad-2", Issuer.UNKNOWN), pages(RIGHT), route())
    one = row(*(shows(f"abroad-{n}", Issuer.UNKNOWN, fingerprint="one") for n in (1, 2)), route())
    assert kinds(many) == (Kind.TLS_INTERCEPTION,)
    assert kinds(one) == (Kind.CAPTIVE_PORTAL,)


def test_a_product_is_named_and_said_to_be_perhaps_not_the_state() -> None:
    text = " ".join(say(one) for one in conclude(MATRIX["13 a product's root"][0]).main.evidence)
    assert "A Product" in text
    assert "need not be the state" in text


def test_other_addresses_than_elsewhere_leave_replaced_pages_open_to_doubt() -> None:
    base = row(without(well(), Test.PAGE, Test.RESOLVE), pages(FALSE, FALSE))
    other = resolver("doh", RIGHT, addresses=("203.0.113.1",))
    assert kinds(base, names(RIGHT, addresses=("203.0.113.1",)), other) == (Kind.HTTP_BLOCK_PAGE,)
    assert kinds(base, names(RIGHT, addresses=("203.0.113.9",)), other) == (Kind.UNCLEAR,)


def test_forged_names_explain_replaced_pages() -> None:
    base = without(well(), Test.PAGE, Test.RESOLVE)
    assert kinds(base, pages(FALSE, FALSE), names(FALSE, FALSE, forgery=Forgery.BOGON)) == (
        Kind.DNS_TAMPERING,
    )


def test_several_kinds_hold_at_once_the_main_one_first() -> None:
    found = kinds(
        without(well(), Test.QUIC),
        quic("abroad-1", SILENCE, SILENCE),
        quic("abroad-2", SILENCE, SILENCE),
        forbidden("abroad-1", RESET, RESET),
        TOR,
    )
    assert found == (Kind.SNI_RESET, Kind.UDP_BLOCK, Kind.TOR_BLOCK)


def test_no_resolver_is_a_fault_of_this_machine_and_hides_nothing_else() -> None:
    told = row(
        route(detail="gateway, no_resolver"),
        names(OTHER, OTHER),
        servers("abroad", RIGHT),
        moved("abroad-1", RIGHT),
    )
    found = conclude(told)
    assert (found.kinds, found.main.certainty) == ((Kind.LOCAL_FAULT,), LIKELY)
    assert 443 in found.tcp


@pytest.mark.parametrize("kind", [Kind.MOBILE_ONLY, Kind.SCHEDULED_WINDOWS])
def test_what_one_run_cannot_see_is_named_only_when_the_person_says_so(kind: Kind) -> None:
    assert kind not in conclude(SHUT).kinds
    found = conclude(SHUT, told=[kind])
    assert found.kinds == (Kind.UNCLEAR, kind)
    assert found.findings[-1].certainty is UNSURE


def test_an_open_line_says_when_forbidden_names_were_not_asked() -> None:
    def text(asked: bool) -> str:
        return " ".join(say(one) for one in conclude(well(), asked_forbidden=asked).main.evidence)

    assert "not asked" in text(False)
    assert "not asked" not in text(True)


def test_ports_and_protocols_that_cross_are_named() -> None:
    found = conclude(
        row(
            well(),
            resolver("dot", RIGHT),
            resolver("doh", RIGHT),
            relay(1, RIGHT, port=9001),
            bridge(RIGHT),
            shape("abroad-1", "random", OTHER),
            ports(HOST, RIGHT, 179),
            ports(HOST, SILENCE, 646),
        )
    )
    assert found.tcp == (80, 179, 443, 853, 9001, 27015)
    assert found.udp == (53, 443)
    assert found.passes == {"dns", "doh", "dot", "tls", "http", "raw", "quic", "tor", "obfs4"}


def test_behind_a_portal_nothing_counts_as_crossing() -> None:
    found = conclude(row(MATRIX["8 portal"][0], ports(HOST, RIGHT, 80, 443)))
    assert (found.tcp, found.udp, found.passes) == ((), (), frozenset())


def test_a_forged_answer_does_not_show_that_dns_crosses() -> None:
    found = conclude(row(well()[:1], resolver("udp", FALSE, forgery=Forgery.TWICE)))
    assert found.udp == ()
    assert "dns" not in found.passes
