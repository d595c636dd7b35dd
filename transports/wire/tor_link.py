"""The opening of Tor's link protocol, as far as it tells who the other side is.

Sources: tor-spec, "Negotiating and initializing channels" (cells VERSIONS, CERTS) and cert-spec (Ed25519
certificates); X.509 by RFC 5280, read with a few strict DER steps, because a whole X.509 library is missing on
some machines and the fingerprint must be checked on all of them. Nothing here checks a signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from transports.failure import Failure, WireError
from transports.types import Note

_PADDING, _VERSIONS, _NETINFO, _VPADDING, _CERTS, _CHALLENGE = 0, 7, 8, 128, 129, 130
_OURS: Final = (3, 4, 5)
_FIXED: Final = 509  # bytes in a cell of fixed length
_LONGEST: Final = 16 * 1024  # bytes in a cell of variable length; real CERTS cells have about 1500
_MOST_CELLS: Final = 8
_MOST_CERTS: Final = 16
RSA_LINK, RSA_IDENTITY, ED_SIGNING, ED_LINK, ED_CROSS = 1, 2, 4, 5, 7  # certificate types in CERTS

_SEQUENCE, _INTEGER, _BITS, _VERSION_TAG = 0x30, 0x02, 0x03, 0xA0
_RSA: Final = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption, NULL
_SHA256_RSA: Final = bytes.fromhex("06092a864886f70d01010b0500")  # sha256WithRSAEncryption, NULL


def _garbage() -> WireError:
    return WireError(Failure.SSL_HANDSHAKE, Note.GARBAGE)


class LinkHandshake:
    """A dialogue: send `start()`, then feed what comes until `done`; the rest of the link is not for us.

    Whoever feeds on until `told` gets the other side's clock (seconds since 1970; 0 if it keeps that to itself).
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._cells = 0
        self.version = 0
        self.certs: dict[int, bytes] = {}
        self.clock = 0
        self._ended = False

    @property
    def done(self) -> bool:
        """Whether the certificates have come."""
        return bool(self.certs)

    @property
    def told(self) -> bool:
        """Whether the last cell of the opening has come."""
        return self._ended

    def start(self) -> bytes:
        """Return our VERSIONS cell."""
        versions = b"".join(number.to_bytes(2, "big") for number in _OURS)
        return b"\0\0" + bytes([_VERSIONS]) + len(versions).to_bytes(2, "big") + versions

    def receive(self, data: bytes) -> None:
        """Take what came. Raises WireError (ssl_failed_handshake) with the note page or garbage.

        What cannot be read behind the certificates ends the opening, and is no error.
        """
        self._held += data
        try:
            self._read()
        except WireError:
            if not self.done:
                raise
            self._ended = True

    def _read(self) -> None:
        while not self.told and (cell := self._next()) is not None:
            self._cells += 1
            if self._cells > _MOST_CELLS:
                raise _garbage()
            self._take(*cell)

    def _next(self) -> tuple[int, bytes] | None:
        """Cut one whole cell off: its command and its body."""
        held = self._held
        if not self.version and _may_be_page(bytes(held[:8])):
            return None
        head = 5 if self.version >= 4 else 3  # the circuit's number has 4 bytes since version 4
        if len(held) < head:
            return None
        command, length = held[head - 1], _FIXED
        if command == _VERSIONS or command >= 128:
            if len(held) < head + 2:
                return None
            length = int.from_bytes(held[head : head + 2], "big")
            head += 2
        expected = (_PADDING, _VERSIONS, _VPADDING, _CERTS, *((_CHALLENGE, _NETINFO) if self.done else ()))
        if command not in expected or length > _LONGEST:
            raise _garbage()
        if len(held) < head + length:
            return None
        body = bytes(held[head : head + length])
        del held[: head + length]
        return command, body

    def _take(self, command: int, body: bytes) -> None:
        if command == _VERSIONS and not self.version:
            self.version = _common(body)
        elif command == _CERTS and self.version and not self.done:
            self.certs = _certificates(body)
        elif command == _NETINFO:  # tor-spec, "NETINFO cells": it begins with the sender's time
            self.clock, self._ended = int.from_bytes(body[:4], "big"), True
        elif command not in (_VPADDING, _PADDING, _CHALLENGE):
            raise _garbage()


def _may_be_page(head: bytes) -> bool:
    """Say whether the first bytes could become a page; raises WireError once they have, or are not Tor's."""
    text = head.lstrip(b"\r\n")
    if text[:5] == b"HTTP/" or text[:1] == b"<":
        raise WireError(Failure.SSL_HANDSHAKE, Note.PAGE)
    if head and b"HTTP/".startswith(text):
        return True
    if head[:2] not in (b"", b"\0", b"\0\0") or head[2:3] not in (b"", b"\x07", b"\x80"):
        raise _garbage()
    return False


