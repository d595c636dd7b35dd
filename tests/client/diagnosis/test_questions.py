from __future__ import annotations

from dataclasses import replace

from client.diagnosis import questions as q
from client.diagnosis.sights import Name, Place, Test
from tests.client.diagnosis.lines import ANCHORS

ONE = ANCHORS.at(Place.ABROAD)[0]
BAD = ANCHORS.forbidden[0]


def test_a_server_is_asked_by_its_address_and_under_its_own_name() -> None:
    ask = q.handshake(ONE)
    assert (ask.test, ask.host, ask.port, ask.value) == (Test.TLS, ONE.addresses[0], 443, ONE.name)


def test_a_server_without_an_address_is_asked_by_name() -> None:
    assert q.handshake(replace(ONE, addresses=())).host == ONE.name


def test_a_server_without_port_443_is_asked_on_its_first_one() -> None:
    assert q.handshake(replace(ONE, ports=(8443, 993))).port == 8443


def test_a_forbidden_name_and_its_control_differ_in_the_name_only() -> None:
    bad, control = q.forbidden(ONE, BAD, 1), q.handshake(ONE)
    assert (bad.who, bad.host, bad.port, bad.limit) == (
        control.who,
        control.host,
        control.port,
        control.limit,
    )
    assert (bad.value, bad.name) == (BAD.name, Name.FORBIDDEN)


def test_a_transfer_under_a_forbidden_name_tells_which_name_the_certificate_has() -> None:
    assert q.download(ONE, 1, BAD).data == ONE.name
    assert q.download(ONE).data == ""


def test_a_bridge_line_gives_its_port_and_host() -> None:
    ask = q.bridge("obfs4 [2001:db8::1]:443 " + "A" * 40 + " cert=abc iat-mode=0", 2)
    assert (ask.who, ask.host, ask.port) == ("bridge-2", "2001:db8::1", 443)


def test_each_way_to_a_resolver_has_its_port() -> None:
    one, known = ANCHORS.resolvers[0], ANCHORS.names[1]
    assert [q.query(one, known, way).port for way in ("udp", "tcp", "doh", "dot")] == [53, 53, 443, 853]


def test_no_question_shows_an_address_in_its_repr() -> None:
    assert ONE.addresses[0] not in repr(q.handshake(ONE))
