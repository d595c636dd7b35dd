"""Whole checks of bridges where something of ours is missing, old, full, taken or dies: never the bridges' fault."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from client.drill.tornet import TorNet, counting
from tests.integration.bridge_runs import Watched, checking
from tests.servers.bridges import program
from tests.servers.tornet import tornet
from transports import install

__all__ = ["tornet"]
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="follows processes through /proc"),
]
GOOD = ("vanilla-1", "obfs4-1")


def apart(*commands: str) -> list[str]:
    """Return what runs a command with other mounts than everybody else's. Skips where that is not allowed."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    before = [*own, "sh", "-e", "-c", "; ".join([*commands, 'exec "$@"']), "sh"]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("needs mounts of its own")
    return before


def without(name: str) -> list[str]:
    """Return what runs a command on a system where this program may not be executed."""
    path = os.path.realpath(program(name))
    return apart(f"mount --bind /dev/null {path}")


def told(run: Watched) -> list[tuple[str, str]]:
    return [(run.results[line]["status"], run.results[line]["reason"]) for line in sorted(run.results)]


async def untested(run: Watched, why: str, *, only: Sequence[int] = (1, 2), status: int = 3) -> None:
    """Wait for the end, and hold that these lines were not tested for this reason, without any complaint."""
    assert await run.ended() == status, (run.told, run.errors)
    for line in only:
        assert run.results[line]["status"] == "untested"
        assert why in run.results[line]["reason"]
    assert run.is_calm, run.errors


async def test_without_tor_the_command_that_installs_it_is_told(tornet: TorNet, tmp_path: Path) -> None:
    lines = [tornet.bridges[name].line for name in GOOD]
    before = without("tor")
    async with checking(tmp_path, lines, tornet.torrc, before=before) as run:
        await untested(run, f"tor is missing: {install.command('tor')}")


async def test_without_obfs4proxy_its_bridges_alone_are_not_tested(tornet: TorNet, tmp_path: Path) -> None:
    lines = [tornet.bridges[name].line for name in GOOD]
    before = without("obfs4proxy")
    async with checking(tmp_path, lines, tornet.torrc, before=before) as run:
        await untested(run, f"not here: {install.command('obfs4proxy')}", only=[2], status=0)
        assert run.results[1]["status"] == "working"


