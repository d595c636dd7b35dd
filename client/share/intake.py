"""What came from somebody, recognised and opened. Everything in it is hostile. Pure.

Nothing here contacts anybody, and nothing is believed: what an entry was seen to do is the sender's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from client import parse
from client.model import Message
from client.share import envelope, listing, parts, sms
from client.share.capsule import Entry
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.share.seal import OneTime

_AGE: Final = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_PICTURES: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")
_MESSAGES: Final = 16

NOTHING: Final = N_("there is nothing in it that could be taken in: no capsule, proxy, share link or bridge")
ARMORED: Final = N_(
    "this age file is in the text form: turn it into the other with `age -d`, or ask for the file as Sanylau wrote it"
)
OTHER_CODE: Final = N_("this QR code is of something else: ask for one made by `sanylau share`")
FOR_WORDS: Final = N_(
    "this is sealed for words that another `take` has shown: keep one `sanylau take` open, read its words to the sender, and ask for it once more"
)


class Shape(StrEnum):
    """What a file is."""

    AGE = "age"
    PICTURE = "picture"
    MESSAGES = "messages"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was recognised: whole messages that are still to be opened, or entries of a list. `notes` is to be said."""

    shape: Shape
    messages: tuple[bytes, ...] = ()
    entries: tuple[Entry, ...] = ()
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What was taken in. `key_id` names the key that signed all of it, "" for none; `by` is that key if it is known."""

    entries: tuple[Entry, ...] = ()
    sealed: bool = False
    key_id: str = ""
    by: bytes | None = None
    notes: tuple[Message, ...] = ()


def recognise(data: bytes) -> Found:
    """Return what a file's bytes are. Raises Rejected."""
    if data.startswith(_AGE):
        if data.startswith(_AGE[1]):
            raise Rejected(ARMORED)
        return Found(shape=Shape.AGE)
    if data.startswith(_PICTURES):
        return Found(shape=Shape.PICTURE)
    text = _text(data)
    if text is None:
        return Found(shape=Shape.MESSAGES, messages=(envelope.unchecked(data),))
    return of_texts((text,))


def of_texts(texts: Sequence[str]) -> Found:
    """Return what messages, codes or a list say. Raises Rejected."""
    if sum(map(len, texts)) > parse.LARGEST:
        raise Rejected(parts.TOO_MUCH_TEXT)
    if any("SY" in text.upper() or "SQ" in text.upper() for text in texts) and _has_parts(texts):
        whole, notes = sms.join(texts)
        messages = tuple(envelope.unchecked(one) for one in whole[:_MESSAGES])
        return Found(shape=Shape.MESSAGES, messages=messages, notes=notes)
    entries = listing.read("\n".join(texts))
    if not entries:
        raise Rejected(NOTHING)
    return Found(shape=Shape.LIST, entries=entries)


def of_codes(texts: Sequence[str]) -> Found:
    """Return what QR codes say. Raises Rejected."""
    try:
        return of_texts(texts)
    except Rejected as rejected:
        raise Rejected(OTHER_CODE) if rejected.reason == NOTHING else rejected from None


def of_file(plain: bytes) -> Got:
    """Return what the inside of an age file says. Raises Rejected."""
    entries = listing.read(parse.decode(plain))
    if not entries:
        raise Rejected(NOTHING)
    return Got(entries=entries, sealed=True)


def opened(
    found: Found,
    *,
    key: OneTime | None = None,
    agreed: bytearray | None = None,
    known: Iterable[bytes] = (),
) -> Got:
    """Open the messages with the one-time key and the agreed passphrase. Raises Rejected."""
    if found.shape is Shape.LIST:
        return Got(entries=found.entries, notes=found.notes)
    keys = tuple(known)
    taken = []
    for message in found.messages:
        if key is None and envelope.kind(message) is envelope.Kind.SEALED:
            raise Rejected(FOR_WORDS)
        taken.append(envelope.take(message, key=key, agreed=agreed, known=keys))
    same = len({one.key_id for one in taken}) == 1
    return Got(
        entries=tuple(_distinct(entry for one in taken for entry in one.capsule.entries)),
        sealed=all(one.sealed for one in taken),
        key_id=taken[0].key_id if same else "",
        by=taken[0].by if same else None,
        notes=found.notes,
    )


def _distinct(entries: Iterable[Entry]) -> Iterable[Entry]:
    return {entry.endpoint.key(): entry for entry in entries}.values()


def _has_parts(texts: Sequence[str]) -> bool:
    if sum(map(len, texts)) > parts.LONGEST:
        return False
    return bool(parts.collect(texts))


def _text(data: bytes) -> str | None:
    """Return the text that bytes are, None for what is no text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
