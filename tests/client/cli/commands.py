"""Running the command line as a person does: its own process, with a terminal or without one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from client.drill.stage import Placed, Stage

ROOT = Path(__file__).parents[3]
LIMIT = 20.0
# Takes the terminal named first as its own, and where asked as its standard streams too.
_ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
terminal = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
for number in map(int, sys.argv[2]):
    os.dup2(terminal, number)
os.execv(sys.executable, [sys.executable, "-m", "client", *sys.argv[3:]])
"""


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str
    shown: str = ""  # what its terminal showed

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.objects() if one["type"] == kind]

    @property
    def everything(self) -> str:
        return self.out + self.err + self.shown


def surroundings(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"} | dict(more or {})


@asynccontextmanager
async def started(
    *arguments: str, env: Mapping[str, str] | None = None, **more: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start `sanylau` without a terminal; it is gone when the block is left."""
    pipes = {
        "stdin": asyncio.subprocess.PIPE,
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "client",
        *arguments,
        env=surroundings(env),
        cwd=ROOT,
        start_new_session=True,
        **(pipes | more),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def sanylau(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, **more: Any
) -> Ended:
    async with started(*arguments, env=env, **more) as process:
        out, err = await asyncio.wait_for(process.communicate(stdin), LIMIT)
        assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), (err or b"").decode())


@dataclass
class Terminal:
    """The other end of a terminal: what it showed so far, and a way to type."""

    master: int
    process: asyncio.subprocess.Process
    shown: bytearray = field(default_factory=bytearray)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, words: str) -> None:
        async with asyncio.timeout(LIMIT):
            while words.encode() not in self.shown:
                await self.came.wait()
                self.came.clear()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def end(self) -> Ended:
        out, err = await asyncio.wait_for(self.process.communicate(), LIMIT)
        await asyncio.sleep(0.05)
        assert self.process.returncode is not None
        return Ended(
            self.process.returncode,
            (out or b"").decode(),
            (err or b"").decode(),
            self.shown.decode("utf-8", "replace"),
        )


@asynccontextmanager
async def on_terminal(
    *arguments: str, streams: str = "012", stdin: bytes | None = None, env: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """Start `sanylau` on a terminal of 80x24. `streams` are those that lead to it; the others are pipes."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _ON_TERMINAL,
        os.ttyname(slave),
        streams,
        *arguments,
        env=surroundings({"TERM": "xterm-256color", **(env or {})}),
        cwd=ROOT,
        stdin=pipe if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
    )
    terminal = Terminal(master, process)
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()

    def take() -> None:
        try:
            terminal.shown += os.read(master, 65536)
            terminal.came.set()
        except OSError:
            loop.remove_reader(master)

    loop.add_reader(master, take)
    try:
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)


def line_for(placed: Placed) -> str:
    return placed.endpoint().reveal()


def write_list(path: Path, lines: Sequence[str]) -> str:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def toward(playing: Stage, folder: Path, *, total: float = 4.0) -> list[str]:
    """Return the options that lead a check to the drill's pages."""
    at = playing.origin
    ca = folder / "ca.pem"
    ca.write_text(at.ca_pem, "ascii")
    return [
        "--target",
        f"https://localhost:{at.https_port}/small",
        "--bulk-target",
        f"https://localhost:{at.https_port}/bulk",
        "--plain-target",
        f"http://localhost:{at.http_port}/plain",
        "--target-ca",
        str(ca),
        "--profile",
        "fast",
        "--timeout",
        str(total),
    ]
