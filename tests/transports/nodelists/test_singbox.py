from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import TESTABLE, UUID, options, quick
from transports import (
    anytls,
    hysteria2,
    shadowsocks,
    sharelink_sections,
    trojan,
    tuic,
    vless,
    vmess,
    wireguard,
)
from transports.nodelists import common, singbox
from transports.nodelists.singbox import endpoints
from transports.types import Endpoint, Rejected

MODULES = (shadowsocks, vmess, vless, trojan, hysteria2, tuic, anytls, wireguard)
PARSERS = {scheme: module.parse for module in MODULES for scheme in module.SCHEMES}
SERVER = {"server": "a.example", "server_port": 443}


def items(*nodes: Any) -> list[Endpoint | Rejected]:
    found = endpoints(json.dumps({"outbounds": [{"type": "direct", "tag": "d"}, *nodes]}))
    assert found is not None
    return [item for _, item in found]


def single(*nodes: Any) -> Endpoint:
    item = items(*nodes)[0]
    assert isinstance(item, Endpoint), item
    return item


@pytest.mark.parametrize("text", TESTABLE)
def test_what_a_link_becomes_is_read_back_as_the_same_endpoint(text: str) -> None:
    link = PARSERS[text.partition("://")[0]](text)
    assert single({"tag": "n", **options(link)}).key() == link.key()


def test_what_only_this_machine_needs_is_left_out() -> None:
    node = {"type": "trojan", **SERVER, "password": "x", "tls": {"enabled": True}}
    local = {
        "domain_resolver": "d",
        "bind_interface": "eth0",
        "multiplex": {"enabled": True},
        "network": "tcp",
    }
    assert single(node | local).key() == single(node).key()
    assert single(node).key() == trojan.parse("trojan://x@a.example:443").key()


def test_the_tls_switches_of_sing_box_are_kept() -> None:
    tls = {"enabled": True, "fragment": True, "record_fragment": True}
    assert options(single({"type": "trojan", **SERVER, "password": "x", "tls": tls}))["tls"] == tls | {
        "server_name": "a.example"
    }


@pytest.mark.parametrize(
    "extra",
    [
        {"surprise": 1},
        {"tls": {"enabled": True, "certificate_path": "/etc/x"}},
        {"transport": {"type": "ws", "surprise": 1}},
        {"transport": {"type": "ws", "headers": {"X-Key": "1"}}},
    ],
)
def test_settings_that_are_not_known_are_never_passed_on(extra: dict[str, Any]) -> None:
    endpoint = single({"type": "trojan", **SERVER, "password": "x", **extra})
    assert endpoint.untested == singbox.ODD


def test_programs_are_never_taken_from_a_document() -> None:
    node = {"type": "tor", **SERVER, "executable_path": "/bin/sh", "extra_args": ["-c", "x"]}
    assert single(node).untested == common.UNKNOWN
    assert isinstance(items({"type": "tor", "executable_path": "/bin/sh"})[0], Rejected)


def test_shadowtls_and_what_runs_inside_are_one_unit() -> None:
    inside = {"type": "shadowsocks", "tag": "s", "method": "aes-128-gcm", "password": "x", "detour": "t"}
    outer = {
        "type": "shadowtls",
        "tag": "t",
        **SERVER,
        "version": 3,
        "password": "p",
        "tls": {"enabled": True},
    }
    assert len(items(inside, outer)) == 1
    endpoint = single(inside, outer)
    assert (endpoint.transport, endpoint.host, endpoint.port, endpoint.untested) == (
        "singbox",
        "a.example",
        443,
        "",
    )
    assert endpoint.options == {
        "type": "shadowsocks",
        "method": "aes-128-gcm",
        "password": "x",
        "detour": {
            "type": "shadowtls",
            **SERVER,
            "version": 3,
            "password": "p",
            "tls": {"enabled": True, "server_name": "a.example"},
        },
    }


def test_other_chains_are_not_tested() -> None:
    node = {"type": "trojan", **SERVER, "password": "x", "detour": "hop"}
    hop = {"type": "socks", "tag": "hop", "server": "b.example", "server_port": 1}
    assert single(node, hop).untested == common.CHAIN
    missing = items(node)[0]
    assert isinstance(missing, Rejected)
    assert missing.reason == singbox.PARTED


@pytest.mark.parametrize(
    ("node", "transport"),
    [
        ({"type": "socks", "username": "u", "password": "p"}, "socks5"),
        ({"type": "socks", "version": "4a"}, "socks4a"),
        ({"type": "http"}, "http"),
        ({"type": "http", "tls": {"enabled": True}}, "https"),
    ],
)
def test_plain_proxies_come_out_plain(node: dict[str, Any], transport: str) -> None:
    endpoint = single(node | SERVER)
    assert (endpoint.transport, endpoint.options, endpoint.untested) == (transport, None, "")


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({"type": "ssh", "user": "u"}, common.UNKNOWN),
        ({"type": "http", "tls": {"enabled": True, "insecure": True}}, singbox.ODD),
        (
            {"type": "vless", "uuid": UUID, "tls": {"enabled": True, "ech": {"enabled": True}}},
            sharelink_sections.ECH,
        ),
        ({"type": "hysteria2", "password": "x", "obfs": {"type": "gecko"}}, hysteria2.GECKO),
    ],
)
def test_what_cannot_be_tested_is_told(node: dict[str, Any], why: str) -> None:
    assert single(node | SERVER).untested == why


def test_endpoints_stand_after_outbounds_and_keep_their_ordinal() -> None:
    link = PARSERS["wireguard"](next(text for text in TESTABLE if text.startswith("wireguard")))
    text = json.dumps({"outbounds": [{"type": "direct"}], "endpoints": [{"tag": "w", **options(link)}]})
    found = endpoints(text)
    assert found is not None
    assert [number for number, _ in found] == [2]
    assert isinstance(found[0][1], Endpoint)


def test_an_item_that_is_no_object_fails_alone() -> None:
    found = items({"type": "trojan", **SERVER, "password": "x"}, 5, {"type": "trojan"})
    assert [type(item) for item in found] == [Endpoint, Rejected, Rejected]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1]", '{"outbounds": 5}', '{"outbounds": [{"protocol": "vless"}]}']
)
def test_other_documents_are_none(text: str) -> None:
    assert endpoints(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.text(max_size=6),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "server",
    "server_port",
    "server_ports",
    "tls",
    "transport",
    "peers",
    "password",
    "uuid",
    "method",
    "obfs",
)


@quick
@given(st.sampled_from(["shadowsocks", *PARSERS, "socks", "http", "shadowtls"]), st.data())
def test_no_value_in_any_place_makes_it_raise(kind: str, data: st.DataObject) -> None:
    node = {"type": kind, "tag": "a", **SERVER, "password": "x", "uuid": UUID, "method": "aes-128-gcm"}
    field = data.draw(st.sampled_from(FIELDS))
    value = data.draw(values)
    nested = {"tls": {"enabled": True, "server_name": value, "reality": value, "alpn": value, "utls": value}}
    nested["transport"] = {"type": "ws", "path": value, "headers": value, "host": value}
    items(node | {field: value}, node | nested, {**node, "detour": "a"})
