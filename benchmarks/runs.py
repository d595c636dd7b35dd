"""Runs one program as a person would, and notes what it said, when, and what it cost."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.farm import ROOT, Farm

if TYPE_CHECKING:
    import resource

PYTHON: Final = sys.executable
LONGEST: Final = 180.0  # seconds; whatever still runs then is ended, and its row fails
_LAST_WORDS: Final = 5.0
_WORKING: Final = b'"status": "working"'
_SUMMARY: Final = b'"type": "summary"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run. Seconds from exec; `cpu` is user and system time of the process, `peak` its VmHWM in KiB."""

    wall: float
    cpu: float
    peak: int
    first_line: float | None
    first_working: float | None
    results: list[dict[str, Any]]
    ended: bool


def ours(listed: str, farm: Farm, *more: str, host: str = "127.0.0.1") -> list[str]:
    """Return the command line of the real program."""
    return [PYTHON, "-m", "client", "check", listed, "--yes", "--json", *more, *farm.targets(host)]


def fast(concurrency: int, connect: float, total: float) -> list[str]:
    """Return the options that the program and the bare ladder share."""
    return [f"--concurrency={concurrency}", f"--connect-timeout={connect}", f"--timeout={total}"]


def ladder(listed: str, farm: Farm, *more: str) -> list[str]:
    """Return the command line of the bare ladder."""
    return [PYTHON, "-m", "benchmarks.bare_ladder", listed, *more, *farm.targets()]


def run(
    command: Sequence[str], *, until_working: bool = False, limit: float = LONGEST, loop: str = "asyncio"
) -> Ran:
    """Run `command` to its end, or only until its first working entry. When we are ended, so is it."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "SANYLAU_LOOP": loop}
    )
    try:
        return _watched(process, began, until_working=until_working, limit=limit)
    except BaseException:
        leave(process)
        raise


def summary_of(command: Sequence[str]) -> dict[str, Any]:
    """Run `command` to its end and return the summary of its JSON Lines."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "SANYLAU_LOOP": "asyncio"},
        timeout=LONGEST,
        check=False,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def leave(process: subprocess.Popen[bytes]) -> None:
    """End a program as Ctrl-C does, so that it clears up."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _watched(process: subprocess.Popen[bytes], began: float, *, until_working: bool, limit: float) -> Ran:
    assert process.stdout is not None
    out, peak, ended, polled = bytearray(), 0, True, 0.0
    first_line: float | None = None
    first_working: float | None = None
    handle = process.stdout.fileno()
    while True:
        now = time.perf_counter() - began
        if now > limit:
            ended = False
            break
        if not select.select([handle], [], [], 0.5)[0]:
            continue
        data = os.read(handle, 1 << 16)
        now = time.perf_counter() - began
        if not data:
            break
        scanned = max(0, len(out) - 64)
        out += data
        first_line = now if first_line is None else first_line
        if first_working is None and out.find(_WORKING, scanned) >= 0:
            first_working = now
            if until_working:
                break
        if now - polled > 0.1 or out.find(_SUMMARY, scanned) >= 0:
            peak, polled = max(peak, peak_of(process.pid)), now
    if until_working or not ended:
        process.kill()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    process.stdout.close()
    return Ran(
        wall=time.perf_counter() - began,
        cpu=_cpu(used),
        peak=peak,
        first_line=first_line,
        first_working=first_working,
        results=_results(bytes(out)),
        ended=ended,
    )


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def peak_of(pid: int | str) -> int:
    """Return the most memory that a process ever had (VmHWM), in KiB; 0 if it cannot be told."""
    # ru_maxrss of a child begins with the size of its parent before exec, so it cannot be used.
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def _results(out: bytes) -> list[dict[str, Any]]:
    rows = []
    for line in out.splitlines():
        with suppress(ValueError):
            row: Mapping[str, Any] = json.loads(line)
            if row.get("type") == "result":
                rows.append(dict(row))
    return rows
