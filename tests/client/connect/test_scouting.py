"""The rounds of the check behind a connection: reserves, the untested rest, and engines that are opened once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from client.connect.events import Checked, Event, Lost, Using
from client.connect.keeper import Keeper
from client.connect.probing import Prober
from client.connect.scouting import Scout, Shared
from client.drill.ca import Authority
from client.drill.origin import playing_origin
from client.engines import Opened
from client.events import Finished
from client.following import Engines
from client.tasks import Crew
from tests.client.connect.upstreams import Upstream
from tests.client.runs import fast, make_run, reading
from transports.types import CannotMeasure, Endpoint


async def until(there: object, limit: float = 15.0) -> None:
    assert callable(there)
    async with asyncio.timeout(limit):
        while not there():  # noqa: ASYNC110 - what is waited for comes by plain calls
            await asyncio.sleep(0.01)


async def test_the_check_stops_with_reserves_and_goes_on_with_the_rest_when_they_die() -> None:
    told: list[Event] = []
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(playing_origin(Authority("Test Root")))
        upstreams = [Upstream() for _ in range(8)]
        for one in upstreams:
            await one.start()
            stack.push_async_callback(one.kill)
        endpoints = [Endpoint(transport="socks5", host="127.0.0.1", port=one.port) for one in upstreams]
        run = replace(
            make_run(reading(*endpoints), at, profile=fast(concurrency=1)),
            roots=make_run(reading(), at).roots,
        )
        crew = await stack.enter_async_context(Crew())
        shared = Shared(None, crew)
        prober = Prober(run, shared.doors)
        scout = Scout(run, shared, prober, crew, told.append)
        keeper = scout.keeper = Keeper(prober, told.append, more=scout.more)
        await stack.enter_async_context(keeper)
        scout.start()
        await until(lambda: scout.finished)
        assert scout.finished is not None
        assert scout.finished.stopped == "first"
        tested = {one.id for one in keeper.working}
        assert 3 <= len(tested) < 8
        by_port = {run.namer.id(endpoint): one for endpoint, one in zip(endpoints, upstreams, strict=True)}
        for name in tested:
            await by_port[name].kill()
        leg = await keeper.open("127.0.0.1", at.http_port)
        leg.close()
        used = [event.id for event in told if isinstance(event, Using)]
        assert used[-1] not in tested
        assert any(isinstance(event, Lost) for event in told)
        assert sum(isinstance(event, Checked) and isinstance(event.event, Finished) for event in told) == 1


async def test_engines_are_opened_once_and_outlive_the_round_that_asked_for_them() -> None:
    opened, closed = [], []

    @asynccontextmanager
    async def opener(endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
        opened.append(endpoints)
        yield Opened({})
        closed.append(endpoints)

    endpoint = Endpoint(transport="tor", host="", port=1)
    async with Crew() as crew:
        shared = Shared(opener, crew)
        for _ in range(2):
            async with shared.open([endpoint]) as engines:
                assert engines.doors == {}
        assert (len(opened), len(closed)) == (1, 0)


async def test_engines_that_cannot_be_opened_are_told_to_every_round() -> None:
    @asynccontextmanager
    async def opener(_endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
        raise CannotMeasure("missing")
        yield

    async with Crew() as crew:
        shared = Shared(opener, crew)
        for _ in range(2):
            with pytest.raises(CannotMeasure, match="missing"):
                async with shared.open([]):
                    raise AssertionError("it was opened")
        assert shared.doors() == {}


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("name.test", False),
    ],
)
async def test_an_entry_that_is_our_own_port_is_never_tested(host: str, is_ours: bool) -> None:
    told: list[Event] = []
    ours = Endpoint(transport="socks5", host=host, port=4711)
    other = Endpoint(transport="socks5", host="127.0.0.1", port=4712)
    async with playing_origin(Authority("Test Root")) as at, Crew() as crew:
        run = make_run(reading(ours, other), at, profile=fast())
        shared = Shared(None, crew)
        scout = Scout(run, shared, Prober(run, shared.doors), crew, told.append)
        scout.leave_out("192.0.2.7", 4711)
        left = [one.endpoint for one in scout._run.reading.candidates]
        assert left == ([other] if is_ours else [ours, other])
        assert [one.endpoint for one in scout._rest] == left
        assert len(told) == is_ours
