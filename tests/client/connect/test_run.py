"""A whole connection in this process: from the plan to the exit status, with a program that really uses it."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack

import pytest

from client.connect import around
from client.connect.events import Event, Held, Listening, Lost, Noticed, Summary, Using
from client.connect.events import Status as Figures
from client.connect.local import PortTaken
from client.connect.run import Plan, carry_out
from client.drill.ca import Authority
from client.drill.origin import Origin, playing_origin
from client.engine import Run
from client.exits import Exit
from client.model import Protection
from client.tasks import Crew
from tests.client.connect.upstreams import Upstream
from tests.client.runs import fast, make_run, reading
from transports.types import Endpoint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")


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
    monkeypatch.setattr(around, "local_address", lambda _host: next(addresses, last))
    async with AsyncExitStack() as stack:
        play, face = await scene(stack, 1), Face()
        status = await carry_out(Plan(run=play.run, command=("sleep", "1")), face)
    assert status == 0
    assert any(isinstance(event, Noticed) and "network" in event.message.id for event in face.told)
    assert not face.of(Lost)
