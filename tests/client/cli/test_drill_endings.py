"""However a drill with bridges ends, at whatever moment: nothing of it is left, and soon."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.drill.tornet import missing
from tests.integration.bridge_runs import ROOT, Trail

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(missing()), reason="needs " + ", ".join(missing())),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="follows processes through /proc"),
]
SOON = 3.0  # seconds in which an interrupted drill has to be over


@dataclass
class Drill:
    process: asyncio.subprocess.Process
    trail: Trail
    output: bytes = b""

    async def until(self, there: Callable[[], Any], limit: float = 60.0) -> None:
        async with asyncio.timeout(limit):
            while not there():
                assert self.process.returncode is None, self.output
                self.trail.look()
                await asyncio.sleep(0.02)

    async def says(self, word: bytes) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(60.0):
            while word not in self.output:
                more = await self.process.stdout.read(65536)
                assert more, self.output
                self.output += more
                self.trail.look()

    async def send(self, number: signal.Signals) -> int:
        """Send the signal to a drill that stands still, so that all it has started is known."""
        os.kill(self.process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.05)
        self.trail.look()
        os.kill(self.process.pid, number)
        with suppress(ProcessLookupError):  # a killed one needs no waking
            os.kill(self.process.pid, signal.SIGCONT)
        assert self.process.stdout is not None
        async with asyncio.timeout(SOON):
            self.output += await self.process.stdout.read()
            return await self.process.wait()


@asynccontextmanager
async def drilling(folder: Path, *names: str) -> AsyncIterator[Drill]:
    mark, temporary = folder / "mark", folder / "temporary"
    for path in (mark, temporary):
        path.mkdir()
    env = {**os.environ, "LANGUAGE": "en", "TMPDIR": str(temporary)}
    env["PATH"] = os.pathsep.join([env["PATH"], str(mark)])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client", "drill", *names),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
        start_new_session=True,
    )
    try:
        yield Drill(process=process, trail=Trail(mark=os.fsencode(mark), root=process.pid))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    assert os.listdir(temporary) == []


async def reach(drill: Drill, moment: str) -> None:
    if moment == "bridges":
        await drill.says(b"bridge-dead")
        assert len(drill.trail.running("tor")) > 4
        return
    program, count = {"keys": ("tor-gencert", 1), "authorities": ("tor", 3), "obfs4": ("obfs4proxy", 1)}[
        moment
    ]
    await drill.until(lambda: len(drill.trail.running(program)) >= count)


@pytest.mark.parametrize("moment", ["keys", "authorities", "obfs4", "bridges"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_nothing_is_left_when_the_drill_is_ended_in_the_middle(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    async with drilling(tmp_path, "bridge-dead", "bridge-zombie", "bridge-good-obfs4") as drill:
        await reach(drill, moment)
        status = await drill.send(number)
        await drill.trail.gone()
        assert drill.trail.folders
        assert len(drill.trail.seen) >= 2
    if number == signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 130
        assert b"Stopped: the rest was not played." in drill.output
        assert b"Traceback" not in drill.output


async def test_an_interrupt_while_the_proxies_play_ends_the_network_behind_them_too(tmp_path: Path) -> None:
    async with drilling(tmp_path) as drill:
        await drill.says(b"good-http")
        await drill.until(lambda: drill.trail.running("tor-gencert"))
        assert await drill.send(signal.SIGINT) == 130
        await drill.trail.gone()
    assert b"proxies played" in drill.output
    assert b"please report it" not in drill.output
    assert b"Tor bridge" not in drill.output


async def test_impatient_interrupts_leave_nothing_either(tmp_path: Path) -> None:
    async with drilling(tmp_path, "bridge-dead") as drill:
        await reach(drill, "authorities")
        for _ in range(5):
            with suppress(ProcessLookupError):
                drill.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(SOON):
            assert await drill.process.wait() == 130
        await drill.trail.gone()


async def test_nothing_is_left_after_a_drill_that_has_come_to_its_end(tmp_path: Path) -> None:
    async with drilling(tmp_path, "bridge-good-vanilla", "bridge-dead") as drill:
        await reach(drill, "keys")
        await drill.says(b"2 Tor bridges played, 2 judged rightly")
        assert await drill.process.wait() == 0
        await drill.trail.gone()
        assert drill.trail.folders
        assert {"tor", "tor-gencert"} <= set(drill.trail.names.values())
