"""The servers that no packaged program offers: DoH and DoT in front of dnsmasq, the QUIC version answer, a host that
answers on every port, interception, and the captive portal. Run as `python -m tests.lab.servers ROLE FOLDER`.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

from tests.lab import places
from tests.lab.packets import answer, asked
from tests.lab.papers import Root, root
from tests.lab.scenarios import Middle

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PATIENCE: Final = 30.0  # seconds; no connection lives longer
THINKS: Final = 6.0  # seconds that the slow portal takes for each answer
_ORIGINAL_DST: Final = 80
_KNOWN_VERSIONS: Final = (1, 0x6B3343CF)


async def serve(handler: Handler, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
    """Serve until this process ends; whatever a client does, others are not troubled."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE):
                await handler(reader, writer)
        writer.close()

    await asyncio.start_server(one, host, port, ssl=context, reuse_address=True)


def original(writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Return where a redirected connection was meant to go."""
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_IP, _ORIGINAL_DST, 16)
    port, host = struct.unpack_from("!2xH4s", raw)
    return socket.inet_ntoa(host), port


def http(status: str, body: bytes, *more: str, kind: str = "text/plain") -> bytes:
    """Return a whole response that ends the connection."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more)
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


async def any_port(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say by HTTP that this port was reached, as the public hosts of this kind do."""
    begin = await reader.read(4096)
    if begin.startswith((b"GET ", b"HEAD ")):
        while b"\r\n\r\n" not in begin:
            more = await reader.read(4096)
            if not more:
                return
            begin += more
        caller = writer.get_extra_info("peername")[0]
        body = f"Port {original(writer)[1]} test successful!\nYour IP: {caller}\n".encode()
        writer.write(http("200 OK", body))
    elif begin:
        writer.write(http("400 Bad Request", b"what?\n"))
    await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram by a function, after a while."""

    def __init__(self, reply: Callable[[bytes], bytes | None], wait: float = 0.0) -> None:
        self.reply, self.wait = reply, wait

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        said = self.reply(data)
        if said is not None:
            asyncio.get_running_loop().call_later(self.wait, self.transport.sendto, said, addr)


def versions(data: bytes) -> bytes | None:
    """Return the version negotiation that a QUIC server sends to a version it does not know (RFC 9000, 6.1)."""
    if len(data) < 1200 or not data[0] & 0x80 or int.from_bytes(data[1:5]) in (0, *_KNOWN_VERSIONS):
        return None
    to_end = 6 + data[5]
    theirs, ours = data[6:to_end], data[to_end + 1 : to_end + 1 + data[to_end]]
    ids = bytes([len(ours)]) + ours + bytes([len(theirs)]) + theirs
    return b"\xc0\0\0\0\0" + ids + b"".join(version.to_bytes(4) for version in _KNOWN_VERSIONS)


async def _resolved(resolver: str, query: bytes) -> bytes:
    """Ask the real resolver of this namespace, over TCP."""
    reader, writer = await asyncio.open_connection(resolver, 53)
    try:
        writer.write(len(query).to_bytes(2) + query)
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    finally:
        writer.close()


async def dot(resolver: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """DNS over TLS (RFC 7858)."""
    while True:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        said = await _resolved(resolver, query)
        writer.write(len(said).to_bytes(2) + said)
        await writer.drain()


async def doh(resolver: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """DNS over HTTPS (RFC 8484), by HTTP/1.1, GET and POST; a plain page on /."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, *_ = head.split()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(min(int(fields.get("content-length", "0")), 4096))
        parts = urlsplit(target)
        if parts.path != "/dns-query":
            said = http("200 OK" if parts.path == "/" else "404 Not Found", places.PAGE)
        else:
            if method == "GET":
                text = parse_qs(parts.query)["dns"][0]
                body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            said = http("200 OK", await _resolved(resolver, body), kind="application/dns-message")
        writer.write(said)
        await writer.drain()
        if b"Connection: close" in said:
            return


class Intercepting:
    """Ends the person's TLS with an own certificate for whatever name was asked, and relays to the true server."""

    def __init__(self, authority: Root, folder: Path) -> None:
        self.authority, self.folder = authority, folder
        self.contexts: dict[str, ssl.SSLContext] = {}
        self.context = self.for_name("unnamed.example")
        self.context.sni_callback = self.named

    def for_name(self, name: str) -> ssl.SSLContext:
        """Return the context for a name, made when it is first asked for."""
        if name not in self.contexts:
            self.contexts[name] = self.authority.context([name], self.folder, with_root=True)
        return self.contexts[name]

    def named(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self.for_name(name or "unnamed.example")
        self.name = name

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        host, port = original(writer)
        theirs, ours = await asyncio.open_connection(
            host, port, ssl=trusting, server_hostname="relayed.example"
        )
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, ours))
                both.create_task(_carry(theirs, writer))
        finally:
            ours.close()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(16384):
            sink.write(data)
            await sink.drain()
    sink.close()


async def portal(wait: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everybody to the login page."""
    head = await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(wait)
    if head.startswith(b"GET /login"):
        writer.write(http("200 OK", places.LOGIN_PAGE, kind="text/html"))
    else:
        where = f"Location: http://{places.GATEWAY}/login"
        writer.write(http("302 Found", b"", where))
    await writer.drain()


def portal_name(query: bytes) -> bytes | None:
    """Answer every name with the portal."""
    return answer(query, places.GATEWAY) if asked(query) else None


async def portal_name_tcp(wait: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    await asyncio.sleep(wait)
    said = portal_name(query) or b""
    writer.write(len(said).to_bytes(2) + said)
    await writer.drain()


async def _udp(reply: Callable[[bytes], bytes | None], host: str, port: int, wait: float = 0.0) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(reply, wait), local_addr=(host, port))


async def abroad(folder: Path) -> None:
    authority = root(folder, "ca")
    await serve(any_port, "0.0.0.0", places.ANY_PORT)
    for name, address in places.ABROAD_DNS.items():
        context = authority.context([name, address], folder)
        await serve(partial(dot, address), address, 853, context)
        await serve(partial(doh, address), address, 443, context)
    for address in list(places.ABROAD_SERVERS.values())[:2]:
        await _udp(versions, address, 443)


async def home(folder: Path) -> None:
    await _udp(versions, next(iter(places.HOME_SERVERS.values())), 443)


async def border(folder: Path) -> None:
    for middle in (Middle.NATIONAL, Middle.ANTIVIRUS, Middle.COMPANY):
        one = Intercepting(root(folder, middle), folder)
        await serve(one, "0.0.0.0", places.INTERCEPT_PORT + list(Middle).index(middle), one.context)
    context = root(folder, "portal").context(["wifi.example"], folder)
    for more, wait in ((0, 0.0), (places.SLOWLY, THINKS)):
        await serve(partial(portal, wait), "0.0.0.0", places.PORTAL_PORT + more)
        await serve(partial(portal, wait), "0.0.0.0", places.PORTAL_TLS_PORT + more, context)
        await serve(partial(portal_name_tcp, wait), "0.0.0.0", places.PORTAL_DNS_PORT + more)
        await _udp(portal_name, "0.0.0.0", places.PORTAL_DNS_PORT + more, wait)


async def main(role: str, folder: Path) -> None:
    await {"abroad": abroad, "home": home, "border": border}[role](folder)
    (folder / f"{role}.ready").touch()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
