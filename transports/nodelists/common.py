"""What the document converters share: limits, reading values, and items that fail alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from transports.sharelink import check_host, check_text, load_json, parse_port
from transports.types import N_, Endpoint, Rejected

MAX_TEXT: Final = 5 * 1024 * 1024  # characters
MOST_ITEMS: Final = 20_000
_LONGEST_ITEM: Final = 16_384
_LONGEST_SECRET: Final = 255

Items = list[tuple[int, Endpoint | Rejected]]
Item = dict[str, Any]

TOO_LONG: Final = N_("the document is larger than 5 MiB: split it")
TOO_MANY: Final = N_("the document has more than {limit} nodes: the rest is left out")
NO_ITEM: Final = N_("this entry of the document is no node: it has no settings")
UNKNOWN: Final = N_("this kind of node cannot be tested yet: use the program that belongs to it")
CHAIN: Final = N_("this node goes through another node, which cannot be tested yet")


def too_long() -> Items:
    """Return the only entry of a document beyond the limit."""
    return [(1, Rejected(TOO_LONG))]


def read_json(text: str) -> tuple[Any, Items]:
    """Return (the data or None if it is no JSON object or list, the refusal or an empty list)."""
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return None, []
    if len(text) > MAX_TEXT:
        return None, too_long()
    data = load_json(text.lstrip("\ufeff"))
    return (data, []) if isinstance(data, (dict, list)) else (None, [])


def collect(items: Iterable[tuple[int, Any]], build: Callable[[Item], Endpoint]) -> Items:
    """Build each item by itself; what fails comes back as its `Rejected`."""
    found: Items = []
    for number, item in items:
        if len(found) == MOST_ITEMS:
            found.append((number, Rejected(TOO_MANY, limit=MOST_ITEMS)))
            break
        found.append((number, attempt(build, item)))
    return found


def attempt(build: Callable[[Item], Endpoint], item: Any) -> Endpoint | Rejected:
    """Return what `build` makes of one item, or why it makes nothing of it."""
    if isinstance(item, Rejected):
        return item
    if not isinstance(item, dict):
        return Rejected(NO_ITEM)
    try:
        return build(item)
    except Rejected as refusal:
        return bare(refusal)


def bare(refusal: Rejected) -> Rejected:
    """Return the refusal without its traceback, which would keep the whole document in memory."""
    refusal.__context__ = refusal.__cause__ = None
    return refusal.with_traceback(None)


def words(value: Any) -> str:
    """Return a scalar as text, a list with commas; anything else, and what is missing, is empty."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ",".join(words(part) for part in value[:256] if not isinstance(part, (list, dict)))
    return check_text(value) if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def inner(item: Item, name: str) -> Item:
    """Return the object under `name`, an empty one if there is none."""
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def dump(item: Item) -> str:
    """Return the item as one line of JSON, for `--reveal`. Raises Rejected if it is too long."""
    text = json.dumps(item, ensure_ascii=True, separators=(",", ":"), default=str)
    if len(text) > _LONGEST_ITEM:
        raise Rejected(N_("this entry of the document is too long"))
    return text


def place(item: Item, host: str = "server", port: str = "port") -> tuple[str, int]:
    """Return host and port of an item. Raises Rejected."""
    return check_host(words(item.get(host)).strip()), parse_port(words(item.get(port)).strip())


def plain(kind: str, host: str, port: int, user: str, password: str) -> Endpoint:
    """Return the endpoint of a plain proxy found in a document. Raises Rejected."""
    if max(len(user.encode()), len(password.encode())) > _LONGEST_SECRET:
        raise Rejected(N_("the user name or password is longer than 255 bytes"))
    return Endpoint(transport=kind, host=host, port=port, username=user, password=password)


def untested(kind: str, host: str, port: int, item: Item, names: Iterable[str], reason: str) -> Endpoint:
    """Return a node that is recognised, but not tested; `names` are cosmetic and do not tell nodes apart."""
    settings = {name: value for name, value in item.items() if name not in set(names)}
    options = {"kind": kind, "settings": dump(settings)}
    return Endpoint(
        transport="unsupported", host=host, port=port, options=options, text=dump(item), untested=reason
    )


def not_tested(endpoint: Endpoint, reason: str, extra: str = "") -> Endpoint:
    """Return the endpoint as one that is not tested because of `reason`."""
    options = dict(endpoint.options or {})
    if extra:
        options["through"] = extra
    return Endpoint(
        transport=endpoint.transport,
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.username,
        password=endpoint.password,
        options=options,
        text=endpoint.text,
        untested=endpoint.untested or reason,
    )
