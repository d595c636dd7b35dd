"""What becomes of programs when we are killed in the middle."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import cast

import pytest

from client.connect.local import Local
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import PATIENCE, local, program


async def half_a_page(peer: Peer) -> None:
    """Send a beginning, and the rest only when there is something to answer."""
    await peer.send(b"HTTP/1.0 200 OK\r\n\r\nhalf")
    await peer.read(1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_a_killed_connection_is_reset_and_never_looks_like_the_end_of_a_file() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.client.connect.killed", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
        door = cast(Local, SimpleNamespace(port=port))
        async with serving(half_a_page) as server:
            for _ in range(5):
                async with program(door) as client:
                    await client.tunnel(server)
                    assert (await client.exactly(23)).endswith(b"half")
            async with program(door) as client:
                await client.tunnel(server)
                assert (await client.exactly(23)).endswith(b"half")
                process.kill()
                assert await client.is_reset()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def whole_page(peer: Peer) -> None:
    await peer.send(b"x" * 200_000)


async def test_a_proper_end_arrives_whole_and_is_no_reset() -> None:
    async with serving(whole_page) as server, local() as (door, _), program(door, buffer=4096) as client:
        await client.tunnel(server)
        await asyncio.sleep(0.3)  # the end has come to us, and much has not been read yet
        assert len(await client.everything()) == 200_000
