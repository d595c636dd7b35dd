"""The client's end of the guard: a process that clears up when the client is gone, however it went.

The guard holds the reading end of a pipe. The system closes our end with us, also after SIGKILL, and then
the guard ends the engines that it was told of and erases their folders (`transports.guard_main`).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from transports import guard_main
from transports.types import N_, CannotMeasure

_LAST_WORDS: Final = 3.0  # seconds that the guard may need for clearing up
_LOST: Final = N_("the guard process has stopped, so no engine may run; start again")


def own_group() -> Mapping[str, Any]:
    """Return the arguments that keep a child out of the terminal's Ctrl-C and make it lead a group."""
    if sys.platform == "win32":
        return {"creationflags": 0x00000200}  # CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


class Guard:
    """Knows what has to be ended and erased. Made by `running()` only."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Guard]:
        """Start the guard; on leaving, let it clear up what was not released, and wait for it.

        Raises CannotMeasure when it cannot be started: without it no engine may run.
        """
        script = str(Path(guard_main.__file__))
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable or "python3",
                "-I",
                "-S",
                script,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                **own_group(),
            )
        except OSError as error:
            raise CannotMeasure(N_("the guard process cannot be started, so no engine may run")) from error
        try:
            yield cls(process)
        finally:
            await _dismiss(process)

    @property
    def pid(self) -> int:
        """The guard's own process number."""
        return self._process.pid

    async def adopt(self, pid: int) -> None:
        """Have process `pid`, and the group it leads, ended with us. Tell it before `pid` gets any work."""
        await self._tell(f"pid {pid} {guard_main.start_time(pid)}")

    async def release(self, pid: int) -> None:
        """Forget `pid`: it has ended."""
        await self._tell(f"gone {pid}")

    async def adopt_dir(self, path: Path) -> None:
        """Have this folder erased with us. Its name begins with "sanylau-"; raises ValueError otherwise."""
        if not guard_main.is_ours(str(path)) or "\n" in str(path):
            raise ValueError("the guard erases only folders whose name begins with " + guard_main.PREFIX)
        await self._tell(f"dir {path}")

    async def release_dir(self, path: Path) -> None:
        """Forget this folder: it was erased."""
        await self._tell(f"gone-dir {path}")

    async def _tell(self, order: str) -> None:
        pipe = self._process.stdin
        try:
            if pipe is None or self._process.returncode is not None:
                raise CannotMeasure(_LOST)
            pipe.write(order.encode("utf-8", "surrogateescape") + b"\n")
            await pipe.drain()
        except OSError as error:
            raise CannotMeasure(_LOST) from error


async def _dismiss(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_LAST_WORDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
