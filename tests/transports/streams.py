"""Streams to a server of the test, and what is asked of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from client.drill.ca import Authority
from client.drill.serving import Handler, serving
from tests.servers.around import around, trusting
from transports.failure import StepFailed
from transports.net import Net
from transports.stream import SocketStream, TlsStream, connect, secure

ROOT = Authority("Test Root")


@asynccontextmanager
async def connected(handler: Handler, net: Net | None = None) -> AsyncIterator[SocketStream]:
    async with serving(handler) as port:
        stream = await connect("127.0.0.1", port, net or around())
        try:
            yield stream
        finally:
            stream.close()


@asynccontextmanager
async def secured(
    handler: Handler, net: Net | None = None, name: str = "origin.test"
) -> AsyncIterator[TlsStream]:
    net = net or around()
    context = await trusting(ROOT.pem)()
    async with serving(handler, context=ROOT.server_context("origin.test")) as port:
        stream = await secure(await connect("127.0.0.1", port, net), context, name, net)
        try:
            yield stream
        finally:
            stream.close()


async def everything(stream: SocketStream | TlsStream, limit: int = 4096) -> bytes:
    got = b""
    while data := await stream.recv(limit):
        assert len(data) <= limit
        got += data
    return got


async def failure_of(handler: Handler, net: Net | None = None) -> StepFailed:
    """Try TLS with `handler` and return how it failed; the socket below must be closed."""
    net = net or around()
    context = await trusting(ROOT.pem)()
    async with serving(handler) as port:
        below = await connect("127.0.0.1", port, net)
        with pytest.raises(StepFailed) as caught:
            await secure(below, context, "origin.test", net)
        assert is_closed(below)
    return caught.value


def is_closed(stream: SocketStream) -> bool:
    return stream._socket.fileno() == -1
