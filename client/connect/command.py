"""The command of `--exec`: it runs in the foreground with the proxy in its environment, and its end is ours."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import quote

NOT_FOUND: Final = 127
"""What shells say of a command that is not there."""

DATA: Final = Path(__file__).parent.parent / "data" / "direct.toml"
_USER: Final = "x"  # any will do
_POLL: Final = 0.02
_BY_SSH: Final = re.compile(r"(?:^|\s)(?:(?:git\+)?ssh://|git://|[\w.-]{1,64}@[\w.-]{1,255}:)")
_OWN_END: Final = 3.0  # seconds that the command may take to end by itself after Ctrl-C
_GRACE: Final = 2.0  # the same after it was told to


def is_there(command: Sequence[str]) -> bool:
    """Say whether a command can be run."""
    return bool(command) and shutil.which(command[0]) is not None


def goes_direct(command: Sequence[str]) -> str:
    """Return the name of a program in it that is known to go past the proxy of its environment, "" for none.

    What else it starts cannot be known.
    """
    import tomllib

    known = tomllib.loads(DATA.read_text("utf-8"))
    direct = {name for group in known["direct"] for name in group["names"]}
    for name in _programs(command, known["before"]):
        if name in direct or (name == "git" and any(_BY_SSH.search(word) for word in command)):
            return name
    return ""


def _programs(words: Sequence[str], before: Mapping[str, Any]) -> Iterator[str]:
    """Yield the programs of a command line: behind `env`, `timeout` and their like, and in the script of a shell."""
    rest = list(words)
    while rest:
        while rest and (rest[0][:1] in "-0123456789" or "=" in rest[0]):  # options and numbers, or NAME=value
            del rest[0]
        if not rest:
            return
        name = PurePath(rest.pop(0).strip("'\"")).name.lower().removesuffix(".exe")
        if name in before["shells"]:
            flags = (at for at, word in enumerate(rest[:-1]) if re.fullmatch(r"-[a-z]*c", word))
            script = next((rest[at + 1] for at in flags), "")
            for part in re.split(r"[;&|()`\n]+", script):
                yield from _programs(part.split(), before)
            return
        if name not in before["names"]:
            yield name
            return


def environment(
    address: str, port: int, base: Mapping[str, str] | None = None, *, password: str = ""
) -> dict[str, str]:
    """Return the environment with the proxy in it, in the names that curl, git, pip, apt and Go read.

    `socks5h` has names resolved at the far end. An empty NO_PROXY keeps one of the person's own from leading
    programs past the proxy.
    """
    host = f"[{address}]" if ":" in address else address
    if password:
        host = f"{_USER}:{quote(password, safe='')}@{host}"
    http, socks = f"http://{host}:{port}", f"socks5h://{host}:{port}"
    ours = {"ALL_PROXY": socks, "HTTP_PROXY": http, "HTTPS_PROXY": http, "NO_PROXY": ""}
    return {**(os.environ if base is None else base), **ours, **{k.lower(): v for k, v in ours.items()}}


class Command:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process, *, group: bool) -> None:
        self._process, self._group = process, group

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

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
        """See to its end. Where Ctrl-C on the terminal has reached it already, it is given a moment; else told so.

        Off a terminal what it has left in the background is ended too: it would go on without the proxy.
        """
        try:
            if self._process.returncode is None:
                await self._end()
        finally:
            if self._group:
                self._group = False
                await self._end_group()

    async def _end_group(self) -> None:
        """End those of the group that the command has left. It keeps its number as long as there are some."""
        if sys.platform == "win32":
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)
            until = asyncio.get_running_loop().time() + _GRACE
            while asyncio.get_running_loop().time() < until:
                await asyncio.sleep(_POLL)
                os.killpg(self._process.pid, 0)
            os.killpg(self._process.pid, signal.SIGKILL)

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
