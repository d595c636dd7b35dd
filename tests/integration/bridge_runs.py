"""Whole `sanylau check` processes over bridges, watched from outside: what they start and what they leave behind.

A process is known as one of the run by a folder in its PATH that nobody else has; engines are given that PATH too.
tor hides its surroundings from an ordinary user, so descendants are followed as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from client.drill.stage import stage
from transports import guard_main

ROOT: Final = Path(__file__).parents[2]
WITHIN: Final = 2.0  # seconds in which everything has to be gone
_POLL: Final = 0.02
_FOLDER: Final = re.compile(rb"/(?:dev/shm|tmp|run)[^\0\n\"]*?/sanylau-[^/\0\n\"]+")


@dataclass(slots=True, kw_only=True)
class Trail:
    """The processes of a run (pid to start time), their command lines, and the folders that they were given."""

    mark: bytes
    root: int = 0
    seen: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Take down what runs now."""
        processes = {int(name) for name in os.listdir("/proc") if name.isdecimal()}
        parents = {pid: int((guard_main._stat(pid) or ["", "0"])[1]) for pid in processes}
        for pid in sorted(processes):
            mine = parents[pid] == self.root or (parents[pid] in self.seen and parents[pid] > 1)
            surroundings = _read(pid, "environ")
            if pid != self.root and (mine or self.mark in surroundings):
                command = _read(pid, "cmdline")
                self.seen.setdefault(pid, guard_main.start_time(pid))
                name = os.path.basename(os.fsdecode(command.split(b"\0")[0]))
                self.names[pid] = name or self.names.get(
                    pid, ""
                )  # it has none between fork and exec, nor at its end
                self.folders |= {
                    os.fsdecode(path) for path in _FOLDER.findall(surroundings + b"\0" + command)
                }

    def running(self, name: str = "") -> list[int]:
        """Return the processes that still run, or those of this name."""
        return [
            pid
            for pid, start in self.seen.items()
            if guard_main._runs(pid, start) and name in ("", self.names[pid])
        ]

    async def gone(self) -> None:
        """Wait until nothing of the run is left. Raises AssertionError that says what is."""
        until = asyncio.get_running_loop().time() + WITHIN
        while True:
            self.look()
            left = [self.names[pid] for pid in self.running()]
            left += [path for path in self.folders if os.path.lexists(path)]  # noqa: ASYNC240 - a test may block
            if not left:
                return
            assert asyncio.get_running_loop().time() < until, left
            await asyncio.sleep(_POLL)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@dataclass(slots=True, kw_only=True)
class Watched:
    """A check that runs. `told` is what it has said so far."""

    process: asyncio.subprocess.Process
    trail: Trail
    told: list[dict[str, Any]] = field(default_factory=list)
    errors: bytes = b""
    peak_kib: int = 0

    @property
    def results(self) -> dict[int, dict[str, Any]]:
        """The results by line."""
        return {said["line"]: said for said in self.told if said["type"] == "result"}

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self.process.returncode

    @property
    def is_calm(self) -> bool:
        """Whether nothing went wrong inside; how far tor is may be told."""
        return not any(word in self.errors for word in (b"Traceback", b"Warning", b"Error", b"xception"))

    async def until(self, there: Callable[[], bool], limit: float = 30.0) -> None:
        """Wait for `there`. Raises TimeoutError, or AssertionError when the run ends before."""
        async with asyncio.timeout(limit):
            while not there():
                assert self.status is None, (self.told, self.errors)
                await asyncio.sleep(_POLL)

    async def ended(self, limit: float = 60.0) -> int:
        """Wait for the end of the client, and for everything of it to be gone."""
        async with asyncio.timeout(limit):
            status = await self.process.wait()
        await self.trail.gone()
        return status


@asynccontextmanager
async def checking(
    folder: Path,
    lines: Sequence[str],
    torrc: str,
    *,
    extra: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    patience: tuple[float, float] = (4.0, 30.0),
) -> AsyncIterator[Watched]:
    """Run `check` on bridge lines, with an origin as its target; kills it when the block is left.

    `before` is put before the command; `patience` is the time limit of a connection and of a candidate.
    """
    async with stage([]) as played:
        origin = played.origin
        mark, runtime, temporary = folder / "mark", folder / "runtime", folder / "temporary"
        for path in (mark, runtime, temporary):
            path.mkdir(mode=0o700, exist_ok=True)
        for name, text in {"bridges": "\n".join(lines), "torrc": torrc, "ca": origin.ca_pem}.items():
            (folder / name).write_text(text)
        surroundings = {
            **os.environ,
            "LANGUAGE": "en",
            "TMPDIR": str(temporary),
            "XDG_RUNTIME_DIR": str(runtime),
        }
        surroundings |= env or {}
        surroundings["PATH"] = os.pathsep.join([surroundings["PATH"], str(mark)])
        command = [
            *before,
            sys.executable,
            "-m",
            "client",
            "check",
            str(folder / "bridges"),
            "--yes",
            "--json",
        ]
        command += ["--profile", "fast", "--torrc", str(folder / "torrc"), "--target-ca", str(folder / "ca")]
        command += ["--target", f"https://127.0.0.1:{origin.https_port}/small"]
        command += ["--bulk-target", f"https://127.0.0.1:{origin.https_port}/bulk"]
        command += ["--connect-timeout", str(patience[0]), "--timeout", str(patience[1]), *extra]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            stdout=pipe,
            stderr=pipe,
            limit=1 << 20,
            env=surroundings,
            start_new_session=True,
        )
        watched = Watched(process=process, trail=Trail(mark=os.fsencode(mark), root=process.pid))
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(part(watched)) for part in (_listen, _complain, _follow)]
            try:
                yield watched
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                await asyncio.wait(helpers[:2], timeout=1)
                for helper in helpers:
                    helper.cancel()
        assert list(runtime.iterdir()) == []
        assert list(temporary.iterdir()) == []


async def _listen(watched: Watched) -> None:
    assert watched.process.stdout is not None
    async for line in watched.process.stdout:
        watched.told.append(json.loads(line))


async def _complain(watched: Watched) -> None:
    assert watched.process.stderr is not None
    watched.errors = await watched.process.stderr.read()


async def _follow(watched: Watched) -> None:
    while True:
        watched.trail.look()
        peak = re.search(rb"VmHWM:\s+(\d+)", _read(watched.process.pid, "status"))
        watched.peak_kib = max(watched.peak_kib, int(peak[1]) if peak else 0)
        await asyncio.sleep(_POLL)
