"""What travels, by whichever way: a capsule plain, signed or sealed, and a check where the way has none.

The first byte says which: 1 to 15, or with the highest bit set, a plain capsule; then signed, sealed. What is sealed
may be signed inside, so that a listener does not see by whom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from client.share import capsule as capsules
from client.share import seal, sign
from client.share.capsule import LARGEST, Capsule
from client.share.codecs import COMPACT
from client.share.seal import OneTime
from transports.types import N_, Rejected

_SEALED: Final = 0x10
_SIGNED: Final = 0x11
_NEWEST: Final = 0x1F  # from here to _SEALED stand ways to wrap that a newer version may add
_CHECK: Final = 2
_PURPOSE: Final = b"sanylau check 1\0"


class Kind(StrEnum):
    """How a message is wrapped, as far as one sees without a key."""

    PLAIN = "plain"
    SIGNED = "signed"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came in. `key_id` is the short name of the signer's key, "" if it was not signed; `by` the key if known."""

    capsule: Capsule
    sealed: bool
    key_id: str = ""
    by: bytes | None = None


def plain(capsule: Capsule, *, whole: bool = False) -> bytes:
    """Return a message that everybody can read. `whole` as in `capsule.pack`."""
    return capsules.pack(capsule, whole=whole)


def signed(capsule: Capsule, seed: bytes, *, whole: bool = False) -> bytes:
    """Return a message that everybody can read, with the sender's signature."""
    return bytes((_SIGNED,)) + sign.sign(capsules.pack(capsule, whole=whole), seed)


def sealed(message: bytes, public: bytes, agreed: bytearray | None = None) -> bytes:
    """Return a plain or signed message sealed to the receiver's one-time key."""
    return bytes((_SEALED,)) + seal.seal(message, public, agreed)


def kind(message: bytes) -> Kind:
    """Say how a message is wrapped. Raises Rejected for what is none, or of a newer version."""
    first = message[0] if message else 0
    if first in (_SEALED, _SIGNED):
        return Kind.SEALED if first == _SEALED else Kind.SIGNED
    if 0 < first <= capsules.VERSION or first & COMPACT:
        return Kind.PLAIN
    if 0 < first <= _NEWEST:
        raise Rejected(capsules.NEWER)
    raise Rejected(capsules.FOREIGN)


def take(
    message: bytes,
    *,
    key: OneTime | None = None,
    agreed: bytearray | None = None,
    known: Iterable[bytes] = (),
) -> Taken:
    """Return what a message holds. `known` are public keys of senders. Raises Rejected with what to do about it."""
    if len(message) > LARGEST:
        raise Rejected(capsules.TOO_LARGE)
    closed = kind(message) is Kind.SEALED
    if closed:
        if key is None:
            raise Rejected(N_("this is sealed to a one-time key that is not here: begin with a new key"))
        message = key.open(message[1:], agreed)
        if kind(message) is Kind.SEALED:
            raise Rejected(capsules.FOREIGN)
    if kind(message) is Kind.PLAIN:
        return Taken(capsule=capsules.unpack(message), sealed=closed)
    found = sign.verify(message[1:], known)
    return Taken(capsule=capsules.unpack(found.payload), sealed=closed, key_id=found.key_id, by=found.by)


def checked(message: bytes) -> bytes:
    """Return a message with 2 bytes that check it, for the ways that do not check by themselves (SMS, QR, files)."""
    return message + _check(message)


def unchecked(data: bytes) -> bytes:
    """Return the message of `checked`. Raises Rejected if the check is wrong."""
    message, check = data[:-_CHECK], data[-_CHECK:]
    if not message or check != _check(message):
        raise Rejected(N_("the check is wrong: a part is missing, was altered, or this is something else"))
    return message


def _check(message: bytes) -> bytes:
    return hashlib.sha256(_PURPOSE + message).digest()[:_CHECK]
