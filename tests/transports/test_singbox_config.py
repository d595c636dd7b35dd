from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.singbox_config import Node, Surroundings, config, node, owners
from transports.types import CannotMeasure, Endpoint

ALL = frozenset({"with_quic", "with_utls", "with_wireguard", "with_gvisor"})
SHADOWSOCKS = {"type": "shadowsocks", "method": "aes-128-gcm", "password": "x"}
TLS = {"enabled": True, "server_name": "a.test"}
WIREGUARD: dict[str, Any] = {
    "type": "wireguard",
    "address": ["10.7.0.2/32"],
    "private_key": "x",
    "peers": [{"address": "elsewhere.test", "port": 1, "public_key": "y", "allowed_ips": ["0.0.0.0/0"]}],
}


def endpoint(options: dict[str, Any], host: str = "192.0.2.1") -> Endpoint:
    return Endpoint(transport="singbox", host=host, port=443, options=options)


def whole(*nodes: Node, **changes: Any) -> dict[str, Any]:
    around = Surroundings(port=1080, passwords=["p"] * len(nodes), **changes)
    answer = json.loads(config(nodes, around))
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    "options",
    [
        {**SHADOWSOCKS, "detour": "n1"},
        {**SHADOWSOCKS, "bind_interface": "eth0"},
        {**SHADOWSOCKS, "inet4_bind_address": "192.0.2.9"},
        {**SHADOWSOCKS, "routing_mark": 1},
        {**SHADOWSOCKS, "netns": "/proc/1/ns/net"},
        {**SHADOWSOCKS, "domain_resolver": "own"},
        {**SHADOWSOCKS, "tag": "block"},
        {**SHADOWSOCKS, "plugin": "obfs-local", "plugin_opts": "obfs=http;fast-open"},
        {**SHADOWSOCKS, "plugin": "v2ray-plugin", "plugin_opts": "tls;cert=/etc/passwd"},
        {**SHADOWSOCKS, "plugin": "v2ray-plugin", "plugin_opts": "tls;ce\\rt=/etc/passwd"},
        {**SHADOWSOCKS, "plugin": "/bin/sh"},
        {**SHADOWSOCKS, "password": {"a": 1}},
        {**SHADOWSOCKS, "password": "x" * 5000},
        {"type": "trojan", "password": "x", "tls": {**TLS, "certificate_path": "/etc/passwd"}},
        {"type": "trojan", "password": "x", "tls": {**TLS, "key_path": "/etc/passwd"}},
        {"type": "trojan", "password": "x", "tls": {**TLS, "ech": {"enabled": True}}},
        {"type": "trojan", "password": "x", "tls": {**TLS, "ech": {"config_path": "/etc/passwd"}}},
        {"type": "trojan", "password": "x", "tls": [1]},
        {"type": "ssh", "user": "u", "private_key_path": "/etc/ssl/private/key.pem"},
        {"type": "direct"},
        {"type": "selector", "outbounds": ["n0"]},
        {"type": "tor", "executable_path": "/bin/sh"},
        {"type": ["socks"]},
        {},
        {**WIREGUARD, "listen_port": 51820},
        {**WIREGUARD, "peers": WIREGUARD["peers"] * 2},
        {**WIREGUARD, "peers": []},
        {"type": "shadowtls", "version": 3, "password": "x", "tls": TLS},
        {**SHADOWSOCKS, "detour": {"type": "direct"}},
    ],
)
def test_settings_that_reach_beyond_the_node_are_not_let_through(options: dict[str, Any]) -> None:
    with pytest.raises(CannotMeasure):
        node(endpoint(options), ALL)


