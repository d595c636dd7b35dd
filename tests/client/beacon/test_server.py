"""A beacon on loopback: what it answers, and to whom it is silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from client.beacon import wire
from client.beacon.limits import Limits
from client.beacon.server import Beacon, opened
from client.beacon.wire import Protocol
from client.diagnosis.datagrams import opened as datagrams

KEY = bytes(range(16))
HERE = "127.0.0.1"


@asynccontextmanager
async def listening(limits: Limits | None = None) -> AsyncIterator[tuple[Beacon, int]]:
    with opened(Beacon(KEY, limits)) as beacon:
        yield beacon, await beacon.listen([HERE], 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def tcp(port: int, said: bytes, wait: float = 0.3) -> bytes | None:
    """Return what came back, None where nothing did and the connection stood."""
    reader, writer = await asyncio.open_connection(HERE, port)
    try:
        writer.write(said)
        return await asyncio.wait_for(reader.read(4096), wait)
    except TimeoutError:
        return None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def udp(port: int, said: bytes, wait: float = 0.3) -> bytes | None:
    async with datagrams(HERE, port) as way:
        way.send(said)
        with suppress(TimeoutError):
            return await asyncio.wait_for(way.receive(), wait)
    return None


@pytest.mark.parametrize("protocol", Protocol)
async def test_the_key_gets_the_keyed_answer_from_its_port(protocol: Protocol) -> None:
    async with listening() as (beacon, port):
        nonce, question = wire.ask(KEY, protocol)
        answer = await (tcp if protocol is Protocol.TCP else udp)(port, question)
        assert answer is not None
        assert wire.answered(KEY, protocol, nonce, port, answer) == port
        assert beacon.counts.answers == 1


STRANGERS = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(32),
    "many zeros": bytes(512),
    "one byte": b"x",
    "nothing": b"",
    "another key": wire.ask(bytes(16), Protocol.UDP)[1],
    "another key for tcp": wire.ask(bytes(16), Protocol.TCP)[1],
}


@pytest.mark.parametrize("said", STRANGERS)
async def test_without_the_key_nothing_comes_back(said: str) -> None:
    async with listening() as (beacon, port):
        assert await tcp(port, STRANGERS[said]) is None
        assert await udp(port, STRANGERS[said]) is None
        assert beacon.counts.answers == 0


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_question_that_is_played_again_gets_nothing(protocol: Protocol) -> None:
    async with listening() as (beacon, port):
        _, question = wire.ask(KEY, protocol)
        put = tcp if protocol is Protocol.TCP else udp
        assert await put(port, question)
        assert await put(port, question) is None
        assert beacon.counts.repeated == 1


async def test_a_question_is_understood_one_byte_at_a_time() -> None:
    async with listening() as (_, port):
        nonce, question = wire.ask(KEY, Protocol.TCP)
        reader, writer = await asyncio.open_connection(HERE, port)
        for byte in question[: wire.QUESTION]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
        answer = await asyncio.wait_for(reader.read(256), 2)
        assert wire.answered(KEY, Protocol.TCP, nonce, port, answer) == port
        writer.close()
        await writer.wait_closed()


async def test_a_silent_connection_is_closed_after_a_while_without_a_byte() -> None:
    async with listening(Limits(patience=0.1)) as (beacon, port):
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(b"hello")
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert beacon.callers == 0


async def test_answers_are_limited() -> None:
    async with listening(Limits(each=3)) as (beacon, port):
        answers = [await udp(port, wire.ask(KEY, Protocol.UDP)[1], 0.1) for _ in range(6)]
        assert sum(answer is not None for answer in answers) == 3
        assert beacon.counts.limited == 3


async def test_thousands_of_hostile_connections_are_bounded_and_the_key_still_gets_through() -> None:
    limits = Limits(connections=200, connections_each=10_000, patience=60)
    async with listening(limits) as (beacon, port):
        held: list[socket.socket] = []
        most = 0
        for number in range(10_000):
            hostile = socket.socket()
            hostile.setblocking(False)
            hostile.connect_ex((HERE, port))
            held.append(hostile)
            if number % 100 == 99:
                await asyncio.sleep(0.005)
                most = max(most, beacon.callers)
            if len(held) > 400:
                held.pop(0).close()
        nonce, question = wire.ask(KEY, Protocol.TCP)
        answer = await tcp(port, question, 5.0)
        assert answer is not None
        assert wire.answered(KEY, Protocol.TCP, nonce, port, answer) == port
        assert most <= limits.connections
        for hostile in held:
            hostile.close()
        await asyncio.sleep(0.05)


async def test_one_source_cannot_take_all_places() -> None:
    async with listening(Limits(connections_each=5, patience=60)) as (beacon, port):
        held = [await asyncio.open_connection(HERE, port) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert beacon.callers == 5
        for _, writer in held:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert beacon.callers == 0


async def test_a_port_in_use_is_an_error_and_leaves_nothing_open() -> None:
    async with listening() as (_, port):
        with opened(Beacon(KEY)) as other, pytest.raises(OSError, match="in use"):
            await other.listen([HERE], port)
