"""The laboratory does what its scenarios say: asked by plain sockets from the person's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.diagnosis import anchors
from client.diagnosis.sights import Place
from tests.lab import papers, places
from tests.lab.asking import BAD, DNS_ONE, FOUR, HOME, ONE, PAGE, PORTS, THREE, TWO, VAIN, asks, hello
from tests.lab.world import Lab

pytestmark = pytest.mark.timeout(120)  # the first test of a worker waits for the world


def test_an_open_line_reaches_everything(lab: Lab) -> None:
    line = lab.play("open")
    ca = str(lab.folder / "ca.pem")
    answers = asks(
        line,
        *(
            ["tls", address, name, ca]
            for name, address in {**places.ABROAD_SERVERS, **places.HOME_SERVERS}.items()
        ),
        ["tls", ONE[1], ONE[0], ca, 8443],
        hello(ONE, BAD),
        ["tls", DNS_ONE, "dns-one.example", ca, 853],
    )
    assert answers == ["right"] * 8 + ["record 22", "right"]
    assert asks(line, ["http", ONE[1]], ["http", HOME[1]]) == [PAGE, PAGE]
    assert asks(line, ["tls", places.FORBIDDEN_SERVERS[BAD], BAD, ca], ["resolve", BAD]) == [
        "right",
        [places.FORBIDDEN_SERVERS[BAD]],
    ]
    assert asks(line, ["quic", ONE[1]], ["quic", HOME[1]], ["quic", THREE[1]]) == ["versions"] * 2 + [
        "refused"
    ]
    assert asks(line, ["dns", places.PROVIDER_DNS, ONE[0]], ["dns", DNS_ONE, VAIN]) == [[ONE[1]], ["code 3"]]
    assert asks(line, ["dns", places.NOBODY[0], ONE[0]], ["resolve", FOUR[0]]) == [["silence"], [FOUR[1]]]
    assert asks(line, ["tcp", PORTS, 3785], ["tcp", PORTS, 65000], ["tcp", ONE[1], 179]) == [
        "open",
        "open",
        "refused",
    ]
    way, got, _ = asks(line, ["fetch", ONE[1], ONE[0], "/bulk"])[0]
    assert way == "whole"
    assert got > places.BULK
    assert asks(line, ["fetch", ONE[1], ONE[0], "/upload", 65536])[0][0] == "whole"


def test_the_anchors_file_is_read_by_the_program_and_agrees_with_the_world(lab: Lab) -> None:
    found = anchors.load(file=str(lab.play("open").anchors))
    assert [len(found.at(place)) for place in (Place.HOME, Place.ABROAD, Place.LISTED)] == [3, 4, 3]
    assert {server.name: server.addresses[0] for server in found.at(Place.ABROAD)} == places.ABROAD_SERVERS
    assert [relay.port for relay in found.relays] == [port for _, port in places.RELAYS]
    assert len({relay.fingerprint for relay in found.relays}) == 3
    assert {name.who: name.server for name in found.forbidden}
    assert list(found.national) == [papers.root(lab.folder, "national").fingerprint]
    assert [page.body for page in found.pages] == [places.SUCCESS.rstrip()] * 4
    assert all(bridge.startswith("obfs4 ") for bridge in found.bridges)


def test_the_person_has_an_own_network_and_no_way_to_the_machine(lab: Lab) -> None:
    line = lab.play("open")
    routes = line.person(["ip", "route"]).stdout
    assert routes.startswith(f"default via {places.GATEWAY} dev eth0")
    assert len(routes.splitlines()) == 2
    assert line.person(["cat", "/etc/resolv.conf"]).stdout.startswith(f"nameserver {places.PROVIDER_DNS}")
    assert places.PROVIDER_DNS not in Path("/etc/resolv.conf").read_text()


def test_the_border_counts_connections_bytes_names_and_echoes(lab: Lab) -> None:
    line = lab.play("open")
    assert line.counts().connections == 0
    asks(line, hello(ONE), hello(TWO, BAD, 2), ["dns", DNS_ONE, VAIN], ["http", HOME[1], "/", HOME[0]])
    seen = line.counts()
    assert (seen.tcp, seen.udp, seen.echo) == (3, 1, 0)
    assert seen.names == {ONE[0], BAD, VAIN, HOME[0]}
    assert sorted(seen.ports) == [80, 443]
    assert 2_000 < seen.moved < 20_000
    assert lab.play("open").counts().moved == 0


def test_a_connection_that_repeats_its_first_packet_counts_once(lab: Lab) -> None:
    line = lab.play("foreign_dropped")
    assert asks(line, ["tcp", ONE[1], 443]) == ["silence"]
    assert line.counts().tcp == 1


@pytest.mark.parametrize(("name", "expected"), [("no_link", "error 101"), ("no_address", "error 101")])
def test_without_a_link_the_system_sends_nothing(lab: Lab, name: str, expected: str) -> None:
    line = lab.play(name)
    assert asks(line, ["tcp", ONE[1], 443], ["tcp", HOME[1], 443]) == [expected] * 2
    assert line.counts().connections == 0
    assert asks(lab.play("open"), ["tcp", ONE[1], 443]) == ["open"]


def test_a_dead_gateway_leaves_a_route_that_leads_nowhere(lab: Lab) -> None:
    line = lab.play("dead_gateway")
    assert "default via 10.77.0.99" in line.person(["ip", "route"]).stdout
    assert asks(line, ["tcp", ONE[1], 443])[0] in ("silence", "error 113")
    assert asks(lab.play("open"), ["tcp", ONE[1], 443]) == ["open"]


def test_when_everything_is_dropped_only_the_gateway_answers(lab: Lab) -> None:
    line = lab.play("all_dropped")
    answers = asks(line, ["tcp", HOME[1], 443], ["tcp", ONE[1], 443], ["dns", places.PROVIDER_DNS, HOME[0]])
    assert answers == ["silence", "silence", ["silence"]]
    assert asks(line, ["tcp", places.GATEWAY, 9]) == ["refused"]


@pytest.mark.parametrize(("name", "expected"), [("foreign_dropped", "silence"), ("foreign_reset", "refused")])
def test_home_works_and_abroad_does_not_on_any_port(lab: Lab, name: str, expected: str) -> None:
    line = lab.play(name)
    there = asks(line, *(["tcp", ONE[1], port] for port in (53, 80, 179, 443, 3785)), ["quic", ONE[1]])
    assert there == [expected] * 5 + ["silence"]
    assert asks(line, hello(HOME), ["http", HOME[1]], ["dns", DNS_ONE, ONE[0]]) == [
        "record 22",
        PAGE,
        ["silence"],
    ]
    assert asks(line, ["dns", places.PROVIDER_DNS, TWO[0]]) == [[TWO[1]]]  # it still asks abroad


def test_the_almaty_holes_pass_tcp_and_refusals_and_dns(lab: Lab) -> None:
    line = lab.play("almaty")
    holes = asks(line, *(["tcp", PORTS, port] for port in (179, 646, 3785, 4784, 80, 443, 3784, 5060)))
    assert holes == ["open"] * 4 + ["silence"] * 4
    assert asks(line, ["tcp", ONE[1], 179], ["tcp", ONE[1], 443], ["tcp", places.BRIDGE, 3785]) == [
        "refused",
        "silence",
        "open",
    ]
    assert asks(line, ["dns", DNS_ONE, ONE[0]], ["quic", ONE[1]]) == [[ONE[1]], "silence"]


@pytest.mark.parametrize(
    ("name", "abroad", "vain"),
    [
        ("dns_lies", [places.BOGON], [places.BOGON]),
        ("dns_block_page", [places.BLOCK_HOST], [places.BLOCK_HOST]),
        ("dns_nxdomain", ["code 3"], ["code 3"]),
        ("dns_forbidden", [ONE[1]], ["code 3"]),
    ],
)
def test_the_providers_resolver_lies_and_others_do_not(
    lab: Lab, name: str, abroad: list[str], vain: list[str]
) -> None:
    line = lab.play(name)
    ask = [[places.PROVIDER_DNS, ONE[0]], [places.PROVIDER_DNS, VAIN], [places.PROVIDER_DNS, HOME[0]]]
    assert asks(line, *(["dns", *one] for one in ask)) == [abroad, vain, [HOME[1]]]
    assert asks(line, ["dns", DNS_ONE, ONE[0]], ["dns", places.NOBODY[0], ONE[0]]) == [[ONE[1]], ["silence"]]
    if name == "dns_forbidden":
        assert asks(line, ["dns", places.PROVIDER_DNS, BAD]) == [[places.BOGON]]
    if name == "dns_block_page":
        assert asks(line, ["tls", places.BLOCK_HOST, ONE[0], str(lab.folder / "ca.pem")]) == ["false"]


def test_forged_answers_come_before_the_true_ones_even_from_where_nobody_is(lab: Lab) -> None:
    line = lab.play("dns_double")
    assert asks(line, ["dns", DNS_ONE, ONE[0]], ["dns", places.NOBODY[0], ONE[0]]) == [
        [places.BOGON, ONE[1]],
        [places.BOGON],
    ]
    assert asks(line, ["dns", places.PROVIDER_DNS, ONE[0]], ["dns", DNS_ONE, HOME[0]]) == [
        [places.BOGON],
        [HOME[1]],
    ]
