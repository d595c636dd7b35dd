from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import TUIC, UUID, names, options, passwords, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import tuic
from transports.tuic import parse


def test_the_link_of_v2rayn() -> None:
    assert parse(TUIC[0]).options == {
        "type": "tuic",
        "server": "192.0.2.60",
        "server_port": 443,
        "uuid": UUID,
        "password": "pw",
        "congestion_control": "bbr",
        "udp_relay_mode": "quic",
        "tls": {"enabled": True, "server_name": "q.example.com", "alpn": ["h3"]},
    }


def test_differently_spelled_links_are_one_endpoint() -> None:
    spelled = (
        f"tuic://{UUID}:pw@a.example:443#one",
        f"tuic://{UUID}%3Apw@A.example?congestion_control=cubic&udp_relay_mode=native&alpn=&sni=a.example",
        f"tuic://{UUID.upper()}:p%77@a.example:443?alpn=h3&allow_insecure=0&disable_sni=0&fp=chrome",
    )
    assert len({parse(text).key() for text in spelled}) == 1


def test_switches() -> None:
    tls = options(parse(f"tuic://{UUID}:pw@a.example:443?allow_insecure=1&disable_sni=1"))["tls"]
    assert tls["insecure"] is True
    assert tls["disable_sni"] is True


@pytest.mark.parametrize("text", [f"tuic://{UUID}:pw@a.example?version=4", "tuic://a.example:443?token=x"])
def test_version_four_is_not_tested(text: str) -> None:
    assert parse(text).untested == tuic.OLD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "tuic://anna:pw@a.example",
            "the user id is no UUID: it looks like 11111111-2222-4333-8444-555555555555",
        ),
        (f"tuic://{UUID}@a.example", "the password is missing: it stands before the @"),
        (
            f"tuic://{UUID}:x@a.example?congestion_control=slow",
            "congestion_control= must be cubic, bbr or new_reno",
        ),
        (f"tuic://{UUID}:x@a.example?udp_relay_mode=pigeon", "udp_relay_mode= must be native or quic"),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


@quick
@given(st.uuids(), passwords, names, ports)
def test_drawn_fields_come_back(user: object, password: str, host: str, port: int) -> None:
    found = options(parse(f"tuic://{user}:{quote(password, safe='')}@{host}:{port}"))
    assert (found["uuid"], found["password"]) == (str(user), password)
    assert (found["server"], found["server_port"]) == (host, port)


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *TUIC)
