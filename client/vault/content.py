"""What a vault holds, and its form in the file: JSON, compressed, and filled up so that its size tells little. Pure."""

from __future__ import annotations

import base64
import json
import math
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn, TypeAlias

from client.model import Protection, Status
from transports.types import N_, Rejected

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"

VERSION: Final = 1
LARGEST: Final = 64 * 1024 * 1024  # bytes of JSON
MOST_LISTS: Final = 200
MOST_LINES: Final = 100_000  # of all lists
LONGEST: Final = 8 * 1024  # characters of a line
MOST_NETWORKS: Final = 50
MOST_RESULTS: Final = 20_000  # of one network
NAME: Final = re.compile(r"[^\W_][\w.-]{0,39}")

_KEY: Final = 32
_LEVEL: Final = 1  # addresses and keys hardly get smaller, and a save is waited for
_LEAST: Final = 16 * 1024  # bytes: an empty vault is as large as one with fifty bridges
_GZIP: Final = 31  # zlib's word for a gzip header, with the largest window
FULL: Final = N_("the vault is full: remove a list first (`sanylau vault remove NAME`)")
_NEWER: Final = N_("this vault was written by a newer version of Sanylau: use that one")
_NO_NAME: Final = N_("a list's name has at most 40 letters, digits, dots, dashes and underscores")


class Damaged(Exception):  # noqa: N818 - a state of the file
    """What came out of the file is not what a vault holds."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Kept:
    """What was seen of one candidate on one network.

    `line` is the whole candidate; `kib_per_s` and `first_byte` (seconds) are None where they were not measured;
    `seen` is the Unix time of the verdict; `source` is the list that the candidate came from.
    """

    line: str
    transport: str
    status: Status
    seen: float
    failure: str = ""
    step: str = ""
    protection: Protection = Protection.UNKNOWN
    kib_per_s: float | None = None
    first_byte: float | None = None
    tries: int = 0
    udp: bool = False
    source: str = ""

    def __repr__(self) -> str:
        """Keep addresses out of logs and tracebacks."""
        return f"Kept({self.transport}, {self.status})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """All that a vault holds.

    `lists` has lines by name, `results` by the name of a network, `calendars` and `settings` belong to those who
    put them there. `id_key` keeps the short names of results the same; `signing` is an Ed25519 seed, or b"".
    """

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    results: Mapping[str, tuple[Kept, ...]] = field(default_factory=dict)
    calendars: Mapping[str, JSON] = field(default_factory=dict)
    settings: Mapping[str, JSON] = field(default_factory=dict)
    id_key: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY))
    signing: bytes = b""

    def __repr__(self) -> str:
        """Keep what is inside out of logs and tracebacks."""
        return f"Content({len(self.lists)} lists, {len(self.results)} networks)"


def named(name: str) -> None:
    """Raise Rejected for what cannot be a list's name."""
    if not NAME.fullmatch(name):
        raise Rejected(_NO_NAME)


def fits(line: str) -> bool:
    """Say whether a line can be kept."""
    return len(line) <= LONGEST and "\n" not in line


def with_list(content: Content, name: str, lines: Iterable[str]) -> Content:
    """Return `content` with `lines` added to the list `name`, each once, in their order. Raises Rejected."""
    named(name)
    lists = dict(content.lists)
    lists[name] = tuple(dict.fromkeys((*lists.get(name, ()), *lines)))
    if len(lists) > MOST_LISTS or sum(map(len, lists.values())) > MOST_LINES:
        raise Rejected(FULL)
    if not all(map(fits, lists[name])):
        raise Rejected(N_("one of the lines is longer than {limit} characters"), limit=LONGEST)
    return replace(content, lists=lists)


def without_list(content: Content, name: str) -> Content:
    """Return `content` without the list `name`, and without the results of what stands in no other list.

    Raises Rejected where there is no such list.
    """
    if name not in content.lists:
        raise Rejected(N_("there is no list of this name in the vault"))
    lists = {other: lines for other, lines in content.lists.items() if other != name}
    gone = set(content.lists[name]).difference(*lists.values())
    results = {
        network: tuple(one for one in kept if one.line not in gone)
        for network, kept in content.results.items()
    }
    return replace(content, lists=lists, results={network: kept for network, kept in results.items() if kept})


def without_results(content: Content) -> Content:
    """Return `content` without anything that was seen on any network; the lists stay."""
    return replace(content, results={})


