from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import KEY, PBK, UUID, options, quick, vmess
from transports import hysteria2, shadowsocks, sharelink_sections, trojan, tuic, vless, wireguard
from transports import vmess as vmess_links
from transports.nodelists import clash, common, yamltree
from transports.nodelists.clash import endpoints
from transports.types import Endpoint, Rejected

DOCUMENT = f"""\
mixed-port: 7890
base: &base
  type: vless
  port: 443
  uuid: {UUID}
proxies:
  - {{name: a, type: ss, server: 192.0.2.10, port: 8388, cipher: aes-256-gcm, password: 0123, udp: true}}
  - name: b
    type: vmess
    server: 192.0.2.20
    port: 443
    uuid: {UUID}
    alterId: 0
    cipher: auto
    tls: true
    servername: cdn.example.com
    client-fingerprint: chrome
    network: ws
    ws-opts:
      path: /chat
      headers: {{Host: cdn.example.com}}
  - <<: *base
    name: c
    server: 192.0.2.30
    tls: true
    flow: xtls-rprx-vision
    servername: www.example.com
    reality-opts: {{public-key: {PBK}, short-id: 0123abcd}}
  - {{name: d, type: trojan, server: t.example, port: 443, password: pw, skip-cert-verify: true}}
  - {{name: e, type: hysteria2, server: h.example, ports: 443/5000-6000, password: pw, sni: s.example}}
  - {{name: f, type: tuic, server: q.example, port: 443, uuid: {UUID}, password: pw, congestion-controller: bbr}}
  - {{name: g, type: wireguard, server: w.example, port: 51820, ip: 10.0.0.2, private-key: {KEY}, public-key: {KEY}}}
  - {{name: h, type: socks5, server: p.example, port: 1080, username: u, password: p}}
  - {{name: i, type: snell, server: s.example, port: 1, psk: x}}
  - {{name: j, type: ss, server: x.example, port: 0, cipher: aes-256-gcm, password: x}}
  - just words
rules: ["MATCH,DIRECT"]
"""


def found(text: str = DOCUMENT) -> list[tuple[int, Endpoint | Rejected]]:
    items = endpoints(text)
    assert items is not None
    return items


def single(fields: str) -> Endpoint:
    (_, item) = found("proxies:\n - {name: x, server: a.example, port: 443, " + fields + "}\n")[0]
    assert isinstance(item, Endpoint), item
    return item


def test_every_item_has_its_line_and_fails_alone() -> None:
    items = found()
    lines = [number for number, line in enumerate(DOCUMENT.splitlines(), 1) if line.startswith("  - ")]
    assert [line for line, _ in items] == lines
    reasons = [item.reason for _, item in items if isinstance(item, Rejected)]
    assert reasons == ["the port must be a number from 1 to 65535", common.NO_ITEM]


def test_clash_items_and_links_are_the_same_endpoints() -> None:
    links = (
        shadowsocks.parse("ss://aes-256-gcm:0123@192.0.2.10:8388"),
        vmess_links.parse(
            vmess(
                net="ws", host="cdn.example.com", path="/chat", tls="tls", sni="cdn.example.com", fp="chrome"
            )
        ),
        vless.parse(
            f"vless://{UUID}@192.0.2.30:443?flow=xtls-rprx-vision&security=reality&sni=www.example.com"
            f"&pbk={PBK}&sid=0123abcd"
        ),
        trojan.parse("trojan://pw@t.example:443?allowInsecure=1"),
        hysteria2.parse("hy2://pw@h.example:443,5000-6000?sni=s.example"),
        tuic.parse(f"tuic://{UUID}:pw@q.example:443?congestion_control=bbr"),
        wireguard.parse(f"wg://{KEY.replace('=', '%3D')}@w.example:51820?publickey={KEY}&address=10.0.0.2"),
    )
    built = [item.key() for _, item in found() if isinstance(item, Endpoint)]
    assert built[: len(links)] == [link.key() for link in links]


def test_a_plain_proxy_comes_out_plain_and_an_unknown_kind_is_told() -> None:
    socks, snell = (item for _, item in found()[7:9])
    assert isinstance(socks, Endpoint)
    assert (socks.transport, socks.username, socks.password) == ("socks5", "u", "p")
    assert isinstance(snell, Endpoint)
    assert snell.untested == common.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "transport"),
    [
        ("network: grpc, grpc-opts: {grpc-service-name: s}", {"type": "grpc", "service_name": "s"}),
        (
            "network: h2, h2-opts: {host: [h.example], path: /p}",
            {"type": "http", "host": ["h.example"], "path": "/p"},
        ),
        (
            "network: ws, ws-opts: {path: /u, v2ray-http-upgrade: true, headers: {host: h.example}}",
            {"type": "httpupgrade", "path": "/u", "host": "h.example"},
        ),
    ],
)
def test_transports(fields: str, transport: dict[str, object]) -> None:
    endpoint = single(f"type: vless, uuid: {UUID}, tls: true, {fields}")
    assert options(endpoint)["transport"] == transport
    assert endpoint.untested == ""


