"""The guard process: outlives the client by the moment it takes to clear up after it.

Runs alone, as `python -I -S guard_main.py`, and imports only what it needs: it has to be there before the
first engine is. It reads one order a line from standard input; the end of that input, however it came
about, means that the client is gone.

    pid N START     end this process, and the group that it leads, when the client is gone
    gone N          forget it
    dir PATH        erase this folder when the client is gone (its name must begin with "sanylau-")
    gone-dir PATH   forget it

START is the process's start time as /proc tells it, or "-": a number that was given to another process
meanwhile must not be killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

PREFIX = "sanylau-"
GRACE = 0.5  # seconds between asking an engine to end and ending it
_LINE = 8192


def start_time(pid: int) -> str:
    """Return what tells this process from a later one with its number: proc(5), stat field 22; or "-"."""
    stat = _stat(pid)
    return stat[19] if len(stat) > 19 else "-"


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()  # the name before it may hold anything
    except OSError:
        return []


def is_ours(path: str) -> bool:
    """Say whether `path` is a folder that we may erase: real, absolute, named as ours, owned by us."""
    if not os.path.isabs(path) or not os.path.basename(path).startswith(PREFIX):
        return False
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    return not hasattr(os, "geteuid") or os.lstat(path).st_uid == os.geteuid()


def follow(lines: list[str], engines: dict[int, str], folders: dict[str, None]) -> None:
    """Carry out orders on the two registers. What is no order is passed over."""
    for line in lines:
        order, _, rest = line.partition(" ")
        number, _, start = rest.partition(" ")
        if order == "pid" and number.isdecimal() and int(number) > 1:
            engines[int(number)] = start or "-"
        elif order == "gone" and number.isdecimal():
            engines.pop(int(number), None)
        elif order == "dir" and is_ours(rest):
            folders[rest] = None
        elif order == "gone-dir":
            folders.pop(rest, None)


def _runs(pid: int, start: str) -> bool:
    """Say whether the process is there, is the one that was meant, and is more than a zombie."""
    if start != "-":
        stat = _stat(pid)
        return len(stat) > 19 and stat[19] == start and stat[0] not in "ZX"
    if sys.platform == "win32":
        return True  # os.kill would end it: there, asking is doing
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _leads(pid: int, start: str) -> bool:
    """Say whether the group of this number is ours. A group keeps its number from being given away."""
    if start != "-" and not _stat(pid):
        return True
    return start_time(pid) == start and os.getpgid(pid) == pid


def send(pid: int, start: str, signals: str) -> None:
    """Send a signal to the process and to the group that it leads, as far as both are still the same."""
    number = getattr(signal, signals, signal.SIGTERM)
    group = getattr(os, "killpg", None)
    try:
        if group is not None and _leads(pid, start):
            group(pid, number)
        elif _runs(pid, start):
            os.kill(pid, number)
    except OSError:
        return


def clear(engines: dict[int, str], folders: dict[str, None]) -> None:
    """End the engines, then erase the folders: a running engine would write into them again."""
    for pid, start in engines.items():
        send(pid, start, "SIGTERM")
    until = time.monotonic() + GRACE
    while time.monotonic() < until and any(_runs(pid, start) for pid, start in engines.items()):
        time.sleep(0.01)
    for pid, start in engines.items():
        send(pid, start, "SIGKILL")
    for path in folders:
        for _ in range(20):  # Windows frees the files of an ended process a little later
            if not is_ours(path):
                break
            shutil.rmtree(path, ignore_errors=True)
            time.sleep(0.0 if not os.path.isdir(path) else 0.05)


def main() -> None:
    """Serve until the end of standard input, then clear up."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    engines: dict[int, str] = {}
    folders: dict[str, None] = {}
    held = b""
    while True:
        try:
            data = os.read(0, _LINE)
        except OSError:
            break
        if not data:
            break
        *lines, held = (held + data).split(b"\n")
        held = held[-_LINE:]
        follow([os.fsdecode(line) for line in lines], engines, folders)
    clear(engines, folders)


if __name__ == "__main__":
    main()
