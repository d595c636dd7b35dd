"""Share links, Telegram's links and SIP008: what is written is read back as the same entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import parse
from client.export import common, links, sharelinks
from tests.client.export.made import HOSTILE, option, options, proxy, reasons, text, written
from tests.transports.links import KEY, PBK, TESTABLE, UUID, names, passwords, ports, quick
from transports import nodelists
from transports.registry import PARSERS
from transports.types import Endpoint, Rejected


def read(link: str) -> Endpoint:
    return PARSERS[link.partition("://")[0].lower()](link)


def keys(document: str) -> list[str]:
    found = nodelists.convert(document)
    assert found is not None
    return [item.key() for _, item in found if isinstance(item, Endpoint)]


@pytest.mark.parametrize("link", TESTABLE)
def test_an_example_written_anew_means_the_same(link: str) -> None:
    endpoint = read(link)
    again = sharelinks.write(endpoint)
    assert again != ""
    assert read(again).key() == endpoint.key()


Draw = Callable[[st.SearchStrategy[Any]], Any]
hosts = st.one_of(names, st.ip_addresses().map(str))
flags = st.booleans()
paths = st.text("abc/%?=&é ", max_size=12)
shapes = st.sampled_from(["", "chrome", "firefox"])


@st.composite
def queries(draw: st.DrawFn, *, kinds: tuple[str, ...], tls: tuple[str, ...]) -> dict[str, str]:
    """Draw a query as people's links have it."""
    query = {
        "type": draw(st.sampled_from(kinds)),
        "security": draw(st.sampled_from(tls)),
        "sni": draw(st.one_of(st.just(""), names)),
        "fp": draw(shapes),
        "alpn": draw(st.sampled_from(["", "h2", "h2,http/1.1", "h3"])),
        "insecure": "1" if draw(flags) else "",
        "host": draw(st.one_of(st.just(""), names)),
        "path": draw(paths),
        "ed": draw(st.sampled_from(["", "2048"])),
        "eh": draw(st.sampled_from(["", "X-Early"])),
        "servicename": draw(st.text("abc", max_size=5)),
        "pbk": PBK,
        "sid": draw(st.sampled_from(["", "0123abcd"])),
    }
    return {name: value for name, value in query.items() if value}


KINDS = ("tcp", "ws", "httpupgrade", "http", "grpc", "quic")


