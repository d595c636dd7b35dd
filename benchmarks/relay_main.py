"""Processes of the relay rows: `origin`, or `local TRANSPORT PORT` (the local side through a proxy on 127.0.0.1).

Each prints its port and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from client.connect.legs import Datagrams, Leg, NotOpened, Refusal
from client.connect.local import Local
from client.platform import raise_descriptor_limit, run
from transports.net import Limits, Net
from transports.registry import REGISTRY
from transports.trace import Trace
from transports.types import Endpoint, Stream, Transport

_BLOCK = bytes(256 * 1024)


class _Leg:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def asking(self, head: bytes) -> bytes:
        return head

    def sent(self, count: int) -> None: ...

    def received(self, count: int) -> None: ...

    def when_cut(self, call: Callable[[], None]) -> None: ...

    def broke(self) -> None: ...

    def close(self) -> None:
        self.stream.close()


class _WayOut:
    def __init__(self, transport: Transport, endpoint: Endpoint) -> None:
        self._transport, self._endpoint = transport, endpoint

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        now = asyncio.get_running_loop().time()
        net = Net(trace=Trace(zero=now, deadline=now + 60), limits=Limits())
        return _Leg(await self._transport.dial(self._endpoint, host, port, net))

    async def datagrams(self) -> Datagrams:
        raise NotOpened(Refusal.UNSUPPORTED)


async def _local(name: str, port: int) -> None:
    transport = REGISTRY[name].transport
    assert transport is not None
    way = _WayOut(transport, Endpoint(transport=name, host="127.0.0.1", port=port))
    async with Local.listening("127.0.0.1", 0, way) as door:
        print(door.port, flush=True)
        await _until_told()


async def _origin() -> None:
    """`N` and a line end: N bytes and an end. `e`: an echo."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await reader.readuntil(b"\n")
            if asked == b"e\n":
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            left = 0 if asked == b"e\n" else int(asked)
            while left > 0:
                writer.write(_BLOCK[:left])
                left -= len(_BLOCK)
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await _until_told()


async def _until_told() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


if __name__ == "__main__":
    raise_descriptor_limit()
    run(_origin() if sys.argv[1] == "origin" else _local(sys.argv[2], int(sys.argv[3])))
