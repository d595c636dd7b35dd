"""Bytes as short texts that travel one by one: messages and QR codes. Pure.

A part is `SY1/2abc:` (the first of two, of the capsule abc), the payload, two check characters and a full stop. `SY` is
base64, which every telephone's 7-bit alphabet holds (3GPP TS 23.038); `SQ` is base32, which a QR code packs well
(ISO/IEC 18004, alphanumeric) and no copying changes. The letters come from the SHA-256 of all the bytes, the
check characters from that of the part: neither is there against malice, only to say which part to ask for again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Final

from transports.types import N_, Rejected

MOST: Final = 99  # parts of one capsule
LONGEST: Final = 256 * 1024  # characters that are read at once
_HEAPS: Final = 16  # capsules in one text
_CHECK: Final = 2  # characters
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LETTERS: Final = {"SY": _BASE64, "SQ": _BASE32}
_HEAD: Final = re.compile(r"(S[YQ])\s*(\d{1,2})\s*/\s*(\d{1,2})\s*([a-z]{3})\s*:", re.ASCII | re.IGNORECASE)

TOO_LONG: Final = N_("too much for this way: pass on fewer entries, or use a file (--file)")
TOO_MUCH_TEXT: Final = N_("this text is far too long: paste the messages only")
DAMAGED: Final = N_("the parts do not fit together: ask for all of them again")


@dataclass(slots=True, kw_only=True)
class Heap:
    """What came of one capsule: its letters, how many parts it has, those that are sound, and those that are not."""

    tag: str
    total: int
    parts: dict[int, bytes] = field(default_factory=dict, repr=False)
    broken: set[int] = field(default_factory=set)

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers that never came, or never whole."""
        return tuple(number for number in range(1, self.total + 1) if number not in self.parts)

    @property
    def damaged(self) -> tuple[int, ...]:
        """Those of the missing that came, but cut off or changed."""
        return tuple(number for number in self.missing if number in self.broken)

    def data(self) -> bytes:
        """Return the bytes. Raises Rejected if the parts are not those of one capsule."""
        joined = b"".join(self.parts[number] for number in sorted(self.parts))
        if self.missing or _tag(joined) != self.tag:
            raise Rejected(DAMAGED)
        return joined


def split(data: bytes, room: int, *, form: str) -> tuple[str, ...]:
    """Return `data` in parts of at most `room` characters; `form` is "SY" or "SQ". Raises Rejected if too long."""
    tag = _tag(data)
    for digits in (1, 2):
        head = len(form) + 2 * digits + 1 + len(tag) + 1
        size = _bytes_in(room - head - _CHECK - 1, form)
        chunks = [data[start : start + size] for start in range(0, len(data), size)] if size > 0 else []
        if chunks and len(chunks) < 10**digits:
            total = len(chunks)
            return tuple(_part(chunk, number, total, tag, form) for number, chunk in enumerate(chunks, 1))
    raise Rejected(TOO_LONG)


def collect(texts: Sequence[str]) -> tuple[Heap, ...]:
    """Return what the texts hold, in whatever order and surroundings, capsule by capsule. Raises Rejected."""
    if sum(map(len, texts)) > LONGEST:
        raise Rejected(TOO_MUCH_TEXT)
    heaps: dict[tuple[str, int], Heap] = {}
    for text in texts:
        heads = list(_HEAD.finditer(text))
        for place, head in enumerate(heads):
            end = heads[place + 1].start() if place + 1 < len(heads) else len(text)
            body, stop, _rest = text[head.end() : end].partition(".")
            _take(heaps, head, body, whole=bool(stop))
    return tuple(heaps.values())


def _take(heaps: dict[tuple[str, int], Heap], head: re.Match[str], body: str, *, whole: bool) -> None:
    form, number, total, tag = head[1].upper(), int(head[2]), int(head[3]), head[4].lower()
    if not 1 <= number <= total:
        return
    if (tag, total) not in heaps and len(heaps) >= _HEAPS:
        return
    heap = heaps.setdefault((tag, total), Heap(tag=tag, total=total))
    chunk = _chunk(body, number, total, tag, form) if whole else None
    if chunk is None or heap.parts.get(number, chunk) != chunk:
        heap.broken.add(number)
    if chunk is not None:
        heap.parts.setdefault(number, chunk)


def _chunk(body: str, number: int, total: int, tag: str, form: str) -> bytes | None:
    letters = _LETTERS[form]
    kept = "".join(char for char in (body.upper() if form == "SQ" else body) if char in letters)
    payload, check = kept[:-_CHECK], kept[-_CHECK:]
    if not payload or check != _check(payload, number, total, tag, form):
        return None
    try:
        if form == "SQ":
            return base64.b32decode(payload + "=" * (-len(payload) % 8))
        return base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
    except binascii.Error:
        return None


def _part(chunk: bytes, number: int, total: int, tag: str, form: str) -> str:
    made = base64.b32encode(chunk) if form == "SQ" else base64.b64encode(chunk)
    payload = made.decode("ascii").rstrip("=")
    check = _check(payload, number, total, tag, form)
    shown = tag.upper() if form == "SQ" else tag
    return f"{form}{number}/{total}{shown}:{payload}{check}."


def _bytes_in(characters: int, form: str) -> int:
    return characters * (5 if form == "SQ" else 6) // 8


def _tag(data: bytes) -> str:
    number = int.from_bytes(hashlib.sha256(data).digest()[:4])
    return "".join(ascii_lowercase[number // 26**place % 26] for place in range(3))


def _check(payload: str, number: int, total: int, tag: str, form: str) -> str:
    digest = hashlib.sha256(f"{form}{number}/{total}{tag}:{payload}".encode("ascii")).digest()
    letters = _LETTERS[form]
    return "".join(letters[byte % len(letters)] for byte in digest[:_CHECK])