def _vless(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import vless

    return vless.build(host, port, UUID, draw(queries(kinds=KINDS, tls=("none", "tls", "reality"))), "")


def _vmess(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import vmess

    query = draw(queries(kinds=KINDS, tls=("none", "tls")))
    cipher = draw(st.sampled_from(["", "auto", "none", "aes-128-gcm"]))
    return vmess.build(host, port, UUID, draw(st.sampled_from(["", "0", "4"])), cipher, query, "")


def _trojan(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import trojan

    query = draw(queries(kinds=KINDS, tls=("none", "tls", "reality")))
    return trojan.build(host, port, draw(passwords), query, "")


def _shadowsocks(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import shadowsocks

    plugins = ["", "obfs-local;obfs=tls;obfs-host=a.example", "v2ray-plugin;tls;host=a.example;path=/x\\;y"]
    method = draw(st.sampled_from(["aes-256-gcm", "2022-blake3-aes-256-gcm", "none"]))
    password = KEY if method.startswith("2022") else draw(passwords)
    return shadowsocks.build(host, port, method, password, {"plugin": draw(st.sampled_from(plugins))}, "")


def _hysteria2(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import hysteria2

    ports_ = draw(st.sampled_from([str(port), "443,5000-6000", "7000-7001"]))
    query = {"sni": "a.example", "insecure": "1" if draw(flags) else "", "alpn": "h3"}
    query |= {"obfs": "salamander", "obfs-password": draw(passwords)} if draw(flags) else {}
    return hysteria2.build(host, ports_, draw(passwords), query, "")


def _tuic(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import tuic

    query = {
        "congestion_control": draw(st.sampled_from(["", "bbr", "new_reno"])),
        "udp_relay_mode": draw(st.sampled_from(["", "quic"])),
        "allow_insecure": "1" if draw(flags) else "",
        "disable_sni": "1" if draw(flags) else "",
    }
    return tuic.build(host, port, UUID, draw(passwords), query, "")


def _anytls(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import anytls

    query = draw(queries(kinds=("tcp",), tls=("", "reality")))
    return anytls.build(host, port, draw(passwords), query, "")


def _wireguard(draw: Draw, host: str, port: int) -> Endpoint:
    from transports import wireguard

    query = {
        "publickey": KEY,
        "address": "10.0.0.2/32,fd00::2/128",
        "mtu": draw(st.sampled_from(["", "1300"])),
    }
    query |= {"presharedkey": KEY, "reserved": "1,2,3"} if draw(flags) else {"allowedips": "10.0.0.0/8"}
    return wireguard.build(host, port, KEY, query, "")


BUILDERS: tuple[Callable[[Draw, str, int], Endpoint], ...] = (
    *(_vless, _vmess, _trojan, _shadowsocks),
    *(_hysteria2, _tuic, _anytls, _wireguard),
)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_node_without_a_link_gets_one_that_means_the_same(
    build: Callable[[Draw, str, int], Endpoint],
) -> None:
    @quick
    @given(hosts, ports, st.data())
    def check(host: str, port: int, data: st.DataObject) -> None:
        try:
            endpoint = build(data.draw, host, port)
        except Rejected:
            return
        way = (endpoint.options or {}).get("transport", {})
        if endpoint.untested or way.get("path", "").endswith(" "):  # a last blank is cut off by every reader
            return
        made = text("links", [option(endpoint)])
        assert read(made.strip()).key() == endpoint.key()
        assert made.strip().isascii()
        assert made.strip().isprintable()

    check()


@pytest.mark.parametrize("build", BUILDERS)
def test_clash_reads_back_what_it_is_given(build: Callable[[Draw, str, int], Endpoint]) -> None:
    held = 0

    @quick
    @given(hosts, ports, st.data())
    def check(host: str, port: int, data: st.DataObject) -> None:
        nonlocal held
        try:
            endpoint = build(data.draw, host, port)
        except Rejected:
            return
        made = written("clash", [option(endpoint)])
        held += len(made.held)
        if made.held:
            assert isinstance(made.content, str)
            assert keys(made.content) == [endpoint.key()]

    check()
    assert held > 10


def test_a_link_goes_out_as_it_came_without_its_name() -> None:
    made = text("links", options("vless://" + UUID + "@192.0.2.30:443?security=tls&type=tcp#\u202eBUY NOW"))
    assert made == f"vless://{UUID}@192.0.2.30:443?security=tls&type=tcp\n"


@pytest.mark.parametrize("secret", HOSTILE)
@pytest.mark.parametrize("kind", ["socks5", "http", "https"])
def test_a_plain_proxy_with_a_hostile_password_is_read_back(kind: str, secret: str) -> None:
    given_ = proxy(kind, user=secret, password=secret)
    made = text("links", [given_]).strip()
    assert read(made).key() == given_.endpoint.key()
    assert made.isascii()


def test_a_link_that_nothing_here_can_test_is_passed_on() -> None:
    link = "naive+https://user:pass@192.0.2.8:443"
    assert text("links", options(link + "#x")) == link + "\n"


def test_what_no_link_can_say_is_left_out() -> None:
    inside = {"type": "shadowsocks", "method": "none", "password": "", "detour": {"type": "shadowtls"}}
    node = Endpoint(transport="singbox", host="192.0.2.1", port=443, options=inside)
    auto = proxy("auto")
    made = written("links", [option(node), auto, *options("tor")])
    assert made.content == ""
    assert reasons(made) == [common.NO_WORDS, common.UNKNOWN_KIND, links.BRIDGE]


def test_a_path_that_every_reader_would_cut_is_left_out() -> None:
    way = {"type": "ws", "path": "/a "}
    settings = {"type": "vless", "server": "192.0.2.1", "server_port": 1, "uuid": UUID, "transport": way}
    node = Endpoint(transport="vless", host="192.0.2.1", port=1, options=settings)
    assert reasons(written("links", [option(node)])) == [common.NO_WORDS]


def test_settings_of_an_unusual_shape_are_no_accident() -> None:
    node = Endpoint(transport="vless", host="192.0.2.1", port=443, options={"type": "vless", "tls": {}})
    assert sharelinks.write(node) == ""
    assert reasons(written("clash", [option(node)])) == [common.NO_WORDS]


TELEGRAM = "tg://proxy?server=192.0.2.1&port=443&secret=dd000102030405060708090a0b0c0d0e0f"


def test_telegram_gets_both_forms() -> None:
    made = text("telegram", options(TELEGRAM)).splitlines()
    assert made == [TELEGRAM, TELEGRAM.replace("tg://", "https://t.me/")]
    assert text("links", options(TELEGRAM)).strip() == TELEGRAM


@pytest.mark.parametrize("secret", HOSTILE)
def test_telegram_reads_a_hostile_password_back(secret: str) -> None:
    given_ = proxy("socks5", user=secret, password=secret)
    for line in text("telegram", [given_]).splitlines():
        (found,) = parse.read([("x", line)]).candidates
        assert found.endpoint.key() == given_.endpoint.key()


def test_telegram_takes_no_http_proxy() -> None:
    assert reasons(written("telegram", [proxy("http")])) == [common.OTHER_KIND]


@quick
@given(hosts, ports, st.data())
def test_sip008_reads_back_what_it_is_given(host: str, port: int, data: st.DataObject) -> None:
    endpoint = _shadowsocks(data.draw, host, port)
    made = text("sip008", [option(endpoint), proxy("socks5")])
    assert keys(made) == [endpoint.key()]


def test_sip008_has_the_fields_of_its_specification() -> None:
    document: dict[str, Any] = json.loads(text("sip008", options(TESTABLE[0], TESTABLE[1])))
    assert document["version"] == 1
    first, second = document["servers"]
    names_ = {"id", "remarks", "server", "server_port", "password", "method", "plugin", "plugin_opts"}
    assert first.keys() == names_
    assert isinstance(first["server_port"], int)
    assert first["id"] != second["id"]


def test_sip008_holds_shadowsocks_only_and_no_prefix() -> None:
    outline = "ss://YWVzLTI1Ni1nY206eA@192.0.2.10:8388/?outline=1&prefix=%16%03"
    made = written("sip008", [*options(outline), proxy("socks5")])
    assert reasons(made) == [common.NO_WORDS, common.OTHER_KIND]
