"""A configuration for mihomo (Clash): SOCKS and HTTP on 127.0.0.1, out through the entries, and no way else.

Field names: wiki.metacubex.one (config, proxies, dns). Where the proxy of a rule takes no UDP, mihomo passes the rule
over for it, and goes directly after the last one (tunnel/tunnel.go, `match`): so the last rule turns down the rest. It
looks names up by itself for UDP and for WireGuard (adapter/outbound): so its resolver is asked through the entries. Each entry is read back by `transports.nodelists.clash`, and must mean
the same. Every text stands in double quotes: readers differ in what they take for a number (0o14, 1_000, yes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from client.export.common import (
    NO_WORDS,
    Exported,
    Here,
    each,
    exported,
    one_class,
    other_kind,
    plain,
)
from client.options import Option
from transports import sharelink
from transports.nodelists import clash
from transports.types import Endpoint, Rejected

Item = dict[str, Any]
_WAY: Final = "way"
_PLUGINS: Final = {"obfs-local": "obfs"}
_CONGESTION: Final = {"congestion_control": "congestion-controller", "udp_relay_mode": "udp-relay-mode"}


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the configuration with the entries of the best class."""
    made, left = one_class(*each(options, _entry))
    names = [f"n{number}" for number in range(1, len(made) + 1)]
    group: Item = {"name": _WAY, "type": "select", "proxies": names}
    if len(names) > 1:
        group |= {"type": "fallback", "url": here.test_url, "interval": 300}
    whole = {
        "mixed-port": here.port,
        "bind-address": "127.0.0.1",
        "allow-lan": False,
        "mode": "rule",
        "log-level": "warning",
        "ipv6": True,
        "dns": _names(here, named=any(not sharelink.is_ip(option.endpoint.host) for option, _ in made)),
        "proxies": [{"name": name, **item} for name, (_, item) in zip(names, made, strict=True)],
        "proxy-groups": [group],
        "rules": [f"MATCH,{_WAY}", "MATCH,REJECT"],
    }
    return exported(dump(whole), made, left)


def _names(here: Here, *, named: bool) -> Item:
    """Return who is asked for names: a resolver through the entries; for the servers' own, the system's."""
    host = f"[{here.resolver}]" if ":" in here.resolver else here.resolver
    asked: Item = {"enable": True, "ipv6": True, "enhanced-mode": "redir-host"}
    asked["nameserver"] = [f"https://{host}/dns-query#{_WAY}"]
    return asked | ({"proxy-server-nameserver": ["system"]} if named else {})


def dump(whole: Item) -> str:
    """Return YAML of ASCII characters with every text in double quotes."""
    import yaml  # dear to load

    class Quoted(yaml.SafeDumper):
        pass

    Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar(_TEXT, text, style='"'))
    Quoted.ignore_aliases = lambda *_: True  # type: ignore[method-assign]
    return yaml.dump(whole, Dumper=Quoted, sort_keys=False, allow_unicode=False, width=4096)


_TEXT: Final = "tag:yaml.org,2002:str"


