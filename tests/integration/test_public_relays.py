"""Lines that name a public relay of Tor's: its address in the list of relays is where tor would go by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.drill.origin import SMALL, Origin
from client.drill.tornet import TorNet
from tests.integration.circuits import engine_for, fetched, folder, net_of, origin
from tests.servers.tornet import tornet
from transports.tor_bridge import parse
from transports.tor_bridge_dial import TorBridgeTransport
from transports.types import CannotMeasure

__all__ = ["folder", "origin", "tornet"]
pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),  # stem's
]


def relay_of(net: TorNet) -> tuple[int, str]:
    found = re.search(r"orport=(\d+) .* ([0-9A-F]{40})$", net.torrc, re.MULTILINE)
    assert found is not None
    return int(found[1]), found[2]


@asynccontextmanager
async def passing_on(port: int) -> AsyncIterator[int]:
    """Forward connections to `port` of this machine, as somebody would who has put a relay's name on a port of theirs."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ahead, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, back), pump(ahead, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_line_that_puts_a_public_relays_name_on_another_address_is_not_tested(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    port, fingerprint = relay_of(tornet)
    async with passing_on(port) as elsewhere:
        line = parse(f"127.0.0.1:{elsewhere} {fingerprint}")
        async with engine_for(tornet, folder, [line]) as engine:
            with pytest.raises(CannotMeasure, match="public relay"):
                await fetched(line, origin, net_of(engine), by=TorBridgeTransport())
            (door,) = engine.doors.values()
            assert not getattr(door, "circuit", "")


async def test_a_public_relay_by_its_own_address_is_a_bridge_like_any_other(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    port, fingerprint = relay_of(tornet)
    line = parse(f"127.0.0.1:{port} {fingerprint}")
    async with engine_for(tornet, folder, [line]) as engine:
        assert await fetched(line, origin, net_of(engine), by=TorBridgeTransport()) == SMALL
