"""Walks through the guide to tor on the private network: the torrc, and what is given to the other program."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from client.drill.ca import Authority
from client.drill.origin import SMALL, playing_origin
from client.drill.tornet import TorNet
from tests.integration.test_guide_walks import command, needs, steps, typed
from tests.servers.apart import FOLDERS
from tests.servers.real import free_port
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)


@pytest.mark.parametrize(("kind", "bridge"), [("obfs4", "obfs4-1"), ("vanilla", "vanilla-1")])
async def test_tor_leads_curl_as_its_guide_says(
    tornet: TorNet, tmp_path: Path, kind: str, bridge: str
) -> None:
    needs("tor", "curl", "obfs4proxy")
    port = free_port()
    marked = typed("tor", kind, line=tornet.bridges[bridge].line)
    lines = marked[: marked.index("tor -f torrc")]
    count = {"obfs4": "three lines", "vanilla": "two lines"}[kind]
    assert count in steps("tor", kind)[0]["do"]
    assert len(lines) == {"obfs4": 3, "vanilla": 2}[kind]
    ours = [tornet.torrc, f"DataDirectory {tmp_path}/data", f"SocksPort {port}", "Log notice stdout"]
    (tmp_path / "torrc").write_text("\n".join([*lines, *ours]) + "\n")
    env = {"PATH": FOLDERS, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    argv = [word.replace("9050", str(port)) for word in command("tor", kind, "curl")]
    run = [
        *command("tor", kind, "tor -f"),
        "--defaults-torrc",
        str(tmp_path / "none"),
        "--ignore-missing-torrc",
    ]
    wanted = re.search(r'"(Bootstrapped 100% \(done\))"', steps("tor", kind)[1]["see"])
    assert wanted
    tor = await asyncio.create_subprocess_exec(
        *run, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        await asyncio.wait_for(told(tor, wanted[1]), 60)
        await fetches(argv, env, tmp_path)
    finally:
        tor.terminate()
        await asyncio.wait_for(tor.communicate(), 20)


async def told(process: asyncio.subprocess.Process, wanted: str) -> None:
    """Wait until a program says something."""
    assert process.stdout is not None
    said = b""
    while wanted.encode() not in said:
        line = await process.stdout.readline()
        assert line, said.decode(errors="replace")
        said += line


async def fetches(argv: list[str], env: dict[str, str], folder: Path) -> None:
    """Run the curl of the text, with the address of an origin here in place of the last word."""
    async with playing_origin(Authority("honest")) as origin:
        (folder / "ca.pem").write_text(origin.ca_pem)
        process = await asyncio.create_subprocess_exec(
            *argv[:-1],
            f"https://127.0.0.1:{origin.https_port}/small",
            env={**env, "CURL_CA_BUNDLE": str(folder / "ca.pem")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 40)
        assert out == SMALL
