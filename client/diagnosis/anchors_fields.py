"""Reads the entries of an anchors file field by field, and names the one that is wrong."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from client.diagnosis.sights import Place
from transports.proxyline import check_host, parse_port
from transports.types import N_, Rejected

T = TypeVar("T")

_MOST: Final = 200  # entries of a kind
_ENTRY: Final = N_("{file}: [[{table}]] number {number}: {field} is missing or not as it should be")


class Fields:
    """One entry while it is read. Every method raises KeyError with the name of a field that is wrong.

    `who` is how sights will name it: its place or its kind, and a number.
    """

    def __init__(self, entry: Mapping[str, Any], who: str) -> None:
        self.who = who
        self._entry = entry

    def __contains__(self, name: str) -> bool:
        return name in self._entry

    def text(self, name: str, default: str | None = None, most: int = 512) -> str:
        """Return a text of one line."""
        value = self._entry.get(name, default)
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            raise KeyError(name)
        return value

    def host(self, name: str) -> str:
        """Return a name or an IP literal."""
        try:
            return check_host(self.text(name))
        except Rejected:
            raise KeyError(name) from None

    def address(self, name: str) -> str:
        """Return an IP literal."""
        return _literal(self.text(name), name)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return IP literals; none is allowed."""
        return tuple(_literal(value, name) for value in self._list(name))

    def number(self, name: str, default: int, most: int, least: int = 0) -> int:
        """Return a whole number within limits."""
        value = self._entry.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise KeyError(name)
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._entry.get(name, default)
        if not isinstance(value, bool):
            raise KeyError(name)
        return value

    def ports(self, name: str, default: Sequence[int]) -> tuple[int, ...]:
        """Return port numbers."""
        try:
            return tuple(parse_port(str(value)) for value in self._list(name, default))
        except Rejected:
            raise KeyError(name) from None

    def place(self, *allowed: Place) -> Place:
        """Return where it is: one of the places that are allowed."""
        value = self.text("place", Place.ABROAD)
        found = next((place for place in allowed if place.value == value), None)
        if found is None:
            raise KeyError("place")
        return found

    def words(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Return one or more of the words that are allowed."""
        values = tuple(str(value) for value in self._list(name))
        if not values or any(value not in allowed for value in values):
            raise KeyError(name)
        return values

    def hexadecimal(self, name: str, length: int) -> str:
        """Return a fingerprint of `length` digits, in capitals."""
        value = self.text(name).upper()
        if len(value) != length or set(value) - set("0123456789ABCDEF"):
            raise KeyError(name)
        return value

    def body(self) -> bytes | None:
        """Return the known content of a page; None where it is not told."""
        return self.text("body", most=4096).encode() if "body" in self else None

    def _list(self, name: str, default: Sequence[Any] = ()) -> Sequence[Any]:
        value = self._entry.get(name, default)
        if not isinstance(value, list | tuple) or len(value) > _MOST:
            raise KeyError(name)
        return value


def _literal(value: Any, name: str) -> str:
    if not isinstance(value, str):  # a number would be taken for an address
        raise KeyError(name)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise KeyError(name) from None


def entries(
    data: Mapping[str, Any], table: str, make: Callable[[Fields], T], *, file: str, counts: Counter[str]
) -> list[T]:
    """Make every entry of a table; `counts` goes on numbering where another file left off. Raises Rejected."""
    found = data.get(table, [])
    if not isinstance(found, list) or len(found) > _MOST:
        raise Rejected(_ENTRY, file=file, table=table, number=0, field=table)
    made = []
    for number, entry in enumerate(found, 1):
        if not isinstance(entry, dict):
            raise Rejected(_ENTRY, file=file, table=table, number=number, field=table)
        kind = str(entry.get("place", Place.ABROAD.value)) if table == "server" else table
        counts[kind] += 1
        try:
            made.append(make(Fields(entry, f"{kind}-{counts[kind]}")))
        except KeyError as wrong:
            where = str(wrong.args[0])[:40]
            raise Rejected(_ENTRY, file=file, table=table, number=number, field=where) from None
    return made
