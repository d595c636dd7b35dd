"""Bridge lines in JSON: the answers of Moat, the settings of Tor Browser, the list of a Tor Expert Bundle.

Sources: rdsys doc/moat.md (`settings`, `builtin`, `check`), Tor Browser's TorSettings.sys.mjs (`bridge_strings`),
tor-browser-build projects/tor-expert-bundle/pt_config.json (`bridges`). They differ in where the lines stand, and
that has changed before, so what counts is the text itself and the name of the list that it stands in.
"""

from __future__ import annotations

from typing import Any, Final

from transports import tor_bridge
from transports.nodelists.common import MOST_ITEMS, TOO_MANY, Items, bare
from transports.types import N_, Endpoint, Rejected

_LISTS: Final = frozenset({"bridge_strings", "bridges"})
_NONE: Final = N_("these settings name no bridge line")


def from_json(data: Any) -> Items | None:
    """Return the bridges with the order numbers of their strings, None if no bridge is meant in `data`."""
    texts, meant = _strings(data)
    if not texts:
        return [(1, Rejected(_NONE))] if meant else None
    items: Items = [(number, _read(text)) for number, text in enumerate(texts[:MOST_ITEMS], 1)]
    if len(texts) > MOST_ITEMS:
        items.append((MOST_ITEMS + 1, Rejected(TOO_MANY, limit=MOST_ITEMS)))
    return items


def _strings(data: Any) -> tuple[list[str], bool]:
    """Return what is meant as bridge lines, in its order, and whether there is a place for such."""
    texts: list[str] = []
    meant = False
    left: list[tuple[str, Any]] = [("", data)]
    while left and len(texts) <= MOST_ITEMS:
        name, value = left.pop()
        if isinstance(value, dict):
            meant = meant or not _LISTS.isdisjoint(value)
            left.extend(reversed(value.items()))
        elif isinstance(value, list):
            left.extend((name, item) for item in reversed(value))
        elif isinstance(value, str) and (name in _LISTS or tor_bridge.looks_like_bridge(value.strip())):
            texts += filter(
                None, map(str.strip, value.splitlines())
            )  # older settings: all lines in one string
    return texts, meant


def _read(text: str) -> Endpoint | Rejected:
    try:
        return tor_bridge.parse(text)
    except Rejected as refusal:
        return bare(refusal)
