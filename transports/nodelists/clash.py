"""Clash and mihomo YAML: the list under the top-level `proxies:`.

Every scalar comes as text (see `yamltree`): `tls: true` is the word true.
"""

from __future__ import annotations

import re
from typing import Final

from transports import anytls, hysteria2, shadowsocks, trojan, tuic, vless, vmess, wireguard
from transports.nodelists.common import (
    CHAIN,
    MAX_TEXT,
    UNKNOWN,
    Item,
    Items,
    collect,
    dump,
    inner,
    not_tested,
    place,
    plain,
    too_long,
    untested,
    words,
)
from transports.types import N_, Endpoint

_MARK: Final = re.compile(r"^(?:\{\s*)?[\"']?proxies[\"']?\s*:", re.MULTILINE)
_COSMETIC: Final = ("name", "udp", "tfo", "mptcp", "ip-version", "smux")

ODD: Final = N_("this node needs settings that sing-box does not have")


def endpoints(text: str) -> Items | None:
    """Return the nodes with their line numbers, None if there is no top-level `proxies:`."""
    if not _MARK.search(text):
        return None
    if len(text) > MAX_TEXT:
        return too_long()
    from transports.nodelists.yamltree import Tree  # YAML is dear to load, and few lists are YAML

    tree = Tree(text)
    found = collect(tree.items("proxies"), _build)
    return found if found or tree.found else None


def _build(item: Item) -> Endpoint:
    kind = words(item.get("type")).lower()
    if kind in ("hysteria2", "hy2") and item.get("ports"):
        item = {"port": words(item["ports"]).replace("/", ",").split(",")[0].split("-")[0], **item}
    if kind == "wireguard":
        return _wireguard(item)
    host, port = place(item)
    build = _BUILDERS.get(kind)
    if build is None:
        return untested(kind, host, port, item, _COSMETIC, UNKNOWN)
    endpoint = build(host, port, item, _query(item), dump(item))
    through = words(item.get("dialer-proxy"))
    return not_tested(endpoint, CHAIN, through) if through else endpoint


def _query(item: Item) -> dict[str, str]:
    """Return the common query of share links for a Clash item."""
    reality = inner(item, "reality-opts")
    query = {
        "security": "reality" if reality else "tls" if _on(item, "tls") else "",
        "sni": words(item.get("servername") or item.get("sni")),
        "insecure": "1" if _on(item, "skip-cert-verify") else "",
        "alpn": words(item.get("alpn")),
        "fp": words(item.get("client-fingerprint")),
        "pcs": words(item.get("fingerprint")),
        "pbk": words(reality.get("public-key")),
        "sid": words(reality.get("short-id")),
        "ech": "1" if _on(inner(item, "ech-opts"), "enable") else "",
    }
    query |= _carrier(item, words(item.get("network")).lower())
    return {name: value for name, value in query.items() if value}


def _carrier(item: Item, network: str) -> dict[str, str]:
    if network == "ws":
        options = inner(item, "ws-opts")
        headers = inner(options, "headers") or inner(item, "ws-headers")
        return {
            "type": "httpupgrade" if _on(options, "v2ray-http-upgrade") else "ws",
            "path": words(options.get("path") or item.get("ws-path")),
            "host": _header(headers),
            "ed": words(options.get("max-early-data")),
            "eh": words(options.get("early-data-header-name")),
        }
    if network == "grpc":
        return {"type": "grpc", "servicename": words(inner(item, "grpc-opts").get("grpc-service-name"))}
    if network == "h2":
        options = inner(item, "h2-opts")
        return {"type": "http", "host": words(options.get("host")), "path": words(options.get("path"))}
    if network == "http":
        options = inner(item, "http-opts")
        path = words(options.get("path")).partition(",")[0]
        return {"headertype": "http", "path": path, "host": _header(inner(options, "headers"))}
    return {"type": network}


def _header(headers: Item) -> str:
    return next((words(value) for name, value in headers.items() if name.lower() == "host"), "")


def _on(item: Item, name: str) -> bool:
    return words(item.get(name)).lower() in ("1", "true", "yes", "on")


def _shadowsocks(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    plugin = words(item.get("plugin")).lower()
    options = inner(item, "plugin-opts")
    pieces = [plugin]
    for name, value in options.items():
        shown = words(value)
        if shown == "false" or (name == "mux" and shown == "true"):
            continue
        if plugin == "obfs":
            name = {"mode": "obfs", "host": "obfs-host"}.get(name, name)
        escaped = shown.replace("\\", "\\\\").replace(";", "\\;")
        pieces.append(name if shown == "true" else f"{name}={escaped}")
    found = {"plugin": ";".join(pieces)} if plugin else {}
    method, password = words(item.get("cipher")), words(item.get("password"))
    return shadowsocks.build(host, port, method, password, found, text)


def _vmess(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    alter, cipher = words(item.get("alterId")), words(item.get("cipher"))
    return vmess.build(host, port, words(item.get("uuid")), alter, cipher, query, text)


def _vless(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    query |= {"flow": words(item.get("flow")), "encryption": words(item.get("encryption"))}
    return vless.build(host, port, words(item.get("uuid")), query, text)


def _trojan(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    endpoint = trojan.build(host, port, words(item.get("password")), query, text)
    inside = _on(inner(item, "ss-opts"), "enabled")
    return not_tested(endpoint, ODD, dump(inner(item, "ss-opts"))) if inside else endpoint


def _hysteria2(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    query |= {"obfs": words(item.get("obfs")), "obfs-password": words(item.get("obfs-password"))}
    ports = words(item.get("ports")).replace("/", ",") or str(port)
    password = words(item.get("password") or item.get("auth"))
    return hysteria2.build(host, ports, password, query, text)


def _tuic(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    names = ("congestion-controller", "udp-relay-mode", "token")
    query |= {name: words(item.get(name)) for name in names}
    query["disable-sni"] = "1" if _on(item, "disable-sni") else ""
    return tuic.build(host, port, words(item.get("uuid")), words(item.get("password")), query, text)


def _anytls(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    return anytls.build(host, port, words(item.get("password")), query, text)


def _proxy(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    socks = item.get("type") == "socks5"
    kind = "socks5" if socks else "https" if query.get("security") else "http"
    endpoint = plain(kind, host, port, words(item.get("username")), words(item.get("password")))
    odd = query.get("sni", host) != host or (socks and "security" in query)
    return not_tested(endpoint, ODD, text) if odd or "insecure" in query or "pcs" in query else endpoint


def _wireguard(item: Item) -> Endpoint:
    peers = item.get("peers")
    peer = peers[0] if isinstance(peers, list) and len(peers) == 1 and isinstance(peers[0], dict) else item
    host, port = place(peer)
    query = {
        "publickey": words(peer.get("public-key")),
        "presharedkey": words(peer.get("pre-shared-key")),
        "reserved": words(peer.get("reserved")),
        "allowedips": words(peer.get("allowed-ips")),
        "address": ",".join(part for part in (words(item.get("ip")), words(item.get("ipv6"))) if part),
        "mtu": words(item.get("mtu")),
    }
    query |= {name.lower(): words(value) for name, value in inner(item, "amnezia-wg-option").items()}
    return wireguard.build(host, port, words(item.get("private-key")), query, dump(item))


_BUILDERS: Final = {
    "ss": _shadowsocks,
    "vmess": _vmess,
    "vless": _vless,
    "trojan": _trojan,
    "hysteria2": _hysteria2,
    "hy2": _hysteria2,
    "tuic": _tuic,
    "anytls": _anytls,
    "socks5": _proxy,
    "http": _proxy,
}
