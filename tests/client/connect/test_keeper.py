"""The keeper with real proxies on loopback: failover, the rule on classes, refusals, and the return of the dead."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from client.connect import choice
from client.connect.events import Held, Hold, Lost, Noticed, Using, Why
from client.connect.legs import Datagrams, Leg, NotOpened, Refusal
from client.connect.local import Local
from client.connect.pump import Judged
from client.connect.udp_side import Through
from client.model import Protection
from client.options import Option
from tests.client.connect.puppet import puppet
from tests.client.connect.upstreams import Played, played
from tests.client.connect.ways_out import program
from transports.net import Net
from transports.udp import associate

A, C, D = Protection.TOR, Protection.UNKNOWN, Protection.OPEN
FAILOVER = 3.0


@asynccontextmanager
async def download(play: Played) -> AsyncIterator[tuple[Leg, asyncio.Event]]:
    """Read without end through the keeper, as the local side does; gives the leg and the bell of its cut."""
    leg = await play.keeper.open("127.0.0.1", play.stream_port)
    cut = asyncio.Event()
    leg.when_cut(cut.set)

    async def read() -> None:
        while data := await leg.stream.recv(65536):
            leg.received(len(data))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(read())
        await asyncio.sleep(1.0)
        try:
            yield leg, cut
        finally:
            task.cancel()
            leg.close()


async def fetched(play: Played) -> str:
    """Send a request to the origin through the keeper; return what came first."""
    leg = await play.keeper.open("127.0.0.1", play.origin.http_port)
    try:
        await leg.stream.send(b"GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return (await leg.stream.recv(4096)).decode()
    finally:
        leg.close()


async def refused(play: Played, port: int = 9) -> tuple[Refusal, float]:
    began = time.monotonic()
    with pytest.raises(NotOpened) as seen:
        await play.keeper.open("127.0.0.1", port)
    return seen.value.refusal, time.monotonic() - began


async def test_the_first_option_that_works_is_used_and_carries_bytes() -> None:
    async with played(1) as play:
        play.keeper.judged("one", play.upstreams[0].option(D))
        (using,) = play.of(Using)
        assert (using.id, using.why) == ("one", Why.START)  # type: ignore[union-attr]
        assert (await fetched(play)).startswith("HTTP/1.1 200")


async def test_a_connection_that_comes_before_any_option_waits_for_one() -> None:
    async with played(1) as play:
        play.keeper.begin({"one": D})
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(fetched(play))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            play.keeper.judged("one", play.upstreams[0].option(D))
        assert waiting.result().startswith("HTTP/1.1 200")


@pytest.mark.parametrize("death", ["killed", "silent"])
async def test_an_option_that_dies_in_a_download_is_replaced_within_three_seconds(death: str) -> None:
    async with played(2) as play:
        first, second = play.upstreams
        play.keeper.judged("one", first.option(C, 1))
        play.keeper.judged("two", second.option(C, 2))
        async with download(play) as (leg, cut):
            died = time.monotonic()
            if death == "killed":
                await first.kill()
                leg.broke()
            else:
                first.silent = True
                leg.received(0)
                leg.stream.close()  # no more bytes come
            await play.until(lambda: len(play.of(Using)) == 2)
            assert time.monotonic() - died < FAILOVER
            assert cut.is_set()
        (lost,) = play.of(Lost)
        assert (lost.id, lost.cut) == ("one", 1)  # type: ignore[union-attr]
        assert play.told[-1].why is Why.FAILOVER  # type: ignore[union-attr]
        assert (await fetched(play)).startswith("HTTP/1.1 200")


async def test_a_connection_whose_option_has_died_is_opened_through_the_next_one() -> None:
    async with played(2) as play:
        first, second = play.upstreams
        play.keeper.judged("one", first.option(C, 1))
        play.keeper.judged("two", second.option(C, 2))
        await first.kill()
        answers = await asyncio.gather(*(fetched(play) for _ in range(20)))
        assert {answer[:12] for answer in answers} == {"HTTP/1.1 200"}
        assert len(play.of(Lost)) == 1


async def test_when_the_last_of_its_class_dies_not_one_connection_goes_through_a_lower_one() -> None:
    async with played(2) as play:
        best, lower = play.upstreams
        play.keeper.judged("best", best.option(A))
        play.keeper.judged("lower", lower.option(D))
        async with download(play) as (leg, cut):
            await best.kill()
            leg.broke()
            await play.until(lambda: play.of(Held))
            assert cut.is_set()
        answers = [await refused(play, play.origin.http_port) for _ in range(30)]
        assert {refusal for refusal, _ in answers} == {Refusal.HELD}
        assert max(seconds for _, seconds in answers) < 0.5
        (held,) = play.of(Held)
        assert (held.why, held.lowest, held.there) == (Hold.ONLY_LOWER, A, D)  # type: ignore[union-attr]
        await play.until(lambda: play.of(Noticed))  # nobody could be asked, and that is said
        await asyncio.sleep(1.0)
        assert lower.connections == 0
        assert play.keeper.using is None


@pytest.mark.parametrize("answer", [True, False])
async def test_a_lower_class_is_used_only_after_a_yes(answer: bool) -> None:
    asked = []

    async def consent(there: Protection, before: Protection | None) -> bool:
        asked.append((there, before))
        await asyncio.sleep(0.3)
        return answer

    async with played(2, consent=consent) as play:
        best, lower = play.upstreams
        play.keeper.judged("best", best.option(A))
        play.keeper.judged("lower", lower.option(D))
        await best.kill()
        assert (await refused(play))[0] is Refusal.HELD
        assert lower.connections == 0
        await asyncio.sleep(0.6)
        assert asked == [(D, A)]
        if answer:
            assert (await fetched(play)).startswith("HTTP/1.1 200")
        else:
            assert (await refused(play))[0] is Refusal.HELD
            assert lower.connections == 0


async def test_consent_beforehand_needs_no_question() -> None:
    async with played(2, lowest=D) as play:
        best, lower = play.upstreams
        play.keeper.judged("best", best.option(A))
        play.keeper.judged("lower", lower.option(D))
        await best.kill()
        assert (await fetched(play)).startswith("HTTP/1.1 200")
        assert not play.of(Held)


async def test_below_what_was_allowed_nothing_is_used_even_at_the_start() -> None:
    async with played(1, lowest=C) as play:
        play.keeper.judged("open", play.upstreams[0].option(D))
        assert (await refused(play))[0] is Refusal.HELD
        assert play.upstreams[0].connections == 0


async def test_an_open_option_waits_while_better_ones_are_under_test_and_says_so() -> None:
    async with played(2) as play:
        lower, better = play.upstreams
        play.keeper.begin({"lower": D, "better": C})
        play.keeper.judged("lower", lower.option(D))
        assert play.keeper.using is None
        assert len(play.of(Noticed)) == 1
        play.keeper.judged("better", better.option(C))
        assert [event.id for event in play.of(Using)] == ["better"]  # type: ignore[union-attr]


async def test_a_better_class_takes_over_new_connections_and_leaves_the_old_ones_alone() -> None:
    async with played(2) as play:
        old, better = play.upstreams
        play.keeper.judged("old", old.option(C))
        async with download(play) as (_, cut):
            play.keeper.judged("better", better.option(A))
            assert play.told[-1].why is Why.BETTER  # type: ignore[union-attr]
            before = old.connections
            await fetched(play)
            await asyncio.sleep(1.0)
            assert not cut.is_set()
            assert (old.connections, better.connections) == (before, 1)


async def test_when_all_are_dead_programs_are_refused_at_once_and_a_return_is_noticed() -> None:
    async with played(1) as play:
        (only,) = play.upstreams
        play.keeper.judged("only", only.option(D))
        await only.kill()
        assert (await refused(play))[0] is Refusal.HELD
        (held,) = play.of(Held)
        assert held.why is Hold.NOTHING_WORKS  # type: ignore[union-attr]
        assert (await refused(play))[1] < 0.5
        await only.start()
        await play.until(lambda: len(play.of(Using)) == 2, 15)
        assert (await fetched(play)).startswith("HTTP/1.1 200")


async def test_a_refusal_by_the_destination_is_passed_on_and_kills_nobody() -> None:
    async with played(1) as play:
        play.keeper.judged("one", play.upstreams[0].option(D))
        refusals = {(await refused(play, 1))[0] for _ in range(5)}
        assert refusals == {Refusal.HOST_UNREACHABLE}
        await asyncio.sleep(0.5)
        assert not play.of(Lost)
        assert (await fetched(play)).startswith("HTTP/1.1 200")


async def test_many_doubts_share_one_probe() -> None:
    async with played(1) as play:
        (only,) = play.upstreams
        play.keeper.judged("only", only.option(D))
        legs = [await play.keeper.open("127.0.0.1", play.origin.http_port) for _ in range(10)]
        only.forget()
        for leg in legs:
            leg.broke()
        await asyncio.sleep(0.8)
        assert only.connections == 1
        assert not play.of(Lost)
        for leg in legs:
            leg.close()


async def test_after_sleep_what_is_in_use_is_asked_at_once() -> None:
    async with played(2) as play:
        first, second = play.upstreams
        play.keeper.judged("one", first.option(C, 1))
        play.keeper.judged("two", second.option(C, 2))
        await first.kill()
        play.keeper.shake(cut=False)
        await play.until(lambda: len(play.of(Using)) == 2, FAILOVER)
        assert second.connections >= 1


async def test_an_address_that_is_gone_cuts_every_connection_and_keeps_the_option() -> None:
    async with played(1) as play:
        play.keeper.judged("one", play.upstreams[0].option(C))
        async with download(play) as (_, cut):
            play.keeper.shake(cut=True)
            assert cut.is_set()
        assert not play.of(Lost)
        assert (await fetched(play)).startswith("HTTP/1.1 200")


async def test_nothing_is_sent_while_nobody_uses_it() -> None:
    async with played(2) as play:
        for number, one in enumerate(play.upstreams):
            play.keeper.judged(str(number), one.option(C, number))
        await asyncio.sleep(2.0)
        assert [one.connections for one in play.upstreams] == [0, 0]


async def test_two_hundred_connections_open_at_once() -> None:
    async with played(1) as play:
        play.keeper.judged("one", play.upstreams[0].option(D))
        legs = await asyncio.gather(
            *(play.keeper.open("127.0.0.1", play.origin.http_port) for _ in range(200))
        )
        status = play.keeper.status()
        assert status.connections == 200
        assert status.option is not None
        for leg in legs:
            leg.close()
        assert play.keeper.status().connections == 0


async def test_figures_count_what_went_through_dead_options_too() -> None:
    async with played(2) as play:
        first, second = play.upstreams
        play.keeper.judged("one", first.option(C, 1))
        play.keeper.judged("two", second.option(C, 2))
        leg = await play.keeper.open("127.0.0.1", play.origin.http_port)
        leg.sent(1000)
        leg.received(5000)
        await first.kill()
        leg.broke()
        await play.until(lambda: len(play.of(Using)) == 2)
        status, summary = play.keeper.status(), play.keeper.summary(0)
        assert (status.id, status.up, status.down, status.connections) == ("two", 1000, 5000, 0)
        assert (summary.up, summary.down, summary.used, summary.lost) == (1000, 5000, 2, 1)
        leg.close()


async def test_the_end_of_a_connection_in_a_flow_is_bad_when_its_option_is_gone_and_good_when_it_lives() -> (
    None
):
    async with played(1) as play:
        (only,) = play.upstreams
        play.keeper.judged("only", only.option(D))
        for dead in (False, True):
            leg = await play.keeper.open("127.0.0.1", play.stream_port)
            assert isinstance(leg, Judged)
            for _ in range(8):
                leg.received(16 * 1024)
            if dead:
                await only.kill()
            assert await leg.ended_well() is not dead
            leg.close()
        await play.until(lambda: play.of(Lost))


async def test_a_better_one_that_died_comes_back_after_a_full_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "pause", lambda *_args, **_more: 1.0)
    async with played(2, lowest=D) as play:
        better, lower = play.upstreams
        play.keeper.judged("better", better.option(A))
        play.keeper.judged("lower", lower.option(D))
        await better.kill()
        assert (await fetched(play)).startswith("HTTP/1.1 200")
        await better.start()
        await play.until(lambda: len(play.of(Using)) == 3, 15)
        last = play.of(Using)[-1]
        assert isinstance(last, Using)
        assert (last.id, last.why) == ("better", Why.BETTER)
        assert last.option.kib_per_s != better.option(A).kib_per_s  # it was measured anew


async def test_an_option_without_datagrams_says_so_and_lives_on() -> None:
    async def none(_option: Option, _net: Net) -> Datagrams:
        raise NotOpened(Refusal.UNSUPPORTED)

    async with played(1, datagrams=none) as play:
        play.keeper.judged("one", play.upstreams[0].option(D))
        with pytest.raises(NotOpened) as seen:
            await play.keeper.datagrams()
        assert seen.value.refusal is Refusal.UNSUPPORTED
        assert not play.of(Lost)


async def test_an_association_ends_with_its_option() -> None:
    ended = []

    async def opened(option: Option, net: Net) -> Datagrams:
        association = await associate(option.endpoint, net)
        association.when_over(lambda: ended.append(True))
        return Through(association)

    async with played(1, datagrams=opened) as play:
        (only,) = play.upstreams
        play.keeper.judged("one", only.option(D))
        await play.keeper.datagrams()
        await only.kill()
        assert (await refused(play))[0] is Refusal.HELD
        await play.until(lambda: ended)


async def test_an_end_in_good_order_by_a_proxy_that_then_says_nothing_is_a_reset() -> None:
    async with puppet() as first, played(1) as play:
        play.keeper.judged("one", first.option(C))
        async with (
            Local.listening("127.0.0.1", 0, play.keeper) as door,
            program(door) as client,
        ):
            await client.send(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01")
            await client.send(play.stream_port.to_bytes(2, "big"))
            await client.exactly(12 + 100_000)
            first.silent = True
            first.end_in_good_order(play.stream_port)
            assert await client.is_reset()
        assert play.of(Lost)


async def test_an_end_by_a_proxy_that_goes_on_answering_is_passed_on_for_nobody_can_tell() -> None:
    async with puppet() as first, played(1) as play:
        play.keeper.judged("one", first.option(C))
        async with Local.listening("127.0.0.1", 0, play.keeper) as door, program(door) as client:
            await client.send(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01")
            await client.send(play.stream_port.to_bytes(2, "big"))
            await client.exactly(12 + 100_000)
            first.end_in_good_order(play.stream_port)
            assert not await client.is_reset()
