"""WireGuard: links (`wireguard://`, `wg://`) as v2rayN writes them, and wg-quick `.conf` texts."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from transports import proxyline
from transports.sharelink import (
    Options,
    Query,
    check_host,
    check_text,
    decode,
    first,
    from_base64,
    key32,
    parse_port,
    split,
)
from transports.sharelink_sections import finish
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("wireguard", "wg")
_AMNEZIA: Final = re.compile(r"(?:jc|jmin|jmax|s[1-4]|h[1-4]|i[1-5]|j[1-3]|itime|wnoise[a-z]*)\Z")
_SETTING: Final = re.compile(r"\s*([A-Za-z0-9]{1,32})\s*=\s*(.*?)\s*\Z")
_ANYWHERE: Final = ["0.0.0.0/0", "::/0"]
_LONGEST_CONF: Final = 16_384
AMNEZIA: Final = N_("this is AmneziaWG, which sing-box does not do: use the AmneziaWG app for it")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a WireGuard link. Raises Rejected."""
    link = split(text, SCHEMES, default_port=51820)
    private = decode(link.user) or first(link.query, "privatekey", "private_key")
    return build(link.host, link.port, private, link.query, text)


def parse_conf(text: str) -> Endpoint:
    """Return the endpoint of a wg-quick text with one `[Peer]`. Raises Rejected."""
    if len(text) > _LONGEST_CONF:
        raise Rejected(N_("the WireGuard file is too long"))
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip().lower() == "[peer]" and "[peer]" in found:
            raise Rejected(N_("the WireGuard file has several peers: keep one"))
        found.setdefault(line.strip().lower(), "")
        setting = _SETTING.match(line.partition("#")[0])
        if setting:
            name = setting[1].lower()
            value = check_text(setting[2])
            both = name in ("address", "allowedips") and found.get(name)
            found[name] = f"{found[name]},{value}" if both else value
    host, port = proxyline.split_host(found.get("endpoint", ""))
    return build(check_host(host), parse_port(port), found.get("privatekey", ""), found, text)


def build(host: str, port: int, private: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; `options` is a sing-box endpoint object. Raises Rejected."""
    peer: Options = {"address": host, "port": port}
    peer["public_key"] = key32(
        first(query, "publickey", "public_key", "peer_public_key", "pk"),
        N_("the public key of the WireGuard peer must be 44 characters of base64"),
    )
    shared = first(query, "presharedkey", "pre_shared_key", "psk")
    if shared:
        peer["pre_shared_key"] = key32(
            shared, N_("the WireGuard preshared key must be 44 characters of base64")
        )
    peer["allowed_ips"] = _networks(first(query, "allowedips", "allowed_ips")) or list(_ANYWHERE)
    reserved = _reserved(first(query, "reserved"))
    if any(reserved):
        peer["reserved"] = reserved
    options: Options = {
        "type": "wireguard",
        "address": _networks(first(query, "address", "ip", "local_address")),
        "private_key": key32(private, N_("the WireGuard private key must be 44 characters of base64")),
        "peers": [peer],
    }
    if not options["address"]:
        raise Rejected(N_("address= is missing: it is the address of this side, such as 10.0.0.2/32"))
    mtu = _mtu(first(query, "mtu"))
    if mtu:
        options["mtu"] = mtu
    amnezia = any(_AMNEZIA.match(name) and value.strip() not in ("", "0") for name, value in query.items())
    return finish("wireguard", host, port, options, query, text, AMNEZIA if amnezia else "")


def _networks(text: str) -> list[str]:
    """Return addresses with their prefix length, sorted, without repeats. Raises Rejected."""
    parts = [part.strip().strip("[]") for part in text.split(",", 256) if part.strip()]
    try:
        found = {str(ipaddress.ip_interface(part)) for part in parts}
    except ValueError:
        raise Rejected(N_("a WireGuard address is not an IP address: it looks like 10.0.0.2/32")) from None
    if any("%" in part for part in found):
        raise Rejected(N_("a WireGuard address is not an IP address: it looks like 10.0.0.2/32"))
    return sorted(found)


def _reserved(text: str) -> list[int]:
    if not text:
        return []
    parts = [part.strip() for part in text.strip("[]").split(",")]
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        numbers = [int(part) for part in parts]
    else:
        numbers = list(from_base64(text) or b"")
    if len(numbers) != 3 or max(numbers) > 255:
        raise Rejected(N_("reserved= must be three numbers from 0 to 255, such as 1,2,3"))
    return numbers


def _mtu(text: str) -> int:
    if text in ("", "0"):
        return 0
    if not (text.isascii() and text.isdigit() and 576 <= int(text[:6]) <= 65_535):
        raise Rejected(N_("mtu= must be a number from 576 to 65535"))
    return int(text[:6])
