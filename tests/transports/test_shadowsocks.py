from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import SHADOWSOCKS, b64, names, options, passwords, ports, quick, reason
from tests.transports.links import raises_nothing_but_rejected as survives
from transports import shadowsocks
from transports.shadowsocks import parse

KEY16 = "AAECAwQFBgcICQoLDA0ODw=="


def test_the_link_of_sip002() -> None:
    endpoint = parse(SHADOWSOCKS[0])
    assert (endpoint.transport, endpoint.host, endpoint.port) == ("shadowsocks", "192.0.2.10", 8388)
    assert endpoint.options == {
        "type": "shadowsocks",
        "server": "192.0.2.10",
        "server_port": 8388,
        "method": "aes-256-gcm",
        "password": "correct-horse",
    }
    assert endpoint.reveal() == SHADOWSOCKS[0]
    assert endpoint.untested == ""


def test_the_old_form_splits_at_the_last_at_sign_and_the_first_colon() -> None:
    assert options(parse(SHADOWSOCKS[1]))["password"] == "p@ss/word:x"


def test_a_key_of_2022_is_percent_encoded() -> None:
    assert options(parse(SHADOWSOCKS[2]))["password"] == KEY16


def test_a_plugin_and_its_options() -> None:
    found = options(parse(SHADOWSOCKS[3]))
    assert (found["plugin"], found["plugin_opts"]) == ("obfs-local", "obfs=http;obfs-host=www.example.com")


def test_differently_spelled_links_are_one_endpoint() -> None:
    spelled = (
        "ss://" + b64("aes-256-gcm:pw") + "@EXAMPLE.com:8388/?outline=1#one",
        "ss://" + b64("aes-256-gcm:pw").rstrip("=") + "@example.com:8388",
        "SS://aes-256-gcm:p%77@example.com.:8388#two",
        "ss://AES-256-GCM%3Apw@example.com:8388",
        "ss://" + b64("aes-256-gcm:pw@example.com:8388") + "#three",
        "ss://" + b64("aes-256-gcm:pw@example.com:8388").rstrip("=") + "/",
    )
    assert len({parse(text).key() for text in spelled}) == 1


def test_plugin_options_have_one_order_and_no_defaults() -> None:
    spelled = (
        "v2ray-plugin;tls;host=a.example;mode=websocket;path=/x;loglevel=none",
        "v2ray-plugin;host=a.example;path=/x;tls",
    )
    assert (
        len({parse("ss://aes-128-gcm:x@192.0.2.1:1/?plugin=" + quote(text)).key() for text in spelled}) == 1
    )


@pytest.mark.parametrize(
    "method", ["chacha20", "rc4", "salsa20", "bf-cfb", "camellia-128-cfb", "table", "aes-256-gcm-siv"]
)
def test_ciphers_that_sing_box_refuses_are_not_tested(method: str) -> None:
    assert parse(f"ss://{method}:x@192.0.2.1:1").untested == shadowsocks.CIPHER


@pytest.mark.parametrize(
    "plugin",
    [
        "xray-plugin;tls",
        "gost-plugin",
        "obfs-local;obfs=dance",
        "v2ray-plugin;mode=grpc",
        "v2ray-plugin;cert=/etc/x",
    ],
)
def test_plugins_that_sing_box_lacks_are_not_tested(plugin: str) -> None:
    endpoint = parse("ss://aes-128-gcm:x@192.0.2.1:1/?plugin=" + quote(plugin))
    assert endpoint.untested == shadowsocks.PLUGIN


def test_an_outline_prefix_is_kept_and_never_tested_without() -> None:
    plain = "ss://aes-256-gcm:x@192.0.2.1:1/?outline=1"
    with_prefix = parse(plain + "&prefix=%16%03%01%00%C2%A8%01%01")
    assert with_prefix.untested == shadowsocks.PREFIX
    assert options(with_prefix)["query"]["prefix"].encode("latin-1") == bytes.fromhex("16030100a80101")
    assert with_prefix.key() != parse(plain).key()
    assert parse(plain).untested == ""


def test_shadowsocks_inside_a_websocket_is_not_tested() -> None:
    assert parse("ss://aes-256-gcm:x@192.0.2.1:1/?type=ws&security=tls").untested == shadowsocks.CARRIED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ss://AAAA@192.0.2.1:1", "the part before the @ must be base64 of cipher:password"),
        ("ss://%%%", "this must be ss://base64 of cipher:password@host:port: copy the whole link"),
        ("ss://aes-256-gcm:x@192.0.2.1", "the port must be a number from 1 to 65535"),
        ("ss://aes-256-gcm:x@2001:db8::1:1", "an IPv6 address needs brackets: [2001:db8::1]:1080"),
        ("ss://aes-256-gcm:@192.0.2.1:1", "the password is missing: it stands before the @"),
        ("ss://rot13:x@192.0.2.1:1", "this Shadowsocks cipher is not known: copy the whole link"),
        (
            "ss://2022-blake3-aes-256-gcm:AAAA@192.0.2.1:1",
            "a 2022 cipher needs base64 of a key of {size} bytes",
        ),
        (
            "ss://2022-blake3-chacha20-poly1305:a:b@192.0.2.1:1",
            "only the AES ciphers of 2022 take several keys: ask for a corrected link",
        ),
        (
            "ss://aes-256-gcm:x@192.0.2.1:1?prefix=%D0%B0",
            "prefix= must be 1 to 32 bytes, each written as a character from 0 to 255",
        ),
        (
            "ss://aes-256-gcm:x@192.0.2.1:1?plugin=;",
            "plugin= must be a name and its options: copy the whole link",
        ),
    ],
)
def test_broken_links_are_turned_down(text: str, why: str) -> None:
    assert reason(parse, text) == why


def test_identity_keys_keep_their_order() -> None:
    two = f"{KEY16}:{KEY16.rstrip('=')}"
    assert (
        options(parse(f"ss://2022-blake3-aes-128-gcm:{quote(two)}@192.0.2.1:1"))["password"]
        == f"{KEY16}:{KEY16}"
    )


@quick
@given(passwords, names, ports, st.sampled_from(["aes-256-gcm", "chacha20-ietf-poly1305"]), st.integers(0, 2))
def test_drawn_fields_come_back(password: str, host: str, port: int, method: str, style: int) -> None:
    text = (
        f"ss://{b64(f'{method}:{password}')}@{host}:{port}",
        f"ss://{method}:{quote(password, safe='')}@{host}:{port}",
        f"ss://{b64(f'{method}:{password}@{host}:{port}')}",
    )[style]
    found = options(parse(text))
    assert (found["method"], found["password"], found["server"], found["server_port"]) == (
        method,
        password,
        host,
        port,
    )


def test_no_text_makes_it_raise_anything_else() -> None:
    survives(parse, *SHADOWSOCKS)