def with_results(content: Content, network: str, kept: Iterable[Kept]) -> Content:
    """Return `content` with what was seen on `network`; of one line the last counts, and the oldest make room."""
    lines = {one.line: one for one in content.results.get(network, ())}
    lines.update((one.line, one) for one in kept if fits(one.line))
    ordered = sorted(lines.values(), key=lambda one: one.seen)[-MOST_RESULTS:]
    results = {**content.results, network: tuple(ordered)} if ordered else dict(content.results)
    if len(results) > MOST_NETWORKS:
        oldest = min((name for name in results if name != network), key=lambda name: results[name][-1].seen)
        del results[oldest]
    return replace(content, results=results)


def with_calendar(content: Content, network: str, calendar: JSON) -> Content:
    """Return `content` with the calendar of `network`."""
    return replace(content, calendars={**content.calendars, network: calendar})


def with_setting(content: Content, name: str, value: JSON) -> Content:
    """Return `content` with a setting; None takes it out."""
    settings = {**content.settings, name: value}
    return replace(content, settings={name: value for name, value in settings.items() if value is not None})


def encode(content: Content) -> bytes:
    """Return the form that is encrypted. Raises Rejected where there is more in it than would be read back."""
    told = {
        "v": VERSION,
        "lists": content.lists,
        "results": {network: list(map(_row, kept)) for network, kept in content.results.items()},
        "calendars": content.calendars,
        "settings": content.settings,
        "id_key": base64.b64encode(content.id_key).decode("ascii"),
        "signing": base64.b64encode(content.signing).decode("ascii"),
    }
    plain = json.dumps(told, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(plain) > LARGEST:
        raise Rejected(FULL)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packer.compress(plain) + packer.flush()
    return packed + bytes(_filled(len(packed)) - len(packed))  # gzip takes no offence at zeros behind its end


def decode(packed: bytes) -> Content:
    """Return what was encoded. Raises Damaged, and Rejected for what a newer version has written."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(packed, LARGEST + 1)
        if len(plain) > LARGEST or not unpacker.eof or unpacker.unused_data.strip(b"\0"):
            raise Damaged
        told = json.loads(plain, parse_constant=_no_number)
        if isinstance(told, dict) and _is_number(told.get("v")) and told["v"] > VERSION:
            raise Rejected(_NEWER)
        return _content(told)
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, Rejected):
            raise
        raise Damaged from None


def _filled(size: int) -> int:
    """Return the size to fill up to: at most an eighth more, so that few sizes are possible."""
    step = max(_LEAST, 1 << max(size.bit_length() - 4, 0))
    return -(-size // step) * step


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _content(told: Any) -> Content:
    """Return the content of the JSON. Whatever has not its form raises one of the errors that `decode` catches."""
    lists = {name: tuple(map(_text, _array(lines))) for name, lines in told["lists"].items()}
    results = {network: tuple(map(_kept, _array(rows))) for network, rows in told["results"].items()}
    id_key, signing = (base64.b64decode(told[name], validate=True) for name in ("id_key", "signing"))
    fits = (
        _is_number(told["v"]) and told["v"] == VERSION,
        len(lists) <= MOST_LISTS and all(map(NAME.fullmatch, lists)),
        sum(map(len, lists.values())) <= MOST_LINES,
        all(len(line) <= LONGEST for lines in lists.values() for line in lines),
        len(results) <= MOST_NETWORKS and all(results.values()),
        all(len(kept) <= MOST_RESULTS for kept in results.values()),
        len(id_key) == _KEY and len(signing) in (0, _KEY),
        isinstance(told["calendars"], dict) and isinstance(told["settings"], dict),
    )
    if not all(fits):
        raise Damaged
    return Content(
        lists=lists,
        results=results,
        calendars=told["calendars"],
        settings=told["settings"],
        id_key=id_key,
        signing=signing,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Damaged
    return value


def _array(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Damaged
    return value


def _row(one: Kept) -> list[JSON]:
    seen = (one.seen, one.kib_per_s, one.first_byte, one.tries, int(one.udp))
    said = (
        one.line,
        one.transport,
        one.status.value,
        one.failure,
        one.step,
        one.protection.value,
        one.source,
    )
    return [*said, *seen]


def _kept(row: Any) -> Kept:
    line, transport, status, failure, step, protection, source, seen, speed, first, tries, udp = row
    for text in (line, transport, failure, step, source):
        if not isinstance(text, str) or len(text) > LONGEST:
            raise Damaged
    for number in (seen, tries, udp, *(one for one in (speed, first) if one is not None)):
        if not _is_number(number) or not 0 <= number < math.inf:
            raise Damaged
    return Kept(
        line=line,
        transport=transport,
        status=Status(status),
        failure=failure,
        step=step,
        protection=Protection(protection),
        source=source,
        seen=seen,
        kib_per_s=speed,
        first_byte=first,
        tries=tries,
        udp=bool(udp),
    )
