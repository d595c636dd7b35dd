import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trustme

from client.diagnosis.asks import Ask
from client.diagnosis.roots_known import KnownRoots, Root
from client.diagnosis.sights import Came, Issuer, Name, Sight, Test
from client.drill.serving import Handler, Peer, nobody, serving
from client.model import Failure
from tests.client.diagnosis.loopback import (
    KNOWN,
    closes,
    make_around,
    one,
    put,
    question,
    resets,
    response,
    root_of,
    says,
    server_context,
    silent,
    web,
)
from transports.resolve import Resolver

CA = trustme.CA()
WEB = web()
FORGER = trustme.CA(organization_name="ISCA", organization_unit_name="Test Trust Network")


@asynccontextmanager
async def tls(
    ca: trustme.CA = CA, *names: str, chain: bool = False, handler: Handler = WEB
) -> AsyncIterator[int]:
    async with serving(handler, context=server_context(ca, *names, chain=chain)) as port:
        yield port


async def shaken(asked: Ask, **more: object) -> Sight:
    """Return the sight of the handshake; the connection below it was there."""
    below, seen = await put(asked, make_around(CA, **more))  # type: ignore[arg-type]
    assert (below.test, below.came, below.failure) == (Test.CONNECT, Came.RIGHT, None)
    assert seen.test is Test.TLS
    return seen


async def test_a_connection_that_stands_is_right() -> None:
    around = make_around(CA)
    async with serving(silent) as port:
        seen = await one(question(Test.CONNECT, port), around)
    assert (seen.came, seen.after, seen.failure) == (Came.RIGHT, "", None)
    assert around.opened == 1


async def test_a_port_that_refuses_is_refused_and_not_silent() -> None:
    async with nobody() as port:
        seen = await one(question(Test.CONNECT, port), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.REFUSED, "syn", Failure.CONNECTION_REFUSED)


async def test_an_authentic_handshake_is_two_sights() -> None:
    around = make_around(CA)
    async with tls() as port:
        below, seen = await put(question(Test.TLS, port, way="listed", round=2), around)
    assert (below.test, below.came, below.after) == (Test.CONNECT, Came.RIGHT, "")
    assert (seen.test, seen.came, seen.after, seen.failure) == (Test.TLS, Came.RIGHT, "", None)
    assert seen.certificate is not None
    assert seen.certificate.issuer is Issuer.PUBLIC
    assert 500 < seen.received < 8000
    assert around.opened == 1
    assert around.moved > seen.received


async def test_a_handshake_without_a_connection_is_one_sight_of_the_connection() -> None:
    async with nobody() as port:
        (seen,) = await put(question(Test.TLS, port, name=Name.FORBIDDEN), make_around(CA))
    assert (seen.test, seen.came, seen.after) == (Test.CONNECT, Came.REFUSED, "syn")


@pytest.mark.parametrize(
    ("handler", "came", "failure"),
    [
        (resets, Came.RESET, Failure.CONNECTION_RESET),
        (closes, Came.CLOSED, Failure.EOF),
        (silent, Came.SILENCE, Failure.TIMEOUT),
        (says(b"\x15\x03\x03\x00\x02\x02\x28"), Came.OTHER, Failure.SSL_HANDSHAKE),
        (says(response(400)), Came.OTHER, Failure.SSL_HANDSHAKE),
        (says(response(200, b"<html>blocked")), Came.FALSE, Failure.SSL_HANDSHAKE),
        (says(b"SSH-2.0-x\r\n"), Came.FALSE, Failure.SSL_HANDSHAKE),
    ],
    ids=["reset", "closed", "silence", "alert", "an HTTP error", "a page", "something else"],
)
async def test_what_comes_after_the_client_hello_is_told_apart(
    handler: Handler, came: Came, failure: Failure
) -> None:
    async with serving(handler) as port:
        seen = await shaken(question(Test.TLS, port, limit=0.5))
    assert (seen.came, seen.after, seen.failure) == (came, "client_hello", failure)
    assert seen.certificate is None


async def test_a_server_hello_that_breaks_off_has_stopped() -> None:
    async def half(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"\x16\x03\x03\x10\x00" + bytes(2000))
        await silent(peer)

    async with serving(half) as port:
        seen = await shaken(question(Test.TLS, port, limit=0.4))
    assert (seen.came, seen.after, seen.failure) == (Came.STOPPED, "client_hello", Failure.TIMEOUT)
    assert seen.received == 2005


async def test_a_known_root_in_the_chain_is_told_by_its_fingerprint() -> None:
    known = KNOWN.with_roots({root_of(FORGER): Root(country="ZZ", name="Test Trust Network")})
    around = make_around(CA, known=known)
    async with tls(FORGER, chain=True) as port:
        _, seen = await put(question(Test.TLS, port), around)
    assert (seen.came, seen.after, seen.failure) == (Came.FALSE, "client_hello", Failure.SSL_AUTHORITY)
    assert seen.certificate is not None
    assert seen.certificate.issuer is Issuer.NATIONAL
    assert seen.certificate.fingerprint == root_of(FORGER)
    assert seen.certificate.by == "Test Trust Network"
    assert around.opened == 2


