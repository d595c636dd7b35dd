"""Share-link nodes as sing-box configuration: what is let through, and one configuration for many nodes.

Node settings come from strangers. Only keys that are listed here reach sing-box, so no node can read a
file, listen somewhere, choose an interface or lead round its own server.
Field names: https://sing-box.sagernet.org/configuration/ (outbound, endpoint, shared), checked with 1.14.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from transports.types import N_, CannotMeasure, Endpoint

Shape = Mapping[str, "Shape | None"]  # None: a text, number, flag, or a list of them
_DEEP: Final = 4096  # characters of one text


def _keys(names: str, **inside: Shape) -> Shape:
    return {**dict.fromkeys(names.split()), **inside}


_ANY: Final[Shape] = {"*": None}  # header names are free
_TLS: Final = _keys(
    "enabled disable_sni server_name insecure alpn min_version max_version cipher_suites curve_preferences"
    " certificate certificate_public_key_sha256 fragment record_fragment",
    utls=_keys("enabled fingerprint"),
    reality=_keys("enabled public_key short_id"),
    ech=_keys("enabled config"),
)
_TRANSPORT: Final = _keys(
    "type path host method service_name permit_without_stream max_early_data early_data_header_name"
    " idle_timeout ping_timeout",
    headers=_ANY,
)
_MULTIPLEX: Final = _keys("enabled protocol max_connections min_streams max_streams padding")
_SHADOWTLS: Final = _keys("version password", tls=_TLS)
_PEER: Final = _keys(
    "address port public_key pre_shared_key allowed_ips reserved persistent_keepalive_interval"
)
_TYPES: Final[Mapping[str, Shape]] = {  # keep sorted
    "anytls": _keys("password idle_session_check_interval idle_session_timeout min_idle_session", tls=_TLS),
    "http": _keys("username password path", headers=_ANY, tls=_TLS),
    "hysteria2": _keys(
        "password server_ports hop_interval up_mbps down_mbps", obfs=_keys("type password"), tls=_TLS
    ),
    "shadowsocks": _keys(
        "method password plugin plugin_opts",
        multiplex=_MULTIPLEX,
        detour={**_keys("type server server_port"), **_SHADOWTLS},
    ),
    "shadowtls": _SHADOWTLS,
    "socks": _keys("version username password"),
    "ssh": _keys("user password private_key private_key_passphrase host_key host_key_algorithms"),
    "trojan": _keys("password", tls=_TLS, transport=_TRANSPORT, multiplex=_MULTIPLEX),
    "tuic": _keys(
        "uuid password congestion_control udp_relay_mode udp_over_stream zero_rtt_handshake heartbeat",
        tls=_TLS,
    ),
    "vless": _keys("uuid flow packet_encoding", tls=_TLS, transport=_TRANSPORT, multiplex=_MULTIPLEX),
    "vmess": _keys(
        "uuid security alter_id global_padding authenticated_length packet_encoding",
        tls=_TLS,
        transport=_TRANSPORT,
        multiplex=_MULTIPLEX,
    ),
    "wireguard": _keys("address private_key mtu system", peers=_PEER),
}
_COMMON: Final = _keys("type server server_port network")
_PLUGIN_KEYS: Final = {
    "obfs-local": {"obfs", "obfs-host"},
    "v2ray-plugin": {"mode", "tls", "host", "path", "mux"},
}
# What a successful SOCKS answer of the loopback side is worth: these send nothing before the first data,
# or get no answer to it, so whether the server knows us shows only when something comes back (seen, 1.14.4).
LAZY: Final = frozenset({"anytls", "shadowsocks", "trojan", "tuic", "vless", "vmess", "wireguard"})
DATAGRAMS: Final = frozenset({"hysteria2", "tuic", "wireguard"})  # no connection comes before the handshake

_FULL: Final = N_(
    "needs a sing-box with {part}: install the official build from your system or sing-box.sagernet.org"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Node:
    """One node ready for the configuration. `key` is its endpoint's key; `outer` carries it, if anything."""

    key: str
    kind: str
    options: Mapping[str, Any]
    outer: Mapping[str, Any] | None = None

    @property
    def needs_addresses(self) -> bool:
        """Say whether the protocol has nobody at the far end who would resolve a target's name."""
        return self.kind == "wireguard" or (self.kind == "socks" and self.options.get("version") == "4")

    @property
    def has_credentials(self) -> bool:
        """Say whether there is anything that the server could turn down."""
        return self.kind not in ("http", "socks") or bool(self.options.get("username"))


