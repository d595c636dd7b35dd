"""The way out of Almaty, from end to end: `holes` finds the ports, and `check` tries the bridge on one of them first."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import pytest

from client.drill.relays import relay
from client.drill.serving import Peer, holding, reach
from client.drill.stage import stage
from client.drill.tornet import TorBridge, TorNet
from tests.lab import places
from tests.lab.world import Lab, Line
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(240)

PORTS: Final = (443, 9443, 8443, 993, 3785)  # the hole comes last
_CLONE_NEWNET: Final = 0x40000000


def listening(lab: Lab, where: str, address: str, ports: Sequence[int]) -> list[socket.socket]:
    """Return sockets that listen in another namespace: a socket stays in the one where it was made."""
    libc = ctypes.CDLL(None, use_errno=True)

    def go_to(namespace: str) -> None:
        with open(namespace) as file:
            if libc.setns(file.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        go_to(f"/proc/{lab.pids[where]}/ns/net")
        try:
            return [socket.create_server((address, port)) for port in ports]
        finally:
            go_to(f"/proc/self/fd/{own}")
    finally:
        os.close(own)


@asynccontextmanager
async def in_the_laboratory(lab: Lab, bridge: TorBridge) -> AsyncIterator[None]:
    """Let a bridge of this machine's private Tor network answer on ports of the helper's host."""
    tasks: set[asyncio.Task[Any]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer)
        try:
            async with holding(await reach(bridge.host, bridge.port)) as far:
                with suppress(OSError):
                    await relay(peer, far)
        except asyncio.CancelledError:
            peer.abort()
        finally:
            peer.abort()
            tasks.discard(task)

    async with AsyncExitStack() as held:
        for sock in listening(lab, "helper", places.HELPER, PORTS):
            held.push_async_callback(closed, await asyncio.start_server(pass_on, sock=sock))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def closed(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()


async def ran(line: Line, *options: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "client", *options, "--yes", "--json"]
    done = await asyncio.to_thread(line.person, command, timeout=120.0)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


async def test_after_holes_check_finds_the_bridge_on_3785_first(lab: Lab, tornet: TorNet) -> None:
    line = lab.play("almaty")
    *_, found = await ran(line, "holes", "--anchors", str(line.anchors), "--ports-only")
    assert (found["kind"], found["tcp"][0]) == ("port_holes", 179)
    assert {3785, 646, 4784} < set(found["tcp"])
    line, events = await checked(lab, tornet, "--diagnosis", found["code"])
    assert_the_last_line_came_first(events)
    asked = [port for port in line.counts().ports if port in PORTS]
    assert asked[0] == 3785, asked


async def test_a_check_that_diagnoses_first_finds_it_too(lab: Lab, tornet: TorNet) -> None:
    anchors = str(lab.play("almaty").anchors)
    _, events = await checked(lab, tornet, "--diagnose", "--anchors", anchors)
    assert (events[0]["type"], events[0]["kind"]) == ("diagnosis", "port_holes")
    assert_the_last_line_came_first(events)


def assert_the_last_line_came_first(events: list[dict[str, Any]]) -> None:
    first = next(event for event in events if event["type"] == "result")
    assert (first["status"], first["line"]) == ("working", len(PORTS)), first


async def checked(lab: Lab, tornet: TorNet, *options: str) -> tuple[Line, list[dict[str, Any]]]:
    """Check one bridge behind several ports of the helper; return the line and what was printed."""
    bridge = tornet.bridges["obfs4-1"]
    mine = f"{bridge.host}:{bridge.port}"
    lines = [bridge.line.replace(mine, f"{places.HELPER}:{port}") for port in PORTS]
    (lab.folder / "bridges.txt").write_text("\n".join([*lines, ""]))
    (lab.folder / "private.torrc").write_text(tornet.torrc)
    line = lab.play("almaty")
    async with stage([]) as played, in_the_laboratory(lab, bridge):
        (lab.folder / "target.pem").write_text(played.origin.ca_pem)
        at = f"https://127.0.0.1:{played.origin.https_port}"
        events = await ran(
            line,
            *("check", str(lab.folder / "bridges.txt"), *options),
            *("--first", "1", "--timeout", "60"),
            *("--torrc", str(lab.folder / "private.torrc"), "--target-ca", str(lab.folder / "target.pem")),
            *("--target", f"{at}/small", "--bulk-target", f"{at}/bulk"),
        )
    return line, events
