"""The farm's own process: thousands of proxies on 127.0.0.0/8 behind a handful of ports.

A listener covers all of 127.0.0.0/8, so an entry is a distinct address on the port of its kind. Prints one JSON
line with the ports and the root certificate, then serves until standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import os
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Final, cast

from client.drill.ca import Authority

SMALL: Final = b"The light still comes in.\n" * 40
PLAIN: Final = b"Known text over plain HTTP.\n"
BULK: Final = hashlib.shake_256(b"sanylau benchmark bulk").digest(64 * 1024)
ORIGINS: Final = ("127.0.0.1", *(f"127.{net}.0.1" for net in range(200, 232)))
_PAGE: Final = b"<html><title>Stop</title><body>This site is not available in your country.</body></html>"
_JSON: Final = b'{"ok": true, "ip": "203.0.113.7", "anonymous": true}'
_LATE: Final = 0.4  # seconds that a slow proxy takes before it answers
_BACKLOG: Final = 4096
_SO_BINDTODEVICE: Final = 25  # linux/socket.h


def reply(status: str, body: bytes, kind: str = "text/plain", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


_ANSWERS: Final = {
    b"GET /small": reply("200 OK", SMALL),
    b"GET /plain": reply("200 OK", PLAIN),
    b"GET /bulk": reply(
        "206 Partial Content",
        BULK,
        "application/octet-stream",
        f"Content-Range: bytes 0-{len(BULK) - 1}/{len(BULK)}\r\n",
    ),
    b"POST /bulk": reply("200 OK", b"taken\n"),
}
_NOT_FOUND: Final = reply("404 Not Found", b"no\n")
_NOWHERE: Final = reply("502 Bad Gateway", b"nowhere\n")
_FIXED: Final = {
    "page": reply("200 OK", _PAGE, "text/html"),
    "json": reply("200 OK", _JSON, "application/json"),
    "auth": reply("407 Proxy Authentication Required", b"", extra='Proxy-Authenticate: Basic realm="x"\r\n'),
}


class Server(asyncio.Protocol):
    """One connection. `mode` says what the next bytes are; a tunnel ends in the origin without another socket."""

    context: ssl.SSLContext
    origins: dict[int, str]  # port -> the mode that its connections begin with

    def __init__(self, mode: str, late: float = 0.0) -> None:
        self.mode = mode
        self.late = late
        self.got = b""
        self.body = 0
        self.tls: ssl.SSLObject | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.mode == "tls":
            self._begin_tls()

    def data_received(self, data: bytes) -> None:
        if self.mode == "silent":
            return
        if self.late:
            late, self.late = self.late, 0.0
            asyncio.get_running_loop().call_later(late, self.take, data)
        else:
            self.take(data)

    def take(self, data: bytes) -> None:
        if not self.transport.is_closing():
            getattr(self, "_on_" + self.mode)(data)

    def _on_http(self, data: bytes) -> None:
        self.got += data
        if b"\r\n\r\n" not in self.got:
            return
        head, _, rest = self.got.partition(b"\r\n\r\n")
        self.got = b""
        verb, target = head.split(b"\r\n", 1)[0].split()[:2]
        if verb == b"CONNECT":
            host, _, port = target.decode().rpartition(":")
            self._lead(host, int(port), b"HTTP/1.1 200 OK\r\n\r\n", _NOWHERE)
        else:
            _, _, where = target.partition(b"://")
            where, _, path = where.partition(b"/")
            known = where.rpartition(b":")[0].decode() in ORIGINS
            self.transport.write(_ANSWERS.get(verb + b" /" + path, _NOT_FOUND) if known else _NOWHERE)
            self.transport.close()
        if rest and not self.transport.is_closing():
            self.take(rest)

    def _on_socks5(self, data: bytes) -> None:
        self.got += data
        size = 2 + self.got[1] if len(self.got) > 1 else 2
        if len(self.got) >= size:
            self.got = self.got[size:]
            self.transport.write(b"\x05\x00")
            self.mode = "socks5_request"
            self._on_socks5_request(b"")

    def _on_socks5_request(self, data: bytes) -> None:
        self.got += data
        if len(self.got) < 7:
            return
        size = 10 if self.got[3] == 1 else 7 + self.got[4]  # an address, or a name with its length in front
        if len(self.got) < size:
            return
        request, rest = self.got[:size], self.got[size:]
        self.got = b""
        tail = b"\x00\x01\x7f\x00\x00\x01\x00\x01"
        if request[1] != 1 or request[3] != 1:
            self.transport.write(b"\x05\x07" + tail)
            self.transport.close()
            return
        host, port = socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:10], "big")
        self._lead(host, port, b"\x05\x00" + tail, b"\x05\x04" + tail)
        if rest and not self.transport.is_closing():
            self.take(rest)

    def _lead(self, host: str, port: int, granted: bytes, refused: bytes) -> None:
        mode = self.origins.get(port) if host in ORIGINS else None
        self.transport.write(granted if mode else refused)
        if mode is None:
            self.transport.close()
            return
        self.mode = mode
        if mode == "tls":
            self._begin_tls()

    def _begin_tls(self) -> None:
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.into, self.out, server_side=True)
        self.shaken = False

    def _on_tls(self, data: bytes) -> None:
        assert self.tls is not None
        self.into.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while True:
                read = self.tls.read(65536)
                if not read:
                    break
                self._on_plain(read)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.transport.close()
        if self.out.pending and not self.transport.is_closing():
            self.transport.write(self.out.read())

    def _on_plain(self, data: bytes) -> None:
        """Answer requests, one after the other, on a connection that stays open."""
        self.got += data
        while self.got:
            if self.body:
                taken = min(self.body, len(self.got))
                self.body -= taken
                self.got = self.got[taken:]
                if not self.body:
                    self._answer(_ANSWERS[b"POST /bulk"])
                continue
            head, found, rest = self.got.partition(b"\r\n\r\n")
            if not found:
                return
            self.got = rest
            verb, target = head.split(b"\r\n", 1)[0].split()[:2]
            if verb == b"POST":
                self.body = int(head.lower().partition(b"content-length:")[2].split()[0])
            else:
                self._answer(_ANSWERS.get(verb + b" " + target, _NOT_FOUND))

    def _answer(self, data: bytes) -> None:
        if self.tls is None:
            self.transport.write(data)
        else:
            self.tls.write(data)


class Fixed(asyncio.Protocol):
    """Gives the same answer to everything and closes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer)
        self.transport.close()


