"""The engine over real servers, good and hostile: what a person would be told."""

import asyncio
import itertools
import random
import socket
import time
import tracemalloc
from dataclasses import replace

import pytest

from client import control, engine
from client.drill.cast import CAST
from client.drill.hostile import INTERIM, endless
from client.drill.serving import nobody, serving
from client.drill.stage import stage
from client.engine import Stop
from client.events import ControlFinished, Event, Finished, Judged, LineRejected, Progressed, Started
from client.model import (
    Candidate,
    Content,
    Failure,
    LineState,
    Message,
    Protection,
    Reading,
    RejectedLine,
    Status,
    Step,
    Verdict,
)
from client.parse import parse_line
from client.settings import PROFILES
from client.targets import Targets, parse_url
from tests.client.runs import (
    endpoint,
    events_of,
    fast,
    finished_in,
    make_run,
    of_parts,
    quick,
    reading,
    targets_at,
    verdicts_in,
)
from transports.types import Endpoint

SILENT = ("silent-http", "silent-socks5", "tarpit-http", "tarpit-socks5")


def line_of(events: list[Event]) -> LineState:
    return finished_in(events).line_state


def adds_up(last: Finished) -> bool:
    return (
        last.given == last.candidates + last.duplicates + last.rejected
        and sum(last.counts.values()) == last.candidates
    )


async def test_every_part_of_the_cast_gets_its_verdict_and_nobody_works_falsely() -> None:
    async with stage() as playing:
        began = time.monotonic()
        events = await events_of(make_run(of_parts(playing.parts), playing.origin))
        assert time.monotonic() - began < 12  # the longest deadline is 4 s, and all wait side by side
    wrong = []
    for verdict in verdicts_in(events):
        part = playing.parts[verdict.candidate.line - 1].part
        found = (verdict.status, verdict.step, verdict.failure)
        if found not in part.expect:
            wrong.append((part.name, found, verdict.reason.id))
    assert not wrong
    assert len(verdicts_in(events)) == len(CAST)
    assert adds_up(finished_in(events))
    assert line_of(events) is LineState.HEALTHY


async def test_a_working_verdict_carries_the_whole_proof() -> None:
    async with stage({"good-http", "good-socks5", "no-udp-socks5"}) as playing:
        events = await events_of(make_run(of_parts(playing.parts), playing.origin))
        seen = playing.origin.seen
    for verdict in verdicts_in(events):
        proof = verdict.proof
        assert verdict.status is Status.WORKING
        assert proof.content
        assert proof.down >= 64 * 1024
        assert proof.up >= 32 * 1024
        assert proof.reads + proof.writes >= 32
        assert (proof.plain, proof.impossible, proof.upload) == (
            Content.INTACT,
            Content.REFUSED,
            Content.INTACT,
        )
        assert [one.failure for one in verdict.observations if one.failure] == []
        assert verdict.kib_per_s
    assert {v.candidate.line: v.proof.udp for v in verdicts_in(events)} == {
        1: Content.SKIPPED,
        2: Content.INTACT,
        3: Content.REFUSED,
    }
    assert seen.uploaded >= 4 * 32 * 1024  # three candidates and the control


async def test_events_come_in_their_order_and_the_last_is_the_end() -> None:
    refused = (RejectedLine("list", 9, Message("why")),)
    async with stage({"good-http", "refused-http"}) as playing:
        given = reading(*(p.endpoint() for p in playing.parts), rejected=refused)
        events = await events_of(make_run(given, playing.origin))
    assert isinstance(events[0], Started)
    assert isinstance(events[1], LineRejected)
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, ControlFinished) for event in events) == 1
    last = finished_in(events)
    assert (last.given, last.candidates, last.rejected) == (3, 2, 1)
    assert adds_up(last)
    assert last.first_working is not None
    assert last.first_working <= last.elapsed


