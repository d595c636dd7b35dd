"""Whole `sanylau connect` processes, watched from outside: what they say and when, and what they leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.integration.bridge_runs import Trail
from tests.servers.real import free_port

Note = Callable[[str, object], None]
"""pytest's record_property: figures of a run that the report keeps."""

ROOT: Final = Path(__file__).parents[2]
FAILOVER: Final = 3.0  # seconds: what is promised
_POLL: Final = 0.01
_FOLLOW: Final = 0.05
_ALARMS: Final = ("Traceback", "Warning", "Exception", "never retrieved", "never awaited")


@dataclass(slots=True, kw_only=True)
class Running:
    """A `connect` that runs. `told` is what it has said, each with the moment when it was read.

    `complaints` are the other lines on standard error, `command` those on standard output.
    """

    process: asyncio.subprocess.Process
    port: int
    trail: Trail
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def said(self, kind: str, since: float = 0.0, **like: Any) -> list[tuple[float, dict[str, Any]]]:
        """Return what it has said of this kind and with these values."""
        return [
            (at, one)
            for at, one in self.told
            if one["type"] == kind
            and at >= since
            and all(
                one.get("class" if name == "protection" else name) == value for name, value in like.items()
            )
        ]

    async def until(
        self, kind: str, *, since: float = 0.0, limit: float = 30.0, **like: Any
    ) -> tuple[float, dict[str, Any]]:
        """Wait until it has said that. Raises AssertionError when it ends before, or does not within `limit`."""
        await self.when(lambda: bool(self.said(kind, since, **like)), limit, f"{kind} {like}")
        return self.said(kind, since, **like)[0]

    async def when(self, there: Callable[[], bool], limit: float = 30.0, what: str = "") -> None:
        """Wait for `there`."""
        until = time.monotonic() + limit
        while not there():
            ended = self.process.returncode
            assert ended is None, (what, ended, self.told, self.complaints)
            assert time.monotonic() < until, (what, self.told[-6:], self.complaints)
            await asyncio.sleep(_POLL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the client itself."""
        os.kill(self.process.pid, number)

    async def ended(self, limit: float = 10.0) -> int:
        """Wait for the end of the client, and for everything of it to be gone within two seconds."""
        async with asyncio.timeout(limit):
            status = await self.process.wait()
        await self.trail.gone()
        return status

    @property
    def alarms(self) -> list[str]:
        """What went wrong inside."""
        return [line for line in self.complaints if any(word in line for word in _ALARMS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the check of the options asks for, and the roots that it trusts for that."""

    page: str
    plain: str
    ca: Path

    def arguments(self) -> list[str]:
        """Return the arguments that say so."""
        return [
            *("--target", f"{self.page}/small", "--bulk-target", f"{self.page}/bulk"),
            *("--plain-target", f"{self.plain}/plain", "--target-ca", str(self.ca)),
        ]


@asynccontextmanager
async def connecting(
    folder: Path,
    lines: Sequence[str],
    targets: Targets,
    *extra: str,
    before: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    port: int | None = None,
    profile: str = "fast",
    command: Sequence[str] = (),
    calm: bool = True,
    patience: tuple[float, float] = (2.0, 12.0),
) -> AsyncIterator[Running]:
    """Run `connect` on the lines of a list; kills it when the block is left, and looks what it has left behind.

    `before` is put before the whole, `command` after `--exec`; `port` 0 leaves the choice to it. With `calm`,
    nothing that looks like a bug may stand on standard error.
    """
    mark, runtime, temporary = folder / "mark", folder / "runtime", folder / "temporary"
    for path in (mark, runtime, temporary):
        path.mkdir(mode=0o700, exist_ok=True)
    (folder / "list").write_text("\n".join([*lines, ""]))
    around = {**os.environ, "LANGUAGE": "en", "TMPDIR": str(temporary), "XDG_RUNTIME_DIR": str(runtime)}
    around |= {"PYTHONDEVMODE": "", "HOME": str(folder)} | dict(env or {})
    around["PATH"] = os.pathsep.join(["/usr/sbin", "/sbin", around["PATH"], str(mark)])
    port = free_port() if port is None else port
    given = [] if port == 0 else ["--port", str(port)]
    whole = [
        *(*before, sys.executable, "-m", "client", "connect", str(folder / "list"), "--yes", "--json"),
        *("--profile", profile, *given, *targets.arguments()),
        *("--connect-timeout", str(patience[0]), "--timeout", str(patience[1]), *extra),
        *(("--exec", *command) if command else ()),
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *whole,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        limit=1 << 20,
        env=around,
        start_new_session=True,
    )
    running = Running(process=process, port=port, trail=Trail(mark=os.fsencode(mark), root=process.pid))
    async with asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(part) for part in (_listen(running), _complain(running), _follow(running))
        ]
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
                process.kill()
            await process.wait()
            await asyncio.wait(helpers[:2], timeout=1)
            for helper in helpers:
                helper.cancel()
            await running.trail.gone()
    assert list(runtime.iterdir()) == []
    assert list(temporary.iterdir()) == []
    assert not calm or not running.alarms, running.complaints


async def _listen(running: Running) -> None:
    assert running.process.stdout is not None
    async for line in running.process.stdout:
        if not _take(running, line):  # it is a word of the command of --exec
            running.command.append(line.decode(errors="replace").rstrip())


def _take(running: Running, line: bytes) -> bool:
    """Take what it tells; say whether it was that."""
    at = time.monotonic()
    if not line.startswith(b'{"v": 1'):
        return False
    told = json.loads(line)
    if told["type"] == "listening":
        running.port = told["port"]
    running.told.append((at, told))
    return True


async def _complain(running: Running) -> None:
    assert running.process.stderr is not None
    async for line in running.process.stderr:
        if not _take(running, line):  # with --exec all of our words come here
            running.complaints.append(line.decode(errors="replace").rstrip())


async def _follow(running: Running) -> None:
    while True:
        running.trail.look()
        await asyncio.sleep(_FOLLOW)
