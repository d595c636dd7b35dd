"""What a transport needs around it in a test: a trace, limits, roots, and a server for a script of bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from client.drill.serving import Handler, Peer
from transports.net import Limits, Net
from transports.trace import Trace

PATIENT = Limits(connect=5.0, handshake=5.0, exchange=5.0, bulk=5.0, total=15.0)
HASTY = Limits(connect=0.3, handshake=0.3, exchange=0.3, bulk=0.3, total=15.0)


def around(limits: Limits = PATIENT, **more: Any) -> Net:
    now = asyncio.get_running_loop().time()
    return Net(trace=Trace(zero=now, deadline=now + limits.total), limits=limits, **more)


def trusting(pem: str) -> Callable[[], Awaitable[ssl.SSLContext]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)

    async def roots() -> ssl.SSLContext:
        return context

    return roots


def answers(*words: bytes, heard: list[bytes] | None = None) -> Handler:
    """Wait for some bytes before each of `words`, say it, and close when the client has."""

    async def handle(peer: Peer) -> None:
        for word in words:
            came = await peer.read()
            if heard is not None:
                heard.append(came)
            await peer.send(word)
        await peer.linger()

    return handle


def drips(word: bytes, heard: list[bytes] | None = None) -> Handler:
    """Wait for some bytes, then say `word` one byte a packet."""

    async def handle(peer: Peer) -> None:
        came = await peer.read()
        if heard is not None:
            heard.append(came)
        for at in range(len(word)):
            await peer.send(word[at : at + 1])
            await asyncio.sleep(0.001)
        await peer.linger()

    return handle
