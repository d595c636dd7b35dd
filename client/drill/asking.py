"""What a client asks of a proxy or a site, read from the server's side, and the answers as bytes.

Sources: RFC 9112 and RFC 9110 (HTTP/1.1, CONNECT, Basic), RFC 1928 and RFC 1929 (SOCKS5), and the SOCKS4 and
4a memos. Malformed requests raise Malformed, which a server takes as the end of the connection.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.drill.serving import Peer

_NAME_LIMIT: Final = 256
CONNECT: Final = 1
UDP: Final = 3

SOCKS5_GRANTED: Final = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"
SOCKS4_GRANTED: Final = b"\x00\x5a" + bytes(6)
SOCKS4_REFUSED: Final = b"\x00\x5b" + bytes(6)
SOCKS4_WHO: Final = b"\x00\x5d" + bytes(6)
HTTP_GRANTED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Malformed(OSError):  # noqa: N818 - for the server this is one more way of a connection to end
    """The client sent something that is not of the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request's head. Header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]

    def length(self, most: int) -> int:
        """Return the announced length of the body, at most `most`. Raises Malformed."""
        text = self.headers.get("content-length", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise Malformed("length")
        return min(int(text), most)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asked:
    """What a SOCKS client wants: the command, and where to."""

    command: int
    host: str
    port: int
    user: str = ""


async def read_request(peer: Peer) -> Request:
    """Read one HTTP request head. Its size is limited by the reader's buffer."""
    raw = await peer.exactly(1)
    if not raw.isalpha():  # a TLS greeting, for one, holds no end of a head to wait for
        raise Malformed("request line")
    raw += await peer.reader.readuntil(b"\r\n\r\n")
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed("request line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method=words[0], target=words[1], headers=headers)


def answer(
    status: str, body: bytes = b"", *, kind: str = "text/html; charset=utf-8", extra: tuple[str, ...] = ()
) -> bytes:
    """Return a whole HTTP answer; `status` is code and phrase."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *extra]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def place(text: str, default_port: int = 0) -> tuple[str, int]:
    """Split `host:port` or `[v6]:port`. Raises Malformed."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536 and host):
        raise Malformed("authority")
    return host.strip("[]"), int(port)


def may_pass(request: Request, username: str, password: str) -> bool:
    """Tell whether the request has the Basic credentials that the proxy wants (none wanted: always)."""
    if not (username or password):
        return True
    scheme, _, token = request.headers.get("proxy-authorization", "").partition(" ")
    try:
        given = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, f"{username}:{password}".encode())


def socks5_answer(code: int) -> bytes:
    """Return a SOCKS5 reply with `code` (RFC 1928 section 6) and no bound address."""
    return bytes([5, code, 0, 1]) + bytes(6)


async def read_socks5(peer: Peer, username: str = "", password: str = "") -> Asked | None:
    """Do greeting and credentials and read the request; None when the client was turned away."""
    version, count = await peer.exactly(2)
    if version != 5:
        raise Malformed("version")
    methods = await peer.exactly(count)
    wanted = 2 if username or password else 0
    if wanted not in methods:
        await peer.send(b"\x05\xff")
        return None
    await peer.send(bytes([5, wanted]))
    if wanted and not await _knows(peer, username, password):
        return None
    version, command, _, kind = await peer.exactly(4)
    if version != 5:
        raise Malformed("version")
    host = await _socks5_host(peer, kind)
    return Asked(command=command, host=host, port=int.from_bytes(await peer.exactly(2), "big"))


async def _knows(peer: Peer, username: str, password: str) -> bool:
    version, size = await peer.exactly(2)
    user = await peer.exactly(size)
    secret = await peer.exactly((await peer.exactly(1))[0])
    good = version == 1 and hmac.compare_digest(user + b"\0" + secret, f"{username}\0{password}".encode())
    await peer.send(b"\x01\x00" if good else b"\x01\x01")
    return good


async def _socks5_host(peer: Peer, kind: int) -> str:
    if kind in (1, 4):
        return str(ipaddress.ip_address(await peer.exactly(4 if kind == 1 else 16)))
    if kind == 3:
        name = await peer.exactly((await peer.exactly(1))[0])
        return name.decode("latin-1")
    raise Malformed("address type")


async def read_socks4(peer: Peer) -> Asked:
    """Read a SOCKS4 or 4a request."""
    head = await peer.exactly(8)
    if head[0] != 4:
        raise Malformed("version")
    user = await _until_zero(peer)
    host = str(ipaddress.ip_address(head[4:8]))
    if head[4:7] == bytes(3) and head[7]:
        host = await _until_zero(peer)
    return Asked(command=head[1], host=host, port=int.from_bytes(head[2:4], "big"), user=user)


async def _until_zero(peer: Peer) -> str:
    got = await peer.reader.readuntil(b"\0")
    if len(got) > _NAME_LIMIT:
        raise Malformed("name")
    return got[:-1].decode("latin-1")