def node(endpoint: Endpoint, tags: frozenset[str]) -> Node:
    """Return what sing-box, built with `tags`, gets for `endpoint`. Raises CannotMeasure if it gets none."""
    if endpoint.untested:
        raise CannotMeasure(endpoint.untested)
    given = dict(endpoint.options or {})
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise CannotMeasure(N_("sing-box has no such kind of node"))
    options = _walk(given, {**_COMMON, **_TYPES[kind]})
    _refuse_plugin(options)
    _refuse_ech(options)
    _require_tags(kind, options, tags)
    outer = options.pop("detour", None)
    if kind == "shadowtls" or (outer is not None and outer.get("type") != "shadowtls"):
        raise CannotMeasure(N_("this node is only the wrapping of another node, which is not given"))
    _aim(kind, options if outer is None else outer, endpoint)
    return Node(key=endpoint.key(), kind=kind, options=options, outer=outer)


def _walk(given: Mapping[str, Any], shape: Shape, above: str = "") -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for name, value in given.items():
        where = f"{above}.{name}" if above else str(name)
        if name not in shape and "*" not in shape:
            raise _refused(where)
        inside = shape.get(name)
        if inside is None:
            taken[name] = _leaf(value, where)
        elif isinstance(value, Mapping):
            taken[name] = _walk(value, inside, where)
        elif isinstance(value, (list, tuple)) and name == "peers" and len(value) == 1:
            taken[name] = [_walk(_mapping(value[0], where), inside, where)]
        elif value is not None:
            raise _refused(where)
    return taken


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(where)
    return value


def _leaf(value: Any, where: str) -> Any:
    parts = value if isinstance(value, (list, tuple)) else [value]
    if len(parts) > 256 or not all(isinstance(part, (str, int, float, bool)) for part in parts):
        raise _refused(where)
    if any(isinstance(part, str) and len(part) > _DEEP for part in parts):
        raise _refused(where)
    return list(value) if isinstance(value, tuple) else value


def _refused(where: str) -> CannotMeasure:
    shown = where if re.fullmatch(r"[a-z0-9_.]{1,60}", where) else "?"
    return CannotMeasure(N_("this node has a setting that is not let through: {setting}"), setting=shown)


def _refuse_plugin(options: Mapping[str, Any]) -> None:
    """Refuse plugin options that are not known: v2ray-plugin's `cert`, for one, names a file."""
    plugin = options.get("plugin")
    if not plugin:
        return
    known = _PLUGIN_KEYS.get(plugin) if isinstance(plugin, str) else None
    if known is None:
        raise CannotMeasure(N_("sing-box does not have this Shadowsocks plugin"))
    for part in str(options.get("plugin_opts", "")).split(";"):
        if part and part.partition("=")[0].replace("\\", "") not in known:
            raise _refused("plugin_opts")


def _tls(options: Mapping[str, Any]) -> Mapping[str, Any]:
    tls = options.get("tls")
    return tls if isinstance(tls, Mapping) else {}


def _refuse_ech(options: Mapping[str, Any]) -> None:
    """Refuse ECH without its key in the settings: it would be looked up here, in the open."""
    ech = _tls(options).get("ech")
    if isinstance(ech, Mapping) and ech.get("enabled") and not ech.get("config"):
        raise _refused("tls.ech")


def _require_tags(kind: str, options: Mapping[str, Any], tags: frozenset[str]) -> None:
    for part in (options, options.get("detour") or {}):
        tls = _tls(part)
        if (
            any((tls.get(name) or {}).get("enabled") for name in ("utls", "reality"))
            and "with_utls" not in tags
        ):
            raise CannotMeasure(_FULL, part="uTLS")
    quic = kind in ("hysteria2", "tuic") or (options.get("transport") or {}).get("type") == "quic"
    if quic and "with_quic" not in tags:
        raise CannotMeasure(_FULL, part="QUIC")
    if kind == "wireguard" and not {"with_wireguard", "with_gvisor"} <= tags:
        raise CannotMeasure(_FULL, part="WireGuard")


