"""A SOCKS5 proxy on loopback that misbehaves on demand, and counts all that reaches it: connections and datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from client.connect.udp_side import Through
from client.model import Candidate, Protection, Status
from client.options import Option
from transports.net import Net
from transports.types import Endpoint
from transports.udp import associate


class Puppet(asyncio.DatagramProtocol):
    """`only` is the one port that it opens a way to (0: all), `slow` the seconds before it does; `silent`: no answers."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.port = self.only = 0
        self.slow = 0.0
        self.silent = False
        self.connections: list[int] = []  # the ports that were asked for, 0 for one not known yet
        self.datagrams = 0
        self._ways: list[tuple[int, asyncio.StreamWriter, asyncio.StreamWriter]] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.datagrams += 1

    def end_in_good_order(self, port: int) -> None:
        """End what leads to a port, as a proxy does that is done."""
        for leads_to, near, _ in self._ways:
            if leads_to == port:
                with suppress(OSError):
                    near.write_eof()

    def option(self, kind: Protection, line: int = 1) -> Option:
        endpoint = Endpoint(transport="socks5", host="127.0.0.1", port=self.port)
        return Option(
            candidate=Candidate(endpoint, "list", line),
            transport="socks5",
            protection=kind,
            status=Status.WORKING,
            kib_per_s=100.0 - line,
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = len(self.connections)
        self.connections.append(0)
        with suppress(OSError, EOFError, asyncio.CancelledError):
            if self.silent:
                await asyncio.sleep(60)
            await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\x05\x00")
            command, kind = (await reader.readexactly(4))[1::2]
            await reader.readexactly({1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0])
            port = self.connections[at] = int.from_bytes(await reader.readexactly(2), "big")
            if command == 3:
                writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + self.mouth.to_bytes(2, "big"))
                await reader.read()
            elif self.only in (0, port):
                await asyncio.sleep(self.slow)
                await self._carry(reader, writer, port)
            else:
                await asyncio.sleep(60)
        writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        self._ways.append((port, writer, far))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pipe(reader, far))
                group.create_task(_pipe(far_reader, writer))
        finally:
            far.close()

    @property
    def mouth(self) -> int:
        """The port for datagrams."""
        return int(self.transport.get_extra_info("sockname")[1])


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, RuntimeError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def puppet() -> AsyncIterator[Puppet]:
    one = Puppet()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    one.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: one, sock=sock)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await one.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        one.transport.abort()
        await asyncio.sleep(0)


async def associated(option: Option, net: Net) -> Through:
    """Open an association through an option, for the keeper."""
    return Through(await associate(option.endpoint, net))