def test_the_reason_names_the_setting_but_never_its_value() -> None:
    with pytest.raises(CannotMeasure) as caught:
        node(endpoint({"type": "trojan", "tls": {"certificate_path": "/secret"}}), ALL)
    assert caught.value.values == {"setting": "tls.certificate_path"}
    with pytest.raises(CannotMeasure) as caught:
        node(endpoint({"type": "trojan", "\x1b[31m": 1}), ALL)
    assert caught.value.values == {"setting": "?"}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"type": "vless", "uuid": "x", "tls": {**TLS, "utls": {"enabled": True}}}, "uTLS"),
        ({"type": "vless", "uuid": "x", "tls": {**TLS, "reality": {"enabled": True}}}, "uTLS"),
        ({"type": "hysteria2", "password": "x", "tls": TLS}, "QUIC"),
        ({"type": "tuic", "uuid": "x", "tls": TLS}, "QUIC"),
        ({"type": "vless", "uuid": "x", "tls": TLS, "transport": {"type": "quic"}}, "QUIC"),
        (WIREGUARD, "WireGuard"),
    ],
)
def test_what_this_build_lacks_is_said_and_never_left_out(options: dict[str, Any], part: str) -> None:
    with pytest.raises(CannotMeasure) as caught:
        node(endpoint(options), frozenset({"with_clash_api"}))
    assert caught.value.values == {"part": part}
    node(endpoint(options), ALL)


def test_a_node_dials_the_endpoint_that_was_agreed_to_and_no_other() -> None:
    taken = node(endpoint({**SHADOWSOCKS, "server": "elsewhere.test", "server_port": 1}), ALL)
    assert (taken.options["server"], taken.options["server_port"]) == ("192.0.2.1", 443)
    peer = node(endpoint({**WIREGUARD, "system": True}), ALL).options
    assert (peer["peers"][0]["address"], peer["peers"][0]["port"], peer["system"]) == (
        "192.0.2.1",
        443,
        False,
    )


def test_the_reason_of_a_line_that_its_reader_found_untestable_is_kept() -> None:
    untested = Endpoint(transport="singbox", host="h", port=1, options=SHADOWSOCKS, untested="because")
    with pytest.raises(CannotMeasure, match="because"):
        node(untested, ALL)


def test_there_is_no_way_out_but_through_the_nodes() -> None:
    nodes = [node(endpoint(o), ALL) for o in (SHADOWSOCKS, WIREGUARD, {"type": "socks"})]
    built = whole(*nodes, tunnel_dns=("192.0.2.53", 53))
    assert {o["type"] for o in built["outbounds"]} == {"shadowsocks", "socks", "block"}
    assert built["route"]["final"] == "block"
    assert [r["outbound"] for r in built["route"]["rules"]] == ["n0", "n1", "n2"]
    assert built["dns"]["rules"][-1] == {"action": "reject"}
    assert {s["type"]: s.get("detour") for s in built["dns"]["servers"]} == {"local": None, "tcp": "n1"}
    assert [i["listen"] for i in built["inbounds"]] == ["127.0.0.1"]
    assert all(user["password"] for user in built["inbounds"][0]["users"])


def test_places_in_the_lists_lead_back_to_the_nodes() -> None:
    wrapped = {**SHADOWSOCKS, "detour": {"type": "shadowtls", "version": 3, "password": "x", "tls": TLS}}
    nodes = [node(endpoint(o), ALL) for o in (wrapped, WIREGUARD, SHADOWSOCKS)]
    built = whole(*nodes)
    outbounds, endpoints = owners(nodes)
    tags = [o["tag"].split("-")[0] for o in built["outbounds"][:-1]]
    assert tags == [f"n{index}" for index in outbounds]
    assert [e["tag"] for e in built["endpoints"]] == [f"n{index}" for index in endpoints]


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
values = st.recursive(leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v))
keys = st.sampled_from(
    ["tls", "peers", "transport", "detour", "plugin", "plugin_opts", "headers", "multiplex"]
)
kinds = st.sampled_from(["shadowsocks", "trojan", "vless", "wireguard", "http", "hysteria2", "ssh", "x"])


@given(kinds, st.dictionaries(keys | st.text(max_size=5), values, max_size=4))
def test_no_settings_can_do_worse_than_be_refused(kind: str, options: dict[str, Any]) -> None:
    try:
        taken = node(endpoint({**options, "type": kind}), ALL)
    except CannotMeasure:
        return
    assert whole(taken)["route"]["final"] == "block"


def test_no_secret_shows_when_settings_are_printed() -> None:
    taken = node(endpoint({**SHADOWSOCKS, "password": "verysecret"}), ALL)
    assert "verysecret" not in repr(taken) + repr(Surroundings(port=1, passwords=["verysecret"]))