def test_a_plugin_becomes_that_of_a_link() -> None:
    fields = (
        "type: ss, cipher: aes-256-gcm, password: x, plugin: obfs, plugin-opts: {mode: tls, host: h.example}"
    )
    link = "ss://aes-256-gcm:x@a.example:443/?plugin=obfs-local%3Bobfs%3Dtls%3Bobfs-host%3Dh.example"
    assert single(fields).key() == shadowsocks.parse(link).key()
    fields = (
        "type: ss, cipher: aes-256-gcm, password: x, plugin: v2ray-plugin, "
        "plugin-opts: {mode: websocket, tls: true, host: h.example, mux: true}"
    )
    link = "ss://aes-256-gcm:x@a.example:443/?plugin=v2ray-plugin%3Btls%3Bhost%3Dh.example"
    assert single(fields).key() == shadowsocks.parse(link).key()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (f"type: vless, uuid: {UUID}, network: xhttp", sharelink_sections.XHTTP),
        (f"type: vless, uuid: {UUID}, dialer-proxy: other", common.CHAIN),
        ("type: trojan, password: x, fingerprint: aabb", sharelink_sections.PINNED),
        ("type: trojan, password: x, ech-opts: {enable: true}", sharelink_sections.ECH),
        ("type: trojan, password: x, ss-opts: {enabled: true, method: m}", clash.ODD),
        ("type: socks5, tls: true", clash.ODD),
        ("type: http, tls: true, skip-cert-verify: true", clash.ODD),
        ("type: ss, cipher: aes-256-gcm, password: x, plugin: shadow-tls", shadowsocks.PLUGIN),
        (
            f"type: wireguard, ip: 10.0.0.2, private-key: {KEY}, public-key: {KEY}, amnezia-wg-option: {{jc: 4}}",
            wireguard.AMNEZIA,
        ),
    ],
)
def test_what_sing_box_lacks_is_not_tested(fields: str, why: str) -> None:
    assert single(fields).untested == why


@pytest.mark.parametrize(
    "text", ["", "ss://x@y:1", "rules: []", "a proxies: b", "proxies:\n", "- proxies: 1", "proxies: 5"]
)
def test_other_documents_are_none(text: str) -> None:
    assert endpoints(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("proxies: [", yamltree.NO_YAML),
        ("proxies: *nowhere", yamltree.NO_YAML),
        ("proxies:\n- &a [*a]\n", yamltree.NO_YAML),
        ("proxies: " + "[" * 100_000, yamltree.TOO_BIG),
        ("proxies:\n" + "- " * 100_000, yamltree.TOO_BIG),
        ("proxies:\n" + "? " * 100_000, yamltree.TOO_BIG),
        ("proxies: [[" + ",".join("a" * 300_000) + "]]", yamltree.TOO_BIG),
        ("proxies:\n- " + "[" * 50 + "]" * 50, yamltree.TOO_BIG),
        ("proxies:\n- {type: ss, server: a, port: 1, x: '" + "y" * 20_000 + "'}", "this kind of node"),
    ],
)
def test_broken_documents_say_so(text: str, why: str) -> None:
    if why == "this kind of node":
        why = "this entry of the document is too long"
        text = text.replace("type: ss", "type: trojan, password: x")
    (item,) = [item for _, item in found(text)]
    assert isinstance(item, Rejected)
    assert item.reason == why


def test_a_bomb_of_aliases_does_not_grow() -> None:
    layers = ["a0: &a0 {x: 1}"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    merges = [
        "m0: &m0 {x: 1}",
        *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 12)),
    ]
    text = "\n".join([*layers, *merges, "proxies:", "- *a11", "- {<<: *m11}"])
    assert [getattr(item, "reason", None) for _, item in found(text)] == [yamltree.TOO_BIG, yamltree.TOO_BIG]


def test_a_yaml_tag_makes_no_object() -> None:
    text = "proxies:\n- !!python/object/apply:os.getcwd []\n- {type: !!python/name:os.system x, server: a, port: 1}\n"
    assert all(isinstance(item, Rejected) or item.untested for _, item in found(text))


def test_limits_of_length_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [getattr(item, "reason", "") for _, item in found("proxies:\n" + "#" * 5_300_000)] == [
        common.TOO_LONG
    ]
    monkeypatch.setattr(common, "MOST_ITEMS", 2)
    items = found("proxies:\n" + "- {type: trojan, server: a, port: 1, password: x}\n" * 4)
    assert [type(item) for _, item in items] == [Endpoint, Endpoint, Rejected]
    assert getattr(items[-1][1], "reason", "") == common.TOO_MANY


@quick
@given(st.text(max_size=60), st.integers(0, len(DOCUMENT)), st.text("{}[]:-&*!<>|\"' \n\tx1", max_size=6))
def test_no_text_makes_it_raise(noise: str, place: int, filling: str) -> None:
    endpoints("proxies:\n" + noise)
    endpoints(DOCUMENT[:place] + filling + DOCUMENT[place + len(filling) :])


def test_nodes_before_the_broken_place_are_kept() -> None:
    items = found("proxies:\n- {type: trojan, server: a, port: 1, password: x}\n- {type: [\n}\n")
    assert [(line, type(item)) for line, item in items] == [(2, Endpoint), (4, Rejected)]


def test_a_large_part_that_is_not_needed_costs_nothing() -> None:
    rules = "rules:\n" + "- DOMAIN,a.example,DIRECT\n" * 100_000
    assert len(found(rules + DOCUMENT)) == len(found())
