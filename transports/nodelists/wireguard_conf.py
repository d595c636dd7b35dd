"""A wg-quick `.conf` text given as a whole document."""

from __future__ import annotations

import re
from typing import Final

from transports import wireguard
from transports.nodelists.common import Items, bare
from transports.types import Rejected

_MARK: Final = re.compile(r"^[ \t]*\[interface\][ \t\r]*$", re.IGNORECASE | re.MULTILINE)


def endpoints(text: str) -> Items | None:
    """Return the tunnel with the line of its `[Interface]`, None if there is no such section."""
    found = _MARK.search(text)
    if not found:
        return None
    line = text.count("\n", 0, found.start()) + 1
    try:
        return [(line, wireguard.parse_conf(text))]
    except Rejected as refusal:
        return [(line, bare(refusal))]
