"""Makes the certificates that a Tor relay shows in a link handshake, right or wrong on purpose."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

VERSIONS = bytes.fromhex("00000700060003 00040005")


@cache
def rsa(name: str, size: int = 1024) -> RSAPrivateKey:
    """Return the key of this name; making one takes long."""
    return generate_private_key(65537, size)


def x509_of(key: RSAPublicKey, signer: RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.net")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key, 1000, begin, begin + datetime.timedelta(days=365))
    return builder.sign(signer, SHA256()).public_bytes(Encoding.DER)


def ed_cert(kind: int, certified: bytes, signer: Ed25519PrivateKey) -> bytes:
    body = bytes([1, kind]) + b"\0\x07\x00\x00\x01" + certified + b"\0"
    return body + signer.sign(body)


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def cross_cert(identity: RSAPrivateKey, certified: bytes) -> bytes:
    """Sign as tor does: the hash alone in the padding of PKCS #1, which libraries do not offer for signing."""
    body = certified + b"\0\x07\x00\x00"
    digest = hashlib.sha256(b"Tor TLS RSA/Ed25519 cross-certificate" + body).digest()
    numbers, size = identity.private_numbers(), identity.key_size // 8
    padded = b"\0\x01" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
    signature = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")
    return body + bytes([len(signature)]) + signature


@dataclass(slots=True)
class Relay:
    """A relay's keys, and the certificates that it shows over a TLS connection."""

    identity: RSAPrivateKey = field(default_factory=lambda: rsa("identity"))
    link: RSAPrivateKey = field(default_factory=lambda: rsa("link", 2048))
    ed_identity: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ed_signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def fingerprint(self) -> str:
        """Its fingerprint, by a library's reading."""
        key = self.identity.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        return hashlib.sha1(key).hexdigest().upper()

    def tls(self) -> bytes:
        """Return the certificate for its TLS connections."""
        return x509_of(self.link.public_key(), rsa("tls signer"))

    def pem(self, tls: bytes) -> str:
        """Return certificate and key as a TLS server wants them."""
        cert = x509.load_der_x509_certificate(tls).public_bytes(Encoding.PEM)
        key = self.link.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (cert + key).decode()

    def certs(self, tls: bytes) -> dict[int, bytes]:
        """Return the certificates 1, 2, 4, 5 and 7."""
        return {
            1: x509_of(self.link.public_key(), self.identity),
            2: x509_of(self.identity.public_key(), self.identity),
            4: ed_cert(4, raw(self.ed_signing), self.ed_identity),
            5: ed_cert(5, hashlib.sha256(tls).digest(), self.ed_signing),
            7: cross_cert(self.identity, raw(self.ed_identity)),
        }


def cell(certs: dict[int, bytes]) -> bytes:
    """Return a CERTS cell for link version 4 and later."""
    shown = b"".join(bytes([kind]) + len(cert).to_bytes(2, "big") + cert for kind, cert in certs.items())
    body = bytes([len(certs)]) + shown
    return b"\0\0\0\0\x81" + len(body).to_bytes(2, "big") + body
