"""The far side for programs that read an export: an origin, and one real sing-box with proxies that lead to it.

Whatever name a program asks for, the proxies connect to this machine: so no name is ever looked up, and a program that
gets the page has left the name to the proxy.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.drill.ca import Authority
from client.drill.origin import PLAIN, Origin, playing_origin
from client.options import Option
from tests.client.export.made import proxy
from tests.servers.real import running
from tests.servers.singbox import binary, free_port
from transports.types import Endpoint

LIMIT = 20.0
METHOD, PASSWORD = "chacha20-ietf-poly1305", "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    origin: Origin
    open: int  # port of SOCKS and HTTP in one, for everybody
    closed: int  # the same with a name and password
    shadowsocks: int

    @property
    def page(self) -> str:
        return f"http://origin.test:{self.origin.http_port}/plain"

    @property
    def secure_page(self) -> str:
        return f"https://origin.test:{self.origin.https_port}/plain"

    def proxy(self, kind: str, user: str = "", password: str = "") -> Option:
        return proxy(kind, self.closed if user else self.open, user, password, host="127.0.0.1")

    def node(self, *, password: str = PASSWORD) -> Option:
        from tests.client.export.made import option

        port = self.shadowsocks
        settings = {"type": "shadowsocks", "server": "127.0.0.1", "server_port": port}
        settings |= {"method": METHOD, "password": password}
        return option(Endpoint(transport="shadowsocks", host="127.0.0.1", port=port, options=settings))


@asynccontextmanager
async def far(folder: Path, user: str = "somebody", password: str = "right") -> AsyncIterator[Far]:
    """Run the far side; `user` and `password` are those of the closed proxy."""
    ports = [free_port() for _ in range(3)]

    def inbound(kind: str, port: int, **more: Any) -> dict[str, Any]:
        return {"type": kind, "tag": str(port), "listen": "127.0.0.1", "listen_port": port, **more}

    config = {
        "log": {"disabled": True},
        "inbounds": [
            inbound("mixed", ports[0]),
            inbound("mixed", ports[1], users=[{"username": user, "password": password}]),
            inbound("shadowsocks", ports[2], method=METHOD, password=PASSWORD),
        ],
        "outbounds": [{"type": "direct", "tag": "out"}],
        "route": {"rules": [{"action": "route", "outbound": "out", "override_address": "127.0.0.1"}]},
    }
    file = folder / "far.json"
    file.write_text(json.dumps(config), "utf-8")
    async with playing_origin(Authority("far")) as origin, running(ports[2], binary(), "run", "-c", file):
        yield Far(origin=origin, open=ports[0], closed=ports[1], shadowsocks=ports[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    status: int
    out: bytes
    err: str

    @property
    def is_page(self) -> bool:
        return self.status == 0 and self.out == PLAIN


async def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Said:
    """Run a program to its end, with nothing of this machine's settings but the search path."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})},
        cwd=cwd,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Said(status=process.returncode, out=out, err=err.decode("utf-8", "replace"))
