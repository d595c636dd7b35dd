"""Signing with a key of the sender's: Ed25519 by `cryptography`, and the short name of the key. Pure otherwise.

A signature proves the sender only to who has their public key from earlier. It binds the sender to what was passed on,
also before a court: so nothing is signed unless it is asked for.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from client.share.seal import require
from transports.types import N_, Rejected

SEED_BYTES: Final = 32
ADDED: Final = 72  # bytes: the short name of the key and the signature
_ID: Final = 8
_SIGNATURE: Final = 64
_PURPOSE: Final = b"sanylau signed 1\0"  # a signature under this can stand for nothing else


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signed:
    """What was signed, the short name of the key (hexadecimal), and the public key if it is a known one."""

    payload: bytes
    key_id: str
    by: bytes | None


def new() -> bytes:
    """Return a fresh secret of 32 bytes to sign with."""
    return secrets.token_bytes(SEED_BYTES)


def public(seed: bytes) -> bytes:
    """Return the public key of a secret, 32 bytes: what others need to know the signature."""
    require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_id(public_key: bytes) -> str:
    """Return the short name of a public key: 16 hexadecimal digits."""
    return hashlib.sha256(public_key).digest()[:_ID].hex()


def sign(payload: bytes, seed: bytes) -> bytes:
    """Return `payload` with the key's short name and the signature, ADDED bytes longer."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    named = bytes.fromhex(key_id(public(seed))) + payload
    return named + Ed25519PrivateKey.from_private_bytes(seed).sign(_PURPOSE + named)


def verify(data: bytes, known: Iterable[bytes]) -> Signed:
    """Return what was signed, and by which of the `known` public keys; by none of them, `by` is None.

    Raises Rejected if it names a known key and the signature is not of it.
    """
    require()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(data) <= ADDED:
        raise Rejected(N_("the capsule is damaged or incomplete: ask for it again"))
    named, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
    short, payload = named[:_ID].hex(), named[_ID:]
    candidates = [one for one in known if key_id(one) == short]
    for one in candidates:
        try:
            Ed25519PublicKey.from_public_bytes(one).verify(signature, _PURPOSE + named)
        except (InvalidSignature, ValueError):
            continue
        return Signed(payload=payload, key_id=short, by=one)
    if candidates:
        raise Rejected(
            N_("the signature is wrong: it was altered, or somebody else made it; use nothing of it")
        )
    return Signed(payload=payload, key_id=short, by=None)
