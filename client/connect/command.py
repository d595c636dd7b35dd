"""The command of `--exec`: it runs in the foreground with the proxy in its environment, and its end is ours."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

NOT_FOUND: Final = 127
"""What shells say of a command that is not there."""

_OWN_END: Final = 3.0  # seconds that the command may take to end by itself after Ctrl-C
_GRACE: Final = 2.0  # the same after it was told to


def is_there(command: Sequence[str]) -> bool:
    """Say whether a command can be run."""
    return bool(command) and shutil.which(command[0]) is not None


def environment(address: str, port: int, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment with the proxy in it, in the names that curl, git, pip, apt and Go read.

    `socks5h` has names resolved at the far end. An empty NO_PROXY keeps one of the person's own from leading
    programs past the proxy.
    """
    host = f"[{address}]" if ":" in address else address
    http, socks = f"http://{host}:{port}", f"socks5h://{host}:{port}"
    ours = {"ALL_PROXY": socks, "HTTP_PROXY": http, "HTTPS_PROXY": http, "NO_PROXY": ""}
    return {**(os.environ if base is None else base), **ours, **{k.lower(): v for k, v in ours.items()}}


class Command:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process, *, group: bool) -> None:
        self._process, self._group = process, group

    @classmethod
    async def started(cls, command: Sequence[str], env: Mapping[str, str]) -> Command:
        """Start it with our standard streams; off a terminal in a group of its own, to be ended with all it starts.

        Raises OSError.
        """
        program = shutil.which(command[0]) or command[0]
        group = not _shares_terminal()
        process = await asyncio.create_subprocess_exec(
            program, *command[1:], env=env, start_new_session=group
        )
        return cls(process, group=group)

    async def ended(self) -> int:
        """Wait for its end; return its status as shells give it: 128 and the signal that ended it."""
        status = await self._process.wait()
        return 128 - status if status < 0 else status

    async def end(self) -> None:
        """See to its end. Where Ctrl-C on the terminal has reached it already, it is given a moment; else told so."""
        if self._process.returncode is not None:
            return
        try:
            await self._end()
        finally:
            if self._group:  # what a shell starts in the background does not hear Ctrl-C
                self._send(signal.SIGTERM)

    async def _end(self) -> None:
        if self._group:
            self._send(signal.SIGINT)
        for limit, harder in ((_OWN_END, signal.SIGTERM), (_GRACE, None)):
            try:
                async with asyncio.timeout(limit):
                    await self._process.wait()
                    return
            except TimeoutError:
                if harder is not None:
                    self._send(harder)
        self._send(getattr(signal, "SIGKILL", signal.SIGTERM))
        await self._process.wait()

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError, ValueError):
            if self._group and sys.platform != "win32":
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


def _shares_terminal() -> bool:
    """Say whether Ctrl-C on the terminal reaches our whole group, the command with it."""
    if sys.platform == "win32":
        return True
    try:
        handle = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(handle)
