"""The client's end of the guard: a process that clears up when the client is gone, however it went.

The guard holds the reading end of a pipe. The system closes our end with us, also after SIGKILL, and then
the guard ends the engines that it was told of, erases their folders and puts changed settings of the system back
(`transports.guard_main`).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from transports import guard_main
from transports.types import N_, CannotMeasure

_LAST_WORDS: Final = 3.0  # seconds that the guard may need for clearing up
_PATIENCE: Final = 3.0  # seconds for it to read what we tell: it may still be starting
_POLL: Final = 0.005
_LOST: Final = N_("the guard process has stopped, so no engine may run; start again")


def own_group() -> Mapping[str, Any]:
    """Return the arguments that keep a child out of the terminal's Ctrl-C and make it lead a group."""
    if sys.platform == "win32":
        return {"creationflags": 0x00000200}  # CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def fits(undo: guard_main.Undo) -> bool:
    """Say whether the guard can keep an order of this length."""
    return len(json.dumps(undo)) <= guard_main.LINE - 32


class _Process(asyncio.SubprocessProtocol):
    """The running guard, as the event loop sees it."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        """Note the end (asyncio's callback)."""
        self.ended.set()
        self._on_end()


class Guard:
    """Knows what has to be ended and erased. Made by `running()` only.

    The same is kept here: when the guard itself is ended by somebody, nobody would end the engines after us,
    so they are ended at once.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._pid = 0
        self._orders = b""
        self._undos: set[int] = set()
        self._last = 0
        self._engines: dict[int, str] = {}
        self._process = _Process(self._end_engines)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Guard]:
        """Start the guard; on leaving, let it clear up what was not released, and wait for it.

        Raises CannotMeasure when it cannot be started: without it no engine may run.
        """
        reading, writing = os.pipe()
        guard = cls(writing)
        try:
            transport = await guard._start(reading)
        except OSError as error:
            os.close(writing)
            raise CannotMeasure(N_("the guard process cannot be started, so no engine may run")) from error
        except BaseException:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        try:
            yield guard
        finally:
            await guard._dismiss(transport)

    async def _start(self, reading: int) -> asyncio.SubprocessTransport:
        if sys.platform != "win32":
            os.set_blocking(self._pipe, False)  # a guard that reads no more must not hold us up
        script = str(Path(guard_main.__file__))
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: self._process,
            sys.executable or "python3",
            "-B",
            "-I",
            "-S",
            script,
            stdin=reading,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **own_group(),
        )
        self._pid = transport.get_pid()
        return transport

    @property
    def pid(self) -> int:
        """The guard's own process number."""
        return self._pid

    async def adopt(self, pid: int) -> None:
        """Have process `pid`, and the group it leads, ended with us. Tell it before `pid` gets any work."""
        start = guard_main.start_time(pid)
        self._engines[pid] = start
        await self._tell(f"pid {pid} {start}")

    async def release(self, pid: int) -> None:
        """Forget `pid`: it has ended."""
        self._engines.pop(pid, None)
        await self._tell(f"gone {pid}")

    async def adopt_dir(self, path: Path) -> None:
        """Have this folder erased with us. Its name begins with "sanylau-"; raises ValueError otherwise."""
        if not guard_main.is_ours(str(path)) or "\n" in str(path):
            raise ValueError("the guard erases only folders whose name begins with " + guard_main.PREFIX)
        await self._tell(f"dir {path}")

    async def release_dir(self, path: Path) -> None:
        """Forget this folder: it was erased."""
        await self._tell(f"gone-dir {path}")

    async def adopt_undo(self, undo: guard_main.Undo) -> int:
        """Have this undone with us, newest first, as far as it still holds. Tell it before the change is made.

        Returns the number to release it by. Raises ValueError for what is no order, is longer than
        `guard_main.LINE`, or is one more than `guard_main.UNDOS`.
        """
        text = json.dumps(undo)
        guard_main.undo_from(text)
        if not fits(undo) or len(self._undos) >= guard_main.UNDOS:
            raise ValueError("the guard cannot keep this order")
        self._last += 1
        number = self._last
        self._undos.add(number)
        await self._tell(f"undo {number} {text}")
        return number

    async def release_undo(self, number: int) -> None:
        """Forget this order: it was carried out."""
        self._undos.discard(number)
        await self._tell(f"gone-undo {number}")

    async def _tell(self, order: str) -> None:
        if self._process.ended.is_set():
            raise CannotMeasure(_LOST)
        self._orders += order.encode("utf-8", "surrogateescape") + b"\n"
        try:
            async with asyncio.timeout(_PATIENCE):
                while not self._flushed():  # noqa: ASYNC110 - at once, and nobody tells when there is room
                    await asyncio.sleep(_POLL)
        except (OSError, TimeoutError) as error:
            raise CannotMeasure(_LOST) from error

    def _flushed(self) -> bool:
        """Write what the pipe takes. It is small for who has no rights and many pipes (pipe(7)), and may be full."""
        with suppress(BlockingIOError):
            while self._orders:
                self._orders = self._orders[os.write(self._pipe, self._orders) :]
        return not self._orders

    def _end_engines(self) -> None:
        for pid, start in self._engines.items():
            guard_main.send(pid, start, "SIGKILL")

    async def _dismiss(self, transport: asyncio.SubprocessTransport) -> None:
        os.close(self._pipe)
        ended = self._process.ended
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await ended.wait()
        except TimeoutError:
            transport.kill()
            await ended.wait()
        finally:
            transport.close()