async def test_a_known_root_that_does_not_intercept_is_no_national_one() -> None:
    root = Root(country="ZZ", name="Test Trust Network", interception=False)
    async with tls(FORGER, chain=True) as port:
        seen = await shaken(question(Test.TLS, port), known=KNOWN.with_roots({root_of(FORGER): root}))
    assert seen.certificate is not None
    assert seen.certificate.issuer is Issuer.UNKNOWN


async def test_a_root_that_is_not_shown_is_told_by_the_issuers_name() -> None:
    known = KNOWN.with_roots({"0" * 64: Root(country="ZZ", name="Test Trust Network")})
    forger = trustme.CA(organization_name="Test Trust Network")
    async with tls(forger) as port:
        seen = await shaken(question(Test.TLS, port), known=known)
    assert seen.certificate is not None
    assert (seen.certificate.issuer, seen.certificate.fingerprint) == (Issuer.NATIONAL, "")


async def test_a_product_on_this_machine_is_named() -> None:
    product = trustme.CA(organization_name="Kaspersky Anti-Virus")
    known = KnownRoots(roots={}, products=("Kaspersky",))
    async with tls(product) as port:
        seen = await shaken(question(Test.TLS, port), known=known, system=[product])
    assert seen.came is Came.FALSE
    assert seen.certificate is not None
    assert (seen.certificate.issuer, seen.certificate.by) == (Issuer.PRODUCT, "Kaspersky")


async def test_a_root_of_the_systems_store_is_told_from_an_unknown_one() -> None:
    async with tls(FORGER) as port:
        installed = await shaken(question(Test.TLS, port), system=[FORGER])
        unknown = await shaken(question(Test.TLS, port))
    assert installed.certificate is not None
    assert unknown.certificate is not None
    assert (installed.certificate.issuer, unknown.certificate.issuer) == (Issuer.STORE, Issuer.UNKNOWN)
    assert installed.certificate.by == unknown.certificate.by == "ISCA"
    assert len(unknown.certificate.fingerprint) == 64


async def test_a_true_certificate_for_another_name_is_a_wrong_name() -> None:
    async with tls(CA, "other.test") as port:
        seen = await shaken(question(Test.TLS, port))
    assert (seen.came, seen.failure) == (Came.FALSE, Failure.SSL_HOSTNAME)
    assert seen.certificate is not None
    assert seen.certificate.issuer is Issuer.WRONG_NAME


async def test_a_server_that_shows_itself_once_only_is_still_a_false_certificate() -> None:
    context, times = server_context(FORGER), iter([True])

    async def once(peer: Peer) -> None:
        if next(times, False):
            await peer.upgrade(context)
            await silent(peer)

    async with serving(once) as port:
        seen = await shaken(question(Test.TLS, port, limit=0.5))
    assert seen.came is Came.FALSE
    assert seen.certificate is not None
    assert (seen.certificate.issuer, seen.certificate.by) == (Issuer.UNKNOWN, "")


async def test_every_connection_waits_for_the_pace() -> None:
    waited = 0

    async def pace() -> None:
        nonlocal waited
        waited += 1

    around = make_around(CA, pace=pace)
    async with tls(FORGER) as port:
        await put(question(Test.TLS, port), around)
    assert waited == around.opened == 3


async def test_handshakes_at_once_all_come() -> None:
    around = make_around(CA)
    async with tls() as port:
        seen = await one(question(Test.PARALLEL, port, beside=4), around)
    assert (seen.came, seen.detail, seen.after, seen.failure) == (Came.RIGHT, "4/4", "client_hello", None)
    assert around.opened == 4


async def test_handshakes_of_which_only_the_first_comes_have_stopped() -> None:
    context, inside = server_context(CA), 0

    async def policed(peer: Peer) -> None:
        nonlocal inside
        inside += 1
        if inside > 1:
            await silent(peer)
        else:
            await peer.upgrade(context)
            await asyncio.sleep(0.5)

    async with serving(policed) as port:
        seen = await one(question(Test.PARALLEL, port, beside=4, limit=0.5), make_around(CA))
    assert (seen.came, seen.detail) == (Came.STOPPED, "1/4")


async def test_handshakes_that_are_all_reset_are_reset() -> None:
    async with serving(resets) as port:
        seen = await one(question(Test.PARALLEL, port, beside=3), make_around(CA))
    assert (seen.came, seen.detail, seen.failure) == (Came.RESET, "0/3", Failure.CONNECTION_RESET)


async def test_a_name_without_an_address_is_a_fault_of_ours() -> None:
    class NoResolver(Resolver):
        async def __call__(self, host: str) -> tuple[str, ...]:
            if host == "slow.test":
                await asyncio.sleep(5)
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

    around = make_around(CA, resolver=NoResolver())
    for host in ("wrong.test", "slow.test"):
        seen = await one(question(Test.PAGE, 80, host=host, limit=0.2), around)
        assert (seen.came, seen.detail) == (Came.FAULT, "no_address")
    assert around.opened == 0


async def test_a_name_is_resolved_by_the_system() -> None:
    around = make_around(CA)
    async with tls() as port:
        (_, seen) = await put(replace(question(Test.TLS, port), host="localhost"), around)
    assert seen.came is Came.RIGHT
    assert "127.0.0.1" in around.resolver.known("localhost")
