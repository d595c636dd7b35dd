"""Plain pages through a real HTTP proxy that opens tunnels to port 443 only, as most are set up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.connect.health import Doubt
from client.connect.legs import Datagrams, Leg, NotOpened, Refusal
from client.connect.line import Line
from client.connect.local import Local
from client.drill.serving import serving
from client.model import Candidate, Protection, Status
from client.options import Option
from tests.client.connect.test_http_side import Server
from tests.client.connect.test_socks_side import curl
from tests.servers.around import around
from tests.servers.real import tinyproxy
from transports.types import Endpoint


class OneLine:
    """A gateway with one option, which nobody suspects."""

    def __init__(self, endpoint: Endpoint) -> None:
        option = Option(
            candidate=Candidate(endpoint, "list", 1),
            transport=endpoint.transport,
            protection=Protection.OPEN,
            status=Status.WORKING,
        )
        self._line = Line("one", option, around, self._believe)

    async def _believe(self, line: Line, doubt: Doubt) -> bool:
        return True

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        return await self._line.open(host, port, page=page)

    async def datagrams(self) -> Datagrams:
        raise NotOpened(Refusal.UNSUPPORTED)


@asynccontextmanager
async def door(folder: Path, **more: str) -> AsyncIterator[Local]:
    async with tinyproxy(folder, tunnels=(443,), **more) as port:
        gateway = OneLine(
            Endpoint(
                transport="http",
                host="127.0.0.1",
                port=port,
                username=more.get("username", ""),
                password=more.get("password", ""),
            )
        )
        async with asyncio.timeout(50), Local.listening("127.0.0.1", 0, gateway) as local:
            yield local


@pytest.mark.parametrize("more", [{}, {"username": "somebody", "password": "secret"}])
async def test_a_plain_page_comes_although_the_proxy_opens_no_tunnel_to_it(
    tmp_path: Path, more: dict[str, str]
) -> None:
    server = Server()
    async with serving(server) as origin, door(tmp_path, **more) as local:
        url = f"http://127.0.0.1:{origin}/a/page?with=words"
        status, out = await curl("--proxy", f"http://127.0.0.1:{local.port}", url)
        assert (status, out) == (0, b"got 0")
        assert b"GET /a/page?with=words HTTP/1." in server.heard
        assert b"roxy-Authorization" not in server.heard
        status, out = await curl("--proxy", f"http://127.0.0.1:{local.port}", "--data", "x" * 50_000, url)
        assert (status, out) == (0, b"got 50000")
        # And the same by a tunnel is refused by this proxy: without the other way there would be no page.
        status, _ = await curl("--proxy", f"socks5h://127.0.0.1:{local.port}", url)
        assert status != 0
