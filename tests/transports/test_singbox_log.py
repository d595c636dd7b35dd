from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.failure import Failure
from transports.singbox_log import bad_place, reported, trouble
from transports.types import Note, Step

HELLO = Step.PROXY_HANDSHAKE


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (
            "dial tcp 192.0.2.1:1: connect: connection refused",
            (Step.CONNECT, Failure.CONNECTION_REFUSED, None),
        ),
        ("SYS_WRITEV: connection refused", (Step.CONNECT, Failure.CONNECTION_REFUSED, None)),
        ("dial tcp 192.0.2.1:80: i/o timeout", (Step.CONNECT, Failure.TIMEOUT, None)),
        (
            "failed to create session: dial tcp 192.0.2.1:80: i/o timeout",
            (Step.CONNECT, Failure.TIMEOUT, None),
        ),
        (
            "dial udp 192.0.2.1:80: connect: network is unreachable",
            (Step.CONNECT, Failure.NETWORK_UNREACHABLE, None),
        ),
        ("dial tcp 192.0.2.1:80: connect: no route to host", (Step.CONNECT, Failure.HOST_UNREACHABLE, None)),
        (
            "read tcp 192.0.2.1:5->192.0.2.2:6: read: connection reset by peer",
            (HELLO, Failure.CONNECTION_RESET, None),
        ),
        ("read tcp 192.0.2.1:5->192.0.2.2:6: i/o timeout", (HELLO, Failure.TIMEOUT, None)),
        ("open connection: timeout: no recent network activity", (HELLO, Failure.TIMEOUT, None)),
        ("context deadline exceeded", (HELLO, Failure.TIMEOUT, None)),
        ("EOF", (HELLO, Failure.EOF, None)),
        (
            "lookup nx.test: (exchange4: NXDOMAIN | exchange6: NXDOMAIN)",
            (Step.RESOLVE, Failure.DNS_NXDOMAIN, None),
        ),
        ("lookup fail.test: (exchange4: SERVFAIL)", (Step.RESOLVE, Failure.DNS_TEMPORARY, None)),
        ("lookup empty.test: empty result", (Step.RESOLVE, Failure.DNS_NO_ANSWER, None)),
        (
            "lookup a.test: (exchange4: a.test.: context deadline exceeded)",
            (Step.RESOLVE, Failure.TIMEOUT, None),
        ),
        (
            "lookup a.test: (exchange4: a.test.: dial udp 192.0.2.53:53: connect: network is unreachable)",
            (Step.RESOLVE, Failure.DNS_TEMPORARY, None),
        ),
        ("socks5: incorrect user name or password", (HELLO, Failure.SOCKS_ERROR, Note.AUTH_REFUSED)),
        ("socks5: unsupported auth method: 255", (HELLO, Failure.SOCKS_ERROR, Note.AUTH_REFUSED)),
        ("socks5: request rejected, code=5", (HELLO, Failure.SOCKS_REFUSED, Note.REFUSED)),
        ("expected socks version 5, got 72", (HELLO, Failure.SOCKS_ERROR, Note.GARBAGE)),
        ("authentication required", (HELLO, Failure.HTTP_STATUS, Note.AUTH_REFUSED)),
        ("authentication failed, status code: 404", (HELLO, Failure.HTTP_STATUS, Note.AUTH_REFUSED)),
        ("unexpected HTTP response status: 404", (HELLO, Failure.HTTP_STATUS, None)),
        ("v2ray-http-upgrade: unexpected status: 404 Not Found", (HELLO, Failure.HTTP_STATUS, None)),
        (
            (
                "CRYPTO_ERROR 0x12a (local): tls: failed to verify certificate: x509: certificate signed by unknown"
                " authority"
            ),
            (HELLO, Failure.SSL_AUTHORITY, None),
        ),
        (
            "tls: failed to verify certificate: x509: certificate is valid for a.test, not b.test",
            (HELLO, Failure.SSL_HOSTNAME, None),
        ),
        ("x509: certificate has expired or is not yet valid", (HELLO, Failure.SSL_CERTIFICATE, None)),
        (
            "tls: first record does not look like a TLS handshake",
            (HELLO, Failure.SSL_HANDSHAKE, Note.GARBAGE),
        ),
        ("remote error: tls: handshake failure", (HELLO, Failure.SSL_HANDSHAKE, None)),
        ("shadow-tls v3: hmac mismatch, possible data corruption", (HELLO, Failure.SSL_HANDSHAKE, None)),
        (
            "write tcp 192.0.2.1:1->192.0.2.2:2: use of closed network connection",
            (HELLO, Failure.EOF, None),
        ),
        ("never seen before", (HELLO, Failure.UNKNOWN, None)),
    ],
)
def test_an_error_text_is_named(text: str, meaning: tuple[Step, Failure, Note | None]) -> None:
    assert trouble(text) == meaning
    line = f"ERROR[0001] [42 6ms] connection: open connection to a.test:443 using outbound/vless[n7]: {text}"
    assert reported(line) == (7, meaning, 0.006)
    coloured = line.replace("ERROR", "\x1b[31mERROR\x1b[0m")
    assert reported(coloured) == (7, meaning, 0.006)


@pytest.mark.parametrize(
    ("age", "seconds"), [("8ms", 0.008), ("1.50s", 1.5), ("1m0s", 60), ("2m3.5s", 123.5)]
)
def test_the_age_of_the_connection_is_read(age: str, seconds: float) -> None:
    line = f"ERROR[0001] [42 {age}] connection: open connection to a.test:1 using outbound/ssh[n0]: EOF"
    assert reported(line) == (0, (HELLO, Failure.EOF, None), seconds)


def test_a_wireguard_peer_whose_name_does_not_exist_is_named() -> None:
    line = (
        "ERROR[0007] endpoint/wireguard[n3]: peer(abcd…efgh) - failed to resolve endpoints: lookup a.test:"
        " (exchange6: NXDOMAIN | exchange4: NXDOMAIN)"
    )
    assert reported(line) == (3, (Step.RESOLVE, Failure.DNS_NXDOMAIN, None), 0)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR[0001] [42 6ms] connection: connection upload handshake: io: read/write on closed pipe",
        "ERROR[0008] [42 8s] connection: open connection to a:1 using outbound/trojan[n4]: context canceled",
        "INFO[0000] sing-box started (0.01s)",
        "",
    ],
)
def test_lines_that_say_nothing_about_a_node_are_passed_over(line: str) -> None:
    assert reported(line) is None


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('decode config at stdin: outbounds[21].foo: json: unknown field "foo"', ("outbound", 21)),
        ("\x1b[31mFATAL\x1b[0m[0000] initialize outbound[5]: unknown method: rc4", ("outbound", 5)),
        ("FATAL[0000] initialize endpoint[3]: decode private key: illegal base64", ("endpoint", 3)),
        ("FATAL[0000] start service: start endpoint/wireguard[n4]: address in use", ("node", 4)),
        ("FATAL[0000] start outbound/shadowtls[n6-outer]: x", ("node", 6)),
        ("FATAL[0000] initializing certificate store: invalid certificate PEM strings", None),
    ],
)
def test_the_place_of_a_bad_node_is_read(line: str, place: tuple[str, int] | None) -> None:
    assert bad_place(line) == place


@given(st.text())
def test_any_text_has_a_meaning(text: str) -> None:
    assert trouble(text)[1] in Failure
