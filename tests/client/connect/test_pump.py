import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from client.connect import belt
from client.connect.local import Limits
from client.connect.pump import SocketPump
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import JudgedLeg, Program, Walked, WayOut, local, program, tunnelled, until
from tests.servers.around import around, trusting
from tests.transports.streams import ROOT
from transports.stream import SocketStream, connect, secure
from transports.types import CannotMeasure, Stream

BULK = hashlib.shake_256(b"bulk").digest(3_000_000)


class Explained(SocketStream):
    """A stream like those of engines: its end is no end when the engine has died."""

    engine_lives = True

    async def recv(self, limit: int) -> bytes:
        data = await super().recv(limit)
        if not data and not self.engine_lives:
            raise CannotMeasure("the engine has died")
        return data


class OverTls(WayOut):
    async def stream(self, host: str, port: int) -> Stream:
        context = await trusting(ROOT.pem)()
        return await secure(await super().stream(host, port), context, "origin.test", around())


class ThroughEngine(WayOut):
    async def stream(self, host: str, port: int) -> Stream:
        plain = await connect("127.0.0.1", port, around())
        return Explained(plain.raw)


@pytest.fixture(params=["sockets", "tasks", "TLS", "engine"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "tasks":  # as on a loop that cannot watch sockets

        class Blind(SocketPump):
            def __init__(self, *args: object) -> None:
                raise NotImplementedError

        monkeypatch.setattr(belt, "SocketPump", Blind)
    return str(request.param)


@asynccontextmanager
async def tunnel(
    kind: str, handler: object, limits: Limits | None = None
) -> AsyncIterator[tuple[Program, WayOut]]:
    gateway = {"TLS": OverTls, "engine": ThroughEngine}.get(kind, WayOut)()
    context = ROOT.server_context("origin.test") if kind == "TLS" else None
    async with (
        serving(handler, context=context) as port,  # type: ignore[arg-type]
        local(gateway, limits=limits) as (door, _),
        program(door) as client,
    ):
        await client.tunnel(port)
        yield client, gateway


async def echo(peer: Peer) -> None:
    while data := await peer.read():
        await peer.send(data)
    peer.finish()


async def test_much_goes_both_ways_at_once_unchanged(kind: str) -> None:
    async with tunnel(kind, echo) as (client, gateway):

        async def shout() -> None:
            await client.send(BULK)

        shouting = asyncio.ensure_future(shout())  # noqa: TID251
        assert await client.exactly(len(BULK)) == BULK
        await shouting
        leg = gateway.legs[0]
        assert (leg.up, leg.down) == (len(BULK), len(BULK))
        assert not leg.has_broken


async def test_what_was_read_too_far_goes_first(kind: str) -> None:
    async def greets(peer: Peer) -> None:
        await peer.send(b"world")
        await peer.linger()

    class Eager(type(await_gateway(kind))):  # type: ignore[misc]
        async def stream(self, host: str, port: int) -> Stream:
            stream: Stream = await super().stream(host, port)
            stream.unread(b"hello ")
            return stream

    context = ROOT.server_context("origin.test") if kind == "TLS" else None
    async with (
        serving(greets, context=context) as port,
        local(Eager()) as (door, _),
        program(door) as client,
    ):
        await client.tunnel(port)
        assert await client.exactly(11) == b"hello world"


def await_gateway(kind: str) -> WayOut:
    return {"TLS": OverTls, "engine": ThroughEngine}.get(kind, WayOut)()


async def test_a_program_that_has_said_all_still_gets_its_answer(kind: str) -> None:
    async def counts(peer: Peer) -> None:
        total = 0
        while data := await peer.read():
            total += len(data)
        await peer.send(str(total).encode())
        peer.finish()

    async with tunnel(kind, counts) as (client, gateway):
        await client.send(b"x" * 1000)
        client.sock.shutdown(socket.SHUT_WR)
        if kind == "TLS":  # the drill's server ends its TLS both ways at once
            assert await client.everything() in (b"1000", b"")
        else:
            assert await client.everything() == b"1000"
        await until(lambda: gateway.legs[0].closed)
        assert not gateway.legs[0].has_broken


async def test_an_end_of_the_server_is_passed_on_and_the_program_may_go_on(kind: str) -> None:
    came = bytearray()

    async def ends(peer: Peer) -> None:
        await peer.send(b"that is all")
        peer.finish()
        while data := await peer.read():
            came.extend(data)

    async with tunnel(kind, ends) as (client, gateway):
        assert await client.everything() == b"that is all"
        if kind != "TLS":
            await client.send(b"but this too")
            client.sock.shutdown(socket.SHUT_WR)
            await until(lambda: bytes(came) == b"but this too")
        else:
            client.sock.close()
        await until(lambda: gateway.legs[0].closed)


async def test_a_reset_on_the_way_is_a_reset_for_the_program(kind: str) -> None:
    async def breaks(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"half a fi")
        await asyncio.sleep(0.05)
        peer.reset()

    async with tunnel(kind, breaks) as (client, gateway):
        await client.send(b"give")
        assert await client.exactly(9) == b"half a fi"
        assert await client.is_reset()
        assert gateway.legs[0].has_broken
        assert gateway.legs[0].closed


async def test_a_cut_is_a_reset_for_the_program_and_no_fault(kind: str) -> None:
    async with tunnel(kind, echo) as (client, gateway):
        await client.send(b"x")
        assert await client.exactly(1) == b"x"
        gateway.legs[0].cut()
        assert await client.is_reset()
        assert gateway.legs[0].closed
        assert not gateway.legs[0].has_broken


async def test_a_cut_before_the_first_byte_is_a_reset_too(kind: str) -> None:
    class AlreadyCut(Walked):
        def when_cut(self, call: object) -> None:
            assert callable(call)
            call()

    gateway = await_gateway(kind)
    gateway.leg = AlreadyCut
    context = ROOT.server_context("origin.test") if kind == "TLS" else None
    async with (
        serving(echo, context=context) as port,
        local(gateway) as (door, _),
        program(door) as client,
    ):
        try:
            await client.tunnel(port)
            was_reset = await client.is_reset()
        except ConnectionResetError:
            was_reset = True
        assert was_reset
        assert gateway.legs[0].closed


async def test_a_program_that_breaks_off_ends_the_leg_at_once(kind: str) -> None:
    async with tunnel(kind, echo) as (client, gateway):
        await client.send(b"x")
        await client.exactly(1)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sock.close()
        await until(lambda: gateway.legs[0].closed)
        assert not gateway.legs[0].has_broken


async def test_a_half_closed_connection_that_is_silent_is_ended(kind: str) -> None:
    async def says_nothing(peer: Peer) -> None:
        while await peer.read():
            pass
        await asyncio.sleep(30)

    async with tunnel(kind, says_nothing, Limits(half_closed=0.2)) as (client, gateway):
        await client.send(b"x")
        client.sock.shutdown(socket.SHUT_WR)
        was_reset = await client.is_reset()
        assert was_reset or kind == "TLS"  # the drill's server takes a half end of TLS for a whole one
        await until(lambda: gateway.legs[0].closed)


async def test_an_established_connection_may_be_silent_for_ever(kind: str) -> None:
    async with tunnel(kind, echo, Limits(half_closed=0.1)) as (client, _):
        await asyncio.sleep(0.5)
        await client.send(b"still here")
        assert await client.exactly(10) == b"still here"


@pytest.mark.parametrize("well", [True, False])
async def test_a_leg_that_has_a_word_on_its_end_is_asked(well: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(peer: Peer) -> None:
        await peer.send(b"half or whole")
        peer.finish()
        await peer.read()

    monkeypatch.setattr(JudgedLeg, "verdict", well)
    async with tunnelled(ends, WayOut(leg=JudgedLeg)) as (client, _, gateway):
        assert await client.exactly(13) == b"half or whole"
        assert await client.is_reset() is not well
        assert gateway.legs[0].has_broken is not well


async def test_an_end_is_held_back_until_it_is_judged_however_long_that_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(JudgedLeg):
        async def ended_well(self) -> bool:
            await asyncio.sleep(1.5)
            return False

    async def ends(peer: Peer) -> None:
        await peer.send(b"half")
        peer.finish()
        await peer.read()

    async with tunnelled(ends, WayOut(leg=Slow)) as (client, _, _gateway):
        assert await client.exactly(4) == b"half"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.2):
                await client.recv()
        assert await client.is_reset()


@pytest.mark.parametrize("lives", [True, False])
async def test_an_end_by_a_dead_engine_is_a_reset(lives: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(peer: Peer) -> None:
        await peer.send(b"half or whole")
        peer.finish()
        await peer.read()

    monkeypatch.setattr(Explained, "engine_lives", lives)
    async with tunnelled(ends, ThroughEngine()) as (client, _, _):
        assert await client.exactly(13) == b"half or whole"
        assert await client.is_reset() is not lives


async def test_a_tls_connection_torn_without_a_word_is_a_reset() -> None:
    """A server that ends TCP without close_notify: somebody on the line could have done that too."""
    context = ROOT.server_context("origin.test")

    async def tears(peer: Peer) -> None:
        await peer.upgrade(context)
        await peer.send(b"half")
        await asyncio.sleep(0.05)
        sock = peer.writer.get_extra_info("socket")
        sock.shutdown(socket.SHUT_WR)
        await asyncio.sleep(5)

    async with (
        serving(tears) as port,
        local(OverTls()) as (door, gateway),
        program(door) as client,
    ):
        await client.tunnel(port)
        assert await client.exactly(4) == b"half"
        assert await client.is_reset()
        assert gateway.legs[0].has_broken


async def test_a_program_that_never_reads_stops_the_reading_of_its_server(kind: str) -> None:
    sent = 0

    async def pours(peer: Peer) -> None:
        nonlocal sent
        while sent < 200_000_000:
            await peer.send(b"x" * 65536)
            sent += 65536

    async with tunnel(kind, pours) as (client, gateway):
        last = -1
        while last != sent:
            last = sent
            await asyncio.sleep(0.3)
        assert sent < 60_000_000  # what the kernel's buffers on the way take
        moved = 0
        while moved < last:  # and it goes on as soon as it reads
            moved += len(await client.recv(1 << 20))
        assert not gateway.legs[0].has_broken


async def test_a_program_that_dies_while_its_server_reads_nothing_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def reads_nothing(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    monkeypatch.setattr(belt, "_EVERY", 0.05)
    async with tunnelled(reads_nothing) as (client, _, gateway):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.send(b"x" * 40_000_000)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sock.close()
        await until(lambda: gateway.legs[0].closed)


async def test_tls_of_the_way_can_end_one_way_and_go_on_the_other() -> None:
    """Against OpenSSL's own server side, which answers after it has seen our close_notify."""
    context = ROOT.server_context("origin.test")
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)

    def serve() -> bytes:
        sock, _ = listener.accept()
        sock.settimeout(5)
        with context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False) as tls:
            got = b""
            while data := tls.recv(1000):
                got += data
            tls.sendall(b"after your end: " + got)
            tls.unwrap().close()
        return got

    async with local(OverTls()) as (door, gateway), program(door) as client:
        try:
            serving_it = asyncio.to_thread(serve)
            running = asyncio.ensure_future(serving_it)  # noqa: TID251
            await client.tunnel(listener.getsockname()[1])
            await client.send(b"question")
            client.sock.shutdown(socket.SHUT_WR)
            assert await client.everything() == b"after your end: question"
            with_error = await asyncio.gather(running, return_exceptions=True)
            assert with_error[0] == b"question" or isinstance(with_error[0], (ssl.SSLError, OSError))
            assert not gateway.legs[0].has_broken
        finally:
            listener.close()