def _entry(option: Option) -> Item:
    endpoint = option.endpoint
    writer = _WRITERS.get(endpoint.transport)
    if writer is None:
        raise other_kind(option, KINDS)
    try:
        item = writer(option, endpoint.options or {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        item = {}  # settings of an unusual shape
    if not _means(item, endpoint):
        raise Rejected(NO_WORDS)
    return item


def _means(item: Item, endpoint: Endpoint) -> bool:
    read = clash.endpoints(dump({"proxies": [{"name": "n", **item}]})) if item else None
    found = read[0][1] if read else None
    return isinstance(found, Endpoint) and found.key() == endpoint.key() and not found.untested


def _common(option: Option, kind: str) -> Item:
    return {"type": kind, "server": option.endpoint.host, "port": option.endpoint.port, "udp": True}


def _tls(options: Mapping[str, Any], name: str = "sni") -> Item:
    tls = options.get("tls")
    if tls is None:
        return {}
    item: Item = {name: tls["server_name"]}
    if name == "servername":  # of those that go without it too
        item["tls"] = True
    if tls.get("insecure"):
        item["skip-cert-verify"] = True
    if tls.get("alpn"):
        item["alpn"] = list(tls["alpn"])
    if tls.get("utls"):
        item["client-fingerprint"] = tls["utls"]["fingerprint"]
    if reality := tls.get("reality"):
        item["reality-opts"] = {"public-key": reality["public_key"]}
        if reality.get("short_id"):
            item["reality-opts"]["short-id"] = reality["short_id"]
    return item


def _transport(options: Mapping[str, Any]) -> Item:
    way = options.get("transport")
    if way is None:
        return {}
    kind = way["type"]
    if kind in ("ws", "httpupgrade"):
        return {"network": "ws", "ws-opts": _web_socket(way)}
    if kind == "grpc":
        return {"network": "grpc", "grpc-opts": {"grpc-service-name": way.get("service_name", "")}}
    if kind != "http":
        raise ValueError(kind)
    path, hosts = way.get("path", "/"), list(way.get("host", ()))
    if options.get("tls"):
        return {"network": "h2", "h2-opts": {"host": hosts, "path": path}}
    return {"network": "http", "http-opts": {"path": [path], "headers": {"Host": hosts}}}


def _web_socket(way: Mapping[str, Any]) -> Item:
    item: Item = {"path": way.get("path", "/")}
    host = way.get("headers", {}).get("Host") or way.get("host")
    if host:
        item["headers"] = {"Host": host}
    if way["type"] == "httpupgrade":
        item["v2ray-http-upgrade"] = True
    if "max_early_data" in way:
        item["max-early-data"] = way["max_early_data"]
        item["early-data-header-name"] = way["early_data_header_name"]
    return item


def _shadowsocks(option: Option, options: Mapping[str, Any]) -> Item:
    item = {**_common(option, "ss"), "cipher": options["method"], "password": options["password"]}
    plugin = options.get("plugin")
    if plugin:
        given = (part.partition("=") for part in options.get("plugin_opts", "").split(";") if part)
        settings: Item = {name: value if mark else True for name, mark, value in given}
        if plugin == "obfs-local":
            settings = {"mode": settings["obfs"], "host": settings.get("obfs-host", "")}
        else:
            settings = {"mode": "websocket", **settings}
        item |= {"plugin": _PLUGINS.get(plugin, plugin), "plugin-opts": settings}
        item["udp"] = False  # it would go to the server without the plugin's disguise
    return item


def _vmess(option: Option, options: Mapping[str, Any]) -> Item:
    who = {"uuid": options["uuid"], "alterId": options.get("alter_id", 0), "cipher": options["security"]}
    return {**_common(option, "vmess"), **who, **_tls(options, "servername"), **_transport(options)}


def _vless(option: Option, options: Mapping[str, Any]) -> Item:
    who = {name: options[name] for name in ("uuid", "flow") if name in options}
    return {**_common(option, "vless"), **who, **_tls(options, "servername"), **_transport(options)}


def _trojan(option: Option, options: Mapping[str, Any]) -> Item:
    who = {"password": options["password"]}
    return {**_common(option, "trojan"), **who, **_tls(options), **_transport(options)}


def _hysteria2(option: Option, options: Mapping[str, Any]) -> Item:
    item = {**_common(option, "hysteria2"), "password": options.get("password", ""), **_tls(options)}
    if "server_ports" in options:
        item["ports"] = ",".join(part.replace(":", "-") for part in options["server_ports"])
    if obfs := options.get("obfs"):
        item |= {"obfs": obfs["type"], "obfs-password": obfs["password"]}
    return item


def _tuic(option: Option, options: Mapping[str, Any]) -> Item:
    item = {**_common(option, "tuic"), "uuid": options["uuid"], "password": options["password"]}
    item |= {spelled: options[name] for name, spelled in _CONGESTION.items() if name in options}
    return {**item, **_tls(options), "disable-sni": bool(options["tls"].get("disable_sni"))}


def _anytls(option: Option, options: Mapping[str, Any]) -> Item:
    return {**_common(option, "anytls"), "password": options["password"], **_tls(options)}


def _wireguard(option: Option, options: Mapping[str, Any]) -> Item:
    peer = options["peers"][0]
    item = {**_common(option, "wireguard"), "private-key": options["private_key"]}
    for address in options["address"]:
        item["ipv6" if ":" in address else "ip"] = address
    item |= {"public-key": peer["public_key"], "allowed-ips": list(peer["allowed_ips"])}
    named = {"pre-shared-key": peer.get("pre_shared_key"), "mtu": options.get("mtu")}
    item |= {name: value for name, value in named.items() if value}
    return item | ({"reserved": list(peer["reserved"])} if "reserved" in peer else {})


def _plain(option: Option, options: Mapping[str, Any]) -> Item:
    proxy = plain(option)
    socks = proxy.kind == "socks5"
    item = {"type": "socks5" if socks else "http", "server": proxy.host, "port": proxy.port}
    item |= {"username": proxy.user, "password": proxy.password} if proxy.user or proxy.password else {}
    return item | ({"udp": option.udp} if socks else {"tls": proxy.kind == "https"})


_WRITERS: Final[Mapping[str, Callable[[Option, Mapping[str, Any]], Item]]] = {
    "shadowsocks": _shadowsocks,
    "vmess": _vmess,
    "vless": _vless,
    "trojan": _trojan,
    "hysteria2": _hysteria2,
    "tuic": _tuic,
    "anytls": _anytls,
    "wireguard": _wireguard,
    **dict.fromkeys(("socks5", "http", "https"), _plain),
}
KINDS: Final = tuple(_WRITERS)