async def test_a_tor_that_is_too_old_is_named_with_its_version(tornet: TorNet, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    fixture = folder / "tor"
    fixture.write_text("#!/bin/sh\necho 'Tor version 0.3.5.8.'\n")  # a fixture: it only says that it is old
    fixture.chmod(0o755)
    lines = [tornet.bridges[name].line for name in GOOD]
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    async with checking(tmp_path, lines, tornet.torrc, env=env) as run:
        await untested(run, "tor 0.3.5.8 is too old")


async def test_a_tor_that_is_killed_in_the_middle_is_started_again(tornet: TorNet, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        counters = [await stack.enter_async_context(counting(tornet.bridges[name])) for name in GOOD]
        lines = [counted.bridge.line for counted in counters]
        run = await stack.enter_async_context(checking(tmp_path, lines, tornet.torrc))
        await run.until(lambda: all(counted.connections >= 2 for counted in counters))
        (tor,) = run.trail.running("tor")
        os.kill(tor, signal.SIGKILL)
        assert await run.ended() == 0, run.errors
        assert [status for status, _ in told(run)] == ["working", "working"]
        assert list(run.trail.names.values()).count("tor") >= 2
        assert run.is_calm, run.errors


async def test_a_killed_transport_program_leaves_its_bridges_untested(tornet: TorNet, tmp_path: Path) -> None:
    async with counting(tornet.bridges["obfs4-silent"]) as silent:
        lines = [tornet.bridges["vanilla-1"].line, silent.bridge.line]
        async with checking(tmp_path, lines, tornet.torrc) as run:
            await run.until(lambda: silent.connections >= 1)
            (pid,) = run.trail.running("obfs4proxy")
            os.kill(pid, signal.SIGKILL)
            await untested(run, "obfs4proxy has stopped", only=[2], status=0)
            assert run.results[1]["status"] == "working"


@pytest.mark.parametrize(
    ("mounted", "why"),
    [
        ("size=1m", "/dev/shm is full: free"),
        ("size=64m,nr_inodes=1", "nothing can be written into /dev/shm"),
        ("size=64m,nr_inodes=4", "tor"),
        ("size=64m,ro", "there is no folder in memory"),
    ],
    ids=["full", "no entry left", "full for tor", "read only"],
)
async def test_no_room_in_memory_ends_soon_and_says_so(
    tornet: TorNet, tmp_path: Path, mounted: str, why: str
) -> None:
    lines = [tornet.bridges[name].line for name in GOOD]
    before = apart(f"mount -t tmpfs -o {mounted} tmpfs /dev/shm")
    async with checking(tmp_path, lines, tornet.torrc, before=before) as run:
        await untested(run, why)
        assert run.told[-1]["elapsed_ms"] < 20_000


async def test_a_thousand_lines_get_their_verdicts_with_few_processes_and_connections(
    tornet: TorNet, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    cert = tornet.bridges["obfs4-1"].cert
    dead = [f"127.0.0.1:{port} {number:040X}" for number in range(1, 496)]
    dead += [f"obfs4 127.0.0.1:{port} {number:040X} cert={cert} iat-mode=0" for number in range(501, 995)]
    at = {100: "vanilla-1", 300: "obfs4-1", 500: "vanilla-2", 700: "obfs4-2", 800: "obfs4-zombie"}
    at |= {200: "obfs4-wrong-fingerprint", 400: "vanilla-wrong-fingerprint", 600: "vanilla-silent"}
    at |= {900: "obfs4-wrong-cert", 950: "obfs4-silent", 960: "vanilla-website"}
    most_of = dict.fromkeys(at.values(), 2)  # for the handshakes; then tor's own, or one more after a failure
    most_of |= {"obfs4-wrong-fingerprint": 1, "vanilla-wrong-fingerprint": 1}
    most_of["obfs4-zombie"] = 3  # tor tries again with longer deadlines
    async with AsyncExitStack() as stack:
        counters = {
            name: await stack.enter_async_context(counting(tornet.bridges[name])) for name in at.values()
        }
        lines = list(dead)
        for index, name in sorted(at.items()):
            lines.insert(index, counters[name].bridge.line)
        assert len(lines) == 1000
        patience = (2.0, 12.0)
        run = await stack.enter_async_context(checking(tmp_path, lines, tornet.torrc, patience=patience))
        processes = Counter[str]()

        def busy() -> bool:
            for name in ("tor", "obfs4proxy"):
                processes[name] = max(processes[name], len(run.trail.running(name)))
            return bool(run.told and run.told[-1]["type"] == "summary")

        await run.until(busy, 90)
        assert await run.ended() == 0, run.errors
        working = {line for line, one in run.results.items() if one["status"] == "working"}
        assert working == {101, 301, 501, 701}
        assert Counter(one["status"] for one in run.results.values()) == {"working": 4, "failed": 996}
        refused = [one for line, one in run.results.items() if line - 1 not in at]
        assert {one["failure"] for one in refused} == {"connection_refused"}
        assert dict(processes) == {"tor": 1, "obfs4proxy": 1}
        seen = {name: counted.connections for name, counted in counters.items()}
        assert all(0 < seen[name] <= most for name, most in most_of.items()), seen
        assert run.peak_kib < 100 * 1024
        assert run.is_calm, run.errors


async def test_a_snowflake_that_reaches_no_broker_is_told_with_how_far_tor_came(
    tornet: TorNet, tmp_path: Path
) -> None:
    program("snowflake-client")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        ports = [closed.getsockname()[1], server.sockets[0].getsockname()[1]]
    lines = [
        f"snowflake 192.0.2.{number}:80 {number:040X} fingerprint={number:040X} url=http://127.0.0.1:{port}/"
        f" fronts=localhost ice=stun:127.0.0.1:{port}"
        for number, port in enumerate(ports, 3)
    ]
    async with server, checking(tmp_path, lines, tornet.torrc, patience=(1.0, 6.0)) as run:
        assert await run.ended() == 1, run.errors
        for one in run.results.values():
            assert (one["status"], one["step"]) == ("failed", "tor_bootstrap")
            assert one["failure"] == "generic_timeout_error"
            assert "%" in one["reason"]
        assert "snowflake-client" in run.trail.names.values()
        assert run.is_calm, run.errors
