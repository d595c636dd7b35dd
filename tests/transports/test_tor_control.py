from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.bridges import program as installed
from transports.engines import Program, program
from transports.guard import Guard
from transports.tor_control import MISSING, Control, Refused, _port
from transports.types import CannotMeasure

pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")  # stem's


@asynccontextmanager
async def controlled(folder: Path, heard: list[Any]) -> AsyncIterator[tuple[Control, Program]]:
    """Run a tor that has no network, and control it."""
    torrc = (
        f"DataDirectory {folder}\nControlPort 127.0.0.1:auto\nControlPortWriteToFile {folder}/port\n"
        f"CookieAuthentication 1\nDisableNetwork 1\n__OwningControllerProcess {os.getpid()}\nLog err stdout\n"
    )
    command = [installed("tor"), "-f", "-", "--defaults-torrc", f"{folder}/none"]
    async with (
        Guard.running() as guard,
        Control.running(heard.append) as control,
        program(command, guard=guard, feed=torrc.encode(), on_line=lambda line: None) as running,
    ):
        await control.connect(folder / "port", 15.0)
        yield control, running


async def test_commands_are_answered_and_events_are_heard(tmp_path: Path) -> None:
    heard: list[Any] = []
    async with controlled(tmp_path, heard) as (control, running):
        assert await control.info("process/pid", int) == running.pid
        await control.set_conf({"MaxCircuitDirtiness": "60"})
        await asyncio.sleep(1.5)  # there is one each second
        assert "BW" in {str(event.type) for event in heard}


async def test_a_no_is_told_without_tors_words(tmp_path: Path) -> None:
    async with controlled(tmp_path, []) as (control, _):
        with pytest.raises(Refused) as caught:
            await control.set_conf({"Bridge": ["192.0.2.1:443 nonsense"], "UseBridges": "1"})
        assert "192.0.2.1" not in repr(caught.value)
        assert caught.value.code == "513"
        with pytest.raises(Refused):
            await control.extend(["0" * 40])


@pytest.mark.parametrize("value", ['x" SocksPort="1', "x\\", "x\r\nSIGNAL HALT", "x\0"])
async def test_a_value_that_could_become_a_command_is_never_sent(tmp_path: Path, value: str) -> None:
    async with Control.running(lambda event: None) as control:
        for given in (value, [value]):
            with pytest.raises(ValueError, match="told to tor"):
                await control.set_conf({"Bridge": given})


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
async def test_the_end_of_tor_ends_what_waits_for_it(tmp_path: Path) -> None:
    async with controlled(tmp_path, []) as (control, running):
        os.kill(running.pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            with pytest.raises(CannotMeasure):
                await control.info("version", str)


async def test_the_thread_ends_with_the_block_even_while_it_waits_for_tor(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        async with Control.running(lambda event: None) as control, asyncio.timeout(0.1):
            await control.connect(tmp_path / "never", 30.0)
    assert threading.active_count() == before


async def test_tor_ends_when_the_control_connection_does(tmp_path: Path) -> None:
    async with controlled(tmp_path, []) as (control, running):
        control._jobs.put((lambda controller: controller.close(), lambda *_: None))
        async with asyncio.timeout(10):
            await running.ended.wait()


async def test_what_is_said_to_tor_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with controlled(tmp_path, []) as (control, _):
        await control.set_conf({"Bridge": ["192.0.2.1:443 " + "A" * 40]})
    assert "192.0.2.1" not in caplog.text


async def test_without_stem_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stem.control", None)
    with pytest.raises(CannotMeasure) as caught:
        async with Control.running(lambda event: None):
            pass
    assert caught.value.reason == MISSING
    assert "pip install" in MISSING


@pytest.mark.parametrize(
    ("text", "port"), [("PORT=127.0.0.1:43211\n", 43211), ("PORT=192.0.2.1:1\n", 0), ("", 0), ("PORT=", 0)]
)
def test_only_a_port_on_loopback_is_taken_from_the_file(tmp_path: Path, text: str, port: int) -> None:
    (tmp_path / "port").write_text(text)
    assert _port(tmp_path / "port") == port
