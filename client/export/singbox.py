"""A whole configuration for sing-box: SOCKS and HTTP on 127.0.0.1, out through the entries, and no way else.

There is no `direct` outbound and what no entry carries ends; names that sing-box itself looks up for programs go to a
resolver through the tunnel. Only the names of the servers are looked up here, if they have names. Field names:
https://sing-box.sagernet.org/configuration/, checked with 1.14.4.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from client.export.common import PLAIN_KINDS, Exported, Here, each, exported, one_class, other_kind, plain
from client.options import Option
from transports import sharelink, singbox_config
from transports.registry import REGISTRY

KINDS: Final = (
    *PLAIN_KINDS,
    *sorted(name for name, entry in REGISTRY.items() if entry.engine == "sing-box"),
)
_FULL: Final = frozenset(
    {"with_utls", "with_quic", "with_wireguard", "with_gvisor"}
)  # what official builds have
_WAY: Final = "way"


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the configuration with the entries of the best class."""
    made, left = one_class(*each(options, _outbounds))
    outbounds: list[Any] = []
    endpoints: list[Any] = []
    for number, (_, parts) in enumerate(made, 1):
        tag = f"n{number}"
        first, *outer = ({**part, "tag": tag} for part in parts)
        if outer:
            first["detour"] = tag + "-outer"
        (endpoints if first["type"] == "wireguard" else outbounds).append(first)
        outbounds += [{**part, "tag": tag + "-outer"} for part in outer]
    outbounds.insert(0, _group([f"n{number}" for number in range(1, len(made) + 1)], here))
    named = any(not sharelink.is_ip(option.endpoint.host) for option, _ in made)
    whole = {
        "log": {"level": "warn"},
        "dns": _names(here, named=named),
        "inbounds": [{"type": "mixed", "tag": "in", "listen": "127.0.0.1", "listen_port": here.port}],
        "outbounds": outbounds,
        "endpoints": endpoints,
        "route": {"final": _WAY, "default_domain_resolver": "here" if named else "far"},
    }
    return exported(json.dumps(whole, indent=2) + "\n", made, left)


def _names(here: Here, *, named: bool) -> dict[str, Any]:
    servers: list[Any] = [{"type": "https", "tag": "far", "server": here.resolver, "detour": _WAY}]
    servers += [{"type": "local", "tag": "here"}] if named else []
    return {"servers": servers, "final": "far"}


def _group(tags: list[str], here: Here) -> dict[str, Any]:
    if len(tags) == 1:  # nothing to choose from: then nothing is fetched to find out either
        return {"type": "selector", "tag": _WAY, "outbounds": tags}
    return {"type": "urltest", "tag": _WAY, "outbounds": tags, "url": here.test_url, "interval": "5m"}


def _outbounds(option: Option) -> list[dict[str, Any]]:
    """Return the outbound, and the one that carries it, if any. Raises Rejected or CannotMeasure."""
    if option.kind in PLAIN_KINDS:
        return [_of_plain(option)]
    if option.kind not in KINDS:
        raise other_kind(option, KINDS)
    node = singbox_config.node(option.endpoint, _FULL)
    return [dict(node.options)] if node.outer is None else [dict(node.options), dict(node.outer)]


def _of_plain(option: Option) -> dict[str, Any]:
    proxy = plain(option)
    outbound: dict[str, Any] = {"server": proxy.host, "server_port": proxy.port}
    if proxy.kind in ("http", "https"):
        outbound["type"] = "http"
    else:
        outbound |= {"type": "socks", "version": proxy.kind.removeprefix("socks")}
    if proxy.kind == "https":
        outbound["tls"] = {"enabled": True, "server_name": proxy.host}
    outbound |= {"username": proxy.user} if proxy.user else {}
    return outbound | ({"password": proxy.password} if proxy.password else {})
