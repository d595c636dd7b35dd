"""Whoever stops reading, at whatever moment: the run ends with it. (tests/conftest.py looks for what is left.)"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from client.drill.stage import stage
from client.engine import Stop, running
from client.events import Finished, Judged
from client.following import Engines
from client.model import Candidate, Status
from client.parse import parse_line
from tests.client.runs import fast, make_run, of_parts
from transports.types import CannotMeasure, Endpoint

NAMES = {
    "good-http",
    "good-https",
    "good-socks5",
    "slow-socks5",
    "silent-http",
    "tarpit-socks5",
    "trickle-http",
    "frozen-16k-http",
    "crawl-socks5",
    "granted-silent",
    "reset-http",
}


async def test_a_reader_that_leaves_early_ends_the_run() -> None:
    async with stage(NAMES) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, profile=fast(60.0))
        async with asyncio.timeout(10), running(run) as events:
            async for event in events:
                if isinstance(event, Judged):
                    break
        assert len(asyncio.all_tasks()) > 1  # the stage still plays


async def test_a_reader_that_raises_gets_its_own_error_back() -> None:
    class OwnError(Exception):
        pass

    async def read() -> None:
        async with stage(NAMES) as playing:
            run = make_run(of_parts(playing.parts), playing.origin, profile=fast(60.0))
            async with running(run) as events:
                async for event in events:
                    if isinstance(event, Judged):
                        raise OwnError

    with pytest.raises(OwnError):
        await asyncio.wait_for(read(), 10)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 0.2, 0.6])
async def test_a_run_can_be_cut_off_from_outside_at_any_moment(after: float) -> None:
    async def read_all() -> None:
        async with asyncio.timeout(after), running(run) as events:
            async for _event in events:
                pass

    async with stage(NAMES) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, profile=fast(60.0))
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await read_all()
        assert time.monotonic() - began < after + 3


async def test_a_reader_that_never_reads_blocks_nobody_who_leaves() -> None:
    async with stage({"refused-http"}) as playing:
        endpoint = playing.parts[0].endpoint()
        given = of_parts(playing.parts)
        many = type(given)(tuple(given.candidates[0] for _ in range(600)), (), 0)
        assert endpoint.port
        run = make_run(many, playing.origin, profile=fast(60.0))
        began = time.monotonic()
        async with running(run):
            await asyncio.sleep(2.0)  # the queue of events is long full by now
        assert time.monotonic() - began < 6


async def test_a_slow_reader_still_gets_every_event_and_the_counts_add_up() -> None:
    async with stage({"refused-http"}) as playing:
        given = of_parts(playing.parts)
        many = type(given)(tuple(given.candidates[0] for _ in range(600)), (), 0)
        run = make_run(many, playing.origin, profile=fast(5.0))
        judged, last = 0, None
        stop = Stop()
        async with asyncio.timeout(15), running(run, stop) as events:
            await asyncio.sleep(1.7)  # past the head start of the control, until the queue is full
            async for event in events:
                judged += isinstance(event, Judged)
                last = event
                if judged == 100:
                    stop.ring("interrupted")
    assert isinstance(last, Finished)
    assert judged == 600 == sum(last.counts.values())
    assert last.stopped == "interrupted"


@pytest.mark.parametrize("seed", range(4))
async def test_runs_cut_off_at_random_moments_leave_nothing(seed: int) -> None:
    chance = random.Random(seed)
    async with stage(NAMES) as playing:
        for _ in range(6):
            run = make_run(of_parts(playing.parts), playing.origin, profile=fast(60.0))
            try:
                async with asyncio.timeout(chance.uniform(0.0, 0.25)), running(run) as events:
                    async for _event in events:
                        await asyncio.sleep(0)
            except TimeoutError:
                continue


async def test_an_engine_that_fails_to_open_leaves_the_others_alone() -> None:
    @asynccontextmanager
    async def broken(endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
        if endpoints:
            raise CannotMeasure("the engine is missing")
        yield None  # type: ignore[misc]

    (node,) = parse_line("trojan://p@127.0.0.1:9?sni=t.example.com")
    assert isinstance(node, Endpoint)
    async with stage({"good-http"}) as playing:
        given = of_parts(playing.parts)
        both = replace(given, candidates=(*given.candidates, Candidate(node, "list", 2)))
        run = replace(make_run(both, playing.origin), engines=broken)
        last = None
        async with asyncio.timeout(10), running(run) as events:
            async for event in events:
                last = event
    assert isinstance(last, Finished)
    assert (last.counts[Status.WORKING], last.counts[Status.UNTESTED]) == (1, 1)
