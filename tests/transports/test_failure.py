import asyncio
import errno
import socket
import ssl

import pytest

from client.drill.ca import Authority
from transports.failure import Failure, StepFailed, WireError, classify, out_of_descriptors
from transports.types import Note, Step

BY_ERRNO = [
    (errno.ECONNREFUSED, Failure.CONNECTION_REFUSED),
    (errno.ECONNRESET, Failure.CONNECTION_RESET),
    (errno.EPIPE, Failure.CONNECTION_RESET),
    (errno.ENETRESET, Failure.CONNECTION_RESET),
    (errno.ECONNABORTED, Failure.CONNECTION_ABORTED),
    (errno.ETIMEDOUT, Failure.TIMEOUT),
    (errno.EHOSTUNREACH, Failure.HOST_UNREACHABLE),
    (errno.EHOSTDOWN, Failure.HOST_UNREACHABLE),
    (errno.ENETUNREACH, Failure.NETWORK_UNREACHABLE),
    (errno.ENETDOWN, Failure.NETWORK_DOWN),
    (errno.EAFNOSUPPORT, Failure.ADDRESS_FAMILY),
    (errno.EADDRNOTAVAIL, Failure.ADDRESS_NOT_AVAILABLE),
    (errno.EACCES, Failure.PERMISSION_DENIED),
    (errno.EPERM, Failure.PERMISSION_DENIED),
    (errno.EMFILE, Failure.UNKNOWN),
]
BY_CLASS: list[tuple[BaseException, Failure]] = [
    (ConnectionRefusedError("no number"), Failure.CONNECTION_REFUSED),
    (ConnectionAbortedError("no number"), Failure.CONNECTION_ABORTED),
    (ConnectionResetError("no number"), Failure.CONNECTION_RESET),
    (BrokenPipeError("no number"), Failure.CONNECTION_RESET),
    (PermissionError("no number"), Failure.PERMISSION_DENIED),
    (TimeoutError(), Failure.TIMEOUT),
    (EOFError(), Failure.EOF),
    (asyncio.IncompleteReadError(b"", 3), Failure.EOF),
    (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Failure.EOF),
    (ssl.SSLZeroReturnError(6, "closed"), Failure.EOF),
    (ssl.SSLError(1, "sslv3 alert handshake failure"), Failure.SSL_HANDSHAKE),
    (socket.gaierror(socket.EAI_NONAME, "not known"), Failure.DNS_NXDOMAIN),
    (socket.gaierror(socket.EAI_AGAIN, "try again"), Failure.DNS_TEMPORARY),
    (socket.gaierror(socket.EAI_FAIL, "failed"), Failure.DNS_FATAL),
    (socket.gaierror(getattr(socket, "EAI_NODATA", -5), "no address"), Failure.DNS_NO_ANSWER),
    (socket.gaierror(12345, "new"), Failure.DNS_FATAL),
    (socket.gaierror("no number"), Failure.DNS_FATAL),
    (UnicodeError("label empty or too long"), Failure.DNS_NXDOMAIN),
    (WireError(Failure.SOCKS_TTL), Failure.SOCKS_TTL),
    (StepFailed(Step.CONNECT, Failure.TIMEOUT), Failure.TIMEOUT),
    (OSError("no number"), Failure.UNKNOWN),
    (ZeroDivisionError(), Failure.UNKNOWN),
]


@pytest.mark.parametrize(("number", "failure"), BY_ERRNO, ids=lambda value: str(value))
def test_each_errno_has_its_name(number: int, failure: Failure) -> None:
    assert classify(OSError(number, "text in any language")) is failure


@pytest.mark.parametrize(("error", "failure"), BY_CLASS, ids=lambda value: type(value).__name__)
def test_an_error_without_a_number_is_named_by_its_class(error: BaseException, failure: Failure) -> None:
    assert classify(error) is failure


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (10, Failure.SSL_CERTIFICATE),  # X509_V_ERR_CERT_HAS_EXPIRED
        (18, Failure.SSL_AUTHORITY),  # DEPTH_ZERO_SELF_SIGNED_CERT
        (19, Failure.SSL_AUTHORITY),  # SELF_SIGNED_CERT_IN_CHAIN
        (20, Failure.SSL_AUTHORITY),  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        (21, Failure.SSL_AUTHORITY),  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
        (23, Failure.SSL_CERTIFICATE),  # CERT_REVOKED
        (62, Failure.SSL_HOSTNAME),  # HOSTNAME_MISMATCH
        (64, Failure.SSL_HOSTNAME),  # IP_ADDRESS_MISMATCH
    ],
)
def test_each_reason_to_doubt_a_certificate_has_its_name(code: int, failure: Failure) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    assert classify(error) is failure


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """Shake hands in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (here, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize(
    ("trusted", "name", "failure"),
    [
        (False, "origin.test", Failure.SSL_AUTHORITY),
        (True, "other.test", Failure.SSL_HOSTNAME),
        (True, "127.0.0.2", Failure.SSL_HOSTNAME),
    ],
)
def test_what_openssl_really_raises_has_the_right_name(trusted: bool, name: str, failure: Failure) -> None:
    authority = Authority("Test Root")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=authority.pem if trusted else Authority("Another Root").pem)
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(client, authority.server_context("origin.test"), name)
    assert classify(caught.value) is failure


def test_a_failed_step_says_in_one_line_what_and_where() -> None:
    error = StepFailed(Step.PROXY_HANDSHAKE, Failure.SOCKS_TTL, Note.REFUSED, 6)
    assert str(error) == "proxy_handshake: socks_ttl_expired"
    seen = error.seen()
    assert (seen.step, seen.failure, seen.note, seen.code) == (
        Step.PROXY_HANDSHAKE,
        Failure.SOCKS_TTL,
        Note.REFUSED,
        6,
    )


def test_the_names_are_those_of_ooni() -> None:
    assert Failure.TIMEOUT.value == "generic_timeout_error"
    assert Failure.DNS_NXDOMAIN.value == "dns_nxdomain_error"
    assert Failure.SSL_HOSTNAME.value == "ssl_invalid_hostname"
    assert len({failure.value for failure in Failure}) == len(Failure)
    assert all(failure.value.replace("_", "").isalpha() for failure in Failure)


def test_a_lack_of_descriptors_is_known_also_as_the_cause_of_another_error_and_nothing_else_is() -> None:
    without = OSError(errno.EMFILE, "too many")
    outer = RuntimeError("no door")
    outer.__cause__ = without
    assert out_of_descriptors(without)
    assert out_of_descriptors(outer)
    assert out_of_descriptors(OSError(errno.ENFILE, "too many in the system"))
    assert not out_of_descriptors(OSError(errno.ECONNREFUSED, "refused"))
    assert not out_of_descriptors(None)
