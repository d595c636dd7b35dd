from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.servers.relay_certs import VERSIONS, Relay, cell
from transports.failure import Failure, WireError
from transports.types import Note
from transports.wire.tor_link import LinkHandshake, cross, ed25519, fingerprint, is_about, x509

PADDING = b"\0\0\0\0\0" + bytes(509)
VPADDING = b"\0\0\0\0\x80\0\x03abc"
RELAY = Relay()
TLS = RELAY.tls()
CERTS = RELAY.certs(TLS)
ANSWER = VERSIONS + cell(CERTS)


def fed(data: bytes, step: int = 10**6) -> LinkHandshake:
    handshake = LinkHandshake()
    for at in range(0, len(data), step):
        handshake.receive(data[at : at + step])
    return handshake


def complaint(data: bytes) -> Note | None:
    with pytest.raises(WireError) as error:
        fed(data)
    assert error.value.failure is Failure.SSL_HANDSHAKE
    return error.value.note


def test_our_first_cell_names_the_versions_from_three_to_five() -> None:
    assert LinkHandshake().start() == bytes.fromhex("0000 07 0006 0003 0004 0005")


@pytest.mark.parametrize("step", [1, 2, 7, 500, 10**6])
def test_certificates_are_read_however_the_answer_is_cut(step: int) -> None:
    handshake = fed(ANSWER, step)
    assert handshake.done
    assert handshake.version == 5
    assert handshake.certs == CERTS


def test_before_version_four_a_circuit_has_two_bytes() -> None:
    handshake = fed(bytes.fromhex("0000 07 0002 0003") + cell(CERTS)[2:])
    assert (handshake.version, handshake.done) == (3, True)


NETINFO = b"\0\0\0\0\x08" + (1_700_000_000).to_bytes(4, "big") + bytes(505)
CHALLENGE = b"\0\0\0\0\x82\0\x02ab"


@pytest.mark.parametrize("step", [1, 3, 10**6])
def test_the_clock_of_the_other_side_is_read_behind_the_certificates(step: int) -> None:
    handshake = fed(ANSWER + CHALLENGE + NETINFO + b"more", step)
    assert (handshake.told, handshake.clock) == (True, 1_700_000_000)
    assert not fed(ANSWER + CHALLENGE).told


@pytest.mark.parametrize("behind", [b"HTTP/1.1 400", NETINFO[:5] + bytes(509), cell(CERTS), b"\xff" * 9])
def test_what_follows_the_certificates_is_no_error_and_no_clock(behind: bytes) -> None:
    handshake = fed(ANSWER + behind + NETINFO)
    assert handshake.certs == CERTS
    assert handshake.clock == 0


@pytest.mark.parametrize("early", [CHALLENGE, NETINFO])
def test_a_clock_before_the_certificates_is_garbage(early: bytes) -> None:
    assert complaint(VERSIONS + early + cell(CERTS)) is Note.GARBAGE


def test_padding_in_between_is_passed_over() -> None:
    early = b"\0\0\x80\0\x01x"
    assert fed(early + VERSIONS + VPADDING + PADDING + cell(CERTS) + b"more").done


@pytest.mark.parametrize(
    "data",
    [
        VERSIONS + VERSIONS,
        VERSIONS + VPADDING * 9,
        VERSIONS + cell({}),
        VERSIONS + b"\0\0\0\0\x81\xff\xff",
        VERSIONS + b"\0\0\0\0\x82\0\0",
        VERSIONS + b"\0\0\0\0\x08",
        VERSIONS + b"\0\0\0\0\x81\0\x04\x01\x02\0\x09",
        VERSIONS + b"\0\0\0\0\x81\0\x07\x02\x02\0\0\x02\0\0",
        b"\0\0\x07\0\0",
        b"\0\0\x07\0\x03\0\x03\0",
        b"\0\0\x07\0\x02\0\x09",
        b"\0\0\x81\0\0",
        b"\x01",
        b"SSH-2.0-x",
        b"\xff\x00\x01",
        b"\0\x01",
    ],
)
def test_what_is_not_the_link_protocol_is_garbage(data: bytes) -> None:
    assert complaint(data) is Note.GARBAGE


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request", b"<html>", b"\r\n<html"])
@pytest.mark.parametrize("step", [1, 100])
def test_a_page_is_told_from_garbage(data: bytes, step: int) -> None:
    with pytest.raises(WireError) as error:
        fed(data, step)
    assert error.value.note is Note.PAGE


def test_the_fingerprint_is_that_of_the_identity_key() -> None:
    assert fingerprint(CERTS) == RELAY.fingerprint


def test_certificates_of_another_connection_are_noticed() -> None:
    other = Relay(link=RELAY.identity).tls()
    assert is_about(CERTS, TLS)
    assert not is_about(CERTS, other)
    assert not is_about({kind: CERTS[kind] for kind in (1, 2)}, other)
    assert not is_about({kind: CERTS[kind] for kind in (2, 4, 5, 7)}, other)
    assert is_about({kind: CERTS[kind] for kind in (1, 2)}, TLS)
    assert not is_about({2: CERTS[2]}, TLS)


@pytest.mark.parametrize("missing", [{}, {2: b""}, {2: CERTS[2][:-1]}, {2: CERTS[2] + b"\0"}, {2: CERTS[5]}])
def test_an_identity_that_cannot_be_read_is_garbage(missing: dict[int, bytes]) -> None:
    with pytest.raises(WireError):
        fingerprint(missing)


def test_a_length_that_is_not_the_shortest_is_refused() -> None:
    assert CERTS[2][:2] == b"\x30\x82"
    for head in (b"\x30\x80", b"\x30\x83\0", b"\x30\x84\0\0", b"\x30\x89"):
        with pytest.raises(WireError):
            x509(head + CERTS[2][2:])
    with pytest.raises(WireError):
        x509(b"\x30\x81\x05" + bytes(5))


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda data: VERSIONS + data))
@example(VERSIONS)
def test_no_answer_raises_anything_else_or_makes_it_grow(data: bytes) -> None:
    for step in (1, 1000):
        handshake = LinkHandshake()
        try:
            for at in range(0, len(data), step):
                handshake.receive(data[at : at + step])
        except WireError:
            pass
        assert len(handshake._held) <= 16 * 1024 + 7 + len(data)


@settings(max_examples=300)
@given(st.sampled_from([1, 2, 4, 5, 7]), st.integers(0, 2000), st.binary(max_size=6))
def test_no_damaged_certificate_raises_anything_else(kind: int, at: int, change: bytes) -> None:
    cert = CERTS[kind]
    at %= len(cert)
    damaged = {**CERTS, kind: cert[:at] + change + cert[at + len(change) :]}
    readers = {1: x509, 2: x509, 4: ed25519, 5: ed25519, 7: cross}
    for read in (
        lambda: fingerprint(damaged),
        lambda: is_about(damaged, TLS),
        lambda: readers[kind](damaged[kind]),
    ):
        with suppress(WireError):
            read()


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_raise_anything_else(data: bytes) -> None:
    for read in (x509, ed25519, cross):
        with suppress(WireError):
            read(data)
