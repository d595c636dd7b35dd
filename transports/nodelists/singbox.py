"""sing-box JSON: the lists `outbounds` and `endpoints`.

Nothing of a strange document is handed to sing-box as it is: its settings can read files and start
programs. Each node is read into the fields that are known here and built again like a link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from transports import anytls, hysteria2, shadowsocks, trojan, tuic, vless, vmess, wireguard
from transports.nodelists.common import (
    CHAIN,
    UNKNOWN,
    Item,
    Items,
    collect,
    dump,
    inner,
    not_tested,
    place,
    plain,
    read_json,
    untested,
    words,
)
from transports.sharelink_sections import tls_section
from transports.types import N_, Endpoint, Rejected

_NO_NODES: Final = ("direct", "block", "dns", "selector", "urltest", "shadowtls")
_LOCAL: Final = frozenset(  # how this machine dials, or what only UDP uses: no part of the node
    (
        *(
            "type",
            "tag",
            "detour",
            "bind_interface",
            "inet4_bind_address",
            "inet6_bind_address",
            "routing_mark",
        ),
        *("bind_address_no_port", "protect_path", "reuse_addr", "netns", "connect_timeout", "tcp_fast_open"),
        *("tcp_multi_path", "udp_fragment", "domain_resolver", "domain_strategy", "network_strategy"),
        *(
            "network_type",
            "fallback_network_type",
            "fallback_delay",
            "disable_tcp_keep_alive",
            "tcp_keep_alive",
        ),
        *(
            "tcp_keep_alive_interval",
            "network",
            "multiplex",
            "packet_encoding",
            "udp_over_tcp",
            "global_padding",
        ),
        *("authenticated_length", "up_mbps", "down_mbps", "hop_interval", "brutal_debug", "udp_over_stream"),
        *("zero_rtt_handshake", "heartbeat", "idle_session_check_interval", "idle_session_timeout"),
        *("min_idle_session", "system", "name", "listen_port", "udp_timeout", "workers"),
    )
)
_FIELDS: Final = frozenset(
    (
        *(
            "server",
            "server_port",
            "server_ports",
            "method",
            "password",
            "plugin",
            "plugin_opts",
            "uuid",
            "flow",
        ),
        *("security", "alter_id", "username", "version", "obfs", "congestion_control", "udp_relay_mode"),
        *("tls", "transport", "address", "private_key", "peers", "mtu"),
    )
)
_TLS: Final = frozenset(
    (
        *("enabled", "disable_sni", "server_name", "insecure", "alpn", "utls", "reality", "ech"),
        *("fragment", "record_fragment", "min_version", "max_version"),
    )
)
_TRANSPORT: Final = frozenset(
    (
        *("type", "host", "path", "headers", "service_name", "max_early_data", "early_data_header_name"),
        *("idle_timeout", "ping_timeout", "permit_without_stream", "method"),
    )
)
_FLAGS: Final = ("fragment", "record_fragment", "disable_sni")
ODD: Final = N_("this node has sing-box settings that are not taken from a document")
PARTED: Final = N_("the node that this one goes through is not in the document")


def endpoints(text: str) -> Items | None:
    """Return the nodes with their ordinals, None if the text is no sing-box document."""
    data, refused = read_json(text)
    return refused or from_json(data)


def from_json(data: Any) -> Items | None:
    """Do the same with JSON that was read already. A single outbound is taken as well."""
    if isinstance(data, dict) and "type" in data and ("server" in data or "peers" in data):
        data = {"outbounds": [data]}
    nodes = list(_nodes(data)) if isinstance(data, dict) else []
    if not any(isinstance(node, dict) and isinstance(node.get("type"), str) for node in nodes):
        return None
    hops = {
        node["tag"]: node for node in nodes if isinstance(node, dict) and isinstance(node.get("tag"), str)
    }
    wanted = ((number, node) for number, node in enumerate(nodes, start=1) if not _skipped(node))
    return collect(wanted, lambda item: _build(item, hops))


def _nodes(data: Item) -> Iterator[Any]:
    for name in ("outbounds", "endpoints"):
        found = data.get(name)
        if isinstance(found, list):
            yield from found


def _skipped(node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") in _NO_NODES


def _build(item: Item, hops: dict[str, Any]) -> Endpoint:
    through = words(item.get("detour"))
    if through:
        return _detoured(item, through, hops.get(through))
    return _single(item)


def _single(item: Item) -> Endpoint:
    kind = words(item.get("type"))
    if kind == "wireguard":
        return _checked(_wireguard(item), item)
    if kind == "hysteria2" and item.get("server_ports") and not item.get("server_port"):
        ports = words(item["server_ports"]).partition(",")[0]
        item = {**item, "server_port": ports.replace("-", ":").partition(":")[0]}
    host, port = place(item, "server", "server_port")
    build = _BUILDERS.get(kind)
    if build is None:
        return untested(kind, host, port, item, ("tag",), UNKNOWN)
    return _checked(build(host, port, item, _query(item), dump(item)), item)


def _checked(endpoint: Endpoint, item: Item) -> Endpoint:
    """Keep the TLS switches that sing-box alone has; refuse to test with settings left out."""
    tls, way = inner(item, "tls"), inner(item, "transport")
    unknown = {name for name in item if name not in _FIELDS and name not in _LOCAL}
    unknown |= {name for name in tls if name not in _TLS and tls[name]}
    unknown |= {name for name in way if name not in _TRANSPORT and way[name]}
    unknown |= {name for name in inner(way, "headers") if name.lower() != "host"}
    built = (endpoint.options or {}).get("tls")
    if isinstance(built, dict):
        built |= {name: True for name in _FLAGS if tls.get(name) is True}
    return not_tested(endpoint, ODD, dump(item)) if unknown else endpoint


def _detoured(item: Item, through: str, hop: Any) -> Endpoint:
    """Build ShadowTLS and what runs inside it as one unit; other chains are not tested."""
    if not isinstance(hop, dict):
        raise Rejected(PARTED)
    if hop.get("type") != "shadowtls" or hop.get("detour") or item.get("type") != "shadowsocks":
        alone = _single({name: value for name, value in item.items() if name != "detour"})
        return not_tested(alone, CHAIN, dump(hop))
    host, port = place(hop, "server", "server_port")
    inside = _single({**item, "server": host, "server_port": port, "detour": ""})
    if inside.untested:
        return inside
    options = {name: value for name, value in (inside.options or {}).items() if not name.startswith("server")}
    options["detour"] = _shadowtls(hop, host, port)
    text = dump({"outbounds": [item, hop]})
    return Endpoint(transport="singbox", host=host, port=port, options=options, text=text)


def _shadowtls(hop: Item, host: str, port: int) -> Item:
    version = words(hop.get("version")) or "1"
    if version not in ("1", "2", "3"):
        raise Rejected(N_("the version of ShadowTLS must be 1, 2 or 3"))
    tls, why = tls_section({**_query(hop), "security": "tls"}, host, "tls")
    if why:
        raise Rejected(why)
    outer: Item = {
        "type": "shadowtls",
        "server": host,
        "server_port": port,
        "version": int(version),
        "tls": tls,
    }
    if version != "1":
        outer["password"] = words(hop.get("password"))
    return outer


def _query(item: Item) -> dict[str, str]:
    """Return the common query of share links for a sing-box outbound."""
    tls, way = inner(item, "tls"), inner(item, "transport")
    reality, utls = inner(tls, "reality"), inner(tls, "utls")
    kind = words(way.get("type"))
    headers = {name.lower(): value for name, value in inner(way, "headers").items()}
    query = {
        "security": "none" if tls.get("enabled") is not True else "reality" if _on(reality) else "tls",
        "sni": words(tls.get("server_name")),
        "insecure": words(tls.get("insecure")),
        "alpn": words(tls.get("alpn")),
        "fp": (words(utls.get("fingerprint")) or "chrome") if _on(utls) else "",
        "pbk": words(reality.get("public_key")),
        "sid": words(reality.get("short_id")),
        "ech": "1" if _on(inner(tls, "ech")) else "",
        "host": words(way.get("host")) or words(headers.get("host")),
        "path": words(way.get("path")),
        "servicename": words(way.get("service_name")),
        "ed": words(way.get("max_early_data")),
        "eh": words(way.get("early_data_header_name")),
    }
    if kind == "http" and query["security"] == "none":
        query["headertype"] = "http"
    else:
        query["type"] = kind
    if not query["sni"] and query["security"] != "none":
        query["sni"] = words(item.get("server"))  # sing-box takes the server here, not the HTTP host
    return {name: value for name, value in query.items() if value}


def _on(section: Item) -> bool:
    return section.get("enabled") is True


def _shadowsocks(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    plugin, options = words(item.get("plugin")), words(item.get("plugin_opts"))
    found = {"plugin": f"{plugin};{options}" if options else plugin}
    return shadowsocks.build(host, port, words(item.get("method")), words(item.get("password")), found, text)


def _vmess(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    alter, cipher = words(item.get("alter_id")), words(item.get("security"))
    return vmess.build(host, port, words(item.get("uuid")), alter, cipher, query, text)


def _vless(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    query["flow"] = words(item.get("flow"))
    return vless.build(host, port, words(item.get("uuid")), query, text)


def _trojan(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    return trojan.build(host, port, words(item.get("password")), query, text)


def _hysteria2(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    obfs = inner(item, "obfs")
    query |= {"obfs": words(obfs.get("type")), "obfs-password": words(obfs.get("password"))}
    ports = words(item.get("server_ports")) or str(port)
    return hysteria2.build(host, ports, words(item.get("password")), query, text)


def _tuic(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    query |= {name: words(item.get(name)) for name in ("congestion_control", "udp_relay_mode")}
    return tuic.build(host, port, words(item.get("uuid")), words(item.get("password")), query, text)


def _anytls(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    return anytls.build(host, port, words(item.get("password")), query, text)


def _socks(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    kind = {"4": "socks4", "4a": "socks4a"}.get(words(item.get("version")), "socks5")
    password = words(item.get("password")) if kind == "socks5" else ""
    return plain(kind, host, port, words(item.get("username")), password)


def _http(host: str, port: int, item: Item, query: dict[str, str], text: str) -> Endpoint:
    tls = query["security"] != "none"
    user, password = words(item.get("username")), words(item.get("password"))
    endpoint = plain("https" if tls else "http", host, port, user, password)
    odd = query.get("insecure") or query.get("path") or query.get("sni", host) != host
    return not_tested(endpoint, ODD, text) if odd else endpoint


def _wireguard(item: Item) -> Endpoint:
    peers = item.get("peers")
    if not isinstance(peers, list) or len(peers) != 1 or not isinstance(peers[0], dict):
        raise Rejected(N_("a WireGuard node needs one peer"))
    peer = peers[0]
    host, port = place(peer, "address", "port")
    names = {"publickey": "public_key", "presharedkey": "pre_shared_key", "allowedips": "allowed_ips"}
    query = {name: words(peer.get(field)) for name, field in names.items()}
    query |= {"reserved": words(peer.get("reserved")), "address": words(item.get("address"))}
    query["mtu"] = words(item.get("mtu"))
    return wireguard.build(host, port, words(item.get("private_key")), query, dump(item))


_BUILDERS: Final = {
    "shadowsocks": _shadowsocks,
    "vmess": _vmess,
    "vless": _vless,
    "trojan": _trojan,
    "hysteria2": _hysteria2,
    "tuic": _tuic,
    "anytls": _anytls,
    "socks": _socks,
    "http": _http,
}
