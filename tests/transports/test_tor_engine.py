from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.servers.bridges import program as installed
from transports import guard_main
from transports.guard import Guard
from transports.net import Net
from transports.tor_bridge import parse
from transports.tor_bridge_dial import PlainTor, TorBridgeTransport
from transports.tor_engine import TorDoor, bridge_line, find, opened
from transports.trace import Trace
from transports.types import CannotMeasure, Endpoint

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX scripts"),
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),  # stem's
]
VANILLA = parse("127.0.0.1:1 " + "A" * 40)
OBFS4 = parse(f"obfs4 127.0.0.1:1 {'B' * 40} cert={'A' * 70} iat-mode=0")
PLAIN = Endpoint(transport="tor", host="", port=1)


def script(folder: Path, said: str) -> str:
    path = folder / "tor"
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    return str(path)


def net(doors: dict[str, object]) -> Net:
    return Net(trace=Trace(zero=0.0, deadline=10.0**9), doors=doors)  # type: ignore[arg-type]


async def test_the_installed_tor_is_found_with_its_version() -> None:
    installed("tor")
    assert (await find()).version[0].isdigit()


async def test_a_missing_tor_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("transports.tor_engine._PLACES", ())
    with pytest.raises(CannotMeasure, match="apt install tor"):
        await find()
    with pytest.raises(CannotMeasure, match="no program"):
        await find(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("said", "reason"),
    [("Tor version 0.3.5.8.", "too old"), ("tor?", "does not tell"), ("Tor version x.", "does not tell")],
)
async def test_a_tor_that_is_of_no_use_is_named(tmp_path: Path, said: str, reason: str) -> None:
    with pytest.raises(CannotMeasure, match=reason):
        await find(script(tmp_path, said))


async def test_versions_are_compared_as_numbers(tmp_path: Path) -> None:
    assert (await find(script(tmp_path, "Tor version 0.4.10.1-alpha."))).version == "0.4.10.1-alpha"


async def test_every_endpoint_gets_a_door_or_a_reason(tmp_path: Path) -> None:
    installed("tor")
    async with (
        Guard.running() as guard,
        opened([VANILLA, OBFS4, PLAIN], guard=guard, folder=tmp_path) as engine,
    ):
        assert isinstance(engine.doors[VANILLA.key()], TorDoor)
        assert isinstance(engine.doors[PLAIN.key()], TorDoor)
        reason = engine.doors[OBFS4.key()]
        assert isinstance(reason, CannotMeasure)  # no transport program runs
        with pytest.raises(CannotMeasure, match=reason.reason):
            await TorBridgeTransport().dial(OBFS4, "127.0.0.1", 1, net(dict(engine.doors)))


async def test_a_run_without_doors_cannot_be_measured() -> None:
    for transport, endpoint in ((TorBridgeTransport(), VANILLA), (PlainTor(), PLAIN)):
        with pytest.raises(CannotMeasure, match="install tor"):
            await transport.dial(endpoint, "127.0.0.1", 1, net({}))


async def test_lines_that_tor_cannot_read_are_nobodys_bridge(tmp_path: Path) -> None:
    installed("tor")
    async with (
        Guard.running() as guard,
        opened([PLAIN], guard=guard, folder=tmp_path, torrc="NoSuchOption 1") as engine,
    ):
        with pytest.raises(CannotMeasure, match="tor"):
            await PlainTor().dial(PLAIN, "127.0.0.1", 1, net(dict(engine.doors)))


async def test_nothing_of_a_tor_is_left(tmp_path: Path) -> None:
    installed("tor")
    async with Guard.running() as guard:
        async with opened([VANILLA], guard=guard, folder=tmp_path) as engine:
            (pid,) = engine.pids
            assert os.listdir(tmp_path)[0].startswith(guard_main.PREFIX)
        assert os.listdir(tmp_path) == []
        assert not guard_main._runs(pid, guard_main.start_time(pid))


def test_tor_is_told_the_line_with_the_fingerprint_that_was_found() -> None:
    assert bridge_line(parse("[::1]:443"), "C" * 40, None) == f"[::1]:443 {'C' * 40}"
    with pytest.raises(CannotMeasure):
        bridge_line(OBFS4, "C" * 40, None)


def test_a_door_keeps_its_bridge_out_of_logs() -> None:
    door = TorDoor(port=0, username="", password="", engine=None, fingerprint="D" * 40)  # type: ignore[arg-type]
    assert "D" * 40 not in repr(door)
