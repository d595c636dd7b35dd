"""What is in a folder, for choosing a file. Blocking: call it in a thread."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from client.i18n import _
from client.model import N_, Rejected
from client.text import printable

MOST: Final = 5000


class Kind(StrEnum):
    """What an entry is, links followed."""

    FOLDER = "folder"
    FILE = "file"
    OTHER = "other"  # a pipe, a device, a socket
    BROKEN = "broken"  # a link that leads nowhere, or what we may not look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a folder. `size` is in bytes; `link` says that the name is a symbolic link."""

    name: str
    kind: Kind
    size: int = 0
    link: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder: everything in it, hidden names too, folders first. `more` counts what is not listed."""

    path: Path
    entries: tuple[Entry, ...]
    more: int = 0


def listing(path: Path) -> Listing:
    """Return what is in a folder. Raises Rejected."""
    try:
        with os.scandir(path) as found:
            entries: list[Entry] = []
            more = 0
            for one in found:
                if len(entries) < MOST:
                    entries.append(_entry(one))
                else:
                    more += 1
    except NotADirectoryError:
        raise Rejected(N_("this is no folder")) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "?"
        raise Rejected(N_("cannot be read ({why})"), why=why) from None
    entries.sort(key=lambda entry: (entry.kind is not Kind.FOLDER, entry.name.casefold(), entry.name))
    return Listing(path, tuple(entries), more)


def _entry(one: os.DirEntry[str]) -> Entry:
    link = False
    try:
        link = one.is_symlink()
        status = one.stat()
    except (OSError, ValueError):
        return Entry(name=one.name, kind=Kind.BROKEN, link=link)
    if stat.S_ISDIR(status.st_mode):
        return Entry(name=one.name, kind=Kind.FOLDER, link=link)
    kind = Kind.FILE if stat.S_ISREG(status.st_mode) else Kind.OTHER
    return Entry(name=one.name, kind=kind, size=status.st_size, link=link)


def beginning(near: str) -> Path:
    """Return the folder to begin in: that of `near` if there is one, else where the program was started."""
    try:
        path = Path(near).expanduser().absolute() if near.strip() else Path.cwd()
        if not path.is_dir():
            path = path.parent if path.parent.is_dir() else Path.cwd()
        return Path.home() if path == Path(path.anchor) and not near.strip() else path
    except (OSError, RuntimeError, ValueError):  # the folder has gone, or nobody knows where home is
        return Path(os.path.abspath(os.sep))


def sized(size: int) -> str:
    """Return a file's size with its unit."""
    if size < 1024:
        return _("{n} B", n=size)
    if size < 1024 * 1024:
        return _("{n} KiB", n=f"{size / 1024:.1f}")
    return _("{n} MiB", n=f"{size / 1024 / 1024:.1f}")


def fitted(name: str, width: int) -> str:
    """Return a name as it may be shown in `width` cells. Its end stays: that tells what kind of file it is."""
    shown = printable(name, max(len(name), 1))
    if cell_len(shown) <= width:
        return shown
    end = shown[-max(1, width // 3) :]
    while end and cell_len(end) > max(1, width // 3):
        end = end[1:]
    room = width - cell_len(end) - 1
    start = shown[: max(0, room)]
    while start and cell_len(start) > room:
        start = start[:-1]
    return f"{start}…{end}"
