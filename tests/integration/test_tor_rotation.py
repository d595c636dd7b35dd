"""Circuits of a bridge that is used for long: they are renewed, and rebuilt without the whole way up."""

import asyncio
from pathlib import Path

import pytest

from client.drill.origin import Origin
from client.drill.tornet import TorNet
from tests.integration.circuits import door_of, engine_for, folder, net_of, origin, small, tor_of
from tests.servers.tornet import tornet
from transports.registry import REGISTRY
from transports.tor_bridge import parse
from transports.tor_circuits import DIRTY

__all__ = ["folder", "origin", "tornet"]
pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),  # stem's
]


async def test_after_ten_minutes_new_streams_get_a_new_circuit_and_open_ones_keep_theirs(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    bridge = tornet.bridges["obfs4-1"]
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert await small(bridge, origin, engine)
        door, transport = door_of(engine, bridge), REGISTRY["tor_bridge"].transport
        assert transport is not None
        first = door.circuit
        stream = await transport.dial(parse(bridge.line), "127.0.0.1", origin.http_port, net_of(engine))
        assert await small(bridge, origin, engine)
        assert door.circuit == first
        door.made -= DIRTY + 1
        assert await small(bridge, origin, engine)
        assert door.circuit != first
        assert tor_of(engine, bridge).carries(first)
        await stream.send(b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await stream.recv(100)).startswith(b"HTTP/1.1 200")
        stream.close()


async def test_a_circuit_that_fell_is_rebuilt_without_another_handshake(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    bridge = tornet.bridges["obfs4-1"]
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert await small(bridge, origin, engine)
        door, tor = door_of(engine, bridge), tor_of(engine, bridge)
        first = door.circuit
        tor.control.close_circuit(first)
        async with asyncio.timeout(10):
            await tor.until(lambda: not tor.carries(first))
        assert door.fallen == first
        assert await small(bridge, origin, engine)
        assert door.fallen == ""
        assert door.circuit != first
        assert door.shaken is None  # nobody was asked who they are


async def test_two_hundred_streams_open_at_once_through_one_bridge(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    bridge = tornet.bridges["obfs4-1"]
    transport = REGISTRY["tor_bridge"].transport
    assert transport is not None
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert await small(bridge, origin, engine)
        dials = [
            transport.dial(parse(bridge.line), "127.0.0.1", origin.http_port, net_of(engine))
            for _ in range(200)
        ]
        streams = await asyncio.gather(*dials)
        for stream in streams:
            stream.close()
