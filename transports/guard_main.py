"""The guard process: outlives the client by the moment it takes to clear up after it.

Runs alone, as `python -B -I -S guard_main.py`, and imports only what it needs: it has to be there before the
first engine is. It reads one order a line from standard input; the end of that input, however it came
about, means that the client is gone.

    pid N START     end this process, and the group that it leads, when the client is gone
    gone N          forget it
    dir PATH        erase this folder when the client is gone (its name must begin with "sanylau-")
    gone-dir PATH   forget it
    undo N JSON     run these commands when the client is gone, if the settings are still as it left them
    gone-undo N     forget them

START is the process's start time as /proc tells it, or "-": a number that was given to another process
meanwhile must not be killed. JSON is [still, commands]: `still` lists pairs of a command and the words that it
has to print, and each command is a list of arguments that begins with an absolute path. The newest order is
carried out first. The commands inherit the guard's environment, and so the client's: gsettings finds its bus.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

PREFIX = "sanylau-"
GRACE = 0.5  # seconds between asking an engine to end and ending it
LINE = 32_000  # bytes of the longest order; Windows takes commands of 32,767
UNDOS = 256  # orders to undo something that are kept at most
_EACH = 1.0  # seconds for one command
_ALL = 5.0  # seconds for all of them; where the system answers it takes a fraction of one
_AT_ONCE = 8

Argv = tuple[str, ...]
Undo = tuple[tuple[tuple[Argv, str], ...], tuple[Argv, ...]]


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


def undo_from(text: str) -> Undo:
    """Return the order that JSON `text` holds. Raises ValueError when it is none."""
    try:
        still, commands = json.loads(text)
        undo = (
            tuple((_argv(argv), str(words)) for argv, words in still),
            tuple(_argv(argv) for argv in commands),
        )
    except (TypeError, RecursionError) as error:
        raise ValueError("not an order to undo something") from error
    return undo


def _argv(argv: object) -> Argv:
    if not isinstance(argv, list) or not all(isinstance(part, str) and "\0" not in part for part in argv):
        raise ValueError("a command is a list of strings")
    if not argv or not os.path.isabs(argv[0]):
        raise ValueError("a command begins with an absolute path")
    return tuple(argv)


def follow(
    lines: list[str], engines: dict[int, str], folders: dict[str, None], undos: dict[int, Undo]
) -> None:
    """Carry out orders on the three registers. What is no order is passed over."""
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
        elif order == "undo" and number.isdecimal() and len(undos) < UNDOS:
            try:
                undos[int(number)] = undo_from(start)
            except ValueError:
                continue
        elif order == "gone-undo" and number.isdecimal():
            undos.pop(int(number), None)


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


def _with_children(engines: dict[int, str]) -> dict[int, str]:
    """Return the processes and, where /proc tells, all that they have started: not all of it is in their groups."""
    children: dict[int, list[tuple[int, str]]] = {}
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return engines
    for pid in numbers:
        stat = _stat(pid)
        if len(stat) > 19:
            children.setdefault(int(stat[1]), []).append((pid, stat[19]))
    found = dict(engines)
    todo = [pid for pid, start in engines.items() if start not in ("-", "") and start_time(pid) == start]
    while todo:
        for pid, start in children.get(todo.pop(), []):
            if pid not in found:
                found[pid] = start
                todo.append(pid)
    return found


def clear(engines: dict[int, str], folders: dict[str, None]) -> None:
    """End the engines and what they have started, then erase the folders: a running engine would write into them again."""
    engines = _with_children(engines)
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


def answers(commands: list[Argv], seconds: float = _EACH) -> list[str | None]:
    """Run commands, at most eight at once, each at most `seconds` long; return what they print.

    It is None for one that did not start, did not end in time, or ended with a status other than 0.
    """
    printed: list[str | None] = []
    for start in range(0, len(commands), _AT_ONCE):
        until = time.monotonic() + seconds
        running = [_begun(argv) for argv in commands[start : start + _AT_ONCE]]
        printed += [None if process is None else _answer(process, until) for process in running]
    return printed


def _begun(argv: Argv) -> subprocess.Popen[bytes] | None:
    null = subprocess.DEVNULL
    hidden = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
    try:
        return subprocess.Popen(
            argv, stdin=null, stdout=subprocess.PIPE, stderr=null, cwd=os.sep, creationflags=hidden
        )
    except OSError:
        return None


def _answer(process: subprocess.Popen[bytes], until: float) -> str | None:
    with process:
        try:
            said = process.communicate(timeout=max(0.0, until - time.monotonic()))[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return said.decode("utf-8", "replace") if process.returncode == 0 else None


def holds(undos: list[Undo]) -> list[bool]:
    """Say of each order whether its commands print what they have to: blanks do not count, "" is for one that fails."""
    asked = list(dict.fromkeys(argv for still, _ in undos for argv, _ in still))
    said = {argv: " ".join((text or "").split()) for argv, text in zip(asked, answers(asked), strict=True)}
    return [all(said[argv] == words for argv, words in still) for still, _ in undos]


def put_back(undos: list[Undo]) -> list[bool]:
    """Carry out the orders that still hold, the newest first; say which those were.

    Whether they hold is asked before the first of them is carried out. Somebody else's change is left alone.
    """
    until = time.monotonic() + _ALL
    held = holds(undos)
    for (_, commands), wanted in zip(reversed(undos), reversed(held), strict=True):
        for argv in commands if wanted else ():
            if time.monotonic() < until:
                answers([argv])
    return held


def main() -> None:
    """Serve until the end of standard input, then clear up."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    engines: dict[int, str] = {}
    folders: dict[str, None] = {}
    undos: dict[int, Undo] = {}
    held = b""
    while True:
        try:
            data = os.read(0, LINE)
        except OSError:
            break
        if not data:
            break
        *lines, held = (held + data).split(b"\n")
        held = held[-LINE:]
        follow([os.fsdecode(line) for line in lines], engines, folders, undos)
    clear(engines, folders)
    put_back(list(undos.values()))


if __name__ == "__main__":
    main()
