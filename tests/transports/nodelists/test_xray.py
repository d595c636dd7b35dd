from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import PBK, UUID, quick, vmess
from transports import shadowsocks, sharelink_sections, trojan, vless
from transports import vmess as vmess_links
from transports.nodelists import common, xray
from transports.nodelists.xray import endpoints
from transports.types import Endpoint, Rejected

VNEXT = {"vnext": [{"address": "192.0.2.20", "port": 443, "users": [{"id": UUID, "encryption": "none"}]}]}
WS = {
    "network": "ws",
    "security": "tls",
    "tlsSettings": {"serverName": "a.example", "fingerprint": "chrome"},
    "wsSettings": {"path": "/p", "headers": {"Host": "a.example"}},
}
REALITY = {
    "network": "raw",
    "security": "reality",
    "realitySettings": {
        "serverName": "a.example",
        "publicKey": PBK,
        "shortId": "0a",
        "fingerprint": "firefox",
    },
}
SERVERS = {"servers": [{"address": "192.0.2.20", "port": 443, "method": "aes-256-gcm", "password": "x"}]}


def single(**node: Any) -> Endpoint:
    found = endpoints(json.dumps({"outbounds": [{"protocol": "freedom"}, node]}))
    assert found is not None
    assert [number for number, _ in found] == [2]
    item = found[0][1]
    assert isinstance(item, Endpoint), item
    return item


def test_xray_items_and_links_are_the_same_endpoints() -> None:
    made = (
        single(protocol="vmess", settings=VNEXT, streamSettings=WS),
        single(protocol="vless", settings=VNEXT, streamSettings=REALITY),
        single(protocol="vless", settings={"address": "192.0.2.20", "port": 443, "id": UUID}),
        single(protocol="trojan", settings=SERVERS, streamSettings={"security": "tls"}),
        single(protocol="shadowsocks", settings=SERVERS),
    )
    links = (
        vmess_links.parse(
            vmess(net="ws", path="/p", host="a.example", tls="tls", sni="a.example", fp="chrome")
        ),
        vless.parse(
            f"vless://{UUID}@192.0.2.20:443?security=reality&pbk={PBK}&sid=0a&sni=a.example&fp=firefox"
        ),
        vless.parse(f"vless://{UUID}@192.0.2.20:443"),
        trojan.parse("trojan://x@192.0.2.20:443"),
        shadowsocks.parse("ss://aes-256-gcm:x@192.0.2.20:443"),
    )
    assert [item.key() for item in made] == [link.key() for link in links]


@pytest.mark.parametrize(
    ("stream", "section"),
    [
        ({"network": "grpc", "grpcSettings": {"serviceName": "s"}}, {"type": "grpc", "service_name": "s"}),
        (
            {"network": "httpupgrade", "httpupgradeSettings": {"path": "/u", "host": "h"}},
            {"type": "httpupgrade", "path": "/u", "host": "h"},
        ),
        (
            {
                "tcpSettings": {
                    "header": {"type": "http", "request": {"path": ["/"], "headers": {"Host": ["h"]}}}
                }
            },
            {"type": "http", "host": ["h"]},
        ),
    ],
)
def test_transports(stream: dict[str, Any], section: dict[str, Any]) -> None:
    options = single(protocol="vless", settings=VNEXT, streamSettings=stream).options
    assert options is not None
    assert options["transport"] == section


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({"streamSettings": {"network": "xhttp", "xhttpSettings": {"path": "/x"}}}, sharelink_sections.XHTTP),
        ({"streamSettings": {"network": "kcp"}}, sharelink_sections.KCP),
        ({"proxySettings": {"tag": "other"}}, common.CHAIN),
        ({"streamSettings": {"sockopt": {"dialerProxy": "other"}}}, common.CHAIN),
        ({"protocol": "wireguard"}, common.UNKNOWN),
    ],
)
def test_what_cannot_be_tested_is_told(node: dict[str, Any], why: str) -> None:
    assert single(**{"protocol": "vless", "settings": VNEXT, **node}).untested == why


def test_a_plain_proxy_comes_out_plain() -> None:
    settings = {"servers": [{"address": "p.example", "port": 1080, "users": [{"user": "u", "pass": "p"}]}]}
    endpoint = single(protocol="socks", settings=settings)
    assert (endpoint.transport, endpoint.username, endpoint.password) == ("socks5", "u", "p")


def test_a_list_of_configurations_is_read_through() -> None:
    node = {"protocol": "vless", "settings": VNEXT}
    found = endpoints(json.dumps([{"outbounds": [node]}, {"outbounds": [node, {"protocol": "vless"}]}, node]))
    assert found is not None
    assert [number for number, _ in found] == [1, 2, 3, 4]
    broken = found[2][1]
    assert isinstance(broken, Rejected)
    assert broken.reason == xray.NO_SERVER


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"outbounds": [{"type": "vless"}]}', '{"protocol": 5}'])
def test_other_documents_are_none(text: str) -> None:
    assert endpoints(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.text(max_size=6),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=5,
)


@quick
@given(st.sampled_from(["vless", "vmess", "trojan", "shadowsocks", "socks"]), values)
def test_no_value_in_any_place_makes_it_raise(kind: str, value: Any) -> None:
    for settings in (
        value,
        {"vnext": value},
        {"servers": [value]},
        {"address": value, "port": value, "id": value},
    ):
        for stream in (value, {"network": value, "security": value}, {"network": "ws", "wsSettings": value}):
            endpoints(
                json.dumps(
                    {"outbounds": [{"protocol": kind, "settings": settings, "streamSettings": stream}]}
                )
            )
