"""A clock that is two hours off: said with the seconds, by what bridges and tor tell; with the real programs."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from client.drill.tornet import TorNet
from tests.integration.bridge_runs import checking
from tests.servers.install import FOLDERS
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="follows processes through /proc"),
]
LIBRARY = next(Path("/usr/lib").glob("*-linux-gnu/faketime/libfaketime.so.1"), Path("/nowhere"))


@pytest.mark.parametrize(("shift", "word"), [("-7200", "slow"), ("+7200", "fast")])
async def test_a_clock_two_hours_off_is_told(tornet: TorNet, tmp_path: Path, shift: str, word: str) -> None:
    clock = _shifted(tmp_path, shift)
    lines = [tornet.bridges[name].line for name in ("vanilla-1", "vanilla-2")]
    async with checking(tmp_path, lines, tornet.torrc, env=clock, patience=(2.0, 20.0)) as run:
        try:
            assert await run.ended() == 0, (run.told, run.errors)
        finally:
            _sweep()
        assert all(one["status"] == "working" for one in run.results.values())
        said = [line for line in run.errors.decode().splitlines() if line.startswith("your clock")]
        assert len(said) == 1
        assert said[0].startswith(f"your clock is 2 h 0 min {word} by the clocks of bridges"), said
        assert run.is_calm, run.errors


async def test_a_right_clock_is_not_spoken_of(tornet: TorNet, tmp_path: Path) -> None:
    lines = [tornet.bridges["vanilla-1"].line]
    async with checking(tmp_path, lines, tornet.torrc) as run:
        assert await run.ended() == 0
        assert b"clock" not in run.errors


def _sweep() -> None:
    """Remove what faketime leaves of processes that have ended."""
    for path in Path("/dev/shm").glob("*faketime_*"):
        if not Path("/proc", path.name.rpartition("_")[2]).exists():
            with suppress(OSError):  # somebody else's
                path.unlink()


def _shifted(folder: Path, shift: str) -> dict[str, str]:
    """Return the surroundings in which Python and tor have a wrong clock. obfs4proxy, in Go, keeps the right one."""
    tor = shutil.which("tor", path=FOLDERS)
    if tor is None or not LIBRARY.exists():
        pytest.skip("needs tor and faketime")
    clock = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": shift}
    wrapper = folder / "programs" / "tor"
    wrapper.parent.mkdir()
    told = " ".join(f"{name}={value}" for name, value in clock.items())
    wrapper.write_text(f'#!/bin/sh\nexec env {told} {tor} "$@"\n')  # engines get nothing of our surroundings
    wrapper.chmod(0o755)
    return clock | {"PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"}
