"""Sealing to a one-time key, so that who listens to a call or reads an SMS learns nothing.

HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-128-GCM, all by `cryptography`, which is loaded when it is used.
What it adds is 48 bytes. It does not stop somebody who puts a key of their own in the place of the receiver's: only a
passphrase agreed earlier does. That one goes through scrypt into HPKE's `info`, so that without it nothing opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transports.types import N_, Rejected

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import Suite

ADDED: Final = 48  # bytes: the sender's one-time key and the tag
KEY_BYTES: Final = 32
_INFO: Final = b"sanylau capsule 1"
_SCRYPT_COST: Final = (
    1 << 15
)  # 32 MiB and 0.1 s: a listener cannot try at all, who replaces the key may try at this price
_SCRYPT_BLOCK: Final = 8
_CRYPTOGRAPHY: Final = 47

_CLOSED: Final = N_(
    "this does not open: it was sealed to another key, or altered on the way, or one of you used a passphrase; start again with a new key"
)
_BAD_KEY: Final = N_("this is no usable key: ask for a new one")


def require() -> None:
    """Raise Rejected where `cryptography` is missing (Termux, armv7) or older than its HPKE."""
    try:
        import cryptography.hazmat.primitives.hpke  # noqa: F401
    except ImportError:
        raise Rejected(
            N_(
                "sealing and signing need the Python package cryptography, version {version} or later: install it"
            ),
            version=_CRYPTOGRAPHY,
        ) from None


class OneTime:
    """A key for one exchange. It lives in the memory of this process only, and a new one is made each time."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private

    @staticmethod
    def new() -> OneTime:
        """Return a fresh key."""
        require()
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        return OneTime(X25519PrivateKey.generate())

    @property
    def public(self) -> bytes:
        """Return the 32 bytes that the sender needs; who overhears them gains nothing."""
        return self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes, agreed: bytearray | None = None) -> bytes:
        """Return what was sealed to this key. Raises Rejected, with no hint which part failed."""
        from cryptography.exceptions import InvalidTag

        if len(sealed) < ADDED:
            raise Rejected(_CLOSED)
        try:
            return _suite().decrypt(sealed, self._private, _info(self.public, agreed))
        except (InvalidTag, ValueError):
            raise Rejected(_CLOSED) from None


def seal(payload: bytes, public: bytes, agreed: bytearray | None = None) -> bytes:
    """Return `payload` sealed to a public key, ADDED bytes longer. `agreed` is a passphrase that both know already.

    Raises Rejected for what is no usable key.
    """
    require()
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    if len(public) != KEY_BYTES:
        raise Rejected(_BAD_KEY)
    try:
        return _suite().encrypt(payload, X25519PublicKey.from_public_bytes(public), _info(public, agreed))
    except ValueError:  # a point of low order
        raise Rejected(_BAD_KEY) from None


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def _info(public: bytes, agreed: bytearray | None) -> bytes:
    """Return HPKE's `info`: the purpose, and what scrypt makes of the passphrase, salted with the one-time key."""
    if agreed is None:
        return _INFO
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    stretched = Scrypt(salt=_INFO + public, length=KEY_BYTES, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=1)
    return _INFO + stretched.derive(agreed)
