from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import PBK, UUID, VLESS, names, options, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import sharelink_sections, vless
from transports.vless import parse


def test_reality_with_vision() -> None:
    assert parse(VLESS[0]).options == {
        "type": "vless",
        "server": "192.0.2.30",
        "server_port": 443,
        "uuid": UUID,
        "flow": "xtls-rprx-vision",
        "tls": {
            "enabled": True,
            "server_name": "www.example.com",
            "utls": {"enabled": True, "fingerprint": "chrome"},
            "reality": {"enabled": True, "public_key": PBK, "short_id": "0123abcd"},
        },
    }


def test_websocket_with_early_data() -> None:
    assert options(parse(VLESS[1]))["transport"] == {
        "type": "ws",
        "path": "/ws",
        "headers": {"Host": "cdn.example.com"},
        "max_early_data": 2048,
        "early_data_header_name": "Sec-WebSocket-Protocol",
    }


def test_grpc() -> None:
    assert options(parse(VLESS[2]))["transport"] == {"type": "grpc", "service_name": "svc"}


def test_differently_spelled_links_are_one_endpoint() -> None:
    spelled = (
        f"vless://{UUID}@a.example:443?security=tls&type=ws&host=a.example&path=%2F#one",
        f"VLESS://{UUID.upper()}@A.example:443/?path=&type=ws&encryption=none&security=tls&host=A.example&sni=a.example",
        (
            f"vless://{UUID.replace('-', '')}@a.example:443?security=tls&amp;type=websocket&host=a.example"
            "&alpn=http/1.1&fp=none&allowInsecure=0&flow=&spx=%2F"
        ),
    )
    assert len({parse(text).key() for text in spelled}) == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("encryption=mlkem768x25519plus.native.0rtt.AAAA", vless.ENCRYPTED),
        ("type=xhttp&security=tls", sharelink_sections.XHTTP),
        ("type=splithttp", sharelink_sections.XHTTP),
        ("type=kcp&seed=x", sharelink_sections.KCP),
        ("flow=xtls-rprx-direct&security=xtls", sharelink_sections.XTLS),
    ],
)
def test_what_sing_box_lacks_is_not_tested(query: str, why: str) -> None:
    assert parse(f"vless://{UUID}@192.0.2.1:443?{query}").untested == why


def test_two_untested_links_with_other_settings_are_two() -> None:
    first, second = (parse(f"vless://{UUID}@192.0.2.1:443?type=xhttp&path=%2F{name}") for name in "ab")
    assert first.key() != second.key()


@pytest.mark.parametrize("query", ["flow=xtls-rprx-vision", "flow=xtls-rprx-vision&security=tls&type=ws"])
def test_vision_goes_with_plain_tcp_and_tls_only(query: str) -> None:
    why = "flow= goes with plain TCP and tls or reality only: ask for a corrected link"
    assert reason(parse, f"vless://{UUID}@192.0.2.1:443?{query}") == why


def test_the_udp_form_of_vision_is_vision() -> None:
    text = f"vless://{UUID}@192.0.2.1:443?security=tls&flow=xtls-rprx-vision"
    assert parse(text + "-udp443").key() == parse(text).key()


@quick
@given(st.uuids(), names, ports, st.text("abc/?&=# é", max_size=12))
def test_drawn_fields_come_back(user: object, host: str, port: int, service: str) -> None:
    from urllib.parse import quote

    service = service.strip()
    tail = f"security=tls&type=grpc&serviceName={quote(service, safe='')}"
    found = options(parse(f"vless://{user}@{host}:{port}?{tail}"))
    assert (found["uuid"], found["server"], found["server_port"]) == (str(user), host, port)
    assert found["transport"].get("service_name", "") == service


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *VLESS)
