"""A capsule: ways in, and what their sender saw of each. As compact bytes, with a version. Pure.

Layout (docs/capsule.md): one obfs4 bridge with an IPv4 address is 59 bytes, of which the first has its highest bit set
and holds the iat-mode and what was seen. Anything else begins with the version and the number of entries. Bytes from
others are hostile: every length and count has a limit, and every entry goes through the parser of pasted lines.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from client.share import codecs
from client.share.codecs import COMPACT, Reader, Torn
from client.share.inward import leads_inward
from transports import tor_bridge
from transports.types import N_, Endpoint, Rejected

LARGEST: Final = 4 * 1024 * 1024  # bytes of a packed capsule
MOST: Final = 20_000  # entries
VERSION: Final = 1
NEWEST: Final = 0x0F  # first bytes from 1 to this one are versions of capsules
AGES: Final = (3600.0, 6 * 3600.0, 24 * 3600.0, 3 * 86_400.0, 7 * 86_400.0, float("inf"))
_LARGEST_TEXT: Final = 16 * 1024 * 1024  # bytes of the texts, unpacked
_TEXTS_AT_ONCE: Final = 64 * 1024  # bytes that the unpacker gives out in one go

_TORN: Final = N_("the capsule is damaged or incomplete: ask for it again")
NEWER: Final = N_("this is from a newer version of Sanylau: bring yours up to date")
FOREIGN: Final = N_("this is no capsule of Sanylau")
TOO_LARGE: Final = N_("this is larger than any capsule: it is something else")


class What(StrEnum):
    """What the sender saw: the two that can be passed on, or nothing."""

    WORKING = "working"
    DEGRADED = "degraded"
    UNTESTED = "untested"


class Line(StrEnum):
    """From what kind of network it was seen."""

    FIXED = "fixed"
    MOBILE = "mobile"
    ABROAD = "abroad"
    UNSAID = "unsaid"


# The tables below are the format of version 1: append nothing, change nothing, make a version 2 instead.
_LINES: Final = (Line.FIXED, Line.MOBILE, Line.ABROAD, Line.UNSAID)
_DEGRADED_AGES: Final = (1, 2, 3, 5)  # a degraded one keeps a coarser age: index into AGES
_DEGRADED_FROM: Final = 1 + len(_LINES) * len(AGES)
_STATES: Final = _DEGRADED_FROM + len(_LINES) * len(_DEGRADED_AGES)  # 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen, how long ago (an index into AGES, which are upper limits in seconds), and from where.

    It is the sender's word, and nothing proves it. Of what was not tested there is neither age nor line, and of a
    degraded one the age is rounded up to one of four: so what goes in is what comes out.
    """

    what: What = What.UNTESTED
    age: int = 0
    line: Line = Line.UNSAID

    def __post_init__(self) -> None:
        if self.what is What.UNTESTED:
            object.__setattr__(self, "age", 0)
            object.__setattr__(self, "line", Line.UNSAID)
        elif not 0 <= self.age < len(AGES):
            raise ValueError("no such age")
        elif self.what is What.DEGRADED:
            object.__setattr__(self, "age", _DEGRADED_AGES[bisect_left(_DEGRADED_AGES, self.age)])

    @staticmethod
    def of(what: What, seconds: float | None, line: Line = Line.UNSAID) -> Seen:
        """Return what to pass on of something seen `seconds` ago; None is not known, so as old as can be said."""
        age = bisect_left(AGES, seconds) if seconds is not None else len(AGES) - 1
        return Seen(what=what, age=age, line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A way in, and what was seen of it."""

    endpoint: Endpoint
    seen: Seen = Seen()

    @property
    def inward(self) -> bool:
        """Say whether the address is of no server on the internet: this machine, a home network, a reserved one."""
        return leads_inward(self.endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """What is handed over."""

    entries: tuple[Entry, ...]


def pack(capsule: Capsule, *, whole: bool = False) -> bytes:
    """Return the bytes of a capsule. `whole` keeps the fingerprints of obfs4 bridges, which need none.

    Raises Rejected for an empty capsule, too many entries, or an entry that no text says.
    """
    if not 0 < len(capsule.entries) <= MOST:
        raise Rejected(N_("a capsule holds from 1 to {most} ways in"), most=MOST)
    entries = [(_short(entry.endpoint, whole), _state(entry.seen)) for entry in capsule.entries]
    if len(entries) == 1 and (alone := codecs.compact(*entries[0])) is not None:
        return alone
    texts: list[str] = []
    records = [_record(endpoint, state, texts) for endpoint, state in entries]
    packed = codecs.squeezed("\n".join(texts)) if texts else b""
    data = b"".join((bytes((VERSION,)), codecs.number(len(entries)), *records, packed))
    if len(data) > LARGEST:
        raise Rejected(N_("this is too much for one capsule: choose fewer"))
    return data


def unpack(data: bytes) -> Capsule:
    """Return what bytes from others say. Raises Rejected, with what to do about it."""
    if len(data) > LARGEST:
        raise Rejected(TOO_LARGE)
    if not data:
        raise Rejected(_TORN)
    try:
        entries = _unpacked(data)
    except (Torn, zlib.error, UnicodeDecodeError):
        raise Rejected(_TORN) from None
    return Capsule(entries=tuple(entries))


def _unpacked(data: bytes) -> Sequence[Entry]:
    reader = Reader(data)
    first = reader.byte()
    if first & COMPACT:
        endpoint, state = codecs.read_compact(first, reader)
        reader.end()
        return [Entry(endpoint=endpoint, seen=_seen(state))]
    if first != VERSION:
        raise Rejected(NEWER if 0 < first <= NEWEST else FOREIGN)
    count = reader.number(MOST)
    if count == 0:
        raise Torn
    found = [_read_record(reader) for _ in range(count)]
    texts = _texts(reader.rest(), sum(endpoint is None for endpoint, _ in found))
    return [
        Entry(endpoint=codecs.of_text(next(texts)) if endpoint is None else endpoint, seen=_seen(state))
        for endpoint, state in found
    ]


def _read_record(reader: Reader) -> tuple[Endpoint | None, int]:
    """Read one entry; its endpoint is None where its text stands behind all the others."""
    head = reader.byte()
    if head & COMPACT:
        return codecs.read_compact(head, reader)
    if head == codecs.TEXT:
        return None, reader.byte()
    return codecs.read_binary(head, reader)


def _texts(packed: bytes, count: int) -> codecs.Texts:
    if not count:
        if packed:
            raise Torn
        return iter(())
    lines = codecs.unsqueezed(packed, _LARGEST_TEXT, _TEXTS_AT_ONCE).split("\n")
    if len(lines) != count:
        raise Torn
    return iter(lines)


def _short(endpoint: Endpoint, whole: bool) -> Endpoint:
    """Leave out the fingerprint of an obfs4 bridge: the key in cert= proves that it is the same bridge."""
    return endpoint if whole else tor_bridge.without_fingerprint(endpoint) or endpoint


def _record(endpoint: Endpoint, state: int, texts: list[str]) -> bytes:
    """Return the bytes of one entry; a text that has to stand behind the others is added to `texts`."""
    packed = codecs.compact(endpoint, state) or codecs.binary(endpoint, state)
    if packed is not None:
        return packed
    texts.append(codecs.text_of(endpoint))
    return bytes((codecs.TEXT, state))


def _state(seen: Seen) -> int:
    line = _LINES.index(seen.line)
    if seen.what is What.WORKING:
        return 1 + line * len(AGES) + seen.age
    if seen.what is What.DEGRADED:
        return _DEGRADED_FROM + line * len(_DEGRADED_AGES) + _DEGRADED_AGES.index(seen.age)
    return 0


def _seen(state: int) -> Seen:
    if state == 0:
        return Seen()
    if state < _DEGRADED_FROM:
        line, age = divmod(state - 1, len(AGES))
        return Seen(what=What.WORKING, age=age, line=_LINES[line])
    if state < _STATES:
        line, place = divmod(state - _DEGRADED_FROM, len(_DEGRADED_AGES))
        return Seen(what=What.DEGRADED, age=_DEGRADED_AGES[place], line=_LINES[line])
    raise Torn
