"""Pause, resume and pace of a run over real servers: nobody fails by them, and a stop ends a pause too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from client import check
from client.drill.serving import Peer, serving
from client.drill.stage import stage
from client.engine import Run, Steering, Stop, running
from client.events import Event, Finished, Judged, PaceChanged
from client.model import Status
from client.settings import PROFILES, at_pace, tuned
from tests.client.runs import (
    LIMIT,
    endpoint,
    fast,
    finished_in,
    make_run,
    of_parts,
    quick,
    reading,
    verdicts_in,
)

PARTS = ("good-http", "good-socks5", "refused-http", "tarpit-http")


@asynccontextmanager
async def followed(
    run: Run, stop: Stop, steering: Steering, judged: asyncio.Event | None = None
) -> AsyncIterator[list[Event]]:
    """Follow a run beside the body; leaving waits for its end. `judged` is set by the first verdict."""
    seen: list[Event] = []

    async def follow() -> None:
        async with running(run, stop, steering) as events:
            async for event in events:
                seen.append(event)
                if judged is not None and isinstance(event, Judged):
                    judged.set()

    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
        group.create_task(follow())
        yield seen


def changes(seen: list[Event]) -> list[tuple[str, bool]]:
    return [(event.profile, event.paused) for event in seen if isinstance(event, PaceChanged)]


async def test_a_pause_longer_than_every_deadline_changes_no_verdict() -> None:
    async with stage(PARTS) as playing:
        whole = verdicts_in(await events_of_run(make_run(of_parts(playing.parts), playing.origin)))
        steering = Steering()
        run = make_run(of_parts(playing.parts), playing.origin, profile=replace(fast(1.0), interval=0.03))
        async with followed(run, Stop(), steering) as seen:
            await asyncio.sleep(0.2)  # in the middle of the ladders
            steering.pause()
            await asyncio.sleep(1.5)
            steering.resume()
    verdicts = verdicts_in(seen)
    assert {v.candidate.line: v.status for v in verdicts} == {v.candidate.line: v.status for v in whole}
    assert changes(seen) == [("fast", True), ("fast", False)]


async def events_of_run(run: Run) -> list[Event]:
    async with followed(run, Stop(), Steering()) as seen:
        pass
    return seen


async def test_nothing_is_contacted_while_a_run_rests() -> None:
    met = 0

    async def count(peer: Peer) -> None:
        nonlocal met
        met += 1

    async with stage(["good-http"]) as playing, serving(count) as port:
        steering = Steering()
        steering.pause()
        run = make_run(reading(*(endpoint(port=port) for _ in range(29))), playing.origin)
        async with followed(run, Stop(), steering) as seen:
            await asyncio.sleep(1.0)
            assert (met, playing.origin.seen.connections) == (0, 0)
            steering.resume()
        assert met >= 29
        assert len(verdicts_in(seen)) == 29


async def test_a_stop_ends_a_run_that_rests_and_keeps_what_is_known() -> None:
    async with stage(["good-http"]) as playing:
        steering, stop = Steering(), Stop()
        placed = playing.parts[0].endpoint()
        run = make_run(
            reading(placed, *(endpoint(f"127.0.0.{n}") for n in range(2, 40))),
            playing.origin,
            profile=replace(fast(), interval=0.05, concurrency=2),
        )
        judged = asyncio.Event()
        async with followed(run, stop, steering, judged) as seen:
            await judged.wait()
            steering.pause()
            await asyncio.sleep(0.3)
            stop.ring("interrupted")
    last = finished_in(seen)
    assert last.stopped == "interrupted"
    assert sum(last.counts.values()) == last.candidates == 39
    assert 0 < 39 - last.counts[Status.UNTESTED] < 39


@pytest.mark.parametrize(("before", "after"), [(2, 40), (40, 2)])
async def test_another_profile_changes_how_many_are_tried_at_once(before: int, after: int) -> None:
    inside, most = 0, [0, 0]
    when = 0

    async def hang(peer: Peer) -> None:
        nonlocal inside
        inside += 1
        most[when] = max(most[when], inside)
        try:
            await peer.reader.read()
        finally:
            inside -= 1

    async with stage(["good-http"]) as playing, serving(hang) as port:
        steering = Steering()
        slow, quicker = replace(quick(0.3), concurrency=before), replace(quick(0.3), concurrency=after)
        endpoints = [endpoint(port=port) for _ in range(150)]
        async with followed(
            make_run(reading(*endpoints), playing.origin, profile=slow), Stop(), steering
        ) as seen:
            await asyncio.sleep(0.5)
            steering.take(quicker)
            await asyncio.sleep(0.5 if after < before else 0)  # the tries that had begun are over
            when = 1
            await asyncio.sleep(0.4)
            steering.take(replace(quicker, concurrency=64))
            when = 0
    assert most[1] > 20 if after > before else most[1] <= after + 1
    assert isinstance(seen[-1], Finished)
    assert len(verdicts_in(seen)) == 150


def test_another_pace_keeps_what_the_person_has_set() -> None:
    def fit(concurrency: int) -> int:
        return min(concurrency, 400)

    fitted = tuned(PROFILES["fast"], concurrency=400, connect=None, total=None)
    assert at_pace(fitted, "quiet", fit) == PROFILES["quiet"]
    assert at_pace(PROFILES["quiet"], "fast", fit) == fitted
    own = tuned(PROFILES["quiet"], concurrency=7, connect=2.0, total=9.0)
    quicker = at_pace(own, "fast", fit)
    assert (quicker.concurrency, quicker.short, quicker.deep) == (7, own.short, None)
    assert (quicker.name, quicker.interval, quicker.per_network) == ("fast", 0.0, 0)


def test_the_pace_of_a_run_is_fitted_to_this_system() -> None:
    for name in PROFILES:
        found = check.at_pace(PROFILES["quiet"], name)
        assert (found.name, found.interval) == (name, PROFILES[name].interval)
        assert 0 < found.concurrency <= PROFILES[name].concurrency
