from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from client.drill.serving import Handler, Peer, serving
from tests.servers.around import HASTY, PATIENT, answers, around
from tests.servers.bridges import Bridge, bridge
from tests.servers.relay_certs import VERSIONS, Relay, cell, cross_cert, ed_cert, raw, rsa, x509_of
from transports.failure import Failure, StepFailed, WireError
from transports.net import Limits
from transports.stream import connect
from transports.tor_link import Link, check_link, identified, proved
from transports.types import Note, Step
from transports.wire.tor_link import LinkHandshake

__all__ = ["bridge"]

OTHER = "F" * 40


async def asked(port: int, expected: str = "", limits: Limits = PATIENT) -> Link:
    net = around(limits)
    stream = await connect("127.0.0.1", port, net)
    try:
        return await check_link(stream, net, expected)
    finally:
        stream.close()
        assert net.trace.observations[-1].step is Step.TLS_HANDSHAKE


async def refusal(port: int, expected: str = "", limits: Limits = HASTY) -> tuple[Failure, Note | None]:
    with pytest.raises(StepFailed) as failed:
        await asked(port, expected, limits)
    return failed.value.failure, failed.value.note


def tls_server(folder: Path, relay: Relay, tls: bytes) -> ssl.SSLContext:
    pem = folder / "link.pem"
    pem.write_text(relay.pem(tls))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@asynccontextmanager
async def https(handler: Handler) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("site.test").configure_cert(context)
    async with serving(handler, context=context) as port:
        yield port


async def test_a_real_relay_says_who_it_is_and_proves_it(bridge: Bridge) -> None:
    link = await asked(bridge.port, bridge.fingerprint)
    assert link.fingerprint == bridge.fingerprint
    assert link.ed25519 == bridge.ed25519
    assert link.version == 5
    assert link.proved is True
    assert link.ahead is not None
    assert abs(link.ahead) <= 2
    assert bridge.fingerprint not in repr(link)


