"""The rows on `watch`: processor and memory of ten minutes of waiting before servers on loopback that answer."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.farm import ROOT, Farm
from benchmarks.measure import Row, Size
from benchmarks.runs import PYTHON
from client.drill.windows import Scenery, scenery
from client.watch.calendar import Mark

_SPAN: Final = 600.0  # seconds
_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def watch(farm: Farm, size: Size) -> list[Row]:
    """Run the command for ten minutes (one with --quick) and read what the system counted for its process."""
    span = _SPAN if size.part >= 1 else _SPAN / 10
    if not Path("/proc/self/stat").exists():
        return [Row(what="watch", value="not measured: needs /proc")]
    with tempfile.TemporaryDirectory(dir=farm.folder) as folder, _servers(Path(folder)) as anchors:
        command = [PYTHON, "-m", "client", "watch", "--anchors", str(anchors), "--yes", "--json"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(span)
            cpu, peak = _used(process.pid)
            process.terminate()
            out, _ = process.communicate(timeout=10)
        finally:
            process.kill()
            process.wait()
    last = json.loads(out.splitlines()[-1])
    percent, minutes = 100 * cpu / span, span / 60
    a_minute = last["connections"] / minutes
    what = f"watch, {minutes:.0f} minutes on an open line"
    return [
        Row(
            what=f"{what}: processor, its start included",
            value=f"{percent:.2f} % of a core",
            target="below 1 %" if span == _SPAN else None,
            met=percent < 1 if span == _SPAN else None,
        ),
        Row(what=f"{what}: peak memory", value=f"{peak:.1f} MiB", target="below 60 MiB", met=peak < 60),
        Row(
            what=f"{what}: connections a minute",
            value=f"{a_minute:.1f}, {last['bytes'] / 1000 / minutes:.1f} kB",
            target="at most 2 and 6 kB",
            met=a_minute <= 2 + 1 / minutes and last["bytes"] / minutes <= 6000 * (1 + 1 / minutes),
        ),
    ]


def _used(pid: int) -> tuple[float, float]:
    """Return the seconds of processor and the peak in MiB of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / _TICKS, peak / 1024


@contextmanager
def _servers(folder: Path) -> Iterator[Path]:
    """Serve in a thread; gives the anchors file that leads there."""
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with scenery() as set_up:
            await set_up.set(Mark.OPEN)
            _write(set_up, folder)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        ready.wait(30)
        yield folder / "anchors.toml"
    finally:
        over.set()
        thread.join()


def _write(set_up: Scenery, folder: Path) -> None:
    (folder / "roots.pem").write_text(set_up.anchors.ca)
    entries = ['date = 2026-01-01\nsource = "benchmark"\nca = "roots.pem"\n']
    entries += [
        f'[[server]]\nplace = "{one.place}"\noperator = "{one.operator}"\nname = "localhost"\n'
        f'addresses = ["127.0.0.1"]\nports = [{one.ports[0]}]\n'
        for one in set_up.anchors.servers
    ]
    (folder / "anchors.toml").write_text("\n".join(entries))
