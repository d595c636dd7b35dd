"""The laboratory's judges, interceptors and portals do what they say: asked by plain sockets."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from client.diagnosis.kinds import Kind
from tests.lab import places
from tests.lab.asking import BAD, DNS_ONE, FOUR, HOME, LISTED, ONE, PAGE, PORTS, THREE, TWO, VAIN, asks, hello
from tests.lab.dpi import FREEZE, SLOW
from tests.lab.scenarios import DEAD, SCENARIOS
from tests.lab.world import Lab

pytestmark = pytest.mark.timeout(120)  # the first test of a worker waits for the world


@pytest.mark.parametrize(("name", "came"), [("sni_reset", "reset"), ("sni_drop", "silence")])
def test_only_a_forbidden_name_is_stopped_even_in_two_packets(lab: Lab, name: str, came: str) -> None:
    line = lab.play(name)
    answers = asks(
        line,
        hello(ONE),
        hello(ONE, ONE[0], 2),
        hello(ONE, BAD),
        hello(ONE, BAD, 2),
        hello(ONE, f"deep.{BAD}"),
        hello(ONE, f"not-{BAD}"),
        hello(HOME, BAD),
    )
    assert answers == ["record 22", "record 22", came, came, came, "record 22", "record 22"]


@pytest.mark.parametrize(
    ("name", "home", "trusted"),
    [
        ("national_root", "right", ""),
        ("antivirus", "false", "system.pem"),
        ("company_proxy", "false", "system.pem"),
    ],
)
def test_interception_shows_another_root_and_the_same_pages(
    lab: Lab, name: str, home: str, trusted: str
) -> None:
    line = lab.play(name)
    ca, own = str(lab.folder / "ca.pem"), str(lab.folder / (trusted or "national.pem"))
    answers = asks(
        line,
        ["tls", ONE[1], ONE[0], ca],
        ["tls", ONE[1], ONE[0], own],
        ["tls", HOME[1], HOME[0], ca],
        ["tls", DNS_ONE, "dns-one.example", ca, 853],
        ["tls", ONE[1], ONE[0], ""],
    )
    assert answers == ["false", "right", home, "false", "right" if trusted else "false"]
    way, got, _ = asks(line, ["fetch", ONE[1], ONE[0], "/bulk"])[0]
    assert (way, got > places.BULK) == ("whole", True)


def test_listed_addresses_are_dead_on_every_port_and_others_are_not(lab: Lab) -> None:
    line = lab.play("address_list")
    answers = asks(
        line, hello(ONE), hello(TWO), hello(THREE), hello(FOUR), ["tcp", TWO[1], 80], ["tcp", FOUR[1], 9]
    )
    assert answers == ["record 22", "silence", "record 22", "silence", "silence", "silence"]


def test_without_port_443_the_same_server_answers_on_another(lab: Lab) -> None:
    line = lab.play("no_443")
    answers = asks(
        line, hello(ONE), hello(ONE, ONE[0], 1, 8443), ["http", ONE[1]], ["quic", ONE[1]], hello(HOME)
    )
    assert answers == ["silence", "record 22", PAGE, "versions", "record 22"]


def test_with_only_web_ports_nothing_else_crosses(lab: Lab) -> None:
    line = lab.play("only_web")
    ports = asks(line, *(["tcp", PORTS, port] for port in (80, 443, 53, 179, 853, 8443, 9001)))
    assert ports == ["open", "open"] + ["silence"] * 5
    assert asks(line, ["quic", ONE[1]], ["dns", DNS_ONE, ONE[0]], ["tcp", HOME[1], 8443]) == [
        "versions",
        [ONE[1]],
        "open",
    ]


def test_the_protocol_list_stops_other_bytes_on_its_three_ports_only(lab: Lab) -> None:
    line = lab.play("protocol_list")
    answers = asks(
        line,
        *(["first", PORTS, port, "random"] for port in (80, 443, 8080)),
        *(["first", PORTS, port, "zeros"] for port in (443, 8080)),
        ["first", PORTS, 443, "http"],
        hello(ONE),
        hello(ONE, ONE[0], 2),
    )
    assert answers == [
        "silence",
        "silence",
        "answer",
        "silence",
        "answer",
        "answer",
        "record 22",
        "record 22",
    ]


def test_random_looking_first_packets_close_that_port_of_that_address_for_a_while(lab: Lab) -> None:
    line = lab.play("random_dropped")
    before = asks(line, ["first", PORTS, 8080, "zeros"], ["first", PORTS, 8080, "http"], hello(ONE))
    assert before == ["answer", "answer", "record 22"]
    assert asks(line, ["first", PORTS, 8080, "random"]) == ["silence"]
    after = asks(line, ["tcp", PORTS, 8080], ["tcp", PORTS, 8081], ["first", places.PROXY, 1080, "zeros"])
    assert after[:2] == ["silence", "open"]
    assert asks(lab.play("random_dropped"), ["tcp", PORTS, 8080]) == ["open"]


def test_a_connection_freezes_after_its_quota_both_ways_and_not_at_home(lab: Lab) -> None:
    line = lab.play("freeze")
    down, up, small, home = asks(
        line,
        ["fetch", ONE[1], ONE[0], "/bulk"],
        ["fetch", TWO[1], TWO[0], "/upload", 65536],
        ["fetch", ONE[1], ONE[0], "/"],
        ["fetch", HOME[1], HOME[0], "/bulk"],
    )
    assert (down[0], up[0], small[0], home[0]) == ("stopped", "stopped", "whole", "whole")
    assert FREEZE // 2 < down[1] < FREEZE
    again = asks(line, ["fetch", ONE[1], ONE[0], "/bulk"])[0]
    assert abs(again[1] - down[1]) < 3_000


def test_a_slow_link_is_slow_to_everybody(lab: Lab) -> None:
    line = lab.play("slow_link")
    rate = SCENARIOS["slow_link"].border.rate
    for server in (ONE, HOME):
        way, got, seconds = asks(line, ["fetch", server[1], server[0], "/bulk"])[0]
        assert way == "slow"
        assert 0.6 * rate < got / seconds < 1.2 * rate
    begin = time.monotonic()
    asks(lab.play("open"), ["fetch", ONE[1], ONE[0], "/bulk"])
    assert time.monotonic() - begin < 3.0


def test_a_slow_name_is_slow_at_the_same_server(lab: Lab) -> None:
    line = lab.play("slow_name")
    good, bad = asks(line, ["fetch", ONE[1], ONE[0], "/bulk"], ["fetch", ONE[1], BAD, "/bulk"])
    assert good[2] < 2.0
    assert good[0] == "whole"
    assert bad[0] in ("whole", "slow")
    assert 0.5 * SLOW < bad[1] / bad[2] < 1.3 * SLOW


@pytest.mark.parametrize(("name", "resolves"), [("no_udp", [ONE[1]]), ("no_udp_at_all", ["silence"])])
def test_without_udp_tcp_goes_on(lab: Lab, name: str, resolves: list[str]) -> None:
    line = lab.play(name)
    answers = asks(
        line, ["quic", ONE[1]], ["quic", TWO[1]], ["dns", DNS_ONE, ONE[0]], hello(ONE), ["quic", HOME[1]]
    )
    assert answers == ["silence", "silence", resolves, "record 22", "versions"]
    assert asks(line, ["resolve", ONE[0]]) == [[ONE[1]]]


def test_an_allow_list_of_addresses_passes_any_name_to_them(lab: Lab) -> None:
    line = lab.play("address_allow_list")
    answers = asks(line, hello(LISTED), hello(LISTED, BAD), hello(ONE), hello(ONE, LISTED[0]), hello(HOME))
    assert answers == ["record 22", "record 22", "silence", "silence", "record 22"]


def test_an_allow_list_of_names_passes_them_at_any_address(lab: Lab) -> None:
    line = lab.play("name_allow_list")
    answers = asks(
        line,
        hello(LISTED),
        hello(LISTED, LISTED[0], 2),
        hello(LISTED, ONE[0]),
        hello(ONE),
        hello(ONE, LISTED[0]),
        hello(HOME),
        ["tcp", ONE[1], 443],
        ["http", ONE[1]],
        ["http", ONE[1], "/", LISTED[0]],
        ["first", PORTS, 8080, "random"],
    )
    silence = "silence"
    assert answers[:6] == ["record 22", "record 22", silence, silence, "record 22", "record 22"]
    assert answers[6:] == ["open", silence, PAGE, silence]


@pytest.mark.parametrize(("name", "least"), [("portal", 0.0), ("slow_portal", 5.0)])
def test_a_portal_answers_for_everybody(lab: Lab, name: str, least: float) -> None:
    line = lab.play(name)
    begin = time.monotonic()
    limit = least + 4.0
    pages = asks(
        line,
        ["http", ONE[1], "/success.txt", ONE[0], limit],
        ["http", HOME[1], "/", HOME[0], limit],
        ["http", places.GATEWAY, "/login", "wifi.example", limit],
    )
    assert [page[0] for page in pages] == ["302", "302", "200"]
    assert time.monotonic() - begin >= least
    ca = str(lab.folder / "ca.pem")
    assert asks(line, ["tls", ONE[1], ONE[0], ca], ["tls", HOME[1], HOME[0], ca]) == ["false", "false"]
    assert asks(line, ["tcp", ONE[1], 8443], ["quic", ONE[1]]) == ["silence", "silence"]
    if not least:
        assert asks(line, ["dns", DNS_ONE, VAIN], ["resolve", ONE[0]]) == [[places.GATEWAY], [places.GATEWAY]]


def test_relays_are_dead_and_the_bridge_and_like_ports_are_not(lab: Lab) -> None:
    relays = [["tcp", address, port] for address, port in places.RELAYS]
    others = [["tcp", places.BRIDGE, 443], ["tcp", places.BRIDGE, 9443], ["tcp", PORTS, 9001]]
    assert asks(lab.play("open"), *relays, *others) == ["open"] * 6
    assert asks(lab.play("no_tor"), *relays, *others) == ["silence"] * 3 + ["open"] * 3


def test_policing_stops_what_comes_after_three_handshakes_at_once(lab: Lab) -> None:
    line = lab.play("policing")
    answers = asks(line, ["parallel", ONE[1], ONE[0], 6])[0]
    assert sorted(answers) == ["record 22"] * 3 + ["silence"] * 3
    time.sleep(1.0)
    assert asks(line, hello(ONE)) == ["record 22"]


def test_without_a_resolver_addresses_still_work(lab: Lab) -> None:
    line = lab.play("no_resolver")
    assert asks(line, hello(ONE)) == ["record 22"]
    assert str(asks(line, ["resolve", ONE[0]])[0]).startswith("name")
    assert asks(lab.play("open"), ["resolve", ONE[0]]) == [[ONE[1]]]


def test_with_ipv6_only_there_is_a_route_but_none_for_our_addresses(lab: Lab) -> None:
    line = lab.play("only_ipv6")
    assert places.GATEWAY6 in line.person(["ip", "-6", "route"]).stdout
    assert asks(line, ["tcp", ONE[1], 443]) == ["error 101"]
    assert asks(lab.play("open"), ["tcp", ONE[1], 443]) == ["open"]


def test_a_rough_line_loses_some_packets_and_one_server(lab: Lab) -> None:
    line = lab.play("open", rough=True)
    assert THREE[1] == DEAD
    assert asks(line, hello(THREE), hello(ONE))[0] == "silence"
    questions: list[list[Any]] = [["dns", DNS_ONE, f"name-{number}.example", 0.01] for number in range(200)]
    lost = asks(line, *questions).count(["silence"])
    assert 5 < lost < 40  # 19.5 are to be expected, the answers can be lost too


@pytest.mark.parametrize("judge", ["sni_drop", "freeze", "double_dns"])
def test_loss_and_a_judge_go_together(lab: Lab, judge: str) -> None:
    name = "dns_double" if judge == "double_dns" else judge
    line = lab.play(name, rough=True)
    assert asks(line, hello(THREE))[0] == "silence"
    assert asks(line, ["http", HOME[1], "/", HOME[0], 10.0], ["http", ONE[1], "/", ONE[0], 10.0]) == [
        PAGE,
        PAGE,
    ]


def test_switching_takes_less_than_a_second(lab: Lab) -> None:
    for scenario in SCENARIOS.values():
        begin = time.monotonic()
        lab.play(scenario, rough=True)
        assert time.monotonic() - begin < 1.0, scenario.name
    lab.play("open")


def test_a_helper_can_run_a_server_that_the_person_reaches(lab: Lab) -> None:
    line = lab.play("open")
    code = f"import socket; s = socket.create_server(('{places.HELPER}', 5060)); print('up', flush=True); s.accept()"
    with lab.start("helper", [sys.executable, "-c", code]) as helper:
        assert helper.stdout is not None
        assert helper.stdout.readline() == "up\n"
        assert asks(line, ["tcp", places.HELPER, 5060], ["tcp", places.HELPER, 5061]) == ["open", "refused"]


def test_every_kind_that_one_run_can_show_has_a_scenario() -> None:
    shown = {scenario.kind for scenario in SCENARIOS.values()}
    never = {Kind.MOBILE_ONLY, Kind.SCHEDULED_WINDOWS, Kind.HTTP_BLOCK_PAGE}
    assert shown == set(Kind) - never


def test_a_scenario_of_ones_own_can_be_played(lab: Lab) -> None:
    almaty = SCENARIOS["almaty"]
    own = replace(almaty, border=replace(almaty.border, tcp=(5060,), udp=()))
    assert asks(lab.play(own), ["tcp", PORTS, 5060], ["tcp", PORTS, 179]) == ["open", "silence"]
