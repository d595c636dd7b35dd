import asyncio
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from client.drill.serving import Peer, nobody, serving
from tests.servers.around import HASTY, answers, around
from tests.transports.streams import connected, everything, is_closed
from transports.failure import Failure, StepFailed
from transports.stream import connect
from transports.types import Step

LINUX = sys.platform == "linux"


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


@pytest.mark.skipif(not LINUX, reason="a full queue is silent on Linux only")
async def test_a_silent_first_address_leaves_time_for_the_second(full_port: int) -> None:
    async def resolve(host: str) -> tuple[str, ...]:
        return "127.0.0.1", "127.0.0.2"

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.2", full_port)
    async with server:
        net = replace(around(HASTY), resolve=resolve)
        (await connect("two.test", full_port, net)).close()
    assert [seen.failure for seen in net.trace.observations] == [None, None]
