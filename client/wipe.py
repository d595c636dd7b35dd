"""Erasing everything at once: the vault, the engines' folders, and what still runs. In under a second, and never asking.

The vault's key is overwritten before its name goes: without it the rest of the vault is noise.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from client.platform import disk_folder, onto_storage
from client.vault import place
from transports import guard_main
from transports.types import Rejected

_BUNDLE: Final = (
    guard_main.PREFIX + "bundle-"
)  # the program itself, as the start script of a stick installs it
_LOOKED_AT: Final = 10_000  # entries of a place
_MOST: Final = 1000  # folders
_PATIENCE: Final = 0.5  # seconds for what was ended to be gone
_KEYS: Final = (place.KEY, place.KEY + place.NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to erase. `vault` is the vault's folder, `files` those of its files that are there.

    `foreign` says that there is something at the vault's place that is not ours to touch (a link, somebody else's).
    `running` counts our other programs, `seen` is False where the system does not tell of them.
    """

    vault: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    program: tuple[Path, ...]
    running: int
    seen: bool
    foreign: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.files or self.folders or self.running)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiped:
    """What was done. `left` are paths that could not be erased, `still` how many programs did not end in time."""

    files: int
    folders: int
    ended: int
    left: tuple[Path, ...]
    still: int

    @property
    def is_whole(self) -> bool:
        """Whether everything that was found is gone."""
        return not self.left and not self.still


def look() -> Found:
    """Return what there is to erase. Changes nothing."""
    where = place.folder()
    files: tuple[Path, ...] = ()
    foreign = False
    try:
        files = tuple(place.files(where)) if place.check(where) else ()
    except Rejected:
        foreign = True
    folders = _folders()
    running, seen = _running(folders)
    return Found(
        vault=where,
        files=files,
        folders=tuple(path for path in folders if not path.name.startswith(_BUNDLE)),
        program=tuple(path for path in folders if path.name.startswith(_BUNDLE)),
        running=running,
        seen=seen,
        foreign=foreign,
    )


def everything() -> Wiped:
    """End what runs of ours besides this process, and erase the vault and the engines' folders."""
    found = look()
    for path in found.files:  # first: to end what runs may take longer than whoever called us can wait
        _erase(path)
    ended, still = _end(found.folders)
    left = [path for path in found.files if not _erase(path)]
    if not left and found.files:
        _remove_empty(found.vault)
    folders = tuple(path for path in _folders() if not path.name.startswith(_BUNDLE))
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    left += [path for path in folders if os.path.lexists(path)]
    return Wiped(
        files=len(found.files),
        folders=len({*folders, *found.folders}),
        ended=ended,
        left=tuple(left),
        still=still,
    )


def _places() -> Iterable[Path]:
    """Return where engines may have their folders, also those that a start with other settings would take."""
    named = ["/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""), str(disk_folder())]
    return dict.fromkeys(Path(name) for name in named if name)


def _folders() -> list[Path]:
    found: list[Path] = []
    for where in _places():
        with suppress(OSError), os.scandir(where) as entries:
            ours = (entry for entry in islice(entries, _LOOKED_AT) if guard_main.is_ours(entry.path))
            found += [Path(entry.path) for entry in ours]
    return found[:_MOST]


def _running(folders: Iterable[Path]) -> tuple[int, bool]:
    """Return how many of our programs run, and whether the system tells."""
    if not _tells():
        return 0, False
    from client import wipe_processes

    return wipe_processes.ours(folders).programs, True


def _end(folders: Iterable[Path]) -> tuple[int, int]:
    """End what runs; return how many programs that were, and how many are left."""
    if not _tells():
        return 0, 0
    from client import wipe_processes

    found = wipe_processes.ours(folders)
    return found.programs, wipe_processes.end(found, _PATIENCE)


def _tells() -> bool:
    return sys.platform != "win32" and Path("/proc/self/stat").exists()


def _erase(path: Path) -> bool:
    """Erase one file of the vault; say whether it is gone. A link goes itself, not what it leads to."""
    if path.name in _KEYS:
        _overwrite(path)
    with suppress(OSError):
        path.unlink()
    return not os.path.lexists(path)


def _overwrite(path: Path) -> None:
    """Write over the key where it lies. Flash storage writes elsewhere all the same: docs/traces.md says so."""
    flags = (
        os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with suppress(OSError):
        descriptor = os.open(path, flags)
        try:
            os.write(descriptor, os.urandom(min(os.fstat(descriptor).st_size, 1 << 16)))
            onto_storage(descriptor)
        finally:
            os.close(descriptor)


def _remove_empty(folder: Path) -> None:
    """Remove the vault's folder and, where it was made for it, the one above; neither if it holds something else."""
    with suppress(OSError):
        folder.rmdir()
        if folder.parent.name == "sanylau":
            folder.parent.rmdir()
    place.settle(folder.parent)
