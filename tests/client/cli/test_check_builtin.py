"""`sanylau check` without a list, and on machines that lack a way: in a network namespace that nothing can leave."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from client import sources
from tests.client.cli.commands import ROOT, on_terminal, sanylau, started, surroundings, write_list
from tests.transports.links import CERT, FP

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

# The loopback only, and a route into it that makes the system believe in a way out over IPv4.
ALONE = (
    'ip link set lo up && if [ -n "$IPV4" ]; then ip route add local 198.51.100.0/24 dev lo; fi && exec "$@"'
)
ENTER = ["unshare", "-rn", "sh", "-c"]
NOWHERE = ["--target", "https://127.0.0.1:9/", "--plain-target", "http://127.0.0.1:9/", "--profile", "fast"]


def alone(*arguments: str, ipv4: bool) -> list[dict[str, Any]]:
    """Run a check in a namespace without any way out; return the objects that it wrote."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and ip")
    if subprocess.run([*ENTER, "ip link set lo up"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    done = subprocess.run(
        [*ENTER, ALONE, "sh", sys.executable, "-m", "client", "check", "--json", "--yes", *arguments],
        env=surroundings({"IPV4": "1" if ipv4 else ""}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_without_a_list_and_a_terminal_nothing_is_sent_and_standard_input_is_not_waited_for() -> None:
    async with started("check", "--json") as process:  # its standard input stays open
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = await asyncio.wait_for(process.stderr.read(), 15)
        assert await process.wait() == 2
        assert await process.stdout.read() == b""
    assert b"--yes" in complaint


async def test_what_stands_in_standard_input_is_not_read_unless_it_is_named() -> None:
    ended = await sanylau("check", "--only", "socks5", "--json", stdin=b"socks5://127.0.0.1:9\n")
    first = ended.of_type("started")[0]
    assert first["candidates"] == len(sources.builtin().candidates)
    assert {one["source"] for one in ended.of_type("result")} == {"built-in"}
    assert {one["status"] for one in ended.of_type("result")} == {"untested"}
    assert ended.status == 3


async def test_the_question_without_a_list_names_the_built_in_one() -> None:
    async with on_terminal("check", streams="") as terminal:
        await terminal.until("[y/N]")
        terminal.type("n\n")
        ended = await terminal.end()
    assert ended.status == 2
    assert "built-in list of" in ended.shown
    assert ended.out == ""


def test_on_a_machine_without_a_network_no_built_in_bridge_is_blamed() -> None:
    written = alone(ipv4=False)
    results = [one for one in written if one["type"] == "result"]
    assert [one["line"] for one in sorted(results, key=lambda one: one["line"])] == list(
        range(1, len(results) + 1)
    )
    assert {(one["source"], one["status"]) for one in results} == {("built-in", "untested")}
    assert written[-1]["stopped"] == "no_network"


def test_an_ipv6_bridge_on_a_machine_without_ipv6_is_not_blamed(tmp_path: Path) -> None:
    kinds = [f"[fd12::7]:443 {FP}", "socks5://[fd12::9]:1080"]
    if shutil.which("obfs4proxy"):
        kinds.append(f"obfs4 [fd12::8]:443 {FP} cert={CERT} iat-mode=0")
    path = write_list(tmp_path / "list.txt", kinds)
    results = [one for one in alone(path, *NOWHERE, ipv4=True) if one["type"] == "result"]
    assert len(results) == len(kinds)
    for one in results:
        if one["status"] == "untested":  # no tor on this machine
            assert one["transport"] == "tor_bridge"
            continue
        assert (one["status"], one["failure"], one["step"]) == ("failed", "network_unreachable", "connect")
        assert "no IPv6" in one["reason"]
