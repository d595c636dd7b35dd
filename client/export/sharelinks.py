"""Share links out of the fields of a node: the inverse of the parsers in `transports`.

What a link says is what its parser makes of it, so whoever writes one reads it back and compares (`links`). Sources are
those of the parsers: SIP002, v2rayN, the proposal of Xray clients, the URI schemes of Hysteria 2 and AnyTLS.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from transports.types import Endpoint

Options = Mapping[str, Any]
_EARLY: Final = "Sec-WebSocket-Protocol"


def write(endpoint: Endpoint) -> str:
    """Return the link without a name, "" if there is no such kind of link. Never raises."""
    writer = _WRITERS.get(endpoint.transport)
    try:
        return writer(endpoint, endpoint.options or {}) if writer else ""
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return ""  # settings of an unusual shape: no link has words for them


def _q(text: object) -> str:
    return quote(str(text), safe="")


def _place(host: str, port: object) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _link(scheme: str, user: str, place: str, query: Mapping[str, str]) -> str:
    tail = "&".join(f"{name}={_q(value)}" for name, value in query.items() if value)
    return f"{scheme}://{user}@{place}" + (f"?{tail}" if tail else "")


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _tls(options: Options, insecure: str = "allowInsecure") -> dict[str, str]:
    """Return the part of the common query that says how TLS is spoken."""
    tls = options.get("tls")
    if tls is None:
        return {"security": "none"}
    query = {"security": "tls", "sni": tls["server_name"], "alpn": ",".join(tls.get("alpn", ()))}
    query["fp"] = tls.get("utls", {}).get("fingerprint", "")
    query[insecure] = "1" if tls.get("insecure") else ""
    if reality := tls.get("reality"):
        query |= {"security": "reality", "pbk": reality["public_key"], "sid": reality.get("short_id", "")}
    return query


def _transport(options: Options) -> dict[str, str]:
    """Return the part of the common query that says what carries it."""
    way = options.get("transport")
    if way is None:
        return {"type": "tcp"}
    kind = way["type"]
    if kind == "ws":
        return {"type": "ws", "host": way.get("headers", {}).get("Host", ""), **_early(way)}
    if kind == "httpupgrade":
        return {"type": kind, "host": way.get("host", ""), "path": way.get("path", "/")}
    if kind == "http":
        found = {"host": ",".join(way.get("host", ())), "path": way.get("path", "")}
        return (
            {"type": "http", **found}
            if options.get("tls")
            else {"type": "tcp", "headerType": "http", **found}
        )
    if kind == "grpc":
        return {"type": "grpc", "serviceName": way.get("service_name", ""), "mode": "gun"}
    return {"type": kind}


def _early(way: Options) -> dict[str, str]:
    path = way.get("path", "/")
    if "max_early_data" not in way:
        return {"path": path}
    if way.get("early_data_header_name") == _EARLY:
        return {"path": f"{path}{'&' if '?' in path else '?'}ed={way['max_early_data']}"}
    return {"path": path, "ed": str(way["max_early_data"]), "eh": way["early_data_header_name"]}


def _vless(endpoint: Endpoint, options: Options) -> str:
    query = {"encryption": "none", "flow": options.get("flow", ""), **_tls(options), **_transport(options)}
    return _link("vless", _q(options["uuid"]), _place(endpoint.host, endpoint.port), query)


def _trojan(endpoint: Endpoint, options: Options) -> str:
    query = {**_tls(options), **_transport(options)}
    return _link("trojan", _q(options["password"]), _place(endpoint.host, endpoint.port), query)


def _vmess(endpoint: Endpoint, options: Options) -> str:
    """Return v2rayN's form, base64 of JSON, which every client reads; the URL style where that cannot say it."""
    tls, way = _tls(options, "insecure"), _transport(options)
    if "eh" in way:  # for which that form has no name
        query = {"encryption": options["security"], "alterId": str(options.get("alter_id", 0)), **tls, **way}
        return _link("vmess", _q(options["uuid"]), _place(endpoint.host, endpoint.port), query)
    record = {
        "v": "2",
        "ps": "",
        "add": endpoint.host,
        "port": str(endpoint.port),
        "id": options["uuid"],
        "aid": str(options.get("alter_id", 0)),
        "scy": options["security"],
        "net": way["type"],
        "type": way.get("headerType", "none"),
        "host": way.get("host", ""),
        "path": way.get("path", ""),
        "tls": tls["security"].replace("none", ""),
        "sni": tls.get("sni", ""),
        "alpn": tls.get("alpn", ""),
        "fp": tls.get("fp", ""),
        "insecure": tls.get("insecure", ""),
    }
    if way["type"] == "grpc":
        record |= {"type": "gun", "path": way["serviceName"]}
    record |= {name: tls[name] for name in ("pbk", "sid") if name in tls}
    return "vmess://" + base64.b64encode(json.dumps(record).encode()).decode()