async def test_ids_are_of_the_endpoint_and_of_the_run() -> None:
    async with nobody() as port, stage(()) as playing:
        given = reading(endpoint(port=port), endpoint(port=port, transport="socks5"))
        runs = [
            [e.id for e in await events_of(make_run(given, playing.origin)) if isinstance(e, Judged)]
            for _ in range(2)
        ]
    assert len({*runs[0], *runs[1]}) == 4


async def test_progress_is_told_while_it_lasts() -> None:
    async with stage({"silent-http"}) as playing:
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, profile=quick(0.8)))
    told = [event for event in events if isinstance(event, Progressed)]
    assert told
    assert all(event.total == 1 and event.connections >= 1 for event in told)


# what ends a run


async def test_the_first_working_one_can_be_enough() -> None:
    async with stage({"good-http", *SILENT}) as playing:
        began = time.monotonic()
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, first=1))
        assert time.monotonic() - began < 3.9  # the silent ones have 4 s each
    last = finished_in(events)
    assert last.stopped == "first"
    assert last.counts[Status.WORKING] == 1
    assert adds_up(last)


async def test_an_interrupted_run_tells_what_is_known_and_adds_up() -> None:
    stop = Stop()
    async with stage({"good-http", "refused-http", *SILENT}) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, profile=fast(30.0))
        known: list[Verdict] = []
        events: list[Event] = []
        async with asyncio.timeout(15), engine.running(run, stop) as stream:
            async for event in stream:
                events.append(event)
                known += [event.verdict] if isinstance(event, Judged) else []
                if len(known) == 2:
                    stop.ring("interrupted")
                    stop.ring("another reason")
    last = finished_in(events)
    assert last.stopped == "interrupted"
    assert (last.counts[Status.WORKING], last.counts[Status.FAILED]) == (1, 1)
    assert last.counts[Status.UNTESTED] == len(SILENT)
    assert adds_up(last)
    halfway = known[2:]
    assert {verdict.reason.id for verdict in halfway} == {"stopped in the middle of its test"}
    assert {(verdict.tries, verdict.observations[0].step) for verdict in halfway} == {(1, Step.CONNECT)}
    assert all(0 < verdict.elapsed < 15 for verdict in halfway)


async def test_who_was_never_contacted_is_told_so() -> None:
    stop = Stop()
    async with stage({"good-http", *SILENT}) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, profile=fast(30.0, concurrency=1))
        run = replace(run, rng=random.Random(1))
        async with asyncio.timeout(15), engine.running(run, stop) as stream:
            events = []
            async for event in stream:
                events.append(event)
                if isinstance(event, Progressed) and event.connections:
                    stop.ring("interrupted")
    reasons = [verdict.reason.id for verdict in verdicts_in(events)]
    assert "stopped before its turn" in reasons
    assert reasons.count("stopped in the middle of its test") <= 1


async def test_a_run_stopped_before_it_began_adds_up_too() -> None:
    stop = Stop()
    stop.ring("interrupted")
    async with stage({"good-http", "silent-http"}) as playing:
        last = finished_in(await events_of(make_run(of_parts(playing.parts), playing.origin), stop))
    assert last.stopped == "interrupted"
    assert adds_up(last)


async def test_a_run_ends_when_its_budget_is_spent() -> None:
    names = {"good-http", "good-socks5", "good-socks4", *SILENT}
    async with stage(names) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, budget_kib=50, profile=fast(15.0))
        events = await events_of(run)
    last = finished_in(events)
    started = next(event for event in events if isinstance(event, Started))
    assert last.stopped == "budget"
    assert started.budget_kib == 50
    assert last.counts[Status.WORKING] >= 1
    assert last.counts[Status.UNTESTED] >= len(SILENT)
    assert adds_up(last)


async def test_only_the_wanted_kinds_are_contacted() -> None:
    async with stage({"good-http", "good-socks5"}) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, only=frozenset({"socks5"}))
        last = finished_in(await events_of(run))
    assert (last.counts[Status.WORKING], last.counts[Status.UNTESTED]) == (1, 1)


