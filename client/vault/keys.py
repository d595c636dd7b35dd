"""The vault's own key, an X25519 identity of age: what is encrypted to it is opened without any passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.vault import age_file
from transports.types import Rejected

if TYPE_CHECKING:
    from pyrage.x25519 import Identity


class Key:
    """An identity and its recipient. It shows nothing of itself."""

    __slots__ = ("_identity",)

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    @classmethod
    def new(cls) -> Key:
        """Draw one. Raises Rejected where pyrage is missing."""
        return cls(_x25519().generate())

    @classmethod
    def unsealed(cls, sealed: bytes, passphrase: bytearray) -> Key:
        """Return the identity in an age file under a passphrase. Raises Rejected, always with the same words."""
        identity = _x25519()
        try:
            lines = age_file.unseal(sealed, passphrase).decode("ascii").splitlines()
            (text,) = (line for line in lines if line and not line.startswith("#"))
            return cls(identity.from_str(text))
        except Rejected:
            raise
        except Exception:  # noqa: BLE001 - pyrage's errors have no base but Exception, and may repeat the key
            raise Rejected(age_file.CLOSED) from None

    def sealed(self, passphrase: bytearray) -> bytes:
        """Return this identity as an age file under a passphrase."""
        return age_file.seal(f"{self._identity}\n".encode("ascii"), passphrase, work=age_file.WORK)

    def encrypt(self, plain: bytes) -> bytes:
        """Return `plain` as an age file to this identity."""
        import pyrage

        return bytes(pyrage.encrypt(plain, [self._identity.to_public()]))

    def decrypt(self, sealed: bytes) -> bytes | None:
        """Return what an age file to this identity holds, None for one that is altered, cut short, or of another."""
        import pyrage

        try:
            return bytes(pyrage.decrypt(sealed, [self._identity]))
        except Exception:  # noqa: BLE001 - whatever it is, the file is not what was written
            return None

    def __repr__(self) -> str:
        return "Key()"


def ready() -> None:
    """Raise Rejected where a package is missing that a vault needs: before anybody is asked for a passphrase."""
    age_file.ready()
    _x25519()


def _x25519() -> Any:
    try:
        from pyrage.x25519 import Identity
    except ImportError:
        raise Rejected(age_file.MISSING, name="pyrage") from None
    return Identity
