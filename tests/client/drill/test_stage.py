import asyncio
import time

import pytest

from client.drill.cast import CAST
from client.drill.origin import NAME, SMALL
from client.drill.serving import Peer, reach
from client.drill.stage import stage
from tests.client.drill.raw import fetch, line


async def test_the_whole_stage_stands_at_once_and_leaves_nothing() -> None:
    began = time.monotonic()
    async with stage() as playing:
        assert time.monotonic() - began < 1
        assert [placed.part for placed in playing.parts] == list(CAST)
        assert len({placed.port for placed in playing.parts}) == len(CAST)
        async with line(playing.origin.https_port) as at:
            await at.secure(playing.origin.ca_pem, NAME)
            assert (await fetch(at, "/small", NAME))[2] == SMALL
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for placed in playing.parts:
        with pytest.raises(ConnectionRefusedError):
            await reach(placed.host, placed.port)


async def test_leaving_with_a_client_at_every_part_is_quick_and_clean() -> None:
    peers: list[Peer] = []
    async with stage() as playing:
        for placed in playing.parts:
            if not placed.part.name.startswith("refused"):
                peers.append(await reach(placed.host, placed.port))
                peers[-1].writer.write(b"\x05\x01\x00")
        await asyncio.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    for peer in peers:
        peer.abort()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("name", ["refused-http", "refused-socks5"])
async def test_a_part_that_is_gone_refuses(name: str) -> None:
    async with stage([name]) as playing:
        with pytest.raises(ConnectionRefusedError):
            await reach("127.0.0.1", playing.parts[0].port)


async def test_an_endpoint_carries_all_and_prints_nothing() -> None:
    async with stage(["right-password-socks5"]) as playing:
        placed = playing.parts[0]
        endpoint = placed.endpoint()
    assert (endpoint.port, endpoint.username, endpoint.password) == (
        placed.port,
        placed.username,
        placed.password,
    )
    assert placed.password not in repr((placed, playing))
    assert str(placed.port) not in repr((placed, playing))
