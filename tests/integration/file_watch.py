"""A watch over every file operation of a whole session, by strace: what may be written, and what was written besides.

The watch sees the process and all that it starts, to their ends. It could not see what is done through an io_uring, so
to set one up is an offence too; uvloop, which has one for its polling, is left out (`PLAIN`).
An operation that failed counts like one that worked: on another machine it would have worked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLAIN: Final[Mapping[str, str]] = {"SANYLAU_LOOP": "asyncio", "PYTHONDONTWRITEBYTECODE": ""}
_CHANGES: Final = """
    open openat openat2 creat open_by_handle_at rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat
    mknod mknodat truncate ftruncate fallocate unlink unlinkat rmdir chmod fchmod fchmodat fchmodat2 chown lchown
    fchown fchownat utime utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr
    fremovexattr copy_file_range mount umount2 move_mount pivot_root swapon io_uring_setup bind connect execve
"""
_OPENS: Final = ("open", "openat", "openat2", "open_by_handle_at")
_WRITES: Final = re.compile(r"\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
_CALL: Final = re.compile(r"(\w+)\((.*)\) += (.*)\Z", re.DOTALL)
_CUT: Final = re.compile(r"(\w+)\((.*)<unfinished \.\.\.>\Z", re.DOTALL)
_STRING: Final = r'(@?)"((?:[^"\\]|\\.)*)"(\.\.\.)?'
_PATH: Final = re.compile(r"(?:(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>, )?" + _STRING)
_HANDLE: Final = re.compile(r"-?\d+<((?:[^>\\]|\\.)*)>")
_SOCKET: Final = re.compile(r"sa_family=AF_UNIX, sun_path=" + _STRING)

# What may be opened for writing: nothing of it is on a disk, and nothing of it can be read by others.
DEVICES: Final = re.compile(r"/dev/(?:null|tty|ptmx|pts/\d+)\Z")
MEMORY: Final = re.compile(r"/dev/shm/sanylau-[^/]+(?:/.*)?\Z", re.DOTALL)
KERNEL: Final = re.compile(r"/proc/(?:self|\d+)/coredump_filter\Z")  # a setting of the process itself
ANONYMOUS: Final = re.compile(r"(?:/memfd:.*|(?:socket|pipe|anon_inode):.*)\Z", re.DOTALL)
# Whom a session may speak to on this machine besides TCP and UDP: the cache of names that every program's C library asks.
ASKED: Final = re.compile(r"(?:/var/run/nscd/socket|/dev/null)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation that changes a file system, or leaves it open whether it does."""

    call: str
    path: str

    @property
    def is_allowed(self) -> bool:
        """Whether nothing of it can stay on a disk."""
        if self.call == "connect":
            return ASKED.match(self.path) is not None
        changes_device = self.call not in (*_OPENS, "creat")  # a device may be written to, but not removed
        kinds = (MEMORY, KERNEL, ANONYMOUS) if changes_device else (MEMORY, KERNEL, ANONYMOUS, DEVICES)
        return any(kind.match(self.path) for kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What strace writes for a command, one file a thread. The folder is not among those that are watched."""

    folder: Path

    @property
    def before(self) -> list[str]:
        """What is put before a command to have it watched."""
        strace = shutil.which("strace") or "strace"
        calls = ",".join(f"?{name}" for name in _CHANGES.split())
        options = ["-ff", "--seccomp-bpf", "-qq", "-y", "-v", "-s", "4096", "-e", "signal=none"]
        environment = [f"--env={name}={value}" for name, value in PLAIN.items()]
        return [
            strace,
            *options,
            *environment,
            "-e",
            f"trace={calls}",
            "-o",
            str(self.folder / "calls"),
            "--",
        ]

    @property
    def programs(self) -> set[str]:
        """The names of the programs that were started: what shows that the watch was not blind."""
        lines = (found for line in self._lines() if (found := re.match(r'execve\("([^"]+)"', line)))
        return {os.path.basename(found[1]) for found in lines}

    @property
    def operations(self) -> list[Operation]:
        """All that was seen, allowed or not."""
        return [seen for line in self._lines() for seen in read(line)]

    @property
    def offences(self) -> list[Operation]:
        """What must not be, each once."""
        return list(dict.fromkeys(seen for seen in self.operations if not seen.is_allowed))

    def _lines(self) -> Iterator[str]:
        for path in sorted(self.folder.glob("calls.*")):
            yield from path.read_text("utf-8", "replace").splitlines()


def read(line: str) -> tuple[Operation, ...]:
    """Return what a line of strace tells, one for each path that is changed. What is not understood is an offence. Pure."""
    if not line or line.startswith(("+++", "---", "execve(")):
        return ()
    whole = _CALL.match(line)
    cut = None if whole else _CUT.match(line)
    if not whole and not cut:
        return (Operation(call="not understood", path=line),)
    call, given, result = whole.groups() if whole else (*cut.groups(), "?")  # type: ignore[union-attr]
    if call in _OPENS and not _WRITES.search(_PATH.sub("", given, count=1)):
        return ()
    paths = _of_socket(call, given) if call in ("bind", "connect") else _paths(call, given, result)
    return tuple(Operation(call=call, path=path) for path in paths)


def _of_socket(call: str, given: str) -> list[str]:
    """A socket of a name in the file system; a name that begins with a null byte (@) is in no file system."""
    if "AF_UNIX" not in given:
        return []
    named = _SOCKET.search(given)
    if named is None or (named[1] and call == "bind"):
        return [] if call == "bind" else [given]
    return [named[1] + named[2]]


def _paths(call: str, given: str, result: str) -> list[str]:
    """Return the paths that are changed: the real one where a descriptor came of it."""
    opened = _HANDLE.match(result)
    if opened and call in (*_OPENS, "creat"):
        return [opened[1]]
    named = [
        os.path.normpath(os.path.join(folder or "", name + cut))
        for folder, _, name, cut in _PATH.findall(given)
    ]
    return named or _HANDLE.findall(given)[:1] or [given]


def works() -> bool:
    """Say whether processes may be watched here."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    done = subprocess.run(
        [strace, "-ff", "--seccomp-bpf", "-qq", "-o", os.devnull, "true"],
        check=False,
        capture_output=True,
        timeout=10,
    )
    return done.returncode == 0
