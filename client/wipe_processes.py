"""The running programs of ours: other Sanylau programs of this user, and the engines that they have started.

A process is taken for ours by what nobody else has: the pipe between a client and its guard, the name of an engine's
folder, the mark of an engine, or our own program on its command line. Only Linux tells of processes without a program of its own.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from client import platform
from transports import guard_main
from transports.engines import MARK

_PROC: Final = Path("/proc")
_LONGEST: Final = 1 << 17
_POLL: Final = 0.005
_TERMINALS: Final = ("/dev/pts/", "/dev/tty")
_END: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
_PROGRAM: Final = Path(__file__).with_name("__main__.py")
_OWNER: Final = re.compile(
    re.escape(guard_main.PREFIX) + r"\w+-([0-9]{1,10})\.([0-9]{1,20})\.([0-9]{1,20})-", re.ASCII
)

_FOLDER: Final = re.compile(rf"/{re.escape(guard_main.PREFIX)}(?:tor|pt)-[0-9.]+-\w+(?:/|\Z)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A running process. `start` tells it from a later one of its number."""

    pid: int
    parent: int
    start: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What is to be ended, and the guards, which end by themselves after they have put back what was changed."""

    clients: tuple[Process, ...]
    engines: tuple[Process, ...]
    guards: tuple[Process, ...]

    @property
    def programs(self) -> int:
        """How many programs a person would count: other Sanylaus, or the engines of one that is gone."""
        return len(self.clients) or len(self.engines)


def running() -> dict[int, Process]:
    """Return this user's processes by their numbers; none where the system does not tell."""
    found = {}
    with suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdecimal() and (one := _process(int(entry.name))) is not None:
                found[one.pid] = one
    return found


def _process(pid: int) -> Process | None:
    stat = guard_main._stat(pid)
    words = _words(pid, "cmdline")
    if len(stat) < 20 or stat[0] in "ZX" or not words or not _is_mine(pid):
        return None
    return Process(pid=pid, parent=int(stat[1]), start=stat[19], words=words)


def _is_mine(pid: int) -> bool:
    """Whether the process is this user's. A tor hides its folder in /proc, and tells its user all the same."""
    status = _read(pid, "status").decode("ascii", "replace")
    user = re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)
    return user is not None and int(user[1]) == os.getuid()


def _words(pid: int, name: str) -> tuple[str, ...]:
    return tuple(os.fsdecode(word) for word in _read(pid, name).split(b"\0") if word)


def _read(pid: int, name: str) -> bytes:
    try:
        with open(_PROC / str(pid) / name, "rb") as file:
            return file.read(_LONGEST)
    except OSError:
        return b""


def ours(folders: Iterable[Path]) -> Ours:
    """Return what runs of ours: the engines of this process too, but not itself, nor what it descends from.

    `folders` are the engines' folders. What `connect --exec` has started is the person's own, and is left alone.
    """
    known = running()
    spared = set(_line_of(os.getpid(), known))
    guards = {pid: one for pid, one in known.items() if _is_guard(one)}
    clients = {one.parent for one in guards.values() if _holds(one.parent, _pipe(one.pid))}
    clients |= {pid for pid, one in known.items() if _is_client(one)}
    clients |= {owner for path in folders if (owner := _owner(path.name, known))}
    clients -= spared
    engines = {pid for pid, one in known.items() if _is_engine(one)} - {*spared, *clients, *guards}
    return Ours(
        clients=tuple(known[pid] for pid in sorted(clients) if pid in known),
        engines=tuple(known[pid] for pid in sorted(engines)),
        guards=tuple(guards[pid] for pid in sorted(guards) if guards[pid].parent not in spared),
    )


def _line_of(pid: int, known: dict[int, Process]) -> Iterator[int]:
    """Return a process and all that it descends from."""
    seen: set[int] = set()
    while pid > 0 and pid not in seen:
        yield pid
        seen.add(pid)
        stat = guard_main._stat(pid)
        pid = known[pid].parent if pid in known else int(stat[1]) if len(stat) > 1 else 0