def _common(body: bytes) -> int:
    if not body or len(body) % 2:
        raise _garbage()
    theirs = {int.from_bytes(body[at : at + 2], "big") for at in range(0, len(body), 2)}
    shared = theirs.intersection(_OURS)
    if not shared:
        raise _garbage()
    return max(shared)


def _certificates(body: bytes) -> dict[int, bytes]:
    if not body or not 1 <= body[0] <= _MOST_CERTS:
        raise _garbage()
    found: dict[int, bytes] = {}
    at = 1
    for _ in range(body[0]):
        end = at + 3 + int.from_bytes(body[at + 1 : at + 3], "big")
        if at + 3 > len(body) or end > len(body) or body[at] in found:
            raise _garbage()
        found[body[at]] = body[at + 3 : end]
        at = end
    return found


def fingerprint(certs: dict[int, bytes]) -> str:
    """Return the relay's fingerprint, 40 capital hex digits: SHA-1 of its RSA identity key (PKCS#1, DER)."""
    key = x509(certs.get(RSA_IDENTITY, b"")).key
    return hashlib.sha1(key, usedforsecurity=False).hexdigest().upper()


def is_about(certs: dict[int, bytes], peer: bytes) -> bool:
    """Say whether the certificates speak of the connection whose TLS certificate is `peer` (DER).

    Signatures are not looked at. True also where only one of the two kinds is there and fits.
    """
    if ED_LINK in certs and ed25519(certs[ED_LINK]).key != hashlib.sha256(peer).digest():
        return False
    if RSA_LINK in certs and x509(certs[RSA_LINK]).key != x509(peer).key:
        return False
    return ED_LINK in certs or RSA_LINK in certs


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A certificate: the certified key (RSA: PKCS#1 in DER), what was signed, and the signature over it."""

    key: bytes
    body: bytes
    signature: bytes


def ed25519(cert: bytes) -> Signed:
    """Read a Tor Ed25519 certificate (cert-spec 2.1). Raises WireError."""
    if len(cert) < 40 + 64 or cert[0] != 1:
        raise _garbage()
    return Signed(key=cert[7:39], body=cert[:-64], signature=cert[-64:])


def cross(cert: bytes) -> Signed:
    """Read the RSA key's certificate for the Ed25519 identity (cert-spec 2.3). Raises WireError."""
    if len(cert) < 37 or len(cert) != 37 + cert[36]:
        raise _garbage()
    body = b"Tor TLS RSA/Ed25519 cross-certificate" + cert[:36]
    return Signed(key=cert[:32], body=body, signature=cert[37:])


def x509(cert: bytes) -> Signed:
    """Read an X.509 certificate with an RSA key, signed with RSA and SHA-256. Raises WireError."""
    whole = _Der(cert)
    outer = _Der(whole.take(_SEQUENCE))
    body = outer.raw(_SEQUENCE)
    kind, signature = outer.take(_SEQUENCE), outer.bits()
    inner = _Der(_Der(body).take(_SEQUENCE))
    if inner.tag == _VERSION_TAG:
        inner.take(_VERSION_TAG)
    inner.take(_INTEGER)
    for _ in range(4):  # signature kind, issuer, validity, subject
        inner.take(_SEQUENCE)
    spki = _Der(inner.take(_SEQUENCE))
    rsa, key = spki.take(_SEQUENCE), spki.bits()
    if rsa != _RSA or kind != _SHA256_RSA or not (whole.ended and outer.ended and spki.ended):
        raise _garbage()
    return Signed(key=key, body=body, signature=signature)


class _Der:
    """Reads elements one after the other; any length that is not the shortest form is refused."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def tag(self) -> int:
        return self._data[self._at] if self._at < len(self._data) else -1

    @property
    def ended(self) -> bool:
        return self._at == len(self._data)

    def raw(self, tag: int) -> bytes:
        """Return the next element with its head."""
        begin = self._at
        self.take(tag)
        return self._data[begin : self._at]

    def take(self, tag: int) -> bytes:
        """Return the content of the next element, which must have this tag."""
        data, at = self._data, self._at
        if at + 2 > len(data) or data[at] != tag:
            raise _garbage()
        length, at = data[at + 1], at + 2
        if length >= 0x80:
            size = length - 0x80
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
            if size not in (1, 2) or length < (0x80, 0x100)[size - 1]:
                raise _garbage()
        if at + length > len(data):
            raise _garbage()
        self._at = at + length
        return data[at : at + length]

    def bits(self) -> bytes:
        """Return a BIT STRING of whole bytes."""
        content = self.take(_BITS)
        if content[:1] != b"\0":
            raise _garbage()
        return content[1:]
