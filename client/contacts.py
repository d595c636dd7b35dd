"""Whom the programs of a bridge contact besides the bridge: fronts, brokers, STUN servers, resolvers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from transports.types import Endpoint

_FRONTED: Final = frozenset({"meek_lite", "snowflake", "conjure"})
_STUN: Final = frozenset({"stun", "stuns", "turn", "turns"})


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
        own = _host(args.get("url", ""))
        yield _at(args.get("addr", "")) or own  # where the connection goes
        yield from args["servername"].split(",") if args.get("servername") else [own]  # what TLS calls it
    elif name == "dnstt":
        yield _host(args.get("doh", ""))
        yield from (_at(args.get(way, "")) for way in ("dot", "udp"))
        yield args.get("domain", "")


def _fronts(args: Mapping[str, str]) -> Iterator[str]:
    """What the operator sees is the front where there is one, else the server itself.

    `targets` and `sqsqueue` are ways of their own: which one is taken depends on the program.
    """
    fronts = [*args.get("fronts", "").split(","), args.get("front", "")]
    own = (args.get(way, "") for way in ("ampcache", "registrar", "url"))
    yield from fronts if any(fronts) else map(_host, own)
    for target in args.get("targets", "").split(","):
        url, _, behind = target.partition("|")
        yield from behind.split("+") if behind else [_host(url)]
    yield _host(args.get("sqsqueue", ""))


def _stun(text: str) -> str:
    """Return the host of `stun:host:port`; the port may be left out, and the scheme another one (RFC 7064, 7065)."""
    scheme, _, rest = text.partition(":")
    return _at(rest if scheme.lower() in _STUN else text)


def _at(text: str) -> str:
    """Return the host of `host:port`, with or without the port."""
    bare = text.count(":") > 1 and not text.startswith("[")
    return text if bare else _host("//" + text.removeprefix("//"))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
