"""Servers that do what censors, portals, broken machines and their operators do. None of them is a proxy.

Faults of working proxies are in `proxies.Habits` and `relays`. After bad news a server reads on until the
client closes: otherwise its own close would turn the news into a reset.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from typing import Final

from client.drill import asking
from client.drill.asking import answer, read_request, read_socks5
from client.drill.serving import LIFETIME, Handler, Peer

PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Access restricted</title></head>"
    b"<body><h1>This page is not available</h1></body></html>\n"
)
ADVERT: Final = b'<script src="http://advert.test/x.js"></script>\n'
LIE: Final = b'{"status":"ok","origin":"127.0.0.1","working":true}\n'
ESCAPES: Final = b"\x1b]0;owned\x07\x1b[2J\x1b[31mPWNED\x1b[8m"
NOISE: Final = hashlib.shake_256(b"sanylau drill noise").digest(512)
BLOCK_PAGE: Final = answer("200 OK", PAGE)

_SECOND: Final = 1.0
_PUFF: Final = 4096  # bytes at once of what never ends
_PUFF_PAUSE: Final = 0.02  # seconds; an endless answer need not cost a processor


async def silent(peer: Peer) -> None:
    """Accept, and do nothing: not even read."""
    await asyncio.sleep(LIFETIME)


async def tarpit(peer: Peer) -> None:
    """Take all that comes and never answer."""
    while await peer.read():
        pass


async def reset_at_once(peer: Peer) -> None:
    """Reset a connection as soon as it is there."""
    peer.reset()


async def reset_on_request(peer: Peer) -> None:
    """Reset a connection when the client has said what it wants."""
    await peer.read()
    peer.reset()


async def closed_on_request(peer: Peer) -> None:
    """Close without a word when the client has said what it wants."""
    await peer.read()
    await peer.linger()


def saying(*words: bytes) -> Handler:
    """Wait for the client's first bytes, say `words`, close."""

    async def handle(peer: Peer) -> None:
        await peer.read()
        for word in words:
            await peer.send(word)
        await peer.linger()

    return handle


def trickling(start: bytes, then: bytes) -> Handler:
    """Say `start`, then `then` over and over, one byte a second for ever."""

    async def handle(peer: Peer) -> None:
        await peer.read()
        for byte in itertools.chain(start, itertools.cycle(then)):
            await peer.send(bytes([byte]))
            await asyncio.sleep(_SECOND)

    return handle


def endless(start: bytes, line: bytes) -> Handler:
    """Say `start`, then `line` for ever."""
    puff = line * (_PUFF // len(line))

    async def handle(peer: Peer) -> None:
        await peer.read()
        await peer.send(start)
        while True:
            await peer.send(puff)
            await asyncio.sleep(_PUFF_PAUSE)

    return handle


TRICKLE_HTTP: Final = trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"z")
TRICKLE_SOCKS5: Final = trickling(b"\x05\x00\x05\x00\x00\x03\xff", b"z")
ENDLESS_HEADERS: Final = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n")
ENDLESS_BODY: Final = endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"<p>and more</p>\n")
INTERIM: Final = endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
HUGE_STATUS: Final = saying(b"HTTP/1.1 99999999999999999999 OK\r\n\r\n")
GARBAGE: Final = saying(NOISE)
CAPTIVE: Final = saying(BLOCK_PAGE)
REDIRECT: Final = saying(answer("302 Found", extra=("Location: http://blocked.test/",)))
ESCAPES_403: Final = saying(b"HTTP/1.1 403 " + ESCAPES + b"\r\nContent-Length: 0\r\n\r\n")
ESCAPES_200: Final = saying(b"HTTP/1.1 200 " + ESCAPES + b"\r\n\r\n", ESCAPES)
WRONG_LENGTH: Final = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PAGE)
WRONG_VERSION: Final = saying(b"\x04\x00")
DENIED_407: Final = saying(
    answer("407 Proxy Authentication Required", extra=('Proxy-Authenticate: Basic realm="proxy"',))
)


async def json_liar(peer: Peer) -> None:
    """Pass for a working proxy where only a status and valid JSON are looked at; open no tunnel."""
    request = await read_request(peer)
    if request.method == "CONNECT":
        await peer.send(answer("403 Forbidden"))
    else:
        await peer.send(answer("200 OK", LIE, kind="application/json"))
    await peer.linger()


async def echo(peer: Peer) -> None:
    """Send back what comes."""
    while data := await peer.read():
        await peer.send(data)


async def block_page(peer: Peer) -> None:
    """Answer the first bytes with a page, whatever they were for."""
    await peer.read()
    await peer.send(BLOCK_PAGE)
    await peer.linger()


def socks5_granting(then: Handler) -> Handler:
    """Grant every SOCKS5 request, connect nowhere, and go on with `then`."""

    async def handle(peer: Peer) -> None:
        if await read_socks5(peer) is not None:
            await peer.send(asking.SOCKS5_GRANTED)
            await then(peer)

    return handle


async def socks5_turned_down(peer: Peer) -> None:
    """Take none of the ways to identify oneself."""
    await peer.exactly((await peer.exactly(2))[1])
    await peer.send(b"\x05\xff")
    await peer.linger()
