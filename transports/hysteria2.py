"""Hysteria 2 links (`hysteria2://`, `hy2://`), after the URI scheme of the Hysteria documentation."""

from __future__ import annotations

import re
from typing import Final

from transports.sharelink import Options, Query, decode, first, parse_port, secret, split
from transports.sharelink_sections import PINNED, finish, tls_section
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("hysteria2", "hy2", "hysteria2+realm", "hy2+realm")
MOST_RANGES: Final = 64
_IGNORED: Final = ("security", "fp", "fingerprint", "client-fingerprint", "type", "pinsha256")
_RANGE: Final = re.compile(r"([0-9]{1,5})(?:[-:]([0-9]{1,5}))?\Z")
GECKO: Final = N_("the gecko disguise of Hysteria 2 cannot be tested yet")
REALM: Final = N_("a Hysteria 2 realm needs a meeting server, which cannot be tested yet")
DISGUISE: Final = N_("this disguise of Hysteria 2 is not known to sing-box")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a Hysteria 2 link. Raises Rejected."""
    link = split(text, SCHEMES, default_port=443, port_list=True)
    if link.scheme.endswith("+realm"):
        options: Options = {"type": "hysteria2", "realm": text.partition("://")[2].partition("#")[0]}
        return Endpoint(
            transport="hysteria2",
            host=link.host,
            port=link.port or 443,
            options=options,
            text=text,
            untested=REALM,
        )
    ports = first(link.query, "mport") or link.ports
    return build(link.host, ports or "443", decode(link.user), link.query, text)


def build(host: str, ports: str, password: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint. `ports` is a port, or a list and ranges such as `443,5000-6000`. Raises Rejected."""
    ranges = parse_ports(ports)
    options: Options = {"type": "hysteria2", "server": host}
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        options["server_port"] = ranges[0][0]
    else:
        options["server_ports"] = [f"{low}:{high}" for low, high in ranges]
    if password:
        options["password"] = secret(password)
    why = _disguise(options, query)
    kept = {name: value for name, value in query.items() if value and name not in _IGNORED}
    if kept.get("alpn", "").strip() == "h3":
        del kept["alpn"]
    tls, why_tls = tls_section(kept, host, "tls")
    options["tls"] = tls
    why = why or why_tls or (PINNED if first(query, "pinsha256") else "")
    return finish("hysteria2", host, ranges[0][0], options, query, text, why)


def parse_ports(text: str) -> list[tuple[int, int]]:
    """Return (low, high) for each part of a list, in order, without repeats. Raises Rejected."""
    ranges: list[tuple[int, int]] = []
    for part in text.split(",", MOST_RANGES):
        found = _RANGE.match(part.strip())
        if not found or len(ranges) == MOST_RANGES:
            raise Rejected(N_("the port must be a number, or a list such as 443,5000-6000"))
        low = parse_port(found[1])
        high = parse_port(found[2]) if found[2] else low
        ranges.append((min(low, high), max(low, high)))
    return sorted(set(ranges))


def _disguise(options: Options, query: Query) -> str:
    kind = first(query, "obfs").lower()
    if kind in ("", "none", "plain"):
        return ""
    if kind != "salamander":
        return GECKO if kind == "gecko" else DISGUISE
    password = first(query, "obfs-password", "obfspassword", "obfs_password")
    if not password:
        raise Rejected(N_("obfs-password= is missing: copy the whole link"))
    options["obfs"] = {"type": "salamander", "password": password}
    return ""
