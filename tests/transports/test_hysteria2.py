from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import HYSTERIA2, names, options, passwords, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import hysteria2, sharelink_sections
from transports.hysteria2 import parse


def test_user_and_password_go_as_one_secret() -> None:
    assert parse(HYSTERIA2[0]).options == {
        "type": "hysteria2",
        "server": "192.0.2.50",
        "server_port": 8443,
        "password": "letme:in",
        "obfs": {"type": "salamander", "password": "ob"},
        "tls": {"enabled": True, "server_name": "h.example.com", "insecure": True},
    }


def test_a_port_list_becomes_ranges() -> None:
    endpoint = parse(HYSTERIA2[1])
    assert (endpoint.host, endpoint.port) == ("2001:db8::50", 443)
    assert options(endpoint)["server_ports"] == ["443:443", "5000:6000"]
    assert "server_port" not in options(endpoint)


def test_differently_spelled_links_are_one_endpoint() -> None:
    spelled = (
        "hysteria2://pw@a.example#one",
        "hy2://p%77@A.example:443/?sni=a.example&alpn=h3&obfs=none&fp=chrome&insecure=0",
        "hy2://pw@a.example:443-443?security=tls",
    )
    assert len({parse(text).key() for text in spelled}) == 1
    assert parse("hy2://pw@a.example?mport=1-2,5").key() == parse("hy2://pw@a.example:5,1-2").key()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hy2://pw@a.example?obfs=gecko&obfs-password=x", hysteria2.GECKO),
        ("hy2://pw@a.example?obfs=rainbow", hysteria2.DISGUISE),
        ("hy2://pw@a.example?pinSHA256=00:11", sharelink_sections.PINNED),
        ("hysteria2+realm://token@r.example/name?auth=x", hysteria2.REALM),
    ],
)
def test_what_cannot_be_tested_is_told(text: str, why: str) -> None:
    assert parse(text).untested == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hy2://pw@a.example:1-", "the port must be a number, or a list such as 443,5000-6000"),
        ("hy2://pw@a.example:1-70000", "the port must be a number from 1 to 65535"),
        (
            "hy2://pw@a.example:" + "1," * 70 + "2",
            "the port must be a number, or a list such as 443,5000-6000",
        ),
        ("hy2://pw@a.example?obfs=salamander", "obfs-password= is missing: copy the whole link"),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


@quick
@given(passwords, names, st.lists(st.tuples(ports, ports), min_size=1, max_size=5))
def test_drawn_fields_come_back(password: str, host: str, ranges: list[tuple[int, int]]) -> None:
    listed = ",".join(f"{low}-{high}" for low, high in ranges)
    found = options(parse(f"hy2://{quote(password, safe='')}@{host}:{listed}"))
    assert (found["password"], found["server"]) == (password, host)
    shown = set(found.get("server_ports") or [f"{found['server_port']}:{found['server_port']}"])
    assert shown == {f"{min(pair)}:{max(pair)}" for pair in ranges}


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *HYSTERIA2, "hysteria2+realm://token@r.example/name")
