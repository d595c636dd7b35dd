"""Whom the programs of a bridge contact besides the bridge: fronts, brokers, STUN servers, resolvers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from transports.types import Endpoint

_FRONTED: Final = frozenset({"meek_lite", "snowflake", "conjure"})


def kind(endpoint: Endpoint) -> str:
    """Return the pluggable transport of a bridge, "" for Tor without one."""
    return str((endpoint.options or {}).get("pt", ""))


def servers(endpoints: Iterable[Endpoint]) -> list[str]:
    """Return the hosts that these bridges are reached through, each once, in their order."""
    return list(dict.fromkeys(host for endpoint in endpoints for host in _of(endpoint) if host))


def _of(endpoint: Endpoint) -> Iterator[str]:
    args: Mapping[str, str] = (endpoint.options or {}).get("args") or {}
    name = kind(endpoint)
    if name in _FRONTED:
        yield from _fronts(args)
        yield from map(_stun, args.get("ice", "").split(",") if name == "snowflake" else ())
    elif name == "webtunnel":
        yield _host(args.get("url", ""))
    elif name == "dnstt":
        yield _host(args.get("doh", ""))
        yield from (args.get(way, "").rpartition(":")[0] or args.get(way, "") for way in ("dot", "udp"))
        yield args.get("domain", "")


def _fronts(args: Mapping[str, str]) -> Iterator[str]:
    """What the operator sees is the front where there is one, else the server itself."""
    fronts = [*args.get("fronts", "").split(","), args.get("front", "")]
    for target in args.get("targets", "").split(","):
        url, _, behind = target.partition("|")
        fronts += behind.split("+") if behind else [_host(url)]
    own = (args.get(way, "") for way in ("ampcache", "sqsqueue", "registrar", "url"))
    yield from fronts if any(fronts) else (_host(url) for url in own)


def _stun(text: str) -> str:
    """Return the host of `stun:host:port`."""
    return text.removeprefix("stun:").rpartition(":")[0] if text.count(":") > 1 else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
