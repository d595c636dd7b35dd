"""What becomes of programs when we are killed in the middle."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from types import SimpleNamespace
from typing import cast

import pytest

from client.connect.local import Local
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import PATIENCE, RESETS, local, program, until


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


class Upload:
    """A server that takes what comes, and notes how it ended."""

    def __init__(self) -> None:
        self.got = 0
        self.end = ""

    async def __call__(self, peer: Peer) -> None:
        try:
            while data := await peer.read():
                self.got += len(data)
            self.end = "proper"
        except RESETS:
            self.end = "reset"


async def test_an_upload_that_its_program_breaks_off_is_reset_at_the_server_too() -> None:
    upload = Upload()
    async with serving(upload) as server, local() as (door, _), program(door) as client:
        await client.tunnel(server)
        await client.send(b"x" * 100_000)
        await until(lambda: upload.got == 100_000)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sock.close()
        await until(lambda: bool(upload.end))
    assert upload.end == "reset"


async def test_an_upload_that_its_program_ends_arrives_whole() -> None:
    upload = Upload()
    async with serving(upload) as server, local() as (door, _), program(door) as client:
        await client.tunnel(server)
        await client.send(b"x" * 1_000_000)
        client.sock.close()
        await until(lambda: bool(upload.end))
    assert (upload.got, upload.end) == (1_000_000, "proper")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_an_upload_through_a_killed_connection_is_reset_at_the_server() -> None:
    upload = Upload()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.client.connect.killed", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
        door = cast(Local, SimpleNamespace(port=port))
        async with serving(upload) as server, program(door) as client:
            await client.tunnel(server)
            await client.send(b"x" * 1000)
            await until(lambda: upload.got == 1000)
            process.kill()
            await until(lambda: bool(upload.end))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert upload.end == "reset"
