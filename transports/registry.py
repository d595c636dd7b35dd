"""Every transport, one line each. Keep it sorted; a new transport is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from transports import (
    anytls,
    hysteria2,
    proxyline,
    shadowsocks,
    telegram,
    tor_bridge,
    trojan,
    tuic,
    unsupported,
    vless,
    vmess,
    wireguard,
)
from transports.auto import Auto
from transports.direct import Direct
from transports.http_connect import HttpConnect
from transports.singbox import SingBoxNode
from transports.socks4 import Socks4Proxy
from transports.socks5 import Socks5Proxy
from transports.tor_bridge_dial import PlainTor, TorBridgeTransport
from transports.types import Endpoint, Parse, Protection, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How to read a line of this kind, how to open it, and what it protects.

    `transport` is None for kinds that are recognised but cannot be tested. `engine` names the outside
    program that must be running. `forwards` says that plain HTTP goes as one request with a whole URL.
    """

    parse: Parse | None
    transport: Transport | None
    protection: Protection
    schemes: tuple[str, ...] = ()
    engine: str = ""
    forwards: bool = False
    udp: bool = False


_SING_BOX: Final = SingBoxNode()


def _node(module: ModuleType) -> Entry:
    """Return the entry of a share link that sing-box opens."""
    return Entry(
        parse=module.parse,
        transport=_SING_BOX,
        protection=Protection.UNKNOWN,
        schemes=module.SCHEMES,
        engine="sing-box",
    )


def _recognised(module: ModuleType, protection: Protection = Protection.UNKNOWN) -> Entry:
    """Return the entry of a kind that can be read, but not tested."""
    return Entry(parse=module.parse, transport=None, protection=protection, schemes=module.SCHEMES)


REGISTRY: Final[Mapping[str, Entry]] = {
    "anytls": _node(anytls),
    "auto": Entry(parse=proxyline.parse, transport=Auto(), protection=Protection.OPEN),
    "direct": Entry(parse=None, transport=Direct(), protection=Protection.OPEN),
    "http": Entry(
        parse=proxyline.parse,
        transport=HttpConnect(),
        protection=Protection.OPEN,
        schemes=("http",),
        forwards=True,
    ),
    "https": Entry(
        parse=proxyline.parse,
        transport=HttpConnect(),
        protection=Protection.UNKNOWN,
        schemes=("https",),
        forwards=True,
    ),
    "hysteria2": _node(hysteria2),
    "shadowsocks": _node(shadowsocks),
    "singbox": Entry(parse=None, transport=_SING_BOX, protection=Protection.UNKNOWN, engine="sing-box"),
    "socks4": Entry(
        parse=proxyline.parse, transport=Socks4Proxy(), protection=Protection.OPEN, schemes=("socks4",)
    ),
    "socks4a": Entry(
        parse=proxyline.parse, transport=Socks4Proxy(), protection=Protection.OPEN, schemes=("socks4a",)
    ),
    "socks5": Entry(
        parse=proxyline.parse,
        transport=Socks5Proxy(),
        protection=Protection.OPEN,
        schemes=("socks", "socks5", "socks5h"),
        udp=True,
    ),
    "telegram": _recognised(telegram),
    "tor": Entry(parse=None, transport=PlainTor(), protection=Protection.TOR, engine="tor"),
    "tor_bridge": Entry(
        parse=tor_bridge.parse, transport=TorBridgeTransport(), protection=Protection.TOR, engine="tor"
    ),
    "trojan": _node(trojan),
    "tuic": _node(tuic),
    "unsupported": _recognised(unsupported),
    "vless": _node(vless),
    "vmess": _node(vmess),
    "wireguard": _node(wireguard),
}


def _parse_web(text: str) -> Endpoint:
    """Read what begins like a web address: a Telegram link, a key to be fetched, or an HTTP(S) proxy."""
    if telegram.looks_like_telegram(text):
        return telegram.parse(text)
    return unsupported.parse(text) if unsupported.looks_like_key(text) else proxyline.parse(text)


PARSERS: Final[Mapping[str, Parse]] = {
    **{scheme: entry.parse for entry in REGISTRY.values() if entry.parse for scheme in entry.schemes},
    "http": _parse_web,
    "https": _parse_web,
}