def _shadowsocks(endpoint: Endpoint, options: Options) -> str:
    method, password = options["method"], options["password"]
    new = method.startswith("2022-")
    user = f"{_q(method)}:{_q(password)}" if new else _base64(f"{method}:{password}")
    plugin = ";".join(filter(None, (options.get("plugin", ""), options.get("plugin_opts", ""))))
    tail = f"/?plugin={_q(plugin)}" if plugin else ""
    return f"ss://{user}@{_place(endpoint.host, endpoint.port)}{tail}"


def _hysteria2(endpoint: Endpoint, options: Options) -> str:
    ports = ",".join(_range(part) for part in options.get("server_ports", ())) or str(endpoint.port)
    obfs = options.get("obfs", {})
    query = {
        "obfs": obfs.get("type", ""),
        "obfs-password": obfs.get("password", ""),
        **_tls(options, "insecure"),
    }
    del query["security"]
    where = _place(endpoint.host, ports) + "/"
    return _link("hysteria2", _q(options.get("password", "")), where, query)


def _range(part: str) -> str:
    low, _, high = part.partition(":")
    return low if low == high else f"{low}-{high}"


def _tuic(endpoint: Endpoint, options: Options) -> str:
    names = ("congestion_control", "udp_relay_mode")
    query = {**{name: options.get(name, "") for name in names}, **_tls(options, "allow_insecure")}
    query["disable_sni"] = "1" if options["tls"].get("disable_sni") else ""
    del query["security"]
    user = f"{_q(options['uuid'])}:{_q(options['password'])}"
    return _link("tuic", user, _place(endpoint.host, endpoint.port), query)


def _anytls(endpoint: Endpoint, options: Options) -> str:
    where = _place(endpoint.host, endpoint.port) + "/"
    return _link("anytls", _q(options["password"]), where, _tls(options, "insecure"))


def _wireguard(endpoint: Endpoint, options: Options) -> str:
    peer = options["peers"][0]
    everything = sorted(peer["allowed_ips"]) == ["0.0.0.0/0", "::/0"]
    query = {
        "publickey": peer["public_key"],
        "presharedkey": peer.get("pre_shared_key", ""),
        "reserved": ",".join(map(str, peer.get("reserved", ()))),
        "address": ",".join(options["address"]),
        "allowedips": "" if everything else ",".join(peer["allowed_ips"]),
        "mtu": str(options.get("mtu", "")),
    }
    place = _place(endpoint.host, endpoint.port)
    return _link("wireguard", _q(options["private_key"]), place, query)


_WRITERS: Final[Mapping[str, Callable[[Endpoint, Options], str]]] = {  # keep sorted
    "anytls": _anytls,
    "hysteria2": _hysteria2,
    "shadowsocks": _shadowsocks,
    "trojan": _trojan,
    "tuic": _tuic,
    "vless": _vless,
    "vmess": _vmess,
    "wireguard": _wireguard,
}
