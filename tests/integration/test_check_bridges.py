"""The whole check over real Tor bridges on a private network: who carries traffic, and who only answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from client.drill.stage import stage
from client.drill.tornet import TorNet
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)

ROOT = Path(__file__).parents[2]
SENT = {
    "vanilla-1": ("working", None),
    "vanilla-2": ("working", None),
    "obfs4-1": ("working", None),
    "obfs4-2": ("working", None),
    "vanilla-wrong-fingerprint": ("failed", "tls_handshake"),
    "obfs4-wrong-fingerprint": ("failed", "tls_handshake"),
    "obfs4-wrong-cert": ("failed", "pt_handshake"),
    "obfs4-zombie": ("failed", "tor_bootstrap"),
    "obfs4-no-tor": ("failed", "tls_handshake"),
    "vanilla-refused": ("failed", "connect"),
    "obfs4-refused": ("failed", "connect"),
    "vanilla-silent": ("failed", "tls_handshake"),
    "obfs4-silent": ("failed", "pt_handshake"),
    "vanilla-website": ("failed", "tls_handshake"),
    "obfs4-website": ("failed", "pt_handshake"),
}


async def checked(folder: Path, net: TorNet, text: str) -> tuple[int, list[dict[str, Any]]]:
    async with stage([]) as played:
        origin = played.origin
        (folder / "bridges.txt").write_text(text)
        (folder / "private.torrc").write_text(net.torrc)
        (folder / "ca.pem").write_text(origin.ca_pem)
        command = [sys.executable, "-m", "client", "check", str(folder / "bridges.txt"), "--yes", "--json"]
        command += ["--profile", "fast", "--connect-timeout", "4", "--timeout", "30"]
        command += ["--torrc", str(folder / "private.torrc"), "--target-ca", str(folder / "ca.pem")]
        command += ["--target", f"https://127.0.0.1:{origin.https_port}/small"]
        command += ["--bulk-target", f"https://127.0.0.1:{origin.https_port}/bulk"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, env={**os.environ, "LANGUAGE": "en"}
        )
        out, _ = await asyncio.wait_for(process.communicate(), 100)
        return process.returncode or 0, [json.loads(line) for line in out.splitlines()]


async def test_each_kind_of_bridge_gets_its_verdict_and_only_traffic_makes_working(
    tornet: TorNet, tmp_path: Path
) -> None:
    text = "\n".join(tornet.bridges[name].line for name in SENT)
    status, told = await checked(tmp_path, tornet, text)
    results = {line["line"]: line for line in told if line["type"] == "result"}
    found = {name: (results[n]["status"], results[n]["step"]) for n, name in enumerate(SENT, 1)}
    assert found == SENT, [line["reason"] for line in results.values()]
    assert status == 0
    assert {line["class"] for line in results.values()} == {"A"}
    zombie = results[list(SENT).index("obfs4-zombie") + 1]
    assert "lost its own way out" in zombie["reason"]


async def test_tor_without_a_bridge_is_a_candidate_too(tornet: TorNet, tmp_path: Path) -> None:
    status, told = await checked(tmp_path, tornet, "tor\n")
    (result,) = [line for line in told if line["type"] == "result"]
    assert (status, result["status"], result["transport"], result["class"]) == (0, "working", "tor", "A")
