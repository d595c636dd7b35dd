"""The programs that people use through `sanylau connect`, as a test runs them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.integration.two_sides import FOLDERS, ROOT
from tests.servers.bridges import program

_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a program ended. `ended` is the moment, `seconds` how long it took."""

    status: int
    out: str
    err: str
    seconds: float
    ended: float


@dataclass(slots=True, kw_only=True)
class Started:
    """A program that runs."""

    process: asyncio.subprocess.Process
    begun: float

    async def done(self, limit: float = _PATIENCE) -> Done:
        """Wait for its end. Raises TimeoutError."""
        out, err = await asyncio.wait_for(self.process.communicate(), limit)
        ended = time.monotonic()
        return Done(
            status=self.process.returncode or 0,
            out=out.decode(errors="replace"),
            err=err.decode(errors="replace"),
            seconds=ended - self.begun,
            ended=ended,
        )


@asynccontextmanager
async def started(before: Sequence[str], *command: str, home: Path | None = None) -> AsyncIterator[Started]:
    """Run a program, after what is put `before` it, until the block is left."""
    around = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    around |= {"PATH": f"{FOLDERS}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    around |= {"HOME": str(home)} if home else {}
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *before,
        *command,
        cwd=ROOT,
        env=around,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Started(process=process, begun=begun)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def run(
    before: Sequence[str], *command: str, home: Path | None = None, limit: float = _PATIENCE
) -> Done:
    """Run a program to its end. Raises TimeoutError."""
    async with started(before, *command, home=home) as running:
        return await running.done(limit)


def curl(proxy: str, url: str, *more: str) -> list[str]:
    """Return the command that fetches a page through a proxy, which is given as `scheme://host:port`."""
    return ["curl", "-sS", "--max-time", "25", "--proxy", proxy, *more, url]


def clone(proxy: str, url: str, to: Path) -> list[str]:
    """Return the command by which git clones through a proxy."""
    return ["git", "-c", f"http.proxy={proxy}", "clone", "-q", url, str(to)]


def chromium(proxy: str, url: str, profile: Path) -> list[str]:
    """Return the command by which a headless Chromium shows the page as it is after its scripts have run."""
    return [
        program("chromium"),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        f"--proxy-server={proxy}",
        "--proxy-bypass-list=<-loopback>",
        "--dump-dom",
        url,
    ]


def raw(*arguments: str) -> list[str]:
    """Return the command of one of the clients in `raw_clients`."""
    return [sys.executable, "-m", "tests.integration.raw_clients", *arguments]


def report(done: Done) -> dict[str, Any]:
    """Return what one of them reports. Raises AssertionError with its complaint."""
    assert done.status == 0, (done.status, done.err)
    told: dict[str, Any] = json.loads(done.out)
    return told


def hashed(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
