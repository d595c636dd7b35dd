"""Outside programs: finding them, and running them so that they never outlive us.

Each program leads its own process group (Ctrl-C in the terminal reaches us, not it), is known to the guard
before it is told what to do, and is ended with its group when its block is left.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final, cast

from transports.guard import Guard, own_group
from transports.types import N_, CannotMeasure

_LINE: Final = 4096  # bytes of one line of output that we keep
_FULL: Final = N_("{folder} is full: free {mib} MiB in it, then run the check again")
_NO_FOLDER: Final = N_("nothing can be written into {folder}: see to that, then run the check again")
_LET_GO: Final = 0.05  # seconds
_STOP: Final = 1.0  # seconds between asking a program to end and ending it


def on_path(name: str, *more: str) -> Path | None:
    """Return the program `name` of the search path, else of the folders `more`."""
    return next(within(name, [*search_path(), *more]), None)


def search_path() -> list[str]:
    """Return the folders of the search path as they stand there."""
    return os.environ.get("PATH", os.defpath).split(os.pathsep)


def within(name: str, folders: Iterable[str]) -> Iterator[Path]:
    """Yield the programs `name` in those `folders` that are whole paths.

    Others, such as "" and ".", mean the folder that one happens to be in, which Windows would even search first:
    a program must not be started because it lies there.
    """
    ending = ".exe" if sys.platform == "win32" else ""
    for folder in filter(os.path.isabs, folders):
        path = Path(folder, name + ending)
        if path.is_file() and os.access(path, os.X_OK):
            yield path


def runnable(path: Path) -> Path:
    """Return `path` if it is a file that may be executed. Raises CannotMeasure that says what it is."""
    if not path.is_file():
        raise CannotMeasure(N_("there is no program at the path that was given"))
    if not os.access(path, os.X_OK):
        raise CannotMeasure(N_("the program is there, but may not be executed: chmod +x it"))
    return path


@contextmanager
def roomy(folder: Path, room: int) -> Iterator[None]:
    """Make something in `folder`, which must have `room` bytes free. Raises CannotMeasure where it cannot be."""
    try:
        if shutil.disk_usage(folder).free < room:
            raise CannotMeasure(_FULL, folder=str(folder), mib=-(-room // 2**20))
        yield
    except OSError as error:
        raise CannotMeasure(_NO_FOLDER, folder=str(folder)) from error


class Program(asyncio.SubprocessProtocol):
    """A running program. Its output is taken line by line as it comes, so its pipes never fill up."""

    def __init__(self, on_line: Callable[[str], None], on_end: Callable[[], None]) -> None:
        self._on_line, self._on_end = on_line, on_end
        self._held: dict[int, bytes] = {}
        self._transport: asyncio.SubprocessTransport | None = None
        self.ended = asyncio.Event()
        self.drained = asyncio.Event()
        self.pid = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio's callback)."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Cut output into lines (asyncio's callback); of an overlong line the begin is kept."""
        *lines, rest = (self._held.get(fd, b"") + data).split(b"\n")
        self._held[fd] = rest[:_LINE]
        for line in lines:
            self._on_line(line[:_LINE].decode("utf-8", "replace"))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Hand out an unfinished last line (asyncio's callback)."""
        rest = self._held.pop(fd, b"")
        if rest:
            self._on_line(rest.decode("utf-8", "replace"))

    def process_exited(self) -> None:
        """Note the end (asyncio's callback), and end at once what the program has left running."""
        self._signal("SIGKILL")  # later the number could belong to somebody else's group
        self.ended.set()
        self._on_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it has ended and all of its output was seen (asyncio's callback)."""
        self.drained.set()

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._transport.get_returncode() if self._transport else None

    def feed(self, data: bytes) -> None:
        """Write `data` to its standard input and close that."""
        if self._transport is None:
            return
        pipe = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if pipe is not None:
            with suppress(RuntimeError, OSError):  # it has ended already, which `ended` tells
                pipe.write(data)
                pipe.close()

    async def stop(self) -> None:
        """Ask it to end, wait a second, end it and what it has started."""
        try:
            if not self.ended.is_set():
                self._signal("SIGTERM")
                async with asyncio.timeout(_STOP):
                    await self.ended.wait()
        except TimeoutError:
            pass
        finally:
            if not self.ended.is_set():
                self._signal("SIGKILL")
                await self.ended.wait()

    def _signal(self, name: str) -> None:
        group = getattr(os, "killpg", None)
        with suppress(OSError):
            if group is not None:
                group(self.pid, getattr(signal, name))
            elif self._transport is not None:
                self._transport.terminate()


def _nothing() -> None:
    return None


MARK: Final = "SANYLAU_ENGINE"
"""In the environment of every engine: what is left of one whose client and guard were both killed is known by it."""


def _environment() -> dict[str, str]:
    """Return what a program needs to run at all; proxies, roots and switches of the person's stay out.

    sing-box would tell the system's services, which keep logs, what it looks up: it is shown no way to their bus.
    """
    kept = ("SYSTEMROOT", "SYSTEMDRIVE", "PATH", "PREFIX", "LD_LIBRARY_PATH", "LD_PRELOAD", "ANDROID_DATA")
    return {
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/dev/null",
        MARK: "1",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


@asynccontextmanager
async def program(
    command: Sequence[str],
    *,
    guard: Guard | None,
    feed: bytes | None = b"",
    on_line: Callable[[str], None],
    on_end: Callable[[], None] = _nothing,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """Run `command` for the length of the block, with `feed` as its whole standard input.

    With `feed` None its input stays open and empty until the block is left, for programs that end with it.
    The guard knows of it before it gets its input, so one that waits for its input cannot be orphaned.
    `guard` is None only for what ends by itself at once. `on_line` gets both outputs, line by line.
    Raises CannotMeasure when it cannot be started.
    """
    loop = asyncio.get_running_loop()
    surroundings = _environment() | dict(env or {})
    try:
        transport, running = await loop.subprocess_exec(
            lambda: Program(on_line, on_end), *command, env=surroundings, **own_group()
        )
    except OSError as error:
        raise CannotMeasure(N_("the program cannot be started: is it made for this computer?")) from error
    except asyncio.CancelledError:
        await asyncio.sleep(_LET_GO)  # the loop ends the half-started program, and may itself be closed next
        raise
    try:
        if guard is not None:
            await guard.adopt(running.pid)
        if feed is not None:
            running.feed(feed)
        yield running
    finally:
        try:
            await running.stop()
        finally:
            transport.close()
        if guard is not None:
            with suppress(CannotMeasure):  # without a guard there is nobody left to be told
                await guard.release(running.pid)


async def output(
    command: Sequence[str], *, guard: Guard | None, feed: bytes = b"", limit: float
) -> tuple[int, list[str]]:
    """Run `command` to its end; return its exit status and the lines of both outputs, 200 at most.

    `limit` is in seconds. Raises TimeoutError, or CannotMeasure when it cannot be started.
    """
    lines: list[str] = []

    def keep(line: str) -> None:
        if len(lines) < 200:
            lines.append(line)

    async with program(command, guard=guard, feed=feed, on_line=keep) as running, asyncio.timeout(limit):
        await running.drained.wait()
        return running.status or 0, lines
