"""The rows on the screen: what it costs the check beside `--json`, and how late its loop is with thousands of rows."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.farm import ROOT, Entry, Farm
from benchmarks.measure import Row, Size, ratio
from benchmarks.runs import LONGEST, PYTHON, fast, ours, summary_of

_ROWS: Final = 5000
_RATE: Final = 50.0  # results a second
_SECONDS: Final = 20.0
_SIZES: Final = ((80, 24), (160, 50))


def screen(farm: Farm, size: Size) -> list[Row]:
    """The loop's lateness in two sizes of terminal, and two lists under the screen and under `--json` by turns."""
    rows = [_lag(farm, at, max(3.0, _SECONDS * size.part)) for at in _SIZES]
    blackout, working = farm.mix("blackout", size.of(5000)), farm.mix("working", size.of(1000))
    return [
        *rows,
        _beside("blackout", blackout, farm, (250, 1.0, 2.0), size.runs),
        _beside("working", working, farm, (100, 5.0, 30.0), 2 * size.runs + 1),
    ]


def _lag(farm: Farm, at: tuple[int, int], seconds: float) -> Row:
    told = _shown(farm, at, "lag", f"{_ROWS}", f"{_RATE}", f"{seconds}")
    what = f"screen {at[0]}x{at[1]}: loop lag, {_ROWS:,} rows and {_RATE:.0f} results a second, p99"
    if not told:
        return Row(what=what, value="it did not end by itself", target="below 100 ms", met=False)
    value = f"{told['p99']:.0f} ms (median {told['p50']:.1f}, worst {told['worst']:.0f} ms)"
    return Row(what=what, value=value, target="below 100 ms", met=told["p99"] < 100)


def _beside(
    name: str, entries: Sequence[Entry], farm: Farm, limits: tuple[int, float, float], runs: int
) -> Row:
    """Return seconds of the check itself, from its begin to its end: start and imports are counted on neither side."""
    listed = farm.write(entries)
    plain = ours(listed, farm, "--profile=fast", *fast(*limits))
    targets = [option.partition("=")[2] for option in farm.targets()]
    mine, theirs = [], []
    for number in range(runs):
        for which in ("screen", "json") if number % 2 else ("json", "screen"):
            if which == "json":
                theirs.append(summary_of(plain)["elapsed_ms"] / 1000)
                continue
            told = _shown(farm, _SIZES[0], "check", listed, *targets, *map(str, limits))
            mine.append(told.get("seconds") or float("inf"))
    what = f"check under the screen ({name}, {len(entries):,} entries, {limits[0]} at once) / with `--json`"
    return ratio(what, mine, theirs, 1.05, "s", most=True)


def _shown(farm: Farm, at: tuple[int, int], kind: str, *more: str) -> dict[str, Any]:
    """Run `screen_main` in a terminal of this size to its end; return its figures, nothing if it has none."""
    result = Path(farm.folder, "screen.json")
    result.unlink(missing_ok=True)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", at[1], at[0], 0, 0))
    process = subprocess.Popen(
        [PYTHON, "-m", "benchmarks.screen_main", kind, str(result), *more],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(slave)
    try:
        _drain(master, time.monotonic() + LONGEST)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return dict(json.loads(result.read_text("ascii"))) if result.exists() else {}


def _drain(master: int, until: float) -> None:
    """Read what the screen draws, as a terminal does, until it has gone."""
    while (left := until - time.monotonic()) > 0:
        if not select.select([master], [], [], left)[0]:
            return
        try:
            if not os.read(master, 1 << 16):
                return
        except OSError:  # Linux says so when the other end has gone
            return
