from __future__ import annotations

from typing import Any

import pytest

from tests.transports.links import PBK
from transports import sharelink_sections as sections
from transports.types import Rejected

HOST = "192.0.2.1"
TLS = {"enabled": True, "server_name": HOST}


def tls(**query: str) -> tuple[Any, str]:
    return sections.tls_section({"security": "tls", **query}, HOST, "none")


def test_no_security_is_no_section() -> None:
    assert sections.tls_section({}, HOST, "none") == (None, "")
    assert sections.tls_section({"security": "NONE"}, HOST, "tls") == (None, "")


def test_the_tls_name_is_sni_then_the_http_host_then_the_server() -> None:
    assert tls(sni="A.example", type="ws", host="b.example")[0]["server_name"] == "a.example"
    assert tls(type="ws", host="b.example:8443")[0]["server_name"] == "b.example"
    assert tls(type="tcp", host="b.example")[0]["server_name"] == HOST


def test_every_tls_key_of_a_link_has_its_place() -> None:
    section, why = tls(sni="a.example", alpn="h2, http/1.1", fp="Firefox", allowinsecure="1")
    assert why == ""
    assert section == {
        "enabled": True,
        "server_name": "a.example",
        "insecure": True,
        "alpn": ["h2", "http/1.1"],
        "utls": {"enabled": True, "fingerprint": "firefox"},
    }


def test_default_alpn_leaves_no_trace() -> None:
    assert tls(type="ws", alpn="h2,http/1.1")[0] == TLS
    assert tls(type="grpc", alpn="h2")[0] == TLS


def test_an_unknown_fingerprint_is_that_of_chrome_and_none_is_none() -> None:
    assert tls(fp="hellochrome_120")[0]["utls"]["fingerprint"] == "chrome"
    assert "utls" not in tls(fp="none")[0]


def test_reality_needs_a_browser_fingerprint_and_has_one() -> None:
    section, why = sections.tls_section({"security": "reality", "pbk": PBK + "=", "sid": "0A"}, HOST, "none")
    assert why == ""
    assert section is not None
    assert section["utls"] == {"enabled": True, "fingerprint": "chrome"}
    assert section["reality"] == {"enabled": True, "public_key": PBK, "short_id": "0a"}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"security": "maybe"}, "security= must be none, tls or reality"),
        ({"security": "reality"}, "pbk= must be a REALITY key of 43 characters: copy the whole link"),
        (
            {"security": "reality", "pbk": PBK, "sid": "abc"},
            "sid= must be up to 16 hexadecimal digits, an even number of them",
        ),
        ({"sni": "a b"}, "the TLS name (sni= or host=) is not a host name"),
    ],
)
def test_broken_tls_keys_are_turned_down(query: dict[str, str], why: str) -> None:
    with pytest.raises(Rejected) as caught:
        tls(**query)
    assert caught.value.reason == why


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"ech": "AAAA"}, sections.ECH),
        ({"pcs": "00"}, sections.PINNED),
        ({"vcn": "other.example"}, sections.VERIFY),
        ({"security": "xtls"}, sections.XTLS),
    ],
)
def test_tls_that_sing_box_cannot_do_is_told(query: dict[str, str], why: str) -> None:
    assert tls(**query)[1] == why


@pytest.mark.parametrize(
    ("query", "section"),
    [
        ({}, None),
        ({"type": "raw", "headertype": "none"}, None),
        ({"type": "ws"}, {"type": "ws"}),
        ({"type": "websocket", "path": "/"}, {"type": "ws"}),
        ({"type": "ws", "path": "/a%b%41%"}, {"type": "ws", "path": "/a%25b%41%25"}),
        ({"type": "ws", "path": "a?x=1&ed=0"}, {"type": "ws", "path": "/a?x=1"}),
        (
            {"type": "ws", "path": "/a?ed=2048", "host": "H.example"},
            {
                "type": "ws",
                "path": "/a",
                "headers": {"Host": "h.example"},
                "max_early_data": 2048,
                "early_data_header_name": "Sec-WebSocket-Protocol",
            },
        ),
        (
            {"type": "httpupgrade", "path": "/u?ed=2048", "host": "h"},
            {"type": "httpupgrade", "path": "/u", "host": "h"},
        ),
        ({"type": "h2", "host": "a,b", "path": "p"}, {"type": "http", "host": ["a", "b"], "path": "/p"}),
        ({"type": "grpc", "servicename": "s", "mode": "gun"}, {"type": "grpc", "service_name": "s"}),
        ({"type": "quic"}, {"type": "quic"}),
    ],
)
def test_transports_become_sections(query: dict[str, str], section: Any) -> None:
    assert sections.transport_section(query, TLS) == (section, "")


def test_the_http_header_of_plain_tcp_is_http_without_tls_only() -> None:
    query = {"headertype": "http", "host": "a", "path": "/p"}
    assert sections.transport_section(query, None) == ({"type": "http", "host": ["a"], "path": "/p"}, "")
    assert sections.transport_section(query, TLS)[1] == sections.HEADER


@pytest.mark.parametrize(
    ("on", "query", "why"),
    [
        (True, {"type": "xhttp"}, sections.XHTTP),
        (True, {"type": "splithttp"}, sections.XHTTP),
        (False, {"type": "kcp"}, sections.KCP),
        (False, {"type": "mkcp"}, sections.KCP),
        (True, {"type": "carrier-pigeon"}, sections.OTHER),
        (True, {"headertype": "srtp"}, sections.OTHER),
        (True, {"type": "grpc", "mode": "multi"}, sections.MULTI),
        (True, {"type": "grpc", "authority": "a.example"}, sections.MULTI),
        (False, {"type": "h2"}, sections.BARE),
        (False, {"type": "quic"}, sections.BARE),
        (True, {"type": "quic", "quicsecurity": "aes-128-gcm"}, sections.OTHER),
    ],
)
def test_transports_that_sing_box_lacks_are_told(on: bool, query: dict[str, str], why: str) -> None:
    assert sections.transport_section(query, TLS if on else None)[1] == why
