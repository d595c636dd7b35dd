from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.servers.bridges import program as installed
from transports import guard_main, install
from transports.engines import output, roomy
from transports.guard import Guard
from transports.net import Net
from transports.pt_engine import Plugin, Plugins
from transports.tor_bridge import parse
from transports.tor_bridge_dial import PlainTor, TorBridgeTransport
from transports.tor_engine import TorDoor, bridge_line, find, opened
from transports.tor_start import Starter
from transports.trace import Trace
from transports.types import CannotMeasure, Endpoint
from transports.wire.pt import Method

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


def offering(transport: str) -> Plugins:
    plugins = Plugins()
    method = Method(host="127.0.0.1", port=1)
    plugins.running.append(Plugin(path=Path("lyrebird"), name="lyrebird", methods={transport: method}))
    return plugins


def net(doors: dict[str, object]) -> Net:
    return Net(trace=Trace(zero=0.0, deadline=10.0**9), doors=doors)  # type: ignore[arg-type]


async def test_the_installed_tor_is_found_with_its_version() -> None:
    installed("tor")
    assert (await find()).version[0].isdigit()


async def test_a_missing_tor_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("transports.tor_start._PLACES", ())
    with pytest.raises(CannotMeasure, match="tor is missing") as caught:
        await find()
    assert caught.value.values == {"command": install.command("tor")}
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


@pytest.mark.parametrize("option", ["SocksPort", "ControlPort"])
async def test_a_port_that_is_taken_is_not_the_bridges_fault(tmp_path: Path, option: str) -> None:
    installed("tor")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        torrc = f"{option} 127.0.0.1:{taken.getsockname()[1]}"
        async with (
            Guard.running() as guard,
            opened([VANILLA], guard=guard, folder=tmp_path, torrc=torrc) as engine,
        ):
            tor = await engine.for_bridge("A" * 40, f"127.0.0.1:1 {'A' * 40}")
            with pytest.raises(CannotMeasure, match="--torrc"):
                await tor.add("A" * 40, f"127.0.0.1:1 {'A' * 40}")


async def test_nothing_of_a_tor_is_left(tmp_path: Path) -> None:
    installed("tor")
    async with Guard.running() as guard:
        async with opened([VANILLA], guard=guard, folder=tmp_path) as engine:
            (pid,) = engine.pids
            assert os.listdir(tmp_path)[0].startswith(guard_main.PREFIX)
        assert os.listdir(tmp_path) == []
        assert not guard_main._runs(pid, guard_main.start_time(pid))


async def test_a_tor_that_gets_no_settings_ends_instead_of_going_its_own_way(tmp_path: Path) -> None:
    async with Guard.running() as guard:
        starter = Starter(found=await find(), guard=guard, folder=tmp_path, torrc="", pts=None)
        status, said = await output(starter._command(tmp_path, bridges=True), guard=guard, limit=10)
        assert status != 0
        assert any("at least one bridge" in line for line in said)
        alone = [*starter._command(tmp_path, bridges=False), "--DataDirectory", str(tmp_path / "data")]
        with pytest.raises(
            TimeoutError
        ):  # without bridges there is nothing that it could miss, but it is off
            await output([*alone, "--Log", f"notice file {tmp_path / 'log'}"], guard=guard, limit=2)
        assert "DisableNetwork is set" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("missing", ["folder", "room"])
def test_a_folder_that_takes_nothing_is_our_trouble_and_named(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "absent" if missing == "folder" else tmp_path
    with pytest.raises(CannotMeasure) as caught, roomy(folder, 2**60 if missing == "room" else 1):
        (folder / "x").mkdir()
    assert caught.value.values["folder"] == str(folder)


def test_tor_is_told_the_line_with_the_fingerprint_that_was_found() -> None:
    assert bridge_line(parse("[::1]:443"), "C" * 40, None) == f"[::1]:443 {'C' * 40}"
    with pytest.raises(CannotMeasure):
        bridge_line(OBFS4, "C" * 40, None)


def test_bridges_whose_address_means_nothing_get_one_each_because_tor_keeps_one_at_an_address() -> None:
    lines = [
        parse(f"webtunnel [2001:db8::1]:443 {letter * 40} url=https://site.example/{letter}")
        for letter in "AB"
    ]
    told = [bridge_line(line, "C" * 40, offering("webtunnel")) for line in lines]
    first, second = (line.split()[1] for line in told)
    assert first != second
    assert parse(told[0]).host != "2001:db8::1"


async def test_two_bridges_at_one_address_get_a_tor_each(tmp_path: Path) -> None:
    async with Guard.running() as guard, opened([VANILLA], guard=guard, folder=tmp_path) as engine:
        one = await engine.for_bridge("A" * 40, f"127.0.0.1:1 {'A' * 40}")
        other = await engine.for_bridge("B" * 40, f"127.0.0.1:1 {'B' * 40}")
        assert one is not other
        assert await engine.for_bridge("A" * 40, f"127.0.0.1:1 {'A' * 40}") is one
        assert await engine.for_bridge("C" * 40, f"127.0.0.1:2 {'C' * 40}") is one


def test_a_door_keeps_its_bridge_out_of_logs() -> None:
    door = TorDoor(port=0, username="", password="", engine=None, fingerprint="D" * 40)  # type: ignore[arg-type]
    assert "D" * 40 not in repr(door)
