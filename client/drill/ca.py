"""Certificate authorities that live in memory, for the drill and the tests."""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transports.types import N_, CannotMeasure

if TYPE_CHECKING:
    from cryptography import x509

_BEFORE: Final = timedelta(days=1)
_AFTER: Final = timedelta(days=7)
_MEMORY: Final = ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""))


class Authority:
    """A root that signs server certificates (ECDSA P-256). `pem` is the root for a client's trust store.

    Raises CannotMeasure where the `cryptography` library is not installed.
    """

    __slots__ = ("_key", "_leaf_key", "_root", "pem")

    def __init__(self, name: str) -> None:
        try:
            from cryptography.hazmat.primitives import serialization
            from cryptography.hazmat.primitives.asymmetric import ec
        except ImportError as error:
            raise CannotMeasure(
                N_("The drill needs the Python library “cryptography”. Install it and try again.")
            ) from error
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._sign_root(name)
        self.pem: Final = self._root.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return a server's TLS context with a certificate for `names` (DNS names or IP literals)."""
        from cryptography.hazmat.primitives import serialization

        password = secrets.token_hex(16)
        chain = self._sign_leaf(names).public_bytes(serialization.Encoding.PEM)
        # load_cert_chain takes only a path, and not every system has files in memory: so the key is wrapped.
        chain += self._leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with _as_file(chain) as path:
            context.load_cert_chain(path, password=password)
        return context

    def _sign_root(self, name: str) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        public = self._key.public_key()
        usage = {"key_cert_sign": True, "crl_sign": True, "digital_signature": False}
        return (
            _builder(subject, subject)
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _sign_leaf(self, names: tuple[str, ...]) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        public = self._leaf_key.public_key()
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0][:64])])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _builder(subject, self._root.subject)
            .public_key(public)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _builder(subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
    )


def _usage(
    *, key_cert_sign: bool = False, crl_sign: bool = False, digital_signature: bool = False
) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """Give `data` a path: without any file where the system can, else briefly, in memory where there is some."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        handle = os.memfd_create("sanylau")
        try:
            os.write(handle, data)
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    base = next((place for place in _MEMORY if place and os.access(place, os.W_OK)), None)
    with tempfile.TemporaryDirectory(prefix="sanylau-", dir=base) as folder:
        path = Path(folder, "chain.pem")
        path.write_bytes(data)
        yield str(path)
