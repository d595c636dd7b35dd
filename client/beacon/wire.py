"""What a beacon and its asker say to each other. Pure; HMAC-SHA256 (RFC 2104) is all the cryptography there is.

Question: a nonce of 16 bytes, 16 bytes of HMAC(key, "ask" + protocol + nonce), random bytes behind it.
Answer: 16 bytes of HMAC(key, "answer" + protocol + port + nonce), random bytes behind it. `port` is the one at which
the question came in, so that the asker sees it when a box on the way has sent it to another port.

Without the key both look like random bytes of any length. A UDP answer is never longer than its question.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from enum import StrEnum
from typing import Final

KEY: Final = 16  # bytes
NONCE: Final = 16
_MAC: Final = 16
QUESTION: Final = NONCE + _MAC  # the part of a question that counts
ANSWER: Final = _MAC
LONGEST: Final = 512  # bytes of a question with what is behind it
UNKNOWN: Final = 0  # the port, where the system does not tell a beacon at which one a datagram came in
_PADDING: Final = 97
_LABEL: Final = b"sanylau beacon 1 "


class Protocol(StrEnum):
    """How a question travels."""

    TCP = "tcp"
    UDP = "udp"


def new_key() -> bytes:
    """Draw a key."""
    return secrets.token_bytes(KEY)


def ask(key: bytes, protocol: Protocol) -> tuple[bytes, bytes]:
    """Return a new nonce and the question that carries it."""
    nonce = secrets.token_bytes(NONCE)
    return nonce, nonce + _asked(key, protocol, nonce) + _noise(_PADDING)


def asked(key: bytes, protocol: Protocol, data: bytes) -> bytes | None:
    """Return the nonce of a question, or None when this is none of a holder of the key."""
    nonce, mac = data[:NONCE], data[NONCE:QUESTION]
    if len(mac) == _MAC and hmac.compare_digest(mac, _asked(key, protocol, nonce)):
        return nonce
    return None


def answer(key: bytes, protocol: Protocol, nonce: bytes, port: int, room: int) -> bytes:
    """Return the answer to a question that came in at `port`, at most `room` bytes long."""
    return _answered(key, protocol, nonce, port) + _noise(min(_PADDING, max(0, room - ANSWER) + 1))


def answered(
    key: bytes, protocol: Protocol, nonce: bytes, port: int, data: bytes, *, search: bool = True
) -> int | None:
    """Return at which port the question came in by its answer; None: this is no answer to it.

    `port` is the one that was asked. UNKNOWN comes back where the beacon could not tell. `search`: try every other
    port too, which takes a tenth of a second where the answer is a stranger's.
    """
    mac = data[:ANSWER]
    if len(mac) < ANSWER:
        return None
    for likely in (port, UNKNOWN):
        if hmac.compare_digest(mac, _answered(key, protocol, nonce, likely)):
            return likely
    if not search:
        return None
    others = (other for other in range(1, 65536) if _answered(key, protocol, nonce, other) == mac)
    return next(others, None)


def _asked(key: bytes, protocol: Protocol, nonce: bytes) -> bytes:
    return hmac.digest(key, _LABEL + b"ask " + protocol.encode() + nonce, "sha256")[:_MAC]


def _answered(key: bytes, protocol: Protocol, nonce: bytes, port: int) -> bytes:
    text = _LABEL + b"answer " + protocol.encode() + struct.pack("!H", port) + nonce
    return hmac.digest(key, text, "sha256")[:_MAC]


def _noise(below: int) -> bytes:
    return secrets.token_bytes(secrets.randbelow(below))
