"""A check whose bridge carries the list of relays slowly, and a system without a folder in memory: real tor."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from client.drill.serving import ENDED, Peer, holding, reach, serving
from client.drill.stage import Stage, stage
from client.drill.tornet import TorBridge, TorNet
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)

ROOT = Path(__file__).parents[2]
TOTAL = 5.0  # seconds for the whole try; what the list of relays takes does not count
RATE = 1800  # bytes a second while it is slow
OPENING = 9 * 1024  # bytes that tor's connection gets at full speed: its handshakes, and who the bridge is
SLOW = 12 * 1024  # bytes at RATE: most of the private network's list


async def _all(source: Peer, sink: Peer) -> None:
    while data := await source.read():
        await sink.send(data)


async def _slowly(source: Peer, sink: Peer) -> None:
    passed = 0
    while data := await source.read(RATE // 10):
        await sink.send(data)
        passed += len(data)
        if OPENING < passed < OPENING + SLOW:
            await asyncio.sleep(len(data) / RATE)


@asynccontextmanager
async def slow_line(bridge: TorBridge) -> AsyncIterator[int]:
    """Pass connections on to a bridge; after the first, which is the look at it, slowly for some KiB."""
    seen = 0

    async def pass_on(peer: Peer) -> None:
        nonlocal seen
        seen += 1
        down = _slowly if seen > 1 else _all
        async with holding(await reach(bridge.host, bridge.port)) as behind, asyncio.TaskGroup() as group:
            up = group.create_task(_quietly(_all(peer, behind)))
            await _quietly(down(behind, peer))
            up.cancel()

    async with serving(pass_on) as port:
        yield port


async def _quietly(flow: Any) -> None:
    with suppress(*ENDED):
        await flow


def options(folder: Path, net: TorNet, played: Stage, lines: Sequence[str]) -> list[str]:
    (folder / "bridges.txt").write_text("\n".join(lines))
    (folder / "private.torrc").write_text(net.torrc)
    (folder / "ca.pem").write_text(played.origin.ca_pem)
    at = f"https://127.0.0.1:{played.origin.https_port}"
    return [
        *("check", str(folder / "bridges.txt"), "--yes", "--profile", "fast", "--timeout", str(TOTAL)),
        *("--torrc", str(folder / "private.torrc"), "--target-ca", str(folder / "ca.pem")),
        *("--target", f"{at}/small", "--bulk-target", f"{at}/bulk"),
    ]


async def ran(command: Sequence[str], env: dict[str, str] | None = None) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=pipe, stderr=pipe, env={**os.environ, "LANGUAGE": "en", **(env or {})}
    )
    out, err = await asyncio.wait_for(process.communicate(), 100)
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_slow_list_of_relays_is_shown_waited_for_and_counted(tornet: TorNet, tmp_path: Path) -> None:
    bridge = tornet.bridges["vanilla-1"]
    async with stage([]) as played, slow_line(bridge) as port:
        line = bridge.line.replace(f":{bridge.port} ", f":{port} ")
        command = [sys.executable, "-m", "client", *options(tmp_path, tornet, played, [line]), "--json"]
        began = time.monotonic()
        status, out, err = await ran(command)
        took = time.monotonic() - began
    told = [json.loads(one) for one in out.splitlines()]
    (result,) = [one for one in told if one["type"] == "result"]
    assert (status, result["status"]) == (0, "working"), (result["reason"], err)
    assert took > TOTAL + 1
    stages = re.findall(r"^tor at (\d+) %: (.*), (\d+) KiB loaded", err, re.MULTILINE)
    assert any(words == "it loads the list of relays" for _, words, _ in stages), err
    percents, loaded = [int(one[0]) for one in stages], [int(one[2]) for one in stages]
    assert percents == sorted(percents)
    assert loaded == sorted(loaded)
    assert loaded[-1] > 5  # KiB; the whole list of this network has about 19
    content = (result["proof"]["down_bytes"] + result["proof"]["up_bytes"]) // 1024
    assert told[-1]["moved_kib"] >= content
    assert told[0]["budget_kib"] > 5000


def without_memory(folder: Path, command: Sequence[str]) -> list[str]:
    """Return a command that runs where /dev/shm leads to the disk; skips where the system forbids that."""
    unshare = shutil.which("unshare")
    hidden = folder / "shm"
    hidden.mkdir(exist_ok=True)
    hide = [str(unshare), "-rm", "sh", "-c", 'mount --bind "$0" /dev/shm && exec "$@"', str(hidden)]
    if unshare is None or subprocess.run([*hide, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs unshare with mount namespaces")
    return [*hide, *command]


async def test_without_a_folder_in_memory_a_bridge_is_tested_only_where_the_disk_is_allowed(
    tornet: TorNet, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    env = {"TMPDIR": str(disk), "XDG_RUNTIME_DIR": ""}
    found = []
    async with stage([]) as played:
        given = options(tmp_path, tornet, played, [tornet.bridges["obfs4-1"].line])
        for more in ([], ["--disk"]):
            command = [sys.executable, "-m", "client", *given, "--json", *more]
            status, out, err = await ran(without_memory(tmp_path, command), env)
            (result,) = [one for one in map(json.loads, out.splitlines()) if one["type"] == "result"]
            found.append((status, result["status"], result["reason"]))
            assert list(disk.iterdir()) == [], err
    assert [one[:2] for one in found] == [(3, "untested"), (0, "working")], found
    assert "--disk" in found[0][2]
    assert list((tmp_path / "shm").iterdir()) == []
