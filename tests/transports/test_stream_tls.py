import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from client.drill.ca import Authority
from client.drill.serving import Handler, Peer, serving
from tests.servers.around import HASTY, answers, around, drips, trusting
from tests.transports.streams import ROOT, connected, everything, failure_of, is_closed, secured
from transports.failure import Failure, StepFailed
from transports.stream import connect, secure
from transports.types import Note, Step


async def test_tls_carries_bytes_both_ways_and_counts_decrypted_ones() -> None:
    async with secured(answers(b"pong")) as stream:
        reads, writes, (wire, _) = stream.reads, stream.writes, stream.wire
        assert stream.received == 0
        await stream.send(b"ping")
        assert await stream.recv(100) == b"pong"
        assert stream.received == 4
        assert stream.reads > reads
        assert stream.writes == writes + 1
        assert stream.wire[0] - wire >= 4 + 21  # a TLS record is longer than what is in it


async def test_a_tls_stream_puts_back_and_reaches_its_end() -> None:
    async with secured(answers(b"abcdef")) as stream:
        await stream.send(b"x")
        got = await stream.recv(6)
        stream.unread(got)
        assert await everything(stream, 2) == b"abcdef"
        assert stream.received == 6


async def test_small_reads_of_a_large_tls_transfer_are_many_reads_of_the_wire() -> None:
    async def pour(peer: Peer) -> None:
        await peer.read()
        await peer.send(bytes(64 * 1024))

    async with secured(pour) as stream:
        await stream.send(b"x")
        assert len(await everything(stream, 2048)) == 64 * 1024
        assert stream.reads >= 32
        assert stream.wire[0] > 64 * 1024


async def test_an_end_without_a_farewell_is_an_end() -> None:
    async def vanish(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"last words")
        await asyncio.sleep(0.05)
        transport = peer.writer.transport
        transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.5)

    async with secured(vanish) as stream:
        await stream.send(b"x")
        assert await everything(stream) == b"last words"


@pytest.mark.parametrize(
    ("root", "name", "failure"),
    [
        (Authority("Another Root"), "origin.test", Failure.SSL_AUTHORITY),
        (ROOT, "b.test", Failure.SSL_HOSTNAME),
    ],
    ids=["forged", "wrong name"],
)
async def test_a_certificate_that_does_not_fit_is_named(root: Authority, name: str, failure: Failure) -> None:
    net = around()
    async with serving(answers(), context=root.server_context(name)) as port:
        below = await connect("127.0.0.1", port, net)
        with pytest.raises(StepFailed) as caught:
            await secure(below, await trusting(ROOT.pem)(), "origin.test", net)
    assert (caught.value.step, caught.value.failure) == (Step.TLS_HANDSHAKE, failure)
    assert is_closed(below)


async def _echo(peer: Peer) -> None:
    while data := await peer.read():
        await peer.send(data)


async def _hang_up(peer: Peer) -> None:
    await peer.read()
    await peer.linger()


async def _reset(peer: Peer) -> None:
    await peer.read()
    peer.reset()


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake_failure
HALF = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"  # the begin of a server's hello


@pytest.mark.parametrize(
    ("handler", "failure", "note"),
    [
        (_echo, Failure.SSL_HANDSHAKE, Note.ECHO),
        (answers(PAGE), Failure.SSL_HANDSHAKE, Note.PAGE),
        (drips(PAGE[:30]), Failure.SSL_HANDSHAKE, Note.PAGE),
        (answers(b"<html>"), Failure.SSL_HANDSHAKE, Note.PAGE),
        (answers(b"<a>"), Failure.SSL_HANDSHAKE, Note.PAGE),  # too short for OpenSSL to doubt it
        (answers(b"\r\n<html>"), Failure.SSL_HANDSHAKE, Note.PAGE),
        (answers(b"\x05\x01\x00\x01\x00\x00"), Failure.SSL_HANDSHAKE, Note.GARBAGE),
        (answers(b"no"), Failure.SSL_HANDSHAKE, Note.GARBAGE),
        (answers(ALERT), Failure.SSL_HANDSHAKE, None),
        (answers(HALF), Failure.EOF, None),
        (_hang_up, Failure.EOF, None),
        (_reset, Failure.CONNECTION_RESET, None),
    ],
    ids=[
        "echo",
        "page",
        "dripped",
        "html",
        "short",
        "blank line first",
        "socks",
        "noise",
        "alert",
        "half a hello",
        "hung up",
        "reset",
    ],
)
async def test_what_stands_where_tls_was_due_is_named(
    handler: Handler, failure: Failure, note: Note | None
) -> None:
    failed = await failure_of(handler)
    assert (failed.step, failed.failure, failed.note) == (Step.TLS_HANDSHAKE, failure, note)


async def test_a_silent_tls_server_ends_at_the_limit() -> None:
    async def silent(peer: Peer) -> None:
        await asyncio.sleep(10)

    failed = await failure_of(silent, around(HASTY))
    assert (failed.step, failed.failure) == (Step.TLS_HANDSHAKE, Failure.TIMEOUT)


async def test_tls_inside_tls_needs_nothing_special() -> None:
    inside = ROOT.server_context("inner.test")

    async def twice(peer: Peer) -> None:
        """Speak TLS in the TLS that is already there, as an HTTPS proxy's target does."""
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        engine = inside.wrap_bio(into, out, server_side=True)

        async def until(action: Callable[[], bytes | None]) -> bytes | None:
            while True:
                try:
                    done = action()
                except ssl.SSLWantReadError:
                    if out.pending:
                        await peer.send(out.read())
                    into.write(await peer.read())
                else:
                    if out.pending:
                        await peer.send(out.read())
                    return done

        await until(engine.do_handshake)
        said = await until(lambda: engine.read(100))
        assert said is not None
        engine.write(said[::-1])
        await peer.send(out.read())
        await peer.linger()

    async with secured(twice) as outer:
        net = around()
        inner = await secure(outer, await trusting(ROOT.pem)(), "inner.test", net)
        await inner.send(b"drawkcab")
        assert await inner.recv(100) == b"backward"
        assert (inner.received, inner.reads, inner.wire) == (8, outer.reads, outer.wire)


async def test_a_place_among_the_handshakes_is_held_just_for_the_handshake() -> None:
    held: list[str] = []

    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        held.append("taken")
        await asyncio.sleep(0.05)
        try:
            yield
        finally:
            held.append("given back")

    net = around(tls_slot=slot)
    async with secured(answers(), net):
        assert held == ["taken", "given back"]
    assert net.trace.waited >= 0.04


async def test_cancelling_a_wait_for_a_place_closes_the_connection_below() -> None:
    @asynccontextmanager
    async def slot() -> AsyncIterator[None]:
        await asyncio.sleep(10)
        yield

    net = around(tls_slot=slot)
    context = await trusting(ROOT.pem)()
    async with connected(answers(), net) as below:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(secure(below, context, "origin.test", net))
            await asyncio.sleep(0.02)
            task.cancel()
        assert task.cancelled()
        assert is_closed(below)


async def test_cancelling_a_handshake_closes_the_connection_below() -> None:
    async def silent(peer: Peer) -> None:
        await asyncio.sleep(10)

    context = await trusting(ROOT.pem)()
    async with connected(silent) as below:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(secure(below, context, "origin.test", around()))
            await asyncio.sleep(0.02)
            task.cancel()
        assert task.cancelled()
        assert is_closed(below)