async def test_a_clock_that_is_off_is_measured_against_a_real_relays(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transports.tor_link.time.time", lambda: datetime.now(UTC).timestamp() - 7200)
    ahead = (await asked(bridge.port)).ahead
    assert ahead is not None
    assert -7202 <= ahead <= -7198


async def test_a_line_without_fingerprint_learns_it(bridge: Bridge) -> None:
    assert (await asked(bridge.port)).fingerprint == bridge.fingerprint


async def test_a_fingerprint_in_small_letters_is_the_same(bridge: Bridge) -> None:
    assert (await asked(bridge.port, bridge.fingerprint.lower())).proved


async def test_another_fingerprint_than_expected_is_found_out(bridge: Bridge) -> None:
    assert await refusal(bridge.port, OTHER, PATIENT) == (Failure.SSL_CERTIFICATE, Note.OTHER_IDENTITY)


async def test_without_the_library_the_fingerprint_is_still_checked(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    link = await asked(bridge.port, bridge.fingerprint)
    assert (link.fingerprint, link.proved) == (bridge.fingerprint, None)
    assert await refusal(bridge.port, OTHER, PATIENT) == (Failure.SSL_CERTIFICATE, Note.OTHER_IDENTITY)


async def test_who_passes_a_relays_answer_on_over_a_connection_of_his_own_is_found_out(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The impostor asks the real bridge and repeats its certificates word for word."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def repeat(peer: Peer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port, ssl=context)
        try:
            writer.write(await peer.read())
            head = await reader.readexactly(11 + 7)
            await peer.send(head + await reader.readexactly(int.from_bytes(head[16:18], "big")))
            await peer.linger()
        finally:
            writer.transport.abort()  # a polite end of TLS would outlive the test

    relay = Relay()
    found = []
    async with serving(repeat, context=tls_server(tmp_path, relay, relay.tls())) as port:
        found.append(await refusal(port, bridge.fingerprint, PATIENT))
        monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
        found.append(await refusal(port, bridge.fingerprint, PATIENT))
    assert found == [(Failure.SSL_CERTIFICATE, Note.OTHER_IDENTITY)] * 2


async def test_an_answer_that_comes_a_byte_at_a_time_is_read(tmp_path: Path) -> None:
    relay = Relay()
    tls = relay.tls()
    answer = VERSIONS + cell(relay.certs(tls))

    async def drip(peer: Peer) -> None:
        await peer.read()
        for at in range(len(answer)):
            await peer.send(answer[at : at + 1])
        await peer.linger()

    async with serving(drip, context=tls_server(tmp_path, relay, tls)) as port:
        assert (await asked(port, relay.fingerprint)).proved


async def test_a_web_site_is_told_by_its_page() -> None:
    async with https(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert await refusal(port) == (Failure.SSL_HANDSHAKE, Note.PAGE)
    async with serving(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert await refusal(port) == (Failure.SSL_HANDSHAKE, Note.REFUSED)


async def test_a_web_site_that_only_hangs_up_is_an_end() -> None:
    async with https(answers(b"")) as port:
        assert await refusal(port) == (Failure.EOF, None)


async def test_garbage_before_and_inside_tls_is_named() -> None:
    async with https(answers(b"\xde\xad\xbe\xef" * 8)) as port:
        assert await refusal(port) == (Failure.SSL_HANDSHAKE, Note.GARBAGE)
    async with serving(answers(b"\xde\xad\xbe\xef" * 8)) as port:
        assert await refusal(port) == (Failure.SSL_HANDSHAKE, Note.GARBAGE)


async def test_silence_before_and_inside_tls_ends_at_the_deadline() -> None:
    async def silent(peer: Peer) -> None:
        while await peer.read():
            pass

    async with https(silent) as port:
        assert await refusal(port) == (Failure.TIMEOUT, None)
    async with serving(silent) as port:
        assert await refusal(port) == (Failure.TIMEOUT, None)


async def test_padding_without_end_is_cut_off() -> None:
    async def pad(peer: Peer) -> None:
        await peer.send(VERSIONS)
        while True:
            await peer.send(b"\0\0\0\0\x80\x20\0" + bytes(0x2000))

    async with https(pad) as port:
        assert await refusal(port, limits=PATIENT) == (Failure.SSL_HANDSHAKE, Note.GARBAGE)


RELAY = Relay()
TLS = RELAY.tls()


def shown(certs: dict[int, bytes], *kinds: int) -> LinkHandshake:
    handshake = LinkHandshake()
    handshake.receive(VERSIONS + cell({kind: certs[kind] for kind in kinds or certs}))
    return handshake


@pytest.mark.parametrize("kinds", [(1, 2), (2, 4, 5, 7), (1, 2, 4, 5, 7)])
def test_either_chain_proves_the_identity(kinds: tuple[int, ...]) -> None:
    link = identified(shown(RELAY.certs(TLS), *kinds), TLS, RELAY.fingerprint)
    assert link.proved is True
    expected = base64.b64encode(raw(RELAY.ed_identity)).decode().rstrip("=") if 7 in kinds else ""
    assert link.ed25519 == expected


def by_another_identity(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {1: x509_of(RELAY.link.public_key(), rsa("tls signer")), 2: certs[2]}


def cross_of_another_key(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {**certs, 7: cross_cert(rsa("tls signer"), raw(RELAY.ed_identity))}


def cross_for_another_key(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {**certs, 7: cross_cert(RELAY.identity, raw(RELAY.ed_signing))}


def signing_key_of_somebody_else(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {**certs, 4: ed_cert(4, raw(RELAY.ed_signing), Relay().ed_identity)}


def link_of_somebody_else(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {**certs, 5: ed_cert(5, hashlib.sha256(TLS).digest(), Relay().ed_signing)}


def broken_cross(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {**certs, 7: certs[7][:-1] + bytes([certs[7][-1] ^ 1])}


def only_the_identity(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {2: certs[2]}


def the_end_without_its_begin(certs: dict[int, bytes]) -> dict[int, bytes]:
    return {kind: certs[kind] for kind in (1, 2, 5)}


@pytest.mark.parametrize(
    "lie",
    [
        by_another_identity,
        cross_of_another_key,
        cross_for_another_key,
        signing_key_of_somebody_else,
        link_of_somebody_else,
        broken_cross,
        only_the_identity,
        the_end_without_its_begin,
    ],
)
def test_a_chain_that_was_made_up_proves_nothing(
    lie: Callable[[dict[int, bytes]], dict[int, bytes]],
) -> None:
    certs = lie(RELAY.certs(TLS))
    assert proved(certs) is False
    with pytest.raises(WireError) as error:
        identified(shown(certs), TLS, RELAY.fingerprint)
    assert (error.value.failure, error.value.note) == (Failure.SSL_CERTIFICATE, Note.OTHER_IDENTITY)
