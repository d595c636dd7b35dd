"""Dialling through bridges of the private network without the rest of a check."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.drill.ca import Authority
from client.drill.origin import SMALL, Origin, playing_origin
from client.drill.tornet import TorBridge, TorNet
from transports import pt_engine, tor_engine
from transports.guard import Guard
from transports.net import Limits, Net
from transports.stream import secure
from transports.tor_bridge import parse
from transports.tor_bridge_dial import PlainTor, TorBridgeTransport
from transports.tor_engine import TorDoor, TorEngine
from transports.tor_process import Tor
from transports.trace import Trace
from transports.types import Endpoint

QUICK = Limits(connect=1.0, handshake=2.0, total=20.0)


@asynccontextmanager
async def engine_for(net: TorNet, folder: Path, endpoints: Sequence[Endpoint]) -> AsyncIterator[TorEngine]:
    async with (
        Guard.running() as guard,
        pt_engine.opened(["obfs4"], guard=guard, folder=folder) as pts,
        tor_engine.opened(endpoints, guard=guard, folder=folder, torrc=net.torrc, pts=pts) as engine,
    ):
        yield engine


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with playing_origin(Authority("Drill Root")) as playing:
        yield playing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder whose name tor's configuration has to be told with care."""
    path = tmp_path / 'a "#" b'
    path.mkdir()
    return path


def net_of(engine: TorEngine, limits: Limits | None = None) -> Net:
    now = asyncio.get_running_loop().time()
    limits = limits or Limits()
    trace = Trace(zero=now, deadline=now + limits.total)
    return Net(trace=trace, limits=limits, doors=engine.doors)


async def fetched(
    endpoint: Endpoint, origin: Origin, net: Net, path: str = "/small", *, by: TorBridgeTransport | PlainTor
) -> bytes:
    context = ssl.create_default_context(cadata=origin.ca_pem)
    tunnel = await by.dial(endpoint, "127.0.0.1", origin.https_port, net)
    stream = await secure(tunnel, context, "127.0.0.1", net)
    try:
        await stream.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := await stream.recv(65536):
            answer += more
        return answer.partition(b"\r\n\r\n")[2]
    finally:
        stream.close()


async def small(bridge: TorBridge, origin: Origin, engine: TorEngine) -> bool:
    page = await fetched(parse(bridge.line), origin, net_of(engine), by=TorBridgeTransport())
    return page == SMALL


def door_of(engine: TorEngine, bridge: TorBridge) -> TorDoor:
    door = engine.doors[parse(bridge.line).key()]
    assert isinstance(door, TorDoor)
    return door


def tor_of(engine: TorEngine, bridge: TorBridge) -> Tor:
    tor = door_of(engine, bridge).tor
    assert tor is not None
    return tor
