"""`sanylau beacon` as a helper runs it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from client.beacon import invite
from client.beacon.wire import Protocol
from client.holes import doors
from client.holes.doors import Host
from client.holes.plan import State
from tests.client.cli.commands import ROOT, sanylau, started, surroundings
from tests.client.holes.beacons import free_ports

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a beacon needs another system")


def host_of(code: str) -> Host:
    (told,) = invite.read(code)
    return Host(name="beacon 1", address=told.addresses[0], key=told.key, offers=told.offers)


async def test_a_beacon_prints_its_code_answers_to_it_and_ends_at_ctrl_c() -> None:
    ports = free_ports(2)
    async with started(
        "beacon", "--port", f"{ports[0]},{ports[1]}", "--host", "127.0.0.1", "--json"
    ) as process:
        assert process.stdout is not None
        code = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        running = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        assert (code["type"], running["type"], running["seconds"]) == ("invite", "beacon", 7200)
        for protocol in Protocol:
            for port in ports:
                answer = await doors.ask(host_of(code["code"]), protocol, port, 2.0)
                assert answer.state is State.OPEN
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
    told = json.loads(out)
    assert (told["type"], told["answers"], told["tcp_ports"], told["udp_ports"]) == ("summary", 4, 2, 2)
    assert b"127.0.0.1" not in out + err


async def test_a_beacon_ends_when_its_time_is_over() -> None:
    (port,) = free_ports(1)
    ended = await sanylau("beacon", "--port", str(port), "--host", "127.0.0.1", "--for", "1s")
    assert ended.status == 0
    assert len(ended.out.strip().splitlines()) == 1
    assert "0 questions were answered" in ended.err


async def test_an_invitation_alone_starts_nothing_and_a_beacon_takes_it_up(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    made = await sanylau("beacon", "--invite", "--port", str(port), "--host", "127.0.0.1")
    assert (made.status, made.err) == (0, "")
    async with started("beacon", "--code", "-", "--for", "30s") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(made.out.encode())
        process.stdin.close()
        assert b"Answering on 1 port" in await asyncio.wait_for(process.stderr.readline(), 10)
        answer = await doors.ask(host_of(made.out), Protocol.TCP, port, 2.0)
        assert answer.state is State.OPEN
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 10)
        assert process.returncode == 0


async def test_a_port_in_use_is_left_out_of_the_code() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        used = taken.getsockname()[1]
        (free,) = [port for port in free_ports(3) if port != used][:1]
        ended = await sanylau("beacon", "--port", f"{used},{free}", "--host", "127.0.0.1", "--for", "1s")
        assert ended.status == 0
        assert f"Port {used} is in use" in ended.err
        assert invite.read(ended.out)[0].ports == ((free, free),)
        ended = await sanylau("beacon", "--port", str(used), "--host", "127.0.0.1", "--for", "1s")
    assert (ended.status, ended.out) == (3, "")
    assert "no port could be opened" in ended.err


async def test_the_rules_can_be_printed_for_an_administrator() -> None:
    ended = await sanylau("beacon", "--all", "--print-rules", "--for", "30m", "--listen", "4242")
    assert (ended.status, ended.err) == (0, "")
    assert "timeout 1800s" in ended.out
    assert "redirect to :4242" in ended.out
    assert "delete table inet sanylau_beacon" in ended.out
    assert "tcp . 22" in ended.out


async def test_all_ports_without_root_say_what_to_do_instead() -> None:
    somebody = ["unshare", "--user"] if os.geteuid() == 0 else []  # no root in there, but the same files
    command = [
        *somebody,
        sys.executable,
        "-m",
        "client",
        "beacon",
        "--all",
        "--host",
        "127.0.0.1",
        "--for",
        "1s",
    ]
    process = await asyncio.create_subprocess_exec(
        *command, env=surroundings(), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 3
    assert b"--port" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port", "80", "--all"],
        ["--port", "0"],
        ["--port", "1-65535", "--host", "127.0.0.1"],
        ["--port", "4242", "--host", "a.name.example"],
        ["--port", "4242", "--host", "127.0.0.1", "--for", "soon"],
        ["--code", "no-such-file"],
        ["--code", "-"],
        ["--all", "--listen", "0"],
    ],
)
async def test_wrong_usage_is_one_line_and_2(arguments: list[str]) -> None:
    ended = await sanylau("beacon", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
