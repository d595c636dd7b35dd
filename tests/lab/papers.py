"""Certificates of the laboratory: its public root, interception roots, and a leaf for any name."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

# file -> name of a root, organisation
ROOTS: Final = {
    "ca": ("Laboratory Public Root", "Laboratory"),
    "national": ("Laboratory Trust Network", "ISCA"),
    "antivirus": ("Kaspersky Anti-Virus Personal Root Certificate", "AO Kaspersky Lab"),
    "company": ("Laboratory Works Inspection", "Laboratory Works"),
    "portal": ("wifi.example", "Cafe"),
    "block_page": ("block.example", "Block Page"),
}
SYSTEM: Final = ("antivirus", "company")  # what the person's system store holds


@dataclass(frozen=True)
class Root:
    """A root with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @cached_property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(SHA256()).hex()

    def leaf(self, names: Sequence[str], *, with_root: bool = False) -> str:
        """Return a certificate for `names` (or addresses), its chain and its key as PEM."""
        key = generate_private_key(SECP256R1())
        certificate = (
            _builder(_subject(names[0], "Laboratory"), self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, SHA256())
        )
        chain = self.pem if with_root else ""
        return certificate.public_bytes(Encoding.PEM).decode() + chain + _key_pem(key)

    def context(self, names: Sequence[str], folder: Path, *, with_root: bool = False) -> ssl.SSLContext:
        """Return a server's context for `names`."""
        path = folder / f"leaf-{names[0].replace('*', '_')}-{self.fingerprint[:8]}.pem"
        path.write_text(self.leaf(names, with_root=with_root))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _subject(name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def make(folder: Path) -> None:
    """Make every root, and the person's system store."""
    for file, (name, organisation) in ROOTS.items():
        key = generate_private_key(SECP256R1())
        subject = _subject(name, organisation)
        certificate = (
            _builder(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=True,
                    crl_sign=True,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(key, SHA256())
        )
        (folder / f"{file}.pem").write_text(certificate.public_bytes(Encoding.PEM).decode())
        (folder / f"{file}.key").write_text(_key_pem(key))
    (folder / "system.pem").write_text("".join((folder / f"{file}.pem").read_text() for file in SYSTEM))


def root(folder: Path, file: str) -> Root:
    """Return a root that was made."""
    certificate = x509.load_pem_x509_certificate((folder / f"{file}.pem").read_bytes())
    key = load_pem_private_key((folder / f"{file}.key").read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return Root(certificate, key)
