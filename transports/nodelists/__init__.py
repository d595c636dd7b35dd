"""Whole documents that hold nodes: Clash YAML, sing-box, Xray, SIP008 and Tor JSON, Outline answers, WireGuard.

`convert` tries each kind. An item that cannot be used never spoils its neighbours: it comes back as the
`Rejected` that says why.
"""

from __future__ import annotations

from transports.nodelists import clash, outline, singbox, sip008, tor_json, wireguard_conf, xray
from transports.nodelists.common import MAX_TEXT, MOST_ITEMS, Items, read_json

__all__ = ["MAX_TEXT", "MOST_ITEMS", "Items", "convert"]


def convert(text: str) -> Items | None:
    """Return the nodes of a document, None if it is no document of a known kind.

    Each item comes with its line in `text` (YAML), or with its ordinal, both from 1.
    """
    data, refused = read_json(text)
    if refused:
        return refused
    if data is not None:
        kinds = (singbox.from_json, xray.from_json, sip008.from_json, outline.from_json, tor_json.from_json)
        for from_json in kinds:
            found = from_json(data)
            if found is not None:
                return found
    for endpoints in (wireguard_conf.endpoints, clash.endpoints, outline.endpoints):
        found = endpoints(text)
        if found is not None:
            return found
    return None
