"""A fixture: the server's side of meek, as the reflector before Moat runs it. obfs4proxy can be meek's client only.

Each POST carries what goes up, its answer what has come down; X-Session-Id tells which connection is meant
(meek 0.38, doc/meek-client.1.txt and meek-server). As at Tor's, a connection that ended ends the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from client.drill.asking import answer, read_request
from client.drill.serving import Handler, Peer, holding, reach, serving

_WAIT = 0.05  # seconds that an answer waits for bytes from behind
_MOST = 65536


@dataclass
class Meek:
    port: int = 0
    sessions: dict[str, Peer] = field(default_factory=dict)

    @property
    def line(self) -> str:
        return f"meek_lite 192.0.2.18:80 url=http://127.0.0.1:{self.port}"


def handler(meek: Meek, behind: int, stack: AsyncExitStack) -> Handler:
    async def handle(peer: Peer) -> None:
        while True:
            request = await read_request(peer)
            up = await peer.exactly(request.length(_MOST))
            name = request.headers["x-session-id"]
            if name not in meek.sessions:
                meek.sessions[name] = await stack.enter_async_context(
                    holding(await reach("127.0.0.1", behind))
                )
            target = meek.sessions[name]
            if up:
                await target.send(up)
            down = b""
            try:
                async with asyncio.timeout(_WAIT):
                    down = await target.read(_MOST)
            except TimeoutError:
                pass
            await peer.send(answer("200 OK", down, kind="application/octet-stream"))

    return handle


@asynccontextmanager
async def meek_server(behind: int) -> AsyncIterator[Meek]:
    """Run it in front of the port `behind` of this machine."""
    meek = Meek()
    async with AsyncExitStack() as stack, serving(handler(meek, behind, stack)) as meek.port:
        yield meek
