"""The bulk transfer against proxies and targets that play with it, through the whole ladder."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from client import roots
from client.control import about_target, conclude
from client.drill.ca import Authority
from client.drill.run import targets_of
from client.drill.serving import Handler, Peer, holding, reach, serving
from client.drill.stage import stage
from client.judge import judge
from client.model import Content, Control, LineState, Status
from client.probe import climb
from client.settings import PROFILES
from client.surroundings import Surroundings
from client.targets import Target, Targets
from client.transfer import _stays_open
from client.way import Attempt
from transports.net import Limits
from transports.types import Endpoint
from transports.wire.http1 import Head

HASTY = Limits(connect=1.0, handshake=2.0, exchange=2.0, bulk=1.5, total=6.0)


async def swallowing(peer: Peer) -> None:
    """An HTTP proxy that carries everything down, but only the first 8 KB up."""
    asked = await peer.read()
    host, port = asked.split()[1].decode().rsplit(":", 1)
    if not host.startswith("127."):
        await peer.send(b"HTTP/1.1 502 No\r\n\r\n")
        return
    async with holding(await reach(host, int(port))) as target:
        await peer.send(b"HTTP/1.1 200 Yes\r\n\r\n")
        await asyncio.gather(up_to(peer, target, 8192), up_to(target, peer, 1 << 30))


async def up_to(source: Peer, sink: Peer, most: int) -> None:
    moved = 0
    while data := await source.read(4096):
        moved += len(data)
        if moved <= most:
            await sink.send(data)


async def climbed(targets: Targets, port: int, ca: str) -> Attempt:
    around = Surroundings(PROFILES["fast"], targets, roots.loader(ca), random.Random(1))
    return await climb(around.way(Endpoint(transport="http", host="127.0.0.1", port=port), HASTY))


@pytest.mark.parametrize("known", ["/bulk", None])
async def test_a_proxy_that_swallows_uploads_is_never_working_even_on_a_cut_line(known: str | None) -> None:
    async with serving(swallowing) as port, stage([]) as played:
        targets = targets_of(played.origin)
        (file,) = targets.bulk
        attempt = await climbed(
            replace(targets, bulk=(replace(file, upload=known),)), port, played.origin.ca_pem
        )
        found = judge(attempt, Control(), quota=targets.quota)
        assert (found.status, attempt.proof.up) == (Status.DEGRADED, 0)
        assert "what you send" in found.reason.id


async def test_a_target_without_uploads_gets_them_sent_to_one_that_takes_them() -> None:
    async with stage(["good-socks5"]) as played:
        targets = targets_of(played.origin)
        (file,) = targets.bulk
        without = replace(targets, bulk=(replace(file, upload=""),), uploads=(file,))
        (good,) = played.parts
        around = Surroundings(PROFILES["fast"], without, roots.loader(played.origin.ca_pem), random.Random(1))
        attempt = await climb(around.way(good.endpoint(), HASTY))
        assert attempt.proof.upload is Content.INTACT
        assert attempt.proof.up == targets.upload
        assert judge(attempt, Control(), quota=targets.quota).status is Status.WORKING


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (Head(200, {"content-length": "1"}), True),
        (Head(200, {"content-length": "1", "connection": "Keep-Alive, Close"}), False),
        (Head(200, {"content-length": "1"}, (1, 0)), False),
        (Head(200, {"content-length": "1", "connection": "keep-alive"}, (1, 0)), True),
        (Head(200, {}), False),
        (Head(200, {"transfer-encoding": "chunked"}), True),
    ],
)
def test_a_connection_persists_by_the_rules(head: Head, stays: bool) -> None:
    assert _stays_open(head) is stays


def closing_after(pages: int, body: bytes) -> Handler:
    """A target over TLS that hangs up after so many pages, as servers with a limit on requests do."""

    async def handle(peer: Peer) -> None:
        for left in range(pages - 1, -1, -1):
            asked = b""
            while b"\r\n\r\n" not in asked:
                data = await peer.read()
                if not data:
                    return
                asked += data
            last = b"Connection: close\r\n" if not left else b""
            await peer.send(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (last, len(body), body))

    return handle


@pytest.mark.parametrize(
    ("pages", "status", "reason"),
    [(30, Status.WORKING, "authentic"), (5, Status.DEGRADED, "larger file with --bulk-target")],
)
async def test_a_target_that_hangs_up_now_and_then_proves_by_several_long_connections_only(
    pages: int, status: Status, reason: str
) -> None:
    authority = Authority("Honest")
    context = authority.server_context("127.0.0.1")
    async with (
        serving(closing_after(pages, b"x" * 1000), context=context) as port,
        stage(["good-http"]) as played,
    ):
        page = Target(tls=True, host="127.0.0.1", port=port, path="/", upload="")
        targets = Targets(small=(page,), bulk=(page,), plain=(), own=True)
        around = Surroundings(PROFILES["fast"], targets, roots.loader(authority.pem), random.Random(1))
        (good,) = played.parts
        attempt = await climb(around.way(good.endpoint(), HASTY))
        found = judge(attempt, Control(), quota=targets.quota)
        assert (found.status, reason in found.reason.id) == (status, True)
        control = conclude(await climb(around.control_way(HASTY)), route=True)
        said = about_target(control)
        assert control.state is (LineState.HEALTHY if status is Status.WORKING else LineState.UNKNOWN)
        assert (said is None) == (status is Status.WORKING)
