"""A bare client for the drill's servers: asyncio streams and bytes, nothing of the project's own codecs."""

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from client.drill.stage import Placed

LIMIT = 10.0


class Line(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def some(self, limit: int = 65536) -> bytes:
        return await asyncio.wait_for(self.reader.read(limit), LIMIT)

    async def exactly(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), LIMIT)

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(-1), LIMIT)

    async def secure(self, pem: str, name: str) -> None:
        context = ssl.create_default_context(cadata=pem)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        await asyncio.wait_for(self.writer.start_tls(context, server_hostname=name), LIMIT)


@asynccontextmanager
async def line(port: int, host: str = "127.0.0.1") -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def basic(username: str, password: str) -> str:
    if not (username or password):
        return ""
    return (
        "Proxy-Authorization: Basic " + base64.b64encode(f"{username}:{password}".encode()).decode() + "\r\n"
    )


async def connect_http(at: Line, host: str, port: int, username: str = "", password: str = "") -> int:
    """Send CONNECT, return the status."""
    who = basic(username, password)
    await at.say(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{who}\r\n".encode())
    return int((await at.head()).split()[1])


def socks5_request(host: str, port: int, command: int = 1) -> bytes:
    for family, kind in ((socket.AF_INET, 1), (socket.AF_INET6, 4)):
        with suppress(OSError):
            return bytes([5, command, 0, kind]) + socket.inet_pton(family, host) + port.to_bytes(2, "big")
    return bytes([5, command, 0, 3, len(host)]) + host.encode() + port.to_bytes(2, "big")


async def connect_socks5(at: Line, host: str, port: int, username: str = "", password: str = "") -> int:
    """Ask for a connection, return the reply code; -1 for a turned down identity."""
    wanted = 2 if username else 0
    await at.say(bytes([5, 1, wanted]))
    if await at.exactly(2) != bytes([5, wanted]):
        return -1
    if wanted:
        secret = bytes([len(username)]) + username.encode() + bytes([len(password)]) + password.encode()
        await at.say(b"\x01" + secret)
        if await at.exactly(2) != b"\x01\x00":
            return -1
    await at.say(socks5_request(host, port))
    return (await at.exactly(10))[1]


async def connect_socks4(at: Line, host: str, port: int, user: str = "") -> int:
    """Ask for a connection, return the reply code (90 is granted)."""
    try:
        where, tail = socket.inet_pton(socket.AF_INET, host), b""
    except OSError:
        where, tail = b"\x00\x00\x00\x01", host.encode() + b"\x00"
    await at.say(b"\x04\x01" + port.to_bytes(2, "big") + where + user.encode() + b"\x00" + tail)
    return (await at.exactly(8))[1]


async def tunnel(at: Line, placed: Placed, host: str, port: int, pem: str = "") -> bool:
    """Open a tunnel through a part in its own protocol; False when it was not granted."""
    user, password, kind = placed.username, placed.password, placed.part.transport
    if kind == "https":
        await at.secure(pem, "127.0.0.1")
    if kind in ("http", "https"):
        return await connect_http(at, host, port, user, password) == 200
    if kind == "socks5":
        return await connect_socks5(at, host, port, user, password) == 0
    return await connect_socks4(at, host, port, user) == 90


async def fetch(at: Line, path: str, host: str, extra: str = "", body: bytes = b"") -> tuple[int, str, bytes]:
    """Send one request and read its whole answer: status, head, body."""
    method = "POST" if body else "GET"
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    await at.say(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{extra}\r\n".encode() + body)
    head = (await at.head()).decode("latin-1")
    size = next(one for one in head.split("\r\n") if one.lower().startswith("content-length:"))
    return int(head.split()[1]), head, await at.exactly(int(size.split(":")[1]))
