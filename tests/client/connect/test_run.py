"""A whole connection in this process: from the plan to the exit status, with a program that really uses it."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from client.connect import around, system
from client.connect import run as run_module
from client.connect.events import Event, Held, Listening, Lost, Noticed, Summary, Using
from client.connect.events import Status as Figures
from client.connect.local import PortTaken
from client.connect.run import Plan, carry_out
from client.connect.system_parts import UNREADABLE
from client.drill.ca import Authority
from client.drill.origin import Origin, playing_origin
from client.engine import Run
from client.exits import Exit
from client.model import Protection
from client.tasks import Crew
from tests.client.connect.upstreams import Upstream
from tests.client.runs import fast, make_run, reading
from transports.types import N_, CannotMeasure, Endpoint, Rejected

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")


FAULT = N_("the guard process has stopped, so no engine may run; start again")


class Face:
    """Keeps what it is shown."""

    beat = 0.2

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.closed = False

    def show(self, event: Event) -> None:
        self.told.append(event)

    def close(self) -> None:
        self.closed = True

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]

    async def until(self, kind: type[Event], count: int = 1) -> None:
        async with asyncio.timeout(15):
            while len(self.of(kind)) < count:  # noqa: ASYNC110 - events come by plain calls
                await asyncio.sleep(0.01)


class Scene:
    """An origin, upstreams, and a run over them."""

    def __init__(self, origin: Origin, upstreams: list[Upstream]) -> None:
        self.origin, self.upstreams = origin, upstreams
        endpoints = [Endpoint(transport="socks5", host="127.0.0.1", port=one.port) for one in upstreams]
        self.run: Run = make_run(reading(*endpoints), origin, profile=fast())


async def scene(stack: AsyncExitStack, count: int) -> Scene:
    origin = await stack.enter_async_context(playing_origin(Authority("Test Root")))
    upstreams = [Upstream() for _ in range(count)]
    for one in upstreams:
        await one.start()
        stack.push_async_callback(one.kill)
    return Scene(origin, upstreams)


async def test_a_command_uses_the_connection_and_its_status_ends_it() -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        url = f"http://localhost:{play.origin.http_port}/plain"
        script = f'curl -sSf "{url}" >/dev/null && exit 3'
        status = await carry_out(Plan(run=play.run, command=("sh", "-c", script)), face)
    assert status == 3
    (summary,) = face.of(Summary)
    assert isinstance(summary, Summary)
    assert (summary.connections, summary.used, summary.lost, summary.status) == (1, 1, 0, 3)
    assert summary.down > 0
    assert face.closed


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
async def test_the_port_of_a_command_is_open_to_nobody_else(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        url = f"http://localhost:{play.origin.http_port}/plain"
        told = tmp_path / "told"
        pip = f"{sys.executable} -m pip --disable-pip-version-check --no-cache-dir download --no-deps -q"
        script = f"""
            curl -sSf -o /dev/null {url} && curl -sSf -o /dev/null -x "$ALL_PROXY" {url} || exit 11
            git ls-remote {url} >/dev/null 2>{told}; grep -q "not found\\|not valid" {told} || exit 12
            {pip} -d {tmp_path} {url}/x.zip >/dev/null 2>{told}; grep -q "HTTP error 404\\|404 Client" {told} || exit 13
            open=${{HTTP_PROXY##*@}}
            [ $(curl -s -o /dev/null -w '%{{http_code}}' -x http://$open {url}) = 407 ] || exit 14
            curl -s -x socks5h://$open {url} && exit 15
            curl -s -x socks4a://$open {url} && exit 16
            exit 3
        """
        status = await carry_out(Plan(run=play.run, command=("sh", "-c", script)), face)
    assert status == 3, told.read_text()
    (listening,) = face.of(Listening)
    assert isinstance(listening, Listening)
    assert (listening.password, listening.alone, listening.instead) == (True, True, 0)
    assert listening.port not in range(1080, 1121)


async def test_a_fault_while_the_system_proxy_is_set_is_raised_and_not_taken_for_one_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nowhere() -> system.State:
        return system.State(())

    async def broken(self: object, local: object) -> int:
        raise CannotMeasure(FAULT)

    monkeypatch.setattr(system, "now", nowhere)
    monkeypatch.setattr(run_module._Connection, "_run", broken)
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        with pytest.raises(CannotMeasure):
            await carry_out(Plan(run=play.run, command=("true",), system=True), face)
    said = [event.message.id for event in face.told if isinstance(event, Noticed)]
    assert any("leads here now" in one for one in said)
    assert any("again as it was before" in one for one in said)
    assert FAULT not in said


async def test_where_the_system_proxy_cannot_be_set_that_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unreadable() -> system.State:
        raise Rejected(UNREADABLE)

    monkeypatch.setattr(system, "now", unreadable)
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        assert await carry_out(Plan(run=play.run, command=("true",), system=True), face) == 0
    assert [event.message.id for event in face.told if isinstance(event, Noticed)] == [UNREADABLE]


async def test_without_a_guard_no_command_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        made = tmp_path / "made"
        status = await carry_out(Plan(run=play.run, command=("touch", str(made))), face)
    assert status == Exit.NOT_MEASURED
    assert not made.exists()
    assert any("guard" in event.message.id for event in face.told if isinstance(event, Noticed))


async def test_ctrl_c_ends_the_command_too_and_is_status_130() -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        crew = await stack.enter_async_context(Crew())

        async def interrupt() -> None:
            await face.until(Figures, 3)
            os.kill(os.getpid(), signal.SIGINT)

        crew.start(interrupt(), "interrupt")
        status = await carry_out(Plan(run=play.run, command=("sleep", "30")), face)
    assert status == Exit.INTERRUPTED


async def test_a_list_with_nothing_working_ends_with_status_1() -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        await play.upstreams[0].kill()
        status = await carry_out(Plan(run=play.run, command=("false",)), face)
    assert status == Exit.NOTHING
    assert face.of(Held)
    assert not face.of(Using)


async def test_what_is_below_the_floor_is_not_used_where_nobody_is_asked() -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        status = await carry_out(Plan(run=play.run, lowest=Protection.TRUSTED, ask=False), face)
    assert status == Exit.NOTHING
    assert not face.of(Using)


async def test_the_customary_port_gives_way_to_the_next_and_a_port_of_ones_own_does_not() -> None:
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = int(taken.getsockname()[1])
            with pytest.raises(PortTaken):
                await carry_out(Plan(run=play.run, port=port), face)
        assert not face.of(Listening)
        assert play.upstreams[0].connections == 0


async def test_a_face_that_nobody_reads_any_more_ends_it() -> None:
    class Closed(Face):
        def show(self, event: Event) -> None:
            super().show(event)
            if isinstance(event, Using):
                raise BrokenPipeError

    async with AsyncExitStack() as stack:
        play = await scene(stack, 1)
        assert await carry_out(Plan(run=play.run), Closed()) == Exit.NOT_READ


async def test_a_command_that_cannot_be_started_is_status_127() -> None:
    async with AsyncExitStack() as stack:
        play = await scene(stack, 1)
        assert await carry_out(Plan(run=play.run, command=("/etc/hostname",)), Face()) == 127


async def test_another_network_is_told_and_everything_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(around, "TICK", 0.1)
    addresses = iter(["127.0.0.1", "127.0.0.2"])
    last = "127.0.0.2"

    def address(host: str) -> str:  # before an option is in use, another host is asked about
        return next(addresses, last) if host == "127.0.0.1" else last

    monkeypatch.setattr(around, "local_address", address)
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        status = await carry_out(Plan(run=play.run, command=("sleep", "1")), face)
    assert status == 0
    assert any(isinstance(event, Noticed) and "network" in event.message.id for event in face.told)
    assert not face.of(Lost)
