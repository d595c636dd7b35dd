"""Connections and TLS handshakes: what came, and whose certificate was shown where it was the wrong one."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from client.diagnosis.around import Around, failed, sight
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Certificate, Issuer, Sight, Test
from client.model import Failure, Step
from client.tasks import together
from transports.failure import StepFailed
from transports.net import Net
from transports.stream import SocketStream, TlsStream
from transports.types import Note

_NOT_TRUSTED: Final = frozenset({Failure.SSL_AUTHORITY, Failure.SSL_HOSTNAME, Failure.SSL_CERTIFICATE})
_NAMES: Final = 5  # names of a certificate that are kept


async def connection(ask: Ask, around: Around) -> Sequence[Sight]:
    """Open a TCP connection and nothing more."""
    began = around.now()
    try:
        stream = await around.connected(ask, around.net(ask))
    except StepFailed as error:
        return (failed(ask, error, began, around, "syn"),)
    stream.close()
    return (sight(ask, Came.RIGHT, began, around),)


async def handshake(ask: Ask, around: Around) -> Sequence[Sight]:
    """Open a connection and do TLS with the name in question; two sights, or one where there was no connection."""
    began = around.now()
    net = around.net(ask)
    below = replace(ask, test=Test.CONNECT)
    try:
        stream = await around.connected(ask, net)
    except StepFailed as error:
        return (failed(below, error, began, around, "syn"),)
    connected = sight(below, Came.RIGHT, began, around)
    began = around.now()
    try:
        tls = await around.secured(stream, ask.value or ask.host, net)
    except StepFailed as error:
        around.moved += stream.received + 600
        return connected, await _refused(ask, error, stream, began, around)
    around.moved += stream.received + 1200
    tls.close()
    return connected, sight(
        ask,
        Came.RIGHT,
        began,
        around,
        certificate=Certificate(issuer=Issuer.PUBLIC),
        received=stream.received,
    )


async def _refused(ask: Ask, error: StepFailed, stream: SocketStream, began: float, around: Around) -> Sight:
    """Tell a handshake that was cut, answered with an alert, or shown a certificate that nobody vouches for."""
    took: dict[str, Any] = {"elapsed": around.now() - began, "received": stream.received}
    came = None
    if error.failure in _NOT_TRUSTED:
        came = Came.FALSE
        if around.closer:
            took["certificate"] = await shown_certificate(ask, error.failure, around)
    elif error.failure is Failure.SSL_HANDSHAKE:  # an alert or an error page, or something that is neither
        came = Came.OTHER if error.note in (None, Note.REFUSED) else Came.FALSE
        took["detail"] = error.note.value if error.note else ""
    return failed(ask, error, began, around, "client_hello", came, **took)


async def shown_certificate(ask: Ask, failure: Failure, around: Around) -> Certificate:
    """Look at a certificate that the bundled roots reject: by two more connections, one for the system's store."""
    chain = await _chain(ask, around)
    if not chain:
        return Certificate(issuer=Issuer.WRONG_NAME if failure is Failure.SSL_HOSTNAME else Issuer.UNKNOWN)
    prints = [hashlib.sha256(der).hexdigest() for der in chain]
    subjects, issuers = _names(chain)
    by = issuers[0] if issuers else ""
    known = around.known.by_fingerprint(prints)
    values: dict[str, Any] = {"fingerprint": prints[0], "by": by, "names": tuple(subjects[:_NAMES])}
    if known is not None:
        return Certificate(issuer=Issuer.NATIONAL, **values | {"fingerprint": known[0], "by": known[1].name})
    root = around.known.by_name(issuers)
    if root is not None:
        return Certificate(issuer=Issuer.NATIONAL, **values | {"fingerprint": "", "by": root.name})
    if failure is Failure.SSL_HOSTNAME:
        return Certificate(issuer=Issuer.WRONG_NAME, **values)
    if await _system_accepts(ask, around):
        product = around.known.product(issuers)
        issuer = Issuer.PRODUCT if product else Issuer.STORE
        return Certificate(issuer=issuer, **values | {"by": product or by})
    return Certificate(issuer=Issuer.UNKNOWN, **values)


async def _chain(ask: Ask, around: Around) -> list[bytes]:
    """Return the certificates shown, the server's own first, as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is only looked at
    await around.pace()
    net = around.net(ask)
    try:
        stream = await around.connected(ask, net)
        tls = _Shown(stream, context, ask.value or ask.host)
        try:
            async with net.trace.step(Step.TLS_HANDSHAKE, ask.limit):
                await tls.handshake()
                return tls.chain()
        finally:
            around.moved += stream.received + 600
            tls.close()
    except StepFailed:
        return []


class _Shown(TlsStream):
    __slots__ = ()

    def chain(self) -> list[bytes]:
        """Return what the other side sent, DER; only its own certificate where Python cannot tell the rest."""
        inner = getattr(self._object, "_sslobj", self._object)
        give = getattr(self._object, "get_unverified_chain", None) or getattr(
            inner, "get_unverified_chain", None
        )
        if give is not None:
            found = [one if isinstance(one, bytes) else _der(one) for one in give() or ()]
            if found and all(found):
                return found
        own = self._object.getpeercert(binary_form=True)
        return [own] if own else []


def _der(certificate: Any) -> bytes:
    """Return the DER of what Python 3.11 and 3.12 give from their inner object."""
    try:
        return bytes(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()))
    except (AttributeError, ValueError, TypeError):
        return b""


async def _system_accepts(ask: Ask, around: Around) -> bool:
    await around.pace()
    net = around.net(ask)
    try:
        stream = await around.connected(ask, net)
    except StepFailed:
        return False
    try:
        tls = await around.secured(stream, ask.value or ask.host, net, around.system)
    except StepFailed:
        return False
    finally:
        around.moved += stream.received + 600
    tls.close()
    return True


def _names(chain: Sequence[bytes]) -> tuple[list[str], list[str]]:
    """Return the common names of the subjects and of the issuers; empty without the library that reads them."""
    try:
        from cryptography import x509
        from cryptography.x509.oid import NameOID
    except ImportError:
        return [], []
    subjects: list[str] = []
    issuers: list[str] = []
    for der in chain[:4]:
        try:
            certificate = x509.load_der_x509_certificate(der)
            names = ((certificate.subject, subjects), (certificate.issuer, issuers))
        except (ValueError, TypeError):  # names are read late, and may hold anything
            continue
        for name, into in names:
            for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
                into += [str(part.value)[:80] for part in name.get_attributes_for_oid(kind)]
    return subjects, issuers


async def parallel(ask: Ask, around: Around) -> Sequence[Sight]:
    """Do several handshakes at once. RIGHT: all came; STOPPED: some; `detail` says how many of how many."""
    began = around.now()
    done: list[StepFailed | None] = []
    await together(*(_one(ask, around, done) for _ in range(ask.beside)))
    lost = [error for error in done if error is not None]
    came = len(done) - len(lost)
    after, detail = "client_hello", f"{came}/{ask.beside}"
    if lost and not came:
        return (failed(ask, lost[-1], began, around, after, detail=detail),)
    result = Came.STOPPED if lost else Came.RIGHT
    return (sight(ask, result, began, around, after=after, detail=detail),)


async def _one(ask: Ask, around: Around, done: list[StepFailed | None]) -> None:
    net: Net = around.net(ask)
    try:
        stream = await around.connected(ask, net)
        tls = await around.secured(stream, ask.value or ask.host, net)
    except StepFailed as error:
        around.moved += 600
        done.append(error)
        return
    around.moved += stream.received + 1200
    tls.close()
    done.append(None)