def listener(backlog: int | None) -> socket.socket:
    """Return a socket on a free port of all loopback addresses and of nothing else; None: nobody listens."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, b"lo\0")
    sock.bind(("0.0.0.0", 0))
    if backlog is not None:
        sock.listen(backlog)
    return sock


def black_hole() -> tuple[socket.socket, socket.socket]:
    """Return a listener whose queue of one is taken: Linux drops every further SYN, so connects stay in SYN-SENT."""
    sock = listener(0)
    taken = socket.create_connection(("127.0.0.1", sock.getsockname()[1]))
    return sock, taken


async def main() -> None:
    import resource

    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    loop = asyncio.get_running_loop()
    honest = Authority("Sanylau benchmark")
    Server.context = honest.server_context("origin.test", *ORIGINS)
    kinds: dict[str, Callable[[], asyncio.Protocol]] = {
        "https": lambda: Server("tls"),
        "origin": lambda: Server("plain"),
        "http": lambda: Server("http"),
        "socks5": lambda: Server("socks5"),
        "slow": lambda: Server("http", _LATE),
        "tarpit": lambda: Server("silent"),
        **{name: functools.partial(Fixed, answer) for name, answer in _FIXED.items()},
    }
    socks = {name: listener(_BACKLOG) for name in kinds}
    ports = {name: sock.getsockname()[1] for name, sock in socks.items()}
    Server.origins = {ports["https"]: "tls", ports["origin"]: "plain"}
    servers = [await loop.create_server(kinds[name], sock=sock) for name, sock in socks.items()]
    closed, (hole, taken) = listener(None), black_hole()
    ports |= {"closed": closed.getsockname()[1], "hole": hole.getsockname()[1]}
    print(json.dumps({"ports": ports, "ca": honest.pem, "pid": os.getpid()}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()
    for sock in (closed, hole, taken):
        sock.close()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