async def test_with_nothing_to_test_nothing_is_contacted() -> None:
    untested = Endpoint(transport="telegram", host="127.0.0.1", port=9, untested="open it in Telegram")
    async with stage(()) as playing:
        events = await events_of(make_run(reading(untested), playing.origin))
        assert playing.origin.seen.connections == 0
    assert [verdict.reason.id for verdict in verdicts_in(events)] == ["open it in Telegram"]
    assert not any(isinstance(event, ControlFinished) for event in events)
    assert adds_up(finished_in(events))


async def test_an_empty_list_ends_at_once() -> None:
    async with stage(()) as playing:
        events = await events_of(make_run(Reading((), (), 0), playing.origin))
    assert isinstance(events[-1], Finished)


async def test_engines_that_are_missing_leave_their_candidates_untested() -> None:
    node = Endpoint(transport="trojan", host="127.0.0.1", port=9, password="p", options={"type": "trojan"})
    async with stage(()) as playing:
        events = await events_of(make_run(reading(node), playing.origin))
    (verdict,) = verdicts_in(events)
    assert verdict.status is Status.UNTESTED
    assert verdict.reason.id


async def test_trust_lifts_an_unknown_server_and_nothing_else() -> None:
    (node,) = parse_line("trojan://p@127.0.0.1:9?sni=t.example.com")
    assert isinstance(node, Endpoint)
    async with nobody() as port, stage(()) as playing:
        run = replace(make_run(reading(node, endpoint(port=port)), playing.origin), trusted=True)
        classes = {v.transport: v.protection for v in verdicts_in(await events_of(run))}
    assert classes == {"trojan": Protection.TRUSTED, "http": Protection.OPEN}


# tries


async def test_a_break_gets_a_second_try_and_silence_gets_one() -> None:
    async with stage({"first-dropped-http", "reset-http", "silent-http"}) as playing:
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, profile=quick(1.0)))
    tries = {playing.parts[v.candidate.line - 1].part.name: v.tries for v in verdicts_in(events)}
    assert tries == {"first-dropped-http": 2, "reset-http": 2, "silent-http": 1}


async def test_silence_gets_a_longer_try_where_the_profile_allows_one() -> None:
    profile = replace(quick(0.4), deep=quick(3.0).short)
    async with stage({"slow-http", "refused-http"}) as playing:
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, profile=profile))
    slow = next(
        v for v in verdicts_in(events) if playing.parts[v.candidate.line - 1].part.name == "slow-http"
    )
    assert slow.status in (Status.WORKING, Status.DEGRADED)
    assert slow.tries == 2


async def test_who_says_nothing_of_the_protocol_is_found_out() -> None:
    names = {"good-http", "good-socks5", "silent-http"}
    async with stage(names) as playing:
        given = [replace(placed.endpoint(), transport="auto") for placed in playing.parts]
        events = await events_of(make_run(reading(*given), playing.origin, profile=fast(3.0)))
    assert [(v.transport, v.status) for v in sorted(verdicts_in(events), key=lambda v: v.candidate.line)] == [
        ("http", Status.WORKING),
        ("socks5", Status.WORKING),
        ("auto", Status.FAILED),
    ]


async def test_quiet_opens_no_more_than_its_pace() -> None:
    times: list[float] = []

    async def note(peer: object) -> None:
        times.append(time.monotonic())

    async with serving(note) as port, stage(()) as playing:
        profile = replace(PROFILES["quiet"], interval=0.1, short=quick(3.0).short, deep=None, pause=0.1)
        given = reading(*(endpoint("localhost" if n else "127.0.0.1", port) for n in range(2)))
        await events_of(make_run(given, playing.origin, profile=profile))
    assert len(times) == 4  # two candidates, each tried twice
    gaps = [late - early for early, late in itertools.pairwise(times)]
    assert min(gaps) > 0.05


