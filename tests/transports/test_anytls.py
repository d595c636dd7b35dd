from __future__ import annotations

from urllib.parse import quote

from hypothesis import given

from tests.transports.links import ANYTLS, PBK, names, options, passwords, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports.anytls import parse


def test_the_link_of_the_specification() -> None:
    assert parse(ANYTLS[0]).options == {
        "type": "anytls",
        "server": "192.0.2.70",
        "server_port": 443,
        "password": "pw",
        "tls": {"enabled": True, "server_name": "a.example.com", "insecure": True},
    }


def test_there_is_always_tls() -> None:
    assert parse("anytls://pw@a.example?security=none").key() == parse("anytls://pw@A.example:443#x").key()
    assert "reality" in options(parse(f"anytls://pw@a.example?security=reality&pbk={PBK}"))["tls"]


def test_a_link_without_password_is_turned_down() -> None:
    assert reason(parse, "anytls://a.example") == "the password is missing: it stands before the @"


@quick
@given(passwords, names, ports)
def test_drawn_fields_come_back(password: str, host: str, port: int) -> None:
    found = options(parse(f"anytls://{quote(password, safe='')}@{host}:{port}/"))
    assert (found["password"], found["server"], found["server_port"]) == (password, host, port)


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *ANYTLS)
