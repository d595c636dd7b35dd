"""Share links, one a line: for v2rayNG, Hiddify, Streisand, Shadowrocket, Outline and their like.

A link that came as a link goes out as it came, without its name: names are advertisements and may hold anything. A node
out of a document is written anew. Either way the link is read back, and must mean the same node.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from client.export import sharelinks, telegram
from client.export.common import (
    NO_WORDS,
    PLAIN_KINDS,
    Exported,
    Here,
    Plain,
    each,
    exported,
    other_kind,
    plain,
)
from client.options import Option
from transports.registry import PARSERS, REGISTRY
from transports.types import N_, Endpoint, Rejected

_LINK: Final = re.compile(r"([a-z0-9+]+)://[!-\"$-~]+\Z", re.ASCII | re.IGNORECASE)
KINDS: Final = tuple(
    name for name, entry in REGISTRY.items() if entry.parse and name not in ("auto", "tor_bridge")
)
BRIDGE: Final = N_("a bridge line is no share link: use the format bridges")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the links."""
    made, left = each(options, link)
    return exported("".join(f"{text}\n" for _, text in made), made, left)


def link(option: Option) -> str:
    """Return the link of an option. Raises Rejected where no link means the same."""
    endpoint = option.endpoint
    if endpoint.transport in ("tor_bridge", "tor"):
        raise Rejected(BRIDGE)
    if endpoint.transport == "auto":
        raise other_kind(option, KINDS)
    if endpoint.transport == "telegram":
        return telegram.link(option)
    if endpoint.transport in PLAIN_KINDS:
        return _of_plain(plain(option))
    for text in (endpoint.text.partition("#")[0], sharelinks.write(endpoint)):
        if means(text, endpoint):
            return text
    raise Rejected(NO_WORDS)


def _of_plain(proxy: Plain) -> str:
    return proxy.url(proxy.kind)


def means(text: str, endpoint: Endpoint) -> bool:
    """Say whether `text` is a link of printable ASCII that leads to the same endpoint with the same settings."""
    found = _LINK.match(text)
    parse = PARSERS.get(found[1].lower()) if found else None
    if parse is None:
        return False
    try:
        return parse(text).key() == endpoint.key()
    except Rejected:
        return False
