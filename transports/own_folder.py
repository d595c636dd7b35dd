"""Folders for engines, which hold addresses of bridges: erased at the end, by the guard, or by whoever comes next.

A folder's name tells whose it is: process number and start time, and the container that both count in. Should the
client and its guard be killed together, the next engine that starts in the same place erases what they have left.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from transports import guard_main
from transports.engines import roomy
from transports.guard import Guard
from transports.types import CannotMeasure

_NAME: Final = re.compile(
    re.escape(guard_main.PREFIX) + r"(?:tor|pt)-([0-9]{1,10})\.([0-9]{1,20}|-)\.([0-9]{1,20})-\w+\Z", re.ASCII
)
_LOOKED_AT: Final = 10_000  # entries of the place
_MOST: Final = 100  # folders at a time


@asynccontextmanager
async def own_folder(kind: str, place: Path, room: int, guard: Guard) -> AsyncIterator[Path]:
    """Give a new folder in `place`, which must have `room` bytes free; it goes with the block, or with us.

    `kind` is "tor" or "pt". Erases what others of us have left there. Raises CannotMeasure.
    """
    await asyncio.to_thread(_erase_left, place)
    with roomy(place, room):
        path = Path(tempfile.mkdtemp(prefix=f"{guard_main.PREFIX}{kind}-{_owner()}-", dir=place))
    try:
        await guard.adopt_dir(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(CannotMeasure):  # without a guard there is nobody left to be told
            await guard.release_dir(path)


def _owner() -> str:
    pid = os.getpid()
    return f"{pid}.{guard_main.start_time(pid)}.{_container()}"


def _container() -> str:
    """Return what tells our process numbers from another container's, which may share this memory (namespaces(7))."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"


def _erase_left(place: Path) -> None:
    """Erase the folders in `place` that are ours and whose owner is gone. Follows no link."""
    with suppress(OSError), os.scandir(place) as entries:
        left = [entry.path for entry in islice(entries, _LOOKED_AT) if _is_left(entry.name)]
        for path in filter(guard_main.is_ours, left[:_MOST]):
            shutil.rmtree(path, ignore_errors=True)


def _is_left(name: str) -> bool:
    told = _NAME.match(name)
    return told is not None and told[3] == _container() and not guard_main._runs(int(told[1]), told[2])
