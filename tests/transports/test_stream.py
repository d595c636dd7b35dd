import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from client.drill.ca import Authority
from client.drill.serving import Handler, Peer, nobody, serving
from tests.servers.around import HASTY, answers, around, drips, trusting
from transports.failure import Failure, StepFailed
from transports.net import Net
from transports.stream import SocketStream, TlsStream, connect, secure
from transports.types import Note, Step

ROOT = Authority("Test Root")
LINUX = sys.platform == "linux"


@asynccontextmanager
async def connected(handler: Handler, net: Net | None = None) -> AsyncIterator[SocketStream]:
    async with serving(handler) as port:
        stream = await connect("127.0.0.1", port, net or around())
        try:
            yield stream
        finally:
            stream.close()


@asynccontextmanager
async def secured(handler: Handler, net: Net | None = None, name: str = "origin.test") -> AsyncIterator[TlsStream]:
    net = net or around()
    context = await trusting(ROOT.pem)()
    async with serving(handler, context=ROOT.server_context("origin.test")) as port:
        stream = await secure(await connect("127.0.0.1", port, net), context, name, net)
        try:
            yield stream
        finally:
            stream.close()


async def everything(stream: SocketStream | TlsStream, limit: int = 4096) -> bytes:
    got = b""
    while data := await stream.recv(limit):
        assert len(data) <= limit
        got += data
    return got


async def failure_of(handler: Handler, net: Net | None = None) -> StepFailed:
    """Try TLS with `handler` and return how it failed; the socket below must be closed."""
    net = net or around()
    context = await trusting(ROOT.pem)()
    async with serving(handler) as port:
        below = await connect("127.0.0.1", port, net)
        with pytest.raises(StepFailed) as caught:
            await secure(below, context, "origin.test", net)
        assert is_closed(below)
    return caught.value


def is_closed(stream: SocketStream) -> bool:
    return stream._socket.fileno() == -1


# the socket


async def test_a_stream_carries_bytes_both_ways_and_counts_them() -> None:
    heard: list[bytes] = []
    async with connected(answers(b"pong", b"bye", heard=heard)) as stream:
        await stream.send(b"ping")
        assert await stream.recv(100) == b"pong"
        await stream.send(b"more")
        assert await stream.recv(100) == b"bye"
        assert (stream.reads, stream.writes, stream.received) == (2, 2, 7)
        came, last = stream.wire
        assert came == 7
        assert 0 <= asyncio.get_running_loop().time() - last < 1.0
    assert heard == [b"ping", b"more"]


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_a_read_never_gives_more_than_was_asked_for(limit: int) -> None:
    async with connected(answers(b"0123456789")) as stream:
        await stream.send(b"x")
        first = await stream.recv(limit)
        assert 1 <= len(first) <= limit
        assert stream.received == len(first)


async def test_what_is_put_back_comes_first_and_is_not_counted_twice() -> None:
    async with connected(answers(b"abcdef")) as stream:
        await stream.send(b"x")
        got = await stream.recv(6)
        stream.unread(got[4:])
        stream.unread(got[2:4])
        assert await stream.recv(3) == b"cde"
        assert await stream.recv(3) == b"f"
        assert (stream.reads, stream.received, stream.wire[0]) == (1, 6, 6)


async def test_the_end_is_empty_however_often_it_is_asked_for() -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.send(b"x")

    async with connected(hang_up) as stream:
        assert await everything(stream) == b"x"
        assert await stream.recv(10) == b""
        assert stream.reads == 1


async def test_a_large_message_goes_out_whole() -> None:
    taken = asyncio.Event()
    total = 0

    async def take(peer: Peer) -> None:
        nonlocal total
        while total < 3_000_000:
            total += len(await peer.read())
        taken.set()

    async with connected(take) as stream:
        await stream.send(bytes(3_000_000))
        await asyncio.wait_for(taken.wait(), 10)
    assert total == 3_000_000


async def test_closing_twice_is_safe() -> None:
    async with connected(answers()) as stream:
        stream.close()
        stream.close()
        assert is_closed(stream)


@pytest.mark.skipif(not LINUX, reason="only Linux tells segments")
async def test_segments_are_counted_where_the_system_tells() -> None:
    async with connected(answers(b"1", b"2", b"3")) as stream:
        before = stream.segments()
        for _ in range(3):
            await stream.send(b"x")
            await stream.recv(1)
        after = stream.segments()
        assert before is not None
        assert after is not None
        assert after[0] - before[0] >= 3
        assert after[1] - before[1] >= 3
        stream.close()
        assert stream.segments() is None


