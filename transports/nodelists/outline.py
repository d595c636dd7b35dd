"""The answers to Outline's dynamic keys: JSON of one server, or YAML with `transport:` or `error:`."""

from __future__ import annotations

import re
from typing import Any, Final

from transports import proxyline, shadowsocks, sharelink
from transports.nodelists import sip008
from transports.nodelists.common import Item, Items, attempt, dump, inner, read_json, words
from transports.types import N_, Endpoint, Rejected

_LONGEST: Final = 65_536  # characters; an answer is one key
_MARK: Final = re.compile(r"^[\"']?(?:transport|error)[\"']?\s*:", re.MULTILINE)
REFUSED: Final = N_("the Outline server gave an error instead of a key: ask its owner")
CARRIED: Final = N_("this Outline key goes through a website, which only the Outline app can do")


def endpoints(text: str) -> Items | None:
    """Return the one endpoint of an answer, None if it is no answer of Outline."""
    data, refused = read_json(text)
    if refused or data is not None:
        return refused or from_json(data)
    if len(text) > _LONGEST or not _MARK.search(text):
        return None
    from transports.nodelists.yamltree import Tree  # YAML is dear to load, and few lists are YAML

    try:
        data = Tree(text).whole()
    except Rejected:
        return None
    return from_json(data)


def from_json(data: Any) -> Items | None:
    """Do the same with data that was read already."""
    if not isinstance(data, dict):
        return None
    if "server" in data and "server_port" in data and "method" in data:
        return [(1, attempt(sip008.build, data))]
    if isinstance(data.get("error"), dict) and "message" in data["error"]:
        return [(1, Rejected(REFUSED))]
    way = data.get("transport")
    if isinstance(way, str) and way.startswith("ss://"):
        return [(1, attempt(lambda item: shadowsocks.parse(words(item["transport"]).strip()), data))]
    tcp = (inner(way, "tcp") or way) if isinstance(way, dict) else {}
    if "endpoint" not in tcp and "secret" not in tcp:
        return None
    return [(1, attempt(_build, tcp))]


def _build(tcp: Item) -> Endpoint:
    prefix = tcp.get("prefix")
    query = {"prefix": prefix if isinstance(prefix, str) else ""}
    where = tcp.get("endpoint")
    if isinstance(where, dict):
        url = words(where.get("url") or inner(where, "endpoint").get("url"))
        link = sharelink.split(url, ("wss", "ws", "https"), default_port=443)
        options = {"kind": "outline", "settings": dump(tcp)}
        return Endpoint(
            transport="shadowsocks",
            host=link.host,
            port=link.port,
            options=options,
            text=dump(tcp),
            untested=CARRIED,
        )
    host, port = proxyline.split_host(words(where))
    checked, number = sharelink.check_host(host), sharelink.parse_port(port)
    method, password = words(tcp.get("cipher") or tcp.get("method")), words(tcp.get("secret"))
    return shadowsocks.build(checked, number, method, password, query, dump(tcp))
