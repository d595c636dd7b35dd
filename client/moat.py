"""Moat, the Tor Project's API for circumvention settings: requests as bytes, and what its answers say. Pure.

Source: rdsys doc/moat.md and pkg/presentation/distributors/moat. Every answer has status 200; errors stand in the
body. Whoever sits on the route may have written an answer, so it is read as an enemy's: one size, one depth,
wrong types passed over or refused, and none of its words shown.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from client.bridges import Line, read
from transports.types import N_

LARGEST: Final = 512 * 1024  # bytes of one answer
KIND: Final = "application/vnd.api+json"
SETTINGS: Final = "circumvention/settings"
DEFAULTS: Final = "circumvention/defaults"
BUILTIN: Final = "circumvention/builtin"
MAP: Final = "circumvention/map"
COUNTRIES: Final = "circumvention/countries"
FETCH: Final = "fetch"
CHECK: Final = "check"
NOT_OFFERED: Final = 404
NO_COUNTRY: Final = 406
WRONG_ANSWER: Final = 419

_VERSION: Final = "0.1.0"
_MOST_GROUPS: Final = 20
_MOST_COUNTRIES: Final = 300
_LONGEST_CHALLENGE: Final = 16 * 1024
_LARGEST_PICTURE: Final = 256 * 1024
LONGEST_SOLUTION: Final = 64
_JPEG: Final = b"\xff\xd8\xff"
_WORD: Final = re.compile("[A-Za-z0-9_-]{1,32}", re.ASCII)
_CODE: Final = re.compile("[a-z]{2}", re.ASCII)

_BY_CODE: Final[Mapping[int, str]] = {
    400: N_("the server did not understand the request"),
    NOT_OFFERED: N_("the server has no bridges of this kind for this country"),
    NO_COUNTRY: N_("the server cannot tell the country: name it with --country"),
    415: N_("the server did not accept the kind of the request"),
    WRONG_ANSWER: N_("that was not what the picture shows"),
}
ODD: Final = N_("this is not the answer of a bridge server: somebody may have changed it")


class Refused(Exception):  # noqa: N818 - the server's answer, or one that cannot be used
    """No bridges in this answer. `reason` is a message for the catalogs; `code` the server's, 0 where none."""

    def __init__(self, reason: str, code: int = 0, **values: object) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.code: Final = code
        self.values: Final = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bridges of one type. Without lines those that are built in are meant."""

    type: str
    source: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to use in a country, best first. No groups: plain Tor should work there. `bad` counts wrong lines."""

    groups: tuple[Group, ...]
    country: str = ""
    bad: int = 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in their order, each once."""
        return tuple({line.text: line for group in self.groups for line in group.lines}.values())


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Challenge:
    """A picture of letters. `token` goes back with what was read."""

    transport: str
    picture: bytes
    token: str = field(repr=False)


def wish(transports: Sequence[str], country: str = "") -> bytes:
    """Return the body for `settings` (and, without a country, for `defaults`)."""
    asked: dict[str, Any] = {"country": country} if country else {}
    if transports:
        asked["transports"] = list(transports)
    return _body(asked)


def challenge_wish(transport: str) -> bytes:
    """Return the body for `fetch`."""
    return _data({"type": "client-transports", "version": _VERSION, "supported": [transport]})


def solution(challenge: Challenge, text: str) -> bytes:
    """Return the body for `check`."""
    return _data(
        {
            "id": "2",
            "type": "moat-solution",
            "version": _VERSION,
            "transport": challenge.transport,
            "challenge": challenge.token,
            "solution": text[:LONGEST_SOLUTION],
            "qrcode": "false",
        }
    )


def _data(item: dict[str, str | list[str]]) -> bytes:
    return _body({"data": [item]})


def _body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def settings(body: bytes) -> Settings:
    """Read the answer of `settings` or `defaults`. Raises Refused."""
    answer = _mapping(_document(body))
    given = answer.get("settings")
    country = answer.get("country")
    groups, bad = [], 0
    for item in (() if given is None else _sequence(given))[:_MOST_GROUPS]:
        group, wrong = _group(item)
        groups.append(group)
        bad += wrong
    known = isinstance(country, str) and _CODE.fullmatch(country)
    return Settings(groups=tuple(groups), country=str(country) if known else "", bad=bad)


def _group(item: object) -> tuple[Group, int]:
    inner = _mapping(_mapping(item).get("bridges"))
    source = _word(inner.get("source"))
    given = inner.get("bridge_strings")
    lines, bad = read(() if given is None else _sequence(given), source)
    return Group(type=_word(inner.get("type")), source=source, lines=lines), bad


def builtin(body: bytes) -> Settings:
    """Read the answer of `builtin`. Raises Refused."""
    groups, bad = [], 0
    for name, given in list(_mapping(_document(body)).items())[:_MOST_GROUPS]:
        lines, wrong = read(_sequence(given), "builtin")
        groups.append(Group(type=_word(name), source="builtin", lines=lines))
        bad += wrong
    return Settings(groups=tuple(groups), bad=bad)


def countries(body: bytes) -> tuple[str, ...]:
    """Read the answer of `countries`: where circumvention is known to be needed. Raises Refused."""
    return tuple(sorted({_country(code) for code in _sequence(_document(body))[:_MOST_COUNTRIES]}))


def country_map(body: bytes) -> dict[str, tuple[Group, ...]]:
    """Read the answer of `map`: what is meant for each country, without the lines. Raises Refused."""
    items = sorted(_mapping(_document(body)).items())[:_MOST_COUNTRIES]
    return {
        _country(code): tuple(
            _group(item)[0] for item in _sequence(_mapping(entry).get("settings", []))[:_MOST_GROUPS]
        )
        for code, entry in items
    }


def challenge(body: bytes, transport: str) -> Challenge:
    """Read the answer of `fetch`: a picture for `transport`. Raises Refused."""
    item = _first(body, "moat-challenge")
    token, image = item.get("challenge"), item.get("image")
    if not (isinstance(token, str) and 0 < len(token) <= _LONGEST_CHALLENGE and isinstance(image, str)):
        raise Refused(ODD)
    try:
        picture = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(ODD) from None
    if not picture.startswith(_JPEG) or len(picture) > _LARGEST_PICTURE:
        raise Refused(ODD)
    return Challenge(transport=transport, picture=picture, token=token)


def solved(body: bytes) -> Settings:
    """Read the answer of `check`. Raises Refused; its code is WRONG_ANSWER where only the letters were wrong."""
    item = _first(body, "moat-bridges")
    lines, bad = read(_sequence(item.get("bridges")), "captcha")
    return Settings(groups=(Group(type="", source="captcha", lines=lines),), bad=bad)


def _first(body: bytes, kind: str) -> Mapping[str, object]:
    data = _sequence(_mapping(_document(body)).get("data"))
    item = _mapping(data[0] if data else None)
    if item.get("type") != kind:
        raise Refused(ODD)
    return item


def _document(body: bytes) -> object:
    """Return the JSON value, which is not an error's. Raises Refused."""
    if len(body) > LARGEST:
        raise Refused(ODD)
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, no text, or a thousand brackets deep
        raise Refused(ODD) from None
    if isinstance(value, dict) and "errors" in value:
        raise _error(value["errors"])
    return value


def _error(errors: object) -> Refused:
    first = _mapping((_sequence(errors) or [None])[0])
    given = first.get("code")
    code = int(given) if isinstance(given, str) and re.fullmatch("[0-9]{3}", given, re.ASCII) else given
    if isinstance(code, bool) or not isinstance(code, int) or not 0 < code < 1000:
        return Refused(ODD)
    if code in _BY_CODE:
        return Refused(_BY_CODE[code], code)
    return Refused(N_("the server says no, with the number {number}"), code, number=code)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Refused(ODD)
    return value


def _sequence(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Refused(ODD)
    return value


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _country(value: object) -> str:
    if not (isinstance(value, str) and _CODE.fullmatch(value)):
        raise Refused(ODD)
    return value