# connecting


async def test_a_refused_connection_is_named_at_connect() -> None:
    net = around()
    async with nobody() as port:
        with pytest.raises(StepFailed) as caught:
            await connect("127.0.0.1", port, net)
    assert (caught.value.step, caught.value.failure) == (Step.CONNECT, Failure.CONNECTION_REFUSED)
    assert [seen.step for seen in net.trace.observations] == [Step.CONNECT]


async def test_an_address_is_never_resolved() -> None:
    async with serving(answers(), host="::1") as port:  # `around` has no resolver: it would raise
        (await connect("::1", port, around())).close()


@pytest.mark.parametrize("host", ["origin.test", "a.b.c.d1", "1.2.3.4x", "localhost"])
async def test_everything_else_is_resolved_as_a_step_of_its_own(host: str) -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        assert name == host
        return ("127.0.0.1",)

    net = around(resolve=resolve)
    async with serving(answers()) as port:
        (await connect(host, port, net)).close()
    assert [seen.step for seen in net.trace.observations] == [Step.RESOLVE, Step.CONNECT]


async def test_a_name_without_an_address_is_named_at_resolve() -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(StepFailed) as caught:
        await connect("origin.test", 1, around(resolve=resolve))
    assert (caught.value.step, caught.value.failure) == (Step.RESOLVE, Failure.DNS_NXDOMAIN)


async def test_a_resolver_that_never_answers_ends_at_its_limit() -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        await asyncio.sleep(10)
        return ()

    with pytest.raises(StepFailed) as caught:
        await connect("origin.test", 1, around(HASTY, resolve=resolve))
    assert (caught.value.step, caught.value.failure) == (Step.RESOLVE, Failure.TIMEOUT)


async def test_the_second_address_is_tried_and_the_third_is_not() -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        return addresses

    async with serving(answers()) as port:
        addresses: tuple[str, ...] = ("127.0.0.2", "127.0.0.1")
        (await connect("origin.test", port, around(resolve=resolve))).close()
        addresses = ("127.0.0.2", "127.0.0.3", "127.0.0.1")
        with pytest.raises(StepFailed) as caught:
            await connect("origin.test", port, around(resolve=resolve))
    assert caught.value.failure is Failure.CONNECTION_REFUSED


async def test_the_pace_is_kept_before_each_connection_and_costs_no_time() -> None:
    paced = 0

    async def pace() -> None:
        nonlocal paced
        paced += 1
        await asyncio.sleep(0.05)

    net = around(pace=pace)
    async with serving(answers()) as port:
        (await connect("127.0.0.1", port, net)).close()
    assert paced == 1
    assert net.trace.waited >= 0.04
    assert net.trace.observations[0].elapsed < 0.04


@pytest.fixture
def full_port() -> Iterator[int]:
    """Give a port that answers no SYN any more: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


@pytest.mark.skipif(not LINUX, reason="a full queue is silent on Linux only")
async def test_an_unanswered_connection_ends_at_its_limit(full_port: int) -> None:
    net = around(HASTY)
    with pytest.raises(StepFailed) as caught:
        await connect("127.0.0.1", full_port, net)
    assert (caught.value.step, caught.value.failure) == (Step.CONNECT, Failure.TIMEOUT)
    assert 0.25 <= net.trace.observations[0].elapsed < 2.0


@pytest.mark.skipif(not LINUX, reason="a full queue is silent on Linux only")
async def test_cancelling_a_connection_in_the_making_closes_its_socket(full_port: int) -> None:
    async with asyncio.TaskGroup() as group:  # the leak check of conftest looks after the socket
        task = group.create_task(connect("127.0.0.1", full_port, around()))
        await asyncio.sleep(0.05)
        task.cancel()
    assert task.cancelled()


# TLS


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
    [(Authority("Another Root"), "origin.test", Failure.SSL_AUTHORITY), (ROOT, "b.test", Failure.SSL_HOSTNAME)],
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
    ids=["echo", "page", "dripped page", "html", "short html", "html below a blank line", "socks", "short noise"]
    + ["alert", "half a hello", "hung up", "reset"],
)
async def test_what_stands_where_tls_was_due_is_named(handler: Handler, failure: Failure, note: Note | None) -> None:
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
        assert inner.segments() == outer.segments() or LINUX


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
