"""Age files under a passphrase (age-encryption.org/v1, recipient type scrypt), at a work factor of our own choice.

pyrage offers no work factor: its files cost 1 GiB of memory to open, which a telephone does not have (ADR 7). Only the
framing is written here; every primitive is from `cryptography`. What is made here opens with every age program.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from transports.types import N_, Rejected

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

WORK: Final = 17  # 2^17 rounds of 1 KiB: 128 MiB and about half a second
MOST_WORK: Final = 18  # what `age -p` writes; a file that asks for more would take the memory of this machine
LARGEST: Final = 64 * 1024 * 1024  # bytes of one file
CLOSED: Final = N_("the passphrase is wrong, or the file was altered: it was not opened")
MISSING: Final = N_(
    "encrypted files need the package {name}, which is missing here: install it (`pip install {name}`)"
)

_VERSION: Final = b"age-encryption.org/v1\n"
_LABEL: Final = b"age-encryption.org/v1/scrypt"
_CHUNK: Final = 64 * 1024
_TAG: Final = 16
_SALT: Final = 16
_FILE_KEY: Final = 16
_NONCE: Final = 16
_ZEROS: Final = bytes(12)
_HEADER: Final = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)


def seal(plain: bytes, passphrase: bytearray, *, work: int = WORK) -> bytes:
    """Return `plain` as an age file under `passphrase`, which the caller overwrites. Raises Rejected.

    `work` is the binary logarithm of scrypt's cost: opening takes 2^work KiB of memory.
    """
    file_key = secrets.token_bytes(_FILE_KEY)
    salt = secrets.token_bytes(_SALT)
    wrapped = _cipher(_stretched(passphrase, salt, work)).encrypt(_ZEROS, file_key, None)
    header = _VERSION + b"-> scrypt %b %d\n%b\n---" % (_text(salt), work, _text(wrapped))
    nonce = secrets.token_bytes(_NONCE)
    cipher = _cipher(_derived(file_key, nonce, b"payload"))
    sealed = [cipher.encrypt(number, chunk, None) for number, chunk in _chunks(plain, _CHUNK)]
    return b"".join([header, b" ", _text(_mac(file_key, header)), b"\n", nonce, *sealed])


def unseal(sealed: bytes, passphrase: bytearray) -> bytes:
    """Return what an age file under a passphrase holds.

    Raises Rejected with one and the same words whatever is wrong: the passphrase, the header or the content.
    """
    from hmac import compare_digest

    found = _HEADER.match(sealed)
    if len(sealed) > LARGEST or found is None or int(found[2]) > MOST_WORK:
        raise Rejected(CLOSED)
    salt, wrapped, mac = (_bytes(found[number]) for number in (1, 3, 4))
    body = sealed[found.end() :]
    nonce, payload = body[:_NONCE], body[_NONCE:]
    if len(payload) > _TAG and len(payload) % (_CHUNK + _TAG) == _TAG:  # an empty chunk at the end
        raise Rejected(CLOSED)
    stretched = _cipher(_stretched(passphrase, salt, int(found[2])))
    file_key = _opened(stretched, _ZEROS, wrapped)
    if not compare_digest(mac, _mac(file_key, sealed[: found.start(4) - 1])):
        raise Rejected(CLOSED)
    cipher = _cipher(_derived(file_key, nonce, b"payload"))
    return b"".join(_opened(cipher, number, chunk) for number, chunk in _chunks(payload, _CHUNK + _TAG))


def _chunks(data: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (nonce, chunk): the nonces count, and the last one is marked, so that nothing can be cut off."""
    starts = range(0, max(len(data), 1), size)
    for number, start in enumerate(starts):
        last = start == starts[-1]
        yield number.to_bytes(11, "big") + bytes([last]), data[start : start + size]


def _opened(cipher: ChaCha20Poly1305, nonce: bytes, data: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce, data, None)
    except InvalidTag:
        raise Rejected(CLOSED) from None


def _cipher(key: bytes) -> ChaCha20Poly1305:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key)


def ready() -> None:
    """Raise Rejected where `cryptography` is missing."""
    _scrypt()


def _scrypt() -> type[Scrypt]:
    try:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError:
        raise Rejected(MISSING, name="cryptography") from None
    return Scrypt


def _stretched(passphrase: bytearray, salt: bytes, work: int) -> bytes:
    try:
        return _scrypt()(salt=_LABEL + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase)
    except MemoryError:
        raise Rejected(
            N_("not enough memory: {mib} MiB are needed for a moment"), mib=1 << work >> 10
        ) from None


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt or None, purpose).derive(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    import hmac

    return hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    """Return what base64 without padding stands for. Raises Rejected where another text would mean the same."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Rejected(CLOSED) from None
    if _text(data) != text:
        raise Rejected(CLOSED)
    return data