def _is_guard(one: Process) -> bool:
    path = Path(one.words[-1])
    return path.name == "guard_main.py" and path.parent.name == "transports" and "-S" in one.words


def _pipe(guard: int) -> str:
    """Return the pipe that a guard listens to, "" where the system does not tell."""
    with suppress(OSError):
        return os.readlink(_PROC / str(guard) / "fd/0")
    return ""


def _holds(pid: int, pipe: str) -> bool:
    """Whether the process holds an end of this pipe: who has adopted an orphaned guard does not."""
    if not pipe.startswith("pipe:"):
        return False
    with suppress(OSError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if os.readlink(entry) == pipe:
                    return True
    return False


def _is_client(one: Process) -> bool:
    """Whether the command line is that of our program: installed, as a module, or from a stick."""
    python, *rest = one.words
    if not Path(python).name.startswith(("python", "pypy")):
        return False  # an editor, or a shell, with a file of our name
    if ("-m", "client") in pairwise(rest):
        return any(_same(folder / "client/__main__.py") for folder in _search(one))
    script = next((word for word in rest if not word.startswith("-")), "")
    if Path(script).name == "start.py":
        return any((_cwd(one.pid) / script).parent.glob("wheels/sanylau-*.whl"))
    return Path(script).name == "sanylau"


def _search(one: Process) -> Iterator[Path]:
    """Return where the process looks for modules first, as far as can be told from outside."""
    yield _cwd(one.pid)
    for word in _words(one.pid, "environ"):
        if word.startswith("PYTHONPATH="):
            yield from map(Path, word.partition("=")[2].split(os.pathsep))


def _cwd(pid: int) -> Path:
    with suppress(OSError):
        return Path(os.readlink(_PROC / str(pid) / "cwd"))
    return Path(os.sep)


def _same(path: Path) -> bool:
    with suppress(OSError):
        return path.samefile(_PROGRAM)
    return False


def _owner(name: str, known: dict[int, Process]) -> int:
    """Return the client that an engine's folder is named after, 0 if it is gone or counts in another container."""
    told = _OWNER.match(name)
    if told is None or told[3] != _container():
        return 0
    one = known.get(int(told[1]))
    return one.pid if one is not None and one.start == told[2] else 0


def _container() -> str:
    with suppress(OSError):
        return str(os.stat("/proc/self/ns/pid").st_ino)
    return ""


def _is_engine(one: Process) -> bool:
    """Whether it is an engine: by the mark that every one has, or by its folder where the mark cannot be read (tor)."""
    marked = any(word.startswith(f"{MARK}=") for word in _words(one.pid, "environ"))
    return marked or any(_FOLDER.search(word) for word in one.words)


def end(found: Ours, limit: float) -> int:
    """End them at once, and wait for them and for the guards to be gone. Returns how many are left after `limit` s.

    The clients go first, so that none starts an engine anew. Their terminals are emptied: a screen that was killed
    stays to be read.
    """
    terminals = {path for one in found.clients if (path := _terminal(one))} - _own_terminals()
    for one in (*found.clients, *found.engines):
        if guard_main.start_time(one.pid) == one.start:
            with suppress(OSError):
                os.kill(one.pid, _END)
    until = time.monotonic() + limit
    while (left := _left(found)) and time.monotonic() < until:
        time.sleep(_POLL)
    for path in terminals:
        platform.empty_terminal(path)
    return left


def _terminal(one: Process) -> str:
    """Return the terminal that a client shows its screen on, "" for none."""
    for number in (2, 1, 0):
        with suppress(OSError):
            path = os.readlink(_PROC / str(one.pid) / f"fd/{number}")
            if path.startswith(_TERMINALS):
                return path
    return ""


def _own_terminals() -> set[str]:
    found = set()
    for number in range(3):
        with suppress(OSError):
            found.add(os.ttyname(number))
    return found


def _left(found: Ours) -> int:
    wanted = (*found.clients, *found.engines, *found.guards)
    return sum(guard_main._runs(one.pid, one.start) for one in wanted)
