"""What a run takes it gives back: descriptors, memory, threads. (Sockets and tasks: tests/conftest.py.)"""

import asyncio
import gc
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from client.drill.serving import nobody
from client.drill.stage import stage
from client.model import Candidate, Reading
from client.parse import read
from tests.client.runs import endpoint, events_of, finished_in, make_run, of_parts, quick

DESCRIPTORS = Path("/proc/self/fd")
NAMES = {"good-http", "good-https", "good-socks5", "tarpit-http", "reset-socks5", "captive"}


def descriptors() -> int:
    return len(os.listdir(DESCRIPTORS))


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="this system does not list a process's descriptors")
async def test_four_runs_hold_no_more_descriptors_than_one() -> None:
    async with stage(NAMES) as playing:
        counts = []
        for _ in range(4):
            await events_of(make_run(of_parts(playing.parts), playing.origin, profile=quick(0.5)))
            await asyncio.sleep(0.1)  # the servers' sides end
            counts.append(descriptors())
    assert max(counts[1:]) <= counts[0] + 2


async def test_runs_leave_no_growing_number_of_threads() -> None:
    async with stage({"good-socks5", "no-udp-socks5"}) as playing:
        for _ in range(2):
            await events_of(make_run(of_parts(playing.parts), playing.origin))
        before = threading.active_count()
        for _ in range(3):
            await events_of(make_run(of_parts(playing.parts), playing.origin))
    assert threading.active_count() <= before + 2


async def test_dead_candidates_leave_little_behind() -> None:
    async with nobody() as port, stage(()) as playing:

        async def one_run(count: int) -> None:
            dead = endpoint(port=port)
            given = Reading(tuple(Candidate(dead, "list", n) for n in range(count)), (), 0)
            last = finished_in(await events_of(make_run(given, playing.origin, profile=quick(1.0))))
            assert last.counts["failed"] == count

        await one_run(300)
        gc.collect()
        tracemalloc.start()
        try:
            await one_run(300)
            gc.collect()
            first = tracemalloc.get_traced_memory()[0]
            await one_run(300)
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] - first < 300 * 100
        finally:
            tracemalloc.stop()


def test_a_listed_candidate_costs_less_than_a_kib() -> None:
    text = "\n".join(f"10.0.{n >> 8}.{n & 255}:8080" for n in range(5000))
    read([("list", text)])
    tracemalloc.start()
    try:
        kept = read([("list", text)])
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(kept.candidates) == 5000
    assert held / 5000 < 1024
