import asyncio
import os
import sys

import pytest

from client.diagnosis.datagrams import opened
from client.drill.serving import nobody
from tests.client.diagnosis.loopback import datagrams

STOPPED = """
import asyncio
from client import platform
from client.diagnosis.datagrams import opened

async def ask():
    async with opened("127.0.0.1", 9) as socket:
        await socket.receive()

async def main():
    task = asyncio.get_running_loop().create_task(ask())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

platform.run(main())
"""


async def test_a_datagram_goes_there_and_back() -> None:
    async with datagrams(lambda data: [data[::-1]]) as port, opened("127.0.0.1", port) as socket:
        socket.send(b"abc")
        async with asyncio.timeout(2):
            assert await socket.receive() == b"cba"


async def test_several_answers_come_in_order_large_ones_too() -> None:
    many = [*(bytes([n]) for n in range(5)), bytes(9000), b"end"]
    async with datagrams(lambda data: many) as port, opened("127.0.0.1", port) as socket:
        socket.send(b"abc")
        async with asyncio.timeout(2):
            assert [await socket.receive() for _ in many] == many


async def test_a_closed_port_is_raised_as_the_error_it_is() -> None:
    async with nobody() as port, opened("127.0.0.1", port) as socket, asyncio.timeout(2):
        socket.send(b"abc")
        with pytest.raises(ConnectionRefusedError):
            await socket.receive()


async def test_only_the_one_other_side_is_heard() -> None:
    async with (
        datagrams(lambda data: []) as port,
        opened("127.0.0.1", port) as ours,
        opened(*ours.local) as stranger,
    ):
        stranger.send(b"forged")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ours.receive()


@pytest.mark.parametrize("loop", ["asyncio", ""])
async def test_a_loop_can_be_closed_although_the_question_was_stopped(loop: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", STOPPED, env={**os.environ, "SANYLAU_LOOP": loop}
    )
    async with asyncio.timeout(20):
        assert await process.wait() == 0
