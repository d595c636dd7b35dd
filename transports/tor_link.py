"""Asks a Tor relay or bridge who it is, by the opening of Tor's link protocol over TLS.

What the check proves. TLS itself is not verified: a relay's TLS certificate is made up and changes every few
hours. Inside it the relay sends certificates in a CERTS cell. The fingerprint of a bridge line is the SHA-1 of the
RSA key in certificate 2. That certificate is public: whoever has once talked to the bridge can show it. It becomes
a proof only with the chain that ends at *this* TLS connection: RSA key -> Ed25519 identity (7) -> signing key (4) ->
hash of the TLS certificate (5); or, from old relays, RSA key -> certificate 1 with the TLS certificate's own key.

- Always checked, without any library: the fingerprint, and that the chain's end names this TLS certificate. That finds
  wrong lines, other relays, web sites, and whoever relays a bridge's cell unchanged over a TLS connection of their own.
- Checked where `cryptography` is installed: the signatures of the chain. Only then `proved` is True; an impostor that
  makes up the unsigned parts would otherwise pass. tor checks the same again before it sends anything of the person's.
- Never checked: expiry dates (clocks are often wrong in a blackout), and whether the relay can reach the Tor network.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import ssl
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from transports.failure import Failure, WireError
from transports.net import Net
from transports.stream import TlsStream
from transports.types import Note, Step, Stream
from transports.wire import tor_link as wire

_CHUNK: Final = 4096
_CLOCK: Final = 0.25  # seconds
_HASH: Final = 32  # bytes of SHA-256
_NAME_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Link:
    """Who answered: the RSA fingerprint (40 capital hex digits) and the Ed25519 identity (base64, or "").

    `proved` is True when the signatures were checked, None where they could not be (no `cryptography` here).
    `ahead` is how many seconds our clock is ahead of the other side's, None where that was not told.
    """

    fingerprint: str
    ed25519: str
    version: int
    proved: bool | None
    ahead: int | None = None


async def check_link(
    inner: Stream, net: Net, expected: str = "", *, limit: float | None = None, visible: bool = True
) -> Link:
    """Do TLS and the opening of the link protocol on `inner`, timed as `tls_handshake` together.

    `expected` is the fingerprint that the line names, or "". `limit` is in seconds; `visible` says that the TLS
    handshake can be seen on the line, and so counts among the parallel ones. Raises StepFailed: with
    `ssl_invalid_certificate` and the note other_identity for another relay or an impostor, with
    `ssl_failed_handshake` and page or garbage for what is no relay. `inner` is left to the caller.
    """
    async with AsyncExitStack() as held:
        if visible:
            with net.trace.waiting():
                await held.enter_async_context(net.tls_slot())
        async with net.trace.step(Step.TLS_HANDSHAKE, limit or net.limits.handshake):
            stream = _LinkTls(inner, _context(), _made_up_name())
            await stream.handshake()
            handshake = wire.LinkHandshake()
            await stream.send(handshake.start())
            while not handshake.done:
                data = await stream.recv(_CHUNK)
                if not data:
                    raise EOFError
                handshake.receive(data)
            link = identified(handshake, stream.peer_certificate(), expected)
            return replace(link, ahead=await _ahead(handshake, stream))


async def _ahead(handshake: wire.LinkHandshake, stream: TlsStream) -> int | None:
    """Read on to the other side's clock, which comes right behind; nothing that goes wrong there matters."""
    with suppress(TimeoutError, OSError, WireError):
        async with asyncio.timeout(_CLOCK):
            while not handshake.told and (data := await stream.recv(_CHUNK)):
                handshake.receive(data)
    return round(time.time()) - handshake.clock if handshake.clock else None


def identified(handshake: wire.LinkHandshake, peer: bytes, expected: str = "") -> Link:
    """Return who sent these certificates over the TLS connection with the certificate `peer` (DER).

    Raises WireError as `check_link` does.
    """
    certs = handshake.certs
    found = wire.fingerprint(certs)
    verified = proved(certs)
    if (expected and found != expected.upper()) or not wire.is_about(certs, peer) or verified is False:
        raise WireError(Failure.SSL_CERTIFICATE, Note.OTHER_IDENTITY)
    identity = wire.cross(certs[wire.ED_CROSS]).key if wire.ED_CROSS in certs else b""
    return Link(
        fingerprint=found,
        ed25519=base64.b64encode(identity).decode("ascii").rstrip("="),
        version=handshake.version,
        proved=verified,
    )


def proved(certs: dict[int, bytes]) -> bool | None:
    """Check the signatures from the RSA identity down to the link's certificate; None without `cryptography`.

    A relay that shows both chains must have both right. Raises WireError for certificates that cannot be read.
    """
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        return None
    modern = {wire.ED_CROSS, wire.ED_SIGNING, wire.ED_LINK} <= certs.keys()
    if not modern and (wire.RSA_LINK not in certs or wire.ED_LINK in certs):
        return False  # no chain, or the end of one that does not begin at the identity
    try:
        identity = load_der_public_key(wire.x509(certs[wire.RSA_IDENTITY]).key)
        if not isinstance(identity, RSAPublicKey):
            return False
        if wire.RSA_LINK in certs:
            link = wire.x509(certs[wire.RSA_LINK])
            identity.verify(link.signature, link.body, PKCS1v15(), SHA256())
        if modern:
            above = wire.cross(certs[wire.ED_CROSS])
            # The hash is signed bare, without the name of the algorithm that PKCS #1 would put before it.
            bare = identity.recover_data_from_signature(above.signature, PKCS1v15(), None)
            if len(bare) != _HASH or bare != hashlib.sha256(above.body).digest():
                return False
            for kind in (wire.ED_SIGNING, wire.ED_LINK):
                below = wire.ed25519(certs[kind])
                Ed25519PublicKey.from_public_bytes(above.key).verify(below.signature, below.body)
                above = below
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


class _LinkTls(TlsStream):
    """TLS to whoever answers."""

    __slots__ = ()

    def peer_certificate(self) -> bytes:
        """Return the other side's certificate (DER)."""
        return self._object.getpeercert(binary_form=True) or b""


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificates that count come inside
    return context


def _made_up_name() -> str:
    """Return a server name as tor makes them up: a hello without one would stand out more."""
    length = 4 + secrets.randbelow(22)
    return "www." + "".join(secrets.choice(_NAME_LETTERS) for _ in range(length)) + ".com"
