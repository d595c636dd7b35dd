"""How bytes move through a proxy: freely, slowly, up to a point, changed, or read by somebody else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from client.drill.asking import Malformed
from client.drill.ca import Authority
from client.drill.serving import ENDED, LIFETIME, Peer, holding, reach

Flow = Callable[[Peer, Peer], Awaitable[None]]
"""Moves bytes from the first to the second until the first ends."""

_CHUNK: Final = 64 * 1024
_TICK: Final = 0.1  # seconds between the spoonfuls of a throttle
_GRACE: Final = 5.0  # seconds that a target may still answer a client that has closed its half
_BODY_LIMIT: Final = 64 * 1024
_TLS_ANSWER: Final = 1.0  # seconds; a target that is silent for longer does not speak TLS
_CERTIFICATES: Final = 32  # forged names kept at once
_METHODS: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ")


async def copy(source: Peer, sink: Peer) -> None:
    """Move everything."""
    while data := await source.read(_CHUNK):
        await sink.send(data)


def throttled(rate: int) -> Flow:
    """Move `rate` bytes a second."""

    async def flow(source: Peer, sink: Peer) -> None:
        while data := await source.read(max(1, int(rate * _TICK))):
            await sink.send(data)
            await asyncio.sleep(len(data) / rate)

    return flow


def frozen_after(count: int) -> Flow:
    """Move `count` bytes, then nothing, with the connection left open."""

    async def flow(source: Peer, sink: Peer) -> None:
        if await _some(source, sink, count):
            await asyncio.sleep(LIFETIME)

    return flow


def reset_after(count: int) -> Flow:
    """Move `count` bytes, then reset the client's connection."""

    async def flow(source: Peer, sink: Peer) -> None:
        if await _some(source, sink, count):
            sink.reset()
            source.abort()

    return flow


async def _some(source: Peer, sink: Peer, count: int) -> bool:
    """Move `count` bytes; False when the source ended before."""
    while count:
        data = await source.read(min(count, _CHUNK))
        if not data:
            return False
        await sink.send(data)
        count -= len(data)
    return True


def frozen_after_chunks(count: int, size: int) -> Flow:
    """Move `count` chunks of at most `size` bytes, then nothing, with the connection left open."""

    async def flow(source: Peer, sink: Peer) -> None:
        for _ in range(count):
            data = await source.read(size)
            if not data:
                return
            await sink.send(data)
        await asyncio.sleep(LIFETIME)

    return flow


async def relay(client: Peer, target: Peer, down: Flow = copy) -> None:
    """Move bytes both ways until the client is gone; `down` is the way from the target."""
    async with asyncio.TaskGroup() as group:
        downward = group.create_task(_one_way(target, client, down), name="drill relay")
        await _one_way(client, target, copy)
        await asyncio.wait({downward}, timeout=_GRACE)
        downward.cancel()


async def _one_way(source: Peer, sink: Peer, flow: Flow) -> None:
    try:
        await flow(source, sink)
        sink.finish()
    except ENDED:
        source.abort()
        sink.abort()


async def injecting(client: Peer, target: Peer, page: bytes) -> None:
    """Relay; but if the client speaks plain HTTP, put `page` in front of the answer's body."""
    first = await client.read()
    await target.send(first)
    if first.startswith(_METHODS):
        await inject(client, target, page)
    else:
        await relay(client, target)


async def inject(client: Peer, target: Peer, page: bytes) -> None:
    """Read one HTTP answer from `target` and pass it on with `page` in front of its body."""
    raw = await target.reader.readuntil(b"\r\n\r\n")
    lines = [line for line in raw[:-4].split(b"\r\n") if line]
    length = next((line for line in lines if line.lower().startswith(b"content-length:")), b":0")
    size = length.partition(b":")[2].strip()
    if not size.isdigit() or int(size) > _BODY_LIMIT:
        raise Malformed("length")
    body = page + await target.exactly(int(size))
    kept = [line for line in lines if line is not length]
    await client.send(b"\r\n".join([*kept, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body)
    await client.linger()


class Interceptor:
    """Reads TLS in the middle: a forged certificate towards the client, real TLS towards the target."""

    def __init__(self, forger: Authority) -> None:
        self._forger = forger
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._outward = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._outward.check_hostname = False  # one who breaks trust has no use for checking it
        self._outward.verify_mode = ssl.CERT_NONE

    async def tunnel(self, client: Peer, asked: str, address: str, port: int, granted: bytes) -> None:
        """Grant the client its tunnel to `asked` (at `address`) and sit in it. What is not TLS passes as it is."""
        async with holding(await reach(address, port)) as target:
            if await self._speaks_tls(target, asked):
                await client.upgrade(self._context(asked), say=granted)
                await relay(client, target)
                return
        async with holding(await reach(address, port)) as target:
            await client.send(granted)
            await relay(client, target)

    async def _speaks_tls(self, target: Peer, asked: str) -> bool:
        try:
            async with asyncio.timeout(_TLS_ANSWER):
                await target.upgrade(self._outward, name=asked)
        except ENDED:
            return False
        return True

    def _context(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            if len(self._contexts) >= _CERTIFICATES:
                self._contexts.clear()
            self._contexts[name] = self._forger.server_context(name)
        return self._contexts[name]
