"""Upstreams of `sanylau connect` that die while programs use them: killed, or silent from one moment to the next."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tests.integration import programs
from tests.integration.connecting import FAILOVER, Note, Running, connecting
from tests.integration.far_proxies import STARTERS, Upstream, targets_of, upstreams
from tests.integration.far_sites import BIG, TRICKLE, digest
from tests.integration.two_sides import FAR, MOVED, PERSON, TwoSides, sides

__all__ = ["sides"]
pytestmark = pytest.mark.timeout(90)

PAIRS = {"plain": ("socks5", "http"), "engine": ("shadowsocks", "trojan")}
SITE = "http://page.test"
MIDDLE = 4 * 1024 * 1024  # bytes that are down when the upstream dies
MANY = 60
CHECKED = 36_000  # bytes that go up when one entry is tested
ENDED_BADLY = (18, 52, 55, 56)  # curl: a part only, an empty reply, could not send, a failure in receiving


def proxy(run: Running) -> str:
    return f"socks5h://127.0.0.1:{run.port}"


def by_kind(using: list[Upstream], kind: str) -> tuple[Upstream, Upstream]:
    """Return the upstream of this kind, and the other one."""
    first, second = using
    return (first, second) if first.kind == kind else (second, first)


def die(upstream: Upstream, death: str) -> float:
    """End an upstream in this way, and return the moment. One that is stopped goes on taking connections and bytes."""
    if death == "killed":
        upstream.kill()
    elif death == "stopped":
        os.killpg(upstream.process.pid, signal.SIGSTOP)
    else:
        upstream.sides.silence(upstream.port)
    return time.monotonic()


async def quiet(sides: TwoSides, port: int, seconds: float = 1.0) -> None:
    """Wait until nothing has gone to this upstream for a while: the check is done with it."""
    before, since = sides.crossed().to(port), time.monotonic()
    async with asyncio.timeout(20):
        while time.monotonic() - since < seconds:
            await asyncio.sleep(0.1)
            now = sides.crossed().to(port)
            if now != before:
                before, since = now, time.monotonic()


async def grown(*files: Path, to: int = MIDDLE) -> None:
    async with asyncio.timeout(20):
        while not all(file.exists() and file.stat().st_size >= to for file in files):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def fetched(run: Running, me: list[str], limit: float = 5.0) -> programs.Done:
    return await programs.run(
        me, *programs.curl(proxy(run), f"{SITE}/page", "--max-time", str(limit)), limit=limit + 2
    )


@pytest.mark.parametrize(
    ("pair", "death"),
    [
        ("plain", "killed"),
        ("plain", "silent"),
        ("plain", "stopped"),
        ("engine", "killed"),
        ("engine", "silent"),
    ],
)
async def test_an_upstream_that_dies_in_a_download_is_replaced_and_no_program_takes_a_part_for_the_whole(
    sides: TwoSides, tmp_path: Path, pair: str, death: str, record_property: Note
) -> None:
    me = sides.inside("person")
    files = {name: tmp_path / name for name in ("whole", "unmeasured", "patient")}
    with upstreams(sides, *PAIRS[pair]) as using:
        targets = targets_of(tmp_path, sides, using)
        async with AsyncExitStack() as stack:
            run = await stack.enter_async_context(
                connecting(tmp_path, [one.line for one in using], targets, before=me, profile="quiet")
            )
            _, first = await run.until("using")
            now, other = by_kind(using, first["transport"])
            await quiet(sides, other.port)
            sides.forget()
            urls = {"whole": "big", "unmeasured": "unmeasured", "patient": "big"}
            retry = ("--retry", "5", "--retry-all-errors", "--retry-delay", "1")
            clients = {}
            for name, file in files.items():
                more = retry if name == "patient" else ()
                command = programs.curl(proxy(run), f"{SITE}/{urls[name]}", "-o", str(file), *more)
                clients[name] = await stack.enter_async_context(programs.started(me, *command))
            await grown(*files.values())
            assert sides.crossed().beside((FAR, now.port)) == {}
            died = die(now, death)
            told, _ = await run.until("lost", since=died, limit=8, id=first["id"])
            used, second = await run.until("using", since=died, limit=8)
            record_property(
                "failover", f"{pair} {death}: lost {told - died:.2f} s, using {used - died:.2f} s"
            )
            assert (second["why"], second["class"], second["transport"]) == (
                "failover",
                first["class"],
                other.kind,
            )
            assert used - died < FAILOVER
            ends = {name: await clients[name].done() for name in ("whole", "unmeasured")}
            assert {end.status for end in ends.values()} <= set(ENDED_BADLY), ends
            assert all(end.ended - died < FAILOVER for end in ends.values()), ends
            assert files["whole"].stat().st_size < BIG
            resumed = programs.curl(proxy(run), f"{SITE}/big", "-C", "-", "-o", str(files["whole"]))
            rest = await programs.run(me, *resumed)
            assert (rest.status, programs.hashed(files["whole"])) == (0, digest()), rest
            patient = await clients["patient"].done()
            assert (patient.status, programs.hashed(files["patient"])) == (0, digest()), patient
            crossed = sides.crossed()
            assert crossed.beside((FAR, now.port), (FAR, other.port)) == {}
            assert crossed.names() == 0
            if death == "silent":
                sides.unsilence(now.port)


async def test_without_consent_not_a_byte_goes_through_a_lower_class_and_a_return_ends_the_wait(
    sides: TwoSides, tmp_path: Path, record_property: Note
) -> None:
    me = sides.inside("person")
    with ExitStack() as kept:
        using = kept.enter_context(upstreams(sides, "shadowsocks", "socks5"))
        encrypted, open_one = using
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            _, first = await run.until("using", transport="shadowsocks")
            assert first["class"] == "C"
            await quiet(sides, open_one.port)
            assert sides.crossed().to(open_one.port)[0] >= 0
            sides.forget()
            file = tmp_path / "part"
            command = programs.curl(proxy(run), f"{SITE}/unmeasured", "-o", str(file))
            async with programs.started(me, *command) as download:
                await grown(file)
                encrypted.kill()
                died = time.monotonic()
                held, told = await run.until("held", since=died, limit=8)
                assert (await download.done()).status in ENDED_BADLY
            record_property("held", f"{held - died:.2f} s")
            assert held - died < FAILOVER
            assert (told["why"], told["lowest"]) == ("only_lower", "C")
            tries = [await fetched(run, me) for _ in range(12)]
            await asyncio.sleep(3)
            tries += [await fetched(run, me) for _ in range(3)]
            assert all(one.status != 0 and one.seconds < 1.0 for one in tries), tries
            crossed = sides.crossed()
            assert crossed.to(open_one.port) == (0, 0)
            assert crossed.beside((FAR, encrypted.port)) == {}
            assert run.said("using", since=died) == []
            back = STARTERS["shadowsocks"](sides, encrypted.port)
            kept.callback(back.kill)
            returned = time.monotonic()
            again, _ = await run.until("using", since=returned, limit=30, transport="shadowsocks")
            record_property("recovered", f"{again - returned:.2f} s")
            assert (await fetched(run, me)).status == 0
            assert sides.crossed().to(open_one.port) == (0, 0)


async def test_what_of_a_lower_class_was_not_tested_yet_stays_untested_when_the_last_better_one_dies(
    sides: TwoSides, tmp_path: Path
) -> None:
    """A long list: the check has stopped at enough good ones, and the death of these is no reason to go on lower."""
    me = sides.inside("person")
    with upstreams(sides, "shadowsocks", "trojan", "vless", "socks5") as using:
        *better, open_one = using
        # One server, which lets in anybody, as many entries of a list.
        many = [f"socks5://user{number}:pw@{FAR}:{open_one.port}" for number in range(MANY)]
        lines = [*(one.line for one in better), *many]
        targets = targets_of(tmp_path, sides, using)
        sides.forget()
        async with connecting(tmp_path, lines, targets, "--concurrency", "1", before=me) as run:
            await run.until("using", protection="C")
            await quiet(sides, open_one.port)
            size = sides.crossed().to(open_one.port)[1]
            assert size < MANY * CHECKED, "all of the list was tested: the test shows nothing"
            sides.forget()
            for one in better:
                one.kill()
            died = time.monotonic()
            assert (await fetched(run, me)).status != 0
            held, told = await run.until("held", since=died, limit=15)
            tried = await fetched(run, me)
            await asyncio.sleep(3)
            assert sides.crossed().to(open_one.port) == (0, 0)
            assert told["lowest"] == "C"
            assert held - died < FAILOVER
            assert (tried.status != 0, tried.seconds < 1.0) == (True, True), tried


async def test_with_consent_beforehand_a_lower_class_takes_over_within_three_seconds(
    sides: TwoSides, tmp_path: Path, record_property: Note
) -> None:
    me = sides.inside("person")
    with upstreams(sides, "shadowsocks", "socks5") as using:
        targets = targets_of(tmp_path, sides, using)
        lines = [one.line for one in using]
        async with connecting(tmp_path, lines, targets, "--lowest", "D", before=me, profile="quiet") as run:
            await run.until("using", protection="C")
            await quiet(sides, using[1].port)
            using[0].kill()
            died = time.monotonic()
            await fetched(run, me)
            used, told = await run.until("using", since=died, limit=8, transport="socks5")
            record_property("failover", f"to a lower class: {used - died:.2f} s")
            assert (told["class"], told["why"]) == ("D", "failover")
            assert used - died < FAILOVER
            assert (await fetched(run, me)).status == 0


async def test_when_all_are_dead_programs_are_refused_at_once_and_one_that_comes_back_is_used(
    sides: TwoSides, tmp_path: Path, record_property: Note
) -> None:
    me = sides.inside("person")
    with ExitStack() as kept:
        using = kept.enter_context(upstreams(sides, "socks5", "http"))
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            await run.until("using")
            for one in using:
                await quiet(sides, one.port, 0.5)
                one.kill()
            died = time.monotonic()
            first = await fetched(run, me)
            held, told = await run.until("held", since=died, limit=10)
            record_property("held", f"{held - died:.2f} s")
            assert told["why"] == "nothing_works"
            second = await fetched(run, me)
            assert first.status != 0
            assert second.status != 0
            assert second.seconds < 1.0
            back = STARTERS["http"](sides, next(one.port for one in using if one.kind == "http"))
            kept.callback(back.kill)
            returned = time.monotonic()
            used, _ = await run.until("using", since=returned, limit=40)
            record_property("recovered", f"{used - returned:.2f} s")
            assert (await fetched(run, me)).status == 0


@pytest.mark.parametrize("beside", ["alone", "beside others"])
@pytest.mark.parametrize("pair", PAIRS)
async def test_a_slow_download_whose_upstream_is_killed_does_not_look_whole_either(
    sides: TwoSides, tmp_path: Path, pair: str, beside: str
) -> None:
    """Whoever kills a proxy has the system end its connections in good order: only the proxy's absence tells.

    Other connections may have ended well right before.
    """
    me = sides.inside("person")
    file = tmp_path / "slow"
    with upstreams(sides, *PAIRS[pair]) as using:
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            _, first = await run.until("using")
            now, other = by_kind(using, first["transport"])
            await quiet(sides, other.port)
            command = programs.curl(proxy(run), f"{SITE}/trickle", "-N", "-o", str(file))
            async with programs.started(me, *command) as download:
                await grown(file, to=TRICKLE)
                for _ in range(2 if beside == "beside others" else 0):
                    short = await programs.run(me, *programs.curl(proxy(run), f"{SITE}/short"))
                    assert short.status == 0
                died = die(now, "killed")
                end = await download.done()
            assert end.status in ENDED_BADLY, end
            assert end.ended - died < FAILOVER


@pytest.mark.parametrize("pair", PAIRS)
async def test_a_silent_death_in_quiet_times_is_noticed_within_three_seconds_of_the_next_question(
    sides: TwoSides, tmp_path: Path, pair: str, record_property: Note
) -> None:
    """Nothing moves when it dies. Then a page is asked for: it comes, later and by the other option."""
    me = sides.inside("person")
    with upstreams(sides, *PAIRS[pair]) as using:
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            _, first = await run.until("using")
            now, other = by_kind(using, first["transport"])
            await quiet(sides, other.port)
            assert (await fetched(run, me)).status == 0
            await asyncio.sleep(2)
            die(now, "silent")
            asked = time.monotonic()
            page = await fetched(run, me, 20)
            used, told = await run.until("using", since=asked, limit=8)
            sides.unsilence(now.port)
            record_property("quiet", f"{pair}: {used - asked:.2f} s, the page after {page.seconds:.2f} s")
            assert (told["why"], told["transport"]) == ("failover", other.kind)
            assert page.status == 0, page
            assert used - asked < FAILOVER


@pytest.mark.parametrize("size", [0, 16])
async def test_a_silent_death_under_a_messenger_is_noticed_within_three_seconds_of_its_next_word(
    sides: TwoSides, tmp_path: Path, size: int, record_property: Note
) -> None:
    """It sends frames of several sizes (0), or signs of life alone."""
    me = sides.inside("person")
    with upstreams(sides, "socks5", "http") as using:
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            _, first = await run.until("using")
            now, other = by_kind(using, first["transport"])
            await quiet(sides, other.port)
            command = programs.raw("messenger", str(run.port), "page.test", "5222", f"30/{size}")
            async with programs.started(me, *command) as client:
                await asyncio.sleep(2)
                died = die(now, "silent")
                used, told = await run.until("using", since=died, limit=10)
                end = await client.done()
            sides.unsilence(now.port)
            record_property(
                "messenger", f"{size} {used - died:.2f} s, it ended after {end.ended - died:.2f} s"
            )
            assert told["why"] == "failover"
            assert "reset" in end.err.lower(), end
            assert used - died < FAILOVER


async def test_another_network_ends_the_old_connections_and_carries_new_ones(
    sides: TwoSides, tmp_path: Path, record_property: Note
) -> None:
    me = sides.inside("person")
    file = tmp_path / "part"
    with upstreams(sides, "socks5", "http") as using:
        targets = targets_of(tmp_path, sides, using)
        async with connecting(
            tmp_path, [one.line for one in using], targets, before=me, profile="quiet"
        ) as run:
            await run.until("using")
            command = programs.curl(proxy(run), f"{SITE}/unmeasured", "-o", str(file))
            async with programs.started(me, *command) as download:
                await grown(file)
                sides.move(PERSON, MOVED)
                moved = time.monotonic()
                try:
                    end = await download.done()
                    while (now := await fetched(run, me, 2)).status:
                        assert time.monotonic() - moved < 15, (now, run.told[-5:])
                finally:
                    sides.move(MOVED, PERSON)
            record_property("moved", f"ended {end.ended - moved:.2f} s, carried {now.ended - moved:.2f} s")
            assert end.status in ENDED_BADLY
            assert end.ended - moved < 10
