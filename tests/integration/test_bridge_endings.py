"""However a check of bridges ends, nothing of it is left: no process, no file, no folder."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from client.drill.tornet import TorNet, counting
from tests.integration.bridge_runs import checking
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="follows processes through /proc"),
]
SHORT = (1.0, 8.0)


async def test_nothing_is_left_after_a_run_with_a_working_bridge(tornet: TorNet, tmp_path: Path) -> None:
    lines = [tornet.bridges[name].line for name in ("obfs4-1", "vanilla-1")]
    async with checking(tmp_path, lines, tornet.torrc) as run:
        assert await run.ended() == 0, run.errors
        assert {one["status"] for one in run.results.values()} == {"working"}
        assert {"tor", "obfs4proxy"} <= set(run.trail.names.values())
        assert len(run.trail.folders) == 2
        assert run.is_calm, run.errors


async def test_nothing_is_left_after_a_run_without_a_working_bridge(tornet: TorNet, tmp_path: Path) -> None:
    names = ("obfs4-silent", "vanilla-website", "obfs4-zombie", "vanilla-refused")
    lines = [tornet.bridges[name].line for name in names]
    async with checking(tmp_path, lines, tornet.torrc, patience=SHORT) as run:
        assert await run.ended() == 1, run.errors
        assert {one["status"] for one in run.results.values()} == {"failed"}
        assert {"tor", "obfs4proxy"} <= set(run.trail.names.values())
        assert run.is_calm, run.errors


MOMENTS = ("handshakes", "bootstrap", "circuits")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_left_when_it_is_ended_in_the_middle(
    tornet: TorNet, tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    name = "obfs4-silent" if moment == "handshakes" else "obfs4-zombie"
    async with AsyncExitStack() as stack:
        watched = await stack.enter_async_context(counting(tornet.bridges[name]))
        other = await stack.enter_async_context(counting(tornet.bridges["vanilla-silent"]))
        lines = [watched.bridge.line, other.bridge.line]
        run = await stack.enter_async_context(checking(tmp_path, lines, tornet.torrc))
        await run.until(lambda: watched.connections >= (1 if moment == "handshakes" else 2))
        await run.until(lambda: len(run.trail.running("tor")) == 1)
        if moment == "circuits":
            await asyncio.sleep(2.5)
        assert len(run.trail.running("obfs4proxy")) == 1
        os.kill(run.process.pid, number)
        assert await run.ended(4.0) == (-number if number == signal.SIGKILL else 130), run.errors
        assert run.is_calm, run.errors
        if number != signal.SIGKILL:
            assert run.told[-1]["type"] == "summary"
            assert run.told[-1]["stopped"] == "interrupted"
            assert len(run.results) == 2


async def test_nothing_is_left_after_two_quick_interrupts(tornet: TorNet, tmp_path: Path) -> None:
    async with (
        counting(tornet.bridges["obfs4-silent"]) as silent,
        checking(tmp_path, [silent.bridge.line], tornet.torrc) as run,
    ):
        await run.until(lambda: silent.connections >= 1)
        os.kill(run.process.pid, signal.SIGINT)
        await asyncio.sleep(0.01)  # two at the same time are one to the system
        os.kill(run.process.pid, signal.SIGINT)
        assert await run.ended(4.0) == 130