# the line itself


async def test_without_a_network_the_line_is_named_and_nobody_is_blamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(control, "has_route", lambda: False)
    async with stage({"refused-http"}) as playing, nobody() as port:
        page = parse_url(f"https://localhost:{port}/", tls=True, option="--target")
        targets = Targets(small=(page,), bulk=(page,), plain=())
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, targets=targets))
    assert line_of(events) is LineState.NO_NETWORK
    (verdict,) = verdicts_in(events)
    assert verdict.status is Status.FAILED


async def test_a_target_that_nobody_serves_is_no_answer_and_no_crash() -> None:
    async with stage({"good-http"}) as playing, nobody() as port:
        page = parse_url(f"https://localhost:{port}/", tls=True, option="--target")
        targets = Targets(small=(page,), bulk=(page,), plain=())
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, targets=targets))
    assert line_of(events) in (LineState.NO_ANSWER, LineState.NO_NETWORK)
    (verdict,) = verdicts_in(events)
    assert verdict.status is Status.FAILED
    assert finished_in(events).counts[Status.WORKING] == 0


async def test_a_target_whose_name_has_no_address_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **more: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with stage({"refused-http"}) as playing:
        page = parse_url("https://nowhere.test/", tls=True, option="--target")
        targets = Targets(small=(page,), bulk=(page,), plain=())
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, targets=targets))
    (told,) = [event.control for event in events if isinstance(event, ControlFinished)]
    assert told.step is Step.RESOLVE
    assert told.failure is Failure.DNS_NXDOMAIN
    assert told.state in (LineState.NO_ANSWER, LineState.NO_NETWORK)


async def test_a_forged_certificate_that_shows_directly_too_is_not_the_proxys_fault() -> None:
    async with stage({"good-http", "intercepted-http"}) as playing:
        run = make_run(of_parts(playing.parts), playing.origin, extra_roots="")  # the origin is not trusted
        events = await events_of(run)
    assert line_of(events) is LineState.TAMPERED
    for verdict in verdicts_in(events):
        assert verdict.status is Status.FAILED
        assert "without any proxy" in verdict.reason.id


async def test_an_unknown_plain_page_is_compared_with_the_direct_one() -> None:
    async with stage({"good-http", "injected-http"}) as playing:
        targets = targets_at(playing.origin)
        targets = replace(targets, plain=(replace(targets.plain[0], digest=None),))
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, targets=targets))
    assert [v.status for v in sorted(verdicts_in(events), key=lambda v: v.candidate.line)] == [
        Status.WORKING,
        Status.HOSTILE,
    ]


async def test_a_target_by_address_is_checked_for_that_address() -> None:
    async with stage({"good-http", "good-socks5", "good-socks4"}) as playing:
        targets = targets_at(playing.origin, "127.0.0.1")
        events = await events_of(make_run(of_parts(playing.parts), playing.origin, targets=targets))
    assert {verdict.status for verdict in verdicts_in(events)} == {Status.WORKING}


# size


async def peak_with(count: int) -> int:
    """Return the most memory that was held while `count` proxies poured out bodies without end."""
    body = endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"<p>and more</p>\n" * 256)
    heads = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 200)
    async with serving(body) as one, serving(heads) as other, serving(INTERIM) as third, stage(()) as playing:
        ports = itertools.cycle((one, other, third))
        given = Reading(tuple(Candidate(endpoint(port=next(ports)), "list", n) for n in range(count)), (), 0)
        run = make_run(given, playing.origin, profile=quick(1.0))
        tracemalloc.start()
        try:
            await events_of(run)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


async def test_bodies_without_end_do_not_fill_the_memory() -> None:
    await peak_with(3)  # what is loaded once
    one, many = await peak_with(3), await peak_with(42)
    assert (many - one) / 39 < 512 * 1024