def _aim(kind: str, options: dict[str, Any], endpoint: Endpoint) -> None:
    """Have it dial the endpoint that the person agreed to, whatever else the settings say."""
    if kind == "wireguard":
        for name in ("server", "server_port", "network"):
            options.pop(name, None)
        if not options.get("peers"):
            raise _refused("peers")
        options["peers"][0].update(address=endpoint.host, port=endpoint.port)
        options["peers"][0].pop("persistent_keepalive_interval", None)  # it would knock before its turn
        options["system"] = False  # no interface of the system: that needs root and moves other traffic
        return
    options["server"] = endpoint.host
    options["server_port"] = endpoint.port


def users(nodes: Sequence[Node]) -> list[str]:
    """Return the user names of the loopback listener, which are the tags of the nodes too."""
    return [f"n{index}" for index in range(len(nodes))]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Surroundings:
    """What one process needs besides its nodes; times in seconds."""

    port: int
    passwords: Sequence[str]
    extra_roots: str = ""
    connect: float = 5.0
    tunnel_dns: tuple[str, int] | None = None


def config(nodes: Sequence[Node], around: Surroundings) -> bytes:
    """Return the configuration: one loopback listener, whose user name chooses the node, and no way else.

    Everything that no rule leads to a node ends at `block`, and there is no `direct` outbound to fall back
    to. Names of targets go to the far end. Two protocols have no far end for names (WireGuard, SOCKS 4): the
    first asks `tunnel_dns` through its own tunnel if there is one; any other look-up of a target is refused.
    """
    tags = users(nodes)
    outbounds, endpoints = _places(nodes, around)
    roots = {"certificate": [around.extra_roots]} if around.extra_roots else {}
    whole = {
        "log": {"level": "error", "timestamp": False},
        "dns": _names(nodes, around),
        "certificate": {"store": "mozilla", **roots},
        "inbounds": [
            {
                "type": "socks",
                "tag": "door",
                "listen": "127.0.0.1",
                "listen_port": around.port,
                "users": [
                    {"username": tag, "password": password}
                    for tag, password in zip(tags, around.passwords, strict=True)
                ],
            }
        ],
        "outbounds": [*outbounds, {"type": "block", "tag": "block"}],
        "endpoints": endpoints,
        "route": {
            "rules": [{"auth_user": [tag], "action": "route", "outbound": tag} for tag in tags],
            "final": "block",
            "default_domain_resolver": "own",
        },
    }
    return json.dumps(whole, ensure_ascii=True).encode()


def _places(nodes: Sequence[Node], around: Surroundings) -> tuple[list[Any], list[Any]]:
    """Return outbounds and endpoints; the n-th of each list belongs to `owners()` of it."""
    outbounds: list[Any] = []
    endpoints: list[Any] = []
    patience = f"{max(1, round(around.connect * 1000))}ms"
    for tag, item in zip(users(nodes), nodes, strict=True):
        if item.kind == "wireguard":
            endpoints.append({**item.options, "tag": tag})
        elif item.outer is None:
            outbounds.append({**item.options, "tag": tag, "connect_timeout": patience})
        else:
            outbounds.append({**item.options, "tag": tag, "detour": tag + "-outer"})
            outbounds.append({**item.outer, "tag": tag + "-outer", "connect_timeout": patience})
    return outbounds, endpoints


def owners(nodes: Sequence[Node]) -> tuple[list[int], list[int]]:
    """Return which node each outbound, and each endpoint, of `config(nodes)` belongs to."""
    outbounds: list[int] = []
    endpoints: list[int] = []
    for index, item in enumerate(nodes):
        if item.kind == "wireguard":
            endpoints.append(index)
        else:
            outbounds += [index] if item.outer is None else [index, index]
    return outbounds, endpoints


def _names(nodes: Sequence[Node], around: Surroundings) -> dict[str, Any]:
    servers: list[Any] = [{"type": "local", "tag": "own"}]
    rules: list[Any] = []
    tunnels = [t for t, n in zip(users(nodes), nodes, strict=True) if n.kind == "wireguard"]
    for tag in tunnels if around.tunnel_dns else ():
        address, port = around.tunnel_dns or ("", 0)
        resolver = {"type": "tcp", "server": address, "server_port": port}
        servers.append({**resolver, "tag": "dns-" + tag, "detour": tag})
        rules.append({"auth_user": [tag], "action": "route", "server": "dns-" + tag})
    return {"servers": servers, "rules": [*rules, {"action": "reject"}]}
