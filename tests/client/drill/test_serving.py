import asyncio
import time

import pytest

from client.drill.ca import Authority
from client.drill.serving import Peer, nobody, reach, serving, unheard_resets
from tests.client.drill.raw import line


async def forever(peer: Peer) -> None:
    await asyncio.sleep(3600)


async def hello(peer: Peer) -> None:
    await peer.send(b"hello")


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_leaving_ends_open_handlers_at_once_and_leaves_no_task() -> None:
    began = time.monotonic()
    async with serving(forever) as port, line(port) as at:
        await at.say(b"x")
        await asyncio.sleep(0.01)
        assert others()
    assert not others()
    assert time.monotonic() - began < 1
    with pytest.raises(ConnectionRefusedError):
        await reach("127.0.0.1", port)


async def test_leaving_right_after_a_client_came_loses_no_socket() -> None:
    async with serving(forever) as port:
        peers = [await reach("127.0.0.1", port) for _ in range(20)]
    for peer in peers:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await peer.exactly(1)
        peer.abort()
    assert not others()


async def test_leaving_in_the_middle_of_a_tls_handshake_loses_no_socket() -> None:
    context = Authority("one").server_context("localhost")
    async with serving(hello, context=context) as port, line(port) as at:
        await at.say(b"\x16\x03\x01\x02\x00")
        await asyncio.sleep(0.02)
    assert not others()


async def test_a_handler_ends_with_its_lifetime() -> None:
    async with serving(forever, lifetime=0.05) as port, line(port) as at:
        assert await at.rest() == b""


async def test_a_connection_too_many_is_closed_unheard() -> None:
    async with serving(forever, most=1) as port, line(port) as first:
        await first.say(b"x")
        async with line(port) as second:
            assert await second.rest() == b""


async def test_the_last_bytes_arrive_before_the_end() -> None:
    async def much(peer: Peer) -> None:
        peer.writer.write(bytes(1_000_000))

    async with serving(much) as port, line(port) as at:
        assert len(await at.rest()) == 1_000_000


async def test_a_bug_in_a_handler_is_not_swallowed() -> None:
    async def broken(peer: Peer) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with serving(broken) as port, line(port) as at:
            await at.rest()


async def test_a_reset_is_a_reset() -> None:
    async def rude(peer: Peer) -> None:
        await peer.read()
        peer.reset()

    async with serving(rude) as port, line(port) as at:
        await at.say(b"x")
        with pytest.raises(ConnectionResetError):
            await at.rest()


async def test_it_serves_on_ipv6_loopback_too() -> None:
    try:
        async with serving(hello, host="::1") as port, line(port, "::1") as at:
            assert await at.rest() == b"hello"
    except OSError:
        pytest.skip("no IPv6 loopback here")


async def test_nobody_refuses() -> None:
    async with nobody() as port:
        with pytest.raises(ConnectionRefusedError):
            await reach("127.0.0.1", port)


async def test_a_reset_that_nobody_waits_for_is_not_told_and_any_other_fault_is() -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: told.append(type(context.get("exception")).__name__))
    try:
        with unheard_resets():
            future: asyncio.Future[None] = loop.create_future()
            for error in (ConnectionResetError(), ValueError()):
                loop.call_exception_handler({"message": "x", "exception": error, "future": future})
            loop.call_exception_handler({"message": "x", "exception": ConnectionResetError()})
            future.cancel()
        assert told == ["ValueError", "ConnectionResetError"]
    finally:
        loop.set_exception_handler(None)
