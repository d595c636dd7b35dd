"""Failure names and the one place that reads errno, TLS and resolver errors.

Names: OONI df-007 (https://github.com/ooni/spec, data-formats/df-007-errors.md); the `socks_*` family is
df-007's legacy set. `interrupted` and `http_unexpected_*` are in use by OONI's probe.
"""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Final

from transports.types import Note, Observation, Step


class Failure(StrEnum):
    """Why a step did not succeed."""

    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_RESET = "connection_reset"
    CONNECTION_ABORTED = "connection_aborted"
    TIMEOUT = "generic_timeout_error"
    EOF = "eof_error"
    HOST_UNREACHABLE = "host_unreachable"
    NETWORK_UNREACHABLE = "network_unreachable"
    NETWORK_DOWN = "network_down"
    ADDRESS_FAMILY = "address_family_not_supported"
    ADDRESS_NOT_AVAILABLE = "address_not_available"
    PERMISSION_DENIED = "permission_denied"
    DNS_NXDOMAIN = "dns_nxdomain_error"
    DNS_TEMPORARY = "dns_temporary_failure"
    DNS_FATAL = "dns_non_recoverable_failure"
    DNS_NO_ANSWER = "dns_no_answer"
    SSL_AUTHORITY = "ssl_unknown_authority"
    SSL_HOSTNAME = "ssl_invalid_hostname"
    SSL_CERTIFICATE = "ssl_invalid_certificate"
    SSL_HANDSHAKE = "ssl_failed_handshake"
    HTTP_FAILED = "http_request_failed"
    HTTP_STATUS = "http_unexpected_status_code"
    HTTP_REDIRECT = "http_unexpected_redirect_url"
    SOCKS_ERROR = "socks_error"
    SOCKS_SERVER_FAILURE = "socks_server_failure"
    SOCKS_NOT_ALLOWED = "socks_connection_not_allowed"
    SOCKS_NETWORK_UNREACHABLE = "socks_network_unreachable"
    SOCKS_HOST_UNREACHABLE = "socks_host_unreachable"
    SOCKS_REFUSED = "socks_connection_refused"
    SOCKS_TTL = "socks_ttl_expired"
    SOCKS_COMMAND = "socks_command_not_supported"
    SOCKS_ADDRESS = "socks_address_not_supported"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown_failure"


class WireError(Exception):
    """The other side broke its protocol, or used it to say no."""

    def __init__(self, failure: Failure, note: Note | None = None, code: int = 0) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.note = note
        self.code = code


class StepFailed(Exception):  # noqa: N818 - "it did not get through" is a result, not an error
    """A step ended without success. What happened is the last observation of the trace."""

    def __init__(self, step: Step, failure: Failure, note: Note | None = None, code: int = 0) -> None:
        super().__init__(f"{step}: {failure}")
        self.step = step
        self.failure = failure
        self.note = note
        self.code = code

    def seen(self) -> Observation:
        """Return the fact without the exception, which would keep whole frames alive."""
        return Observation(
            step=self.step, started=0.0, elapsed=0.0, failure=self.failure, note=self.note, code=self.code
        )


_BY_ERRNO: Final = {
    errno.ECONNREFUSED: Failure.CONNECTION_REFUSED,
    errno.ECONNRESET: Failure.CONNECTION_RESET,
    errno.EPIPE: Failure.CONNECTION_RESET,
    errno.ECONNABORTED: Failure.CONNECTION_ABORTED,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EHOSTUNREACH: Failure.HOST_UNREACHABLE,
    errno.EHOSTDOWN: Failure.HOST_UNREACHABLE,
    errno.ENETUNREACH: Failure.NETWORK_UNREACHABLE,
    errno.ENETDOWN: Failure.NETWORK_DOWN,
    errno.ENETRESET: Failure.CONNECTION_RESET,
    errno.EAFNOSUPPORT: Failure.ADDRESS_FAMILY,
    errno.EADDRNOTAVAIL: Failure.ADDRESS_NOT_AVAILABLE,
    errno.EACCES: Failure.PERMISSION_DENIED,
    errno.EPERM: Failure.PERMISSION_DENIED,
}
_BY_RESOLVER: Final = (  # by name: the numbers differ between systems, and not all have the last
    ("EAI_NONAME", Failure.DNS_NXDOMAIN),
    ("EAI_AGAIN", Failure.DNS_TEMPORARY),
    ("EAI_FAIL", Failure.DNS_FATAL),
    ("EAI_NODATA", Failure.DNS_NO_ANSWER),
)
_BY_CLASS: Final = (  # for errors that carry no number, as asyncio raises them
    (ConnectionRefusedError, Failure.CONNECTION_REFUSED),
    (ConnectionAbortedError, Failure.CONNECTION_ABORTED),
    (ConnectionError, Failure.CONNECTION_RESET),
    (TimeoutError, Failure.TIMEOUT),
    (PermissionError, Failure.PERMISSION_DENIED),
)
# OpenSSL's X509_V_ERR numbers (x509_vfy.h): 18-21 no trusted chain, 62 and 64 the name or address.
_BY_VERIFY_CODE: Final = {
    18: Failure.SSL_AUTHORITY,
    19: Failure.SSL_AUTHORITY,
    20: Failure.SSL_AUTHORITY,
    21: Failure.SSL_AUTHORITY,
    62: Failure.SSL_HOSTNAME,
    64: Failure.SSL_HOSTNAME,
}


def out_of_descriptors(error: BaseException | None) -> bool:
    """Say whether an error, or one that it came from, is this machine's lack of descriptors: nobody else's doing."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__
    return False


def classify(error: BaseException) -> Failure:
    """Return the failure name for `error`; errno first, because several classes share a base."""
    import socket  # here, because every face needs the names above, and a mere --help should stay quick
    import ssl

    if isinstance(error, (WireError, StepFailed)):
        return error.failure
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, Failure.SSL_CERTIFICATE)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, EOFError)):
        return Failure.EOF
    if isinstance(error, ssl.SSLError):
        return Failure.SSL_HANDSHAKE
    if isinstance(error, socket.gaierror):
        named = (name for code, name in _BY_RESOLVER if error.errno == getattr(socket, code, -5))
        return next(named, Failure.DNS_FATAL)
    if isinstance(error, UnicodeError):  # a name that IDNA cannot write has no address
        return Failure.DNS_NXDOMAIN
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    return next((name for kind, name in _BY_CLASS if isinstance(error, kind)), Failure.UNKNOWN)
