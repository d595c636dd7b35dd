from __future__ import annotations

from urllib.parse import quote

from hypothesis import given

from tests.transports.links import TROJAN, names, options, passwords, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports.trojan import parse


def test_a_link_without_security_is_tls() -> None:
    assert parse(TROJAN[0]).options == {
        "type": "trojan",
        "server": "192.0.2.40",
        "server_port": 443,
        "password": "p@ss",
        "tls": {"enabled": True, "server_name": "t.example.com"},
        "transport": {"type": "ws", "path": "/t"},
    }


def test_differently_spelled_links_are_one_endpoint() -> None:
    spelled = (
        "trojan://pw@a.example:443#one",
        "trojan://p%77@A.EXAMPLE/?security=tls&sni=a.example&type=tcp&allowInsecure=0&headerType=none",
        "trojan://pw@a.example?peer=a.example",
    )
    assert len({parse(text).key() for text in spelled}) == 1


def test_a_link_without_password_is_turned_down() -> None:
    assert reason(parse, "trojan://a.example:443") == "the password is missing: it stands before the @"


@quick
@given(passwords, names, ports)
def test_drawn_fields_come_back(password: str, host: str, port: int) -> None:
    found = options(parse(f"trojan://{quote(password, safe='')}@{host}:{port}#x"))
    assert (found["password"], found["server"], found["server_port"]) == (password, host, port)


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *TROJAN)
