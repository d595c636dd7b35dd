"""Links that are recognised, so that a person is told why they are not tested and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from transports.sharelink import (
    check_host,
    decode,
    leftovers,
    parse_port,
    split,
    strip_scheme,
    text_from_base64,
)
from transports.types import N_, Endpoint, Rejected

_SSR: Final = N_("ShadowsocksR is out of use and not supported: ask for a Shadowsocks or VLESS link")
_NAIVE: Final = N_("NaiveProxy cannot be tested yet: use the naive program for it")
_SSH: Final = N_("SSH links cannot be tested yet: use ssh -D for it")
_OTHER: Final = N_("this kind of link cannot be tested yet: use the program that belongs to it")
FETCH: Final = N_("this key must be fetched first: fetch it yourself and give the answer as a file")
_REASONS: Final[Mapping[str, str]] = {
    "ssr": _SSR,
    "naive+https": _NAIVE,
    "naive+quic": _NAIVE,
    "ssh": _SSH,
    "hysteria": _OTHER,
    "hy": _OTHER,
    "juicity": _OTHER,
    "snell": _OTHER,
    "ssconf": FETCH,
}
SCHEMES: Final = tuple(_REASONS)
_PORTS: Final = {"ssh": 22, "naive+https": 443, "naive+quic": 443, "hysteria": 443, "hy": 443}
_WITH_PATH: Final = re.compile(r"https://[^/?#\s]+/[^?#\s]", re.IGNORECASE)


def looks_like_key(text: str) -> bool:
    """Tell whether `text` is an `https://` address of a document, not of a proxy: it has a path."""
    return _WITH_PATH.match(text) is not None


def parse(text: str) -> Endpoint:
    """Return an endpoint with the reason why it is not tested. Raises Rejected if it cannot be read."""
    if looks_like_key(text):
        return _fetched(text, "https")
    scheme, body = strip_scheme(text, SCHEMES)
    if scheme == "ssr":
        return _shadowsocksr(body, text)
    if scheme == "ssconf":
        return _fetched(text, scheme)
    listed = scheme in ("hysteria", "hy")
    link = split(text, SCHEMES, default_port=_PORTS.get(scheme, 0), port_list=listed)
    user, _, password = link.user.partition(":")
    return Endpoint(
        transport="unsupported",
        host=link.host,
        port=link.port or 443,
        username=decode(user),
        password=decode(password),
        options={"kind": scheme, "ports": link.ports if listed else "", **leftovers(link.query)},
        text=text,
        untested=_REASONS[scheme],
    )


def _fetched(text: str, scheme: str) -> Endpoint:
    link = split(text, (scheme,), default_port=443)
    path = text.partition("://")[2].partition("#")[0].partition("/")[2]
    options = {"kind": "key", "path": path, "user": link.user}
    return Endpoint(
        transport="unsupported", host=link.host, port=link.port, options=options, text=text, untested=FETCH
    )


def _shadowsocksr(body: str, text: str) -> Endpoint:
    """Read host:port:protocol:method:obfs:password_base64/?…, all of it base64."""
    decoded = text_from_base64(body)
    parts = decoded.partition("/")[0].rsplit(":", 5) if decoded else []
    if len(parts) != 6:
        raise Rejected(N_("the part after ssr:// is no base64 of its settings: copy the whole link"))
    host = check_host(parts[0])
    port = parse_port(parts[1])
    return Endpoint(
        transport="unsupported",
        host=host,
        port=port,
        options={"kind": "ssr", "settings": ":".join(parts[2:])},
        text=text,
        untested=_SSR,
    )
