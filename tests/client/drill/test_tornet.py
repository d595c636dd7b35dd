"""The private Tor network: what is true of each bridge, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from client.drill import tornet_nodes
from client.drill.ca import Authority
from client.drill.origin import NAME, Origin, playing_origin
from client.drill.tornet import BASE, BRIDGES, Kind, TorNet, counting, crowd, missing, playing_tor
from client.drill.tornet_nodes import naming
from client.tasks import together
from tests.client.drill.raw import line
from tests.servers.tornet import ROOT, sharing, tor_client, tornet
from transports import guard_main
from transports.guard import Guard
from transports.tor_bridge import parse
from transports.types import CannotMeasure, Rejected

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)  # whoever comes first waits for the network

installed = pytest.mark.skipif(bool(missing()), reason="needs " + ", ".join(missing()))
on_linux = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")

KILLED = textwrap.dedent(
    """
    import asyncio
    from client.drill.tornet_nodes import Site, authorities, own_folder
    from transports.guard import Guard

    async def main():
        async with Guard.running() as guard, own_folder(guard) as folder, asyncio.TaskGroup() as group:
            site = Site(folder=folder, guard=guard)
            group.create_task(authorities(site).__aenter__())
            while len(site.pids) < 3:
                await asyncio.sleep(0.01)
            print(folder, *site.pids.values(), flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
    """
)


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    async with Guard.running() as running:
        yield running


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with playing_origin(Authority("one")) as running:
        yield running


def alive(pid: int) -> bool:
    return guard_main._runs(pid, guard_main.start_time(pid))


def nothing_left(folder: Path, pids: Iterable[int], within: float = 3.0) -> bool:
    until = time.monotonic() + within
    known = list(pids)
    while (folder.exists() or any(map(alive, known))) and time.monotonic() < until:
        time.sleep(0.02)
    return not folder.exists() and not any(map(alive, known))


def test_every_line_is_one_that_people_could_paste_and_no_two_share_an_address(tornet: TorNet) -> None:
    bridges = tornet.bridges.values()
    assert {bridge.name for bridge in bridges} == set(BRIDGES)
    assert len({(bridge.host, bridge.port) for bridge in bridges}) == len(bridges)
    for bridge in bridges:
        read = parse(bridge.line)
        assert (read.host, read.port) == (bridge.host, bridge.port)
        assert (read.options or {})["fingerprint"] == bridge.fingerprint


async def test_a_page_comes_through_every_good_bridge(tornet: TorNet, guard: Guard, origin: Origin) -> None:
    good = [bridge for bridge in tornet.bridges.values() if bridge.kind is Kind.GOOD]
    assert {bridge.host for bridge in good} == {"127.0.0.1", "::1"}
    through = []

    async def one(name: str) -> None:
        async with tor_client(tornet.torrc, tornet.bridges[name], guard) as client:
            await client.gets_to(100)
            for host in ("127.0.0.1", NAME):
                assert await client.fetches(origin, host=host), (name, host)
            through.append(name)

    await together(*(one(bridge.name) for bridge in good))
    assert len(through) == 4


async def test_a_client_of_the_zombie_learns_the_network_and_builds_no_circuit(
    tornet: TorNet, guard: Guard, origin: Origin
) -> None:
    async with tor_client(tornet.torrc, tornet.bridges["obfs4-zombie"], guard) as client:
        await client.gets_to(95)
        assert not await client.fetches(origin, limit=4.0)
        assert client.percent == 95
    assert origin.seen.connections == 0


async def test_a_client_of_what_is_no_good_bridge_stops_where_it_should(tornet: TorNet, guard: Guard) -> None:
    stops = {
        "vanilla-wrong-fingerprint": 14,
        "vanilla-website": 14,
        "obfs4-wrong-fingerprint": 14,
        "obfs4-wrong-cert": 2,
        "obfs4-no-tor": 10,
        "obfs4-silent": 2,
    }

    async def one(name: str, percent: int) -> None:
        async with tor_client(tornet.torrc, tornet.bridges[name], guard) as client:
            await client.gets_to(percent)
            await asyncio.sleep(2.0)
            assert client.percent == percent, name

    await together(*(one(name, percent) for name, percent in stops.items()))


async def test_a_closed_port_refuses_and_a_silent_one_says_nothing(tornet: TorNet) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", tornet.bridges["obfs4-refused"].port)
    async with line(tornet.bridges["vanilla-silent"].port) as at:
        await at.say(b"\x16\x03\x01")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(at.reader.read(1), 0.3)


async def test_connections_to_a_bridge_are_counted_one_by_one(tornet: TorNet, guard: Guard) -> None:
    async with counting(tornet.bridges["obfs4-2"]) as counted:
        for _ in range(3):
            async with line(counted.bridge.port, counted.bridge.host):
                pass
        async with tor_client(tornet.torrc, counted.bridge, guard) as client:
            await client.gets_to(100)
        assert counted.connections == 4


async def test_bridges_of_a_crowd_work_whether_they_share_a_process_or_not(
    tornet: TorNet, guard: Guard
) -> None:
    async with crowd(tornet.bridges[BASE], 6, guard=guard, processes=2) as bridges:
        assert len({bridge.port for bridge in bridges}) == 6
        assert len({bridge.cert for bridge in bridges}) == 2

        async def one(number: int) -> None:
            async with tor_client(tornet.torrc, bridges[number], guard) as client:
                await client.gets_to(100)

        await together(one(1), one(4))


@on_linux
def test_every_tcp_socket_of_the_network_is_bound_to_loopback(tornet: TorNet) -> None:
    ours = set()
    for pid in tornet.pids.values():
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            ours.add(os.readlink(entry))
    seen = []
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if f"socket:[{fields[9]}]" in ours:
                seen.append(fields[1].rpartition(":")[0])
    assert len(seen) > len(tornet.pids)
    assert set(seen) <= {"0100007F", "0" * 24 + "01000000"}


@installed
def test_the_last_of_those_who_share_a_network_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sharing(tmp_path, [BASE]) as first:
        with sharing(tmp_path, [BASE]) as second:
            assert second == first
        assert all(map(alive, first.pids.values()))
        assert first.folder.exists()
    assert nothing_left(first.folder, first.pids.values(), within=1.0)


@installed
async def test_an_own_network_counts_and_leaves_nothing_after_a_failure(guard: Guard) -> None:
    folder, pids = Path(), []

    async def fail() -> None:
        nonlocal folder, pids
        async with playing_tor(bridges=["obfs4-no-tor"], guard=guard, counted=True) as net:
            folder, pids = net.folder, list(net.pids.values())
            assert set(net.bridges) == {BASE, "obfs4-no-tor"}
            assert all(map(alive, pids))
            async with line(net.bridges["obfs4-no-tor"].port):
                await asyncio.sleep(0.05)
            assert net.seen == {"obfs4-no-tor": 1}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert len(pids) == 5
    assert nothing_left(folder, pids, within=0.0)


@installed
async def test_a_network_that_is_cancelled_while_it_starts_leaves_nothing(
    guard: Guard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tornet_nodes, "memory_folder", lambda: tmp_path)
    adopted = []
    real = guard.adopt

    async def adopt(pid: int) -> None:
        adopted.append(pid)
        await real(pid)

    monkeypatch.setattr(guard, "adopt", adopt)

    async def start() -> None:
        async with playing_tor(guard=guard):
            raise AssertionError("this was to be cancelled")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4.0):
            await start()
    assert len(adopted) > 3
    assert not any(map(alive, adopted))
    assert not os.listdir(tmp_path)


@installed
def test_after_a_kill_nothing_of_the_network_is_left() -> None:
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder, *pids = process.stdout.readline().split()
        assert all(alive(int(pid)) for pid in pids)
        process.send_signal(signal.SIGKILL)
    assert len(pids) == 3
    assert nothing_left(Path(folder), map(int, pids))


def asked(port: int, name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2.0)
        question = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + labels + b"\0" + bytes([0, kind, 0, 1])
        for data in (b"", b"\xff" * 40, question[:20], question):
            sock.sendto(data, ("127.0.0.1", port))
        answer = sock.recv(512)
    assert answer[:2] == question[:2]
    assert answer[12:].startswith(question[12:])
    return answer


async def test_exits_are_told_the_drills_names_and_no_others() -> None:
    async with naming() as port:
        for name in (NAME, NAME.upper(), "localhost"):
            answer = await asyncio.to_thread(asked, port, name)
            assert answer[3] & 15 == 0
            assert answer[-4:] == bytes([127, 0, 0, 1])
        no_address = await asyncio.to_thread(asked, port, NAME, 28)
        assert (no_address[3] & 15, no_address[7]) == (0, 0)
        unknown = await asyncio.to_thread(asked, port, "google.com")
        assert (unknown[3] & 15, unknown[7]) == (3, 0)


async def test_a_bridge_that_does_not_exist_is_refused_by_name(guard: Guard) -> None:
    with pytest.raises(Rejected) as caught:
        await playing_tor(bridges=["obfs9"], guard=guard).__aenter__()
    assert caught.value.values == {"name": "obfs9"}


async def test_missing_programs_are_named_before_anything_is_started(
    guard: Guard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tornet_nodes, "_PLACES", ())
    assert missing() == ["tor", "tor-gencert", "obfs4proxy"]
    with pytest.raises(CannotMeasure) as caught:
        await playing_tor(guard=guard).__aenter__()
    assert caught.value.values == {"programs": "tor, tor-gencert, obfs4proxy"}
