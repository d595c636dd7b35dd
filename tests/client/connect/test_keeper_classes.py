"""Nothing goes through a lower class behind the person's back: counts at the proxy itself."""

import asyncio
import sys
from contextlib import suppress

import pytest

from client.connect.events import Held, Hold, Lost, Noticed, Using, Why
from client.connect.legs import Datagrams, NotOpened, Refusal
from client.connect.line import Died, Line
from client.connect.probing import Outcome
from client.model import Protection
from tests.client.connect.puppet import Puppet, associated, puppet
from tests.client.connect.upstreams import Played, played
from tests.servers.around import around

A, C, D = Protection.TOR, Protection.UNKNOWN, Protection.OPEN
FAR = ("203.0.113.7", 53)  # a documentation address: only the proxy on loopback gets it


async def held(play: Played) -> None:
    with pytest.raises(NotOpened) as seen:
        await play.keeper.open("127.0.0.1", 9)
    assert seen.value.refusal is Refusal.HELD
    await play.until(lambda: play.of(Held))


async def sent(association: Datagrams, low: Puppet) -> int:
    """Send five datagrams; return how many have reached the proxy."""
    before = low.datagrams
    for _ in range(5):
        with pytest.raises(NotOpened):
            await association.send(*FAR, b"secret")
    await asyncio.sleep(0.1)
    return low.datagrams - before


async def test_an_association_over_an_open_option_ends_when_a_better_class_is_used() -> None:
    async with puppet() as low, played(1, datagrams=associated) as play:
        play.keeper.judged("low", low.option(D))
        association = await play.keeper.datagrams()
        await association.send(*FAR, b"one")
        await play.until(lambda: low.datagrams == 1)
        assert play.keeper.status().connections == 1
        play.keeper.judged("best", play.upstreams[0].option(A))
        assert await sent(association, low) == 0
        assert play.keeper.status().connections == 0


async def test_no_datagram_passes_while_traffic_is_stopped_nor_after_the_keeper_has_ended() -> None:
    async with puppet() as low:
        async with played(1, datagrams=associated) as play:
            play.keeper.judged("low", low.option(C))
            stopped = await play.keeper.datagrams()
            play.keeper.judged("best", play.upstreams[0].option(A))
            await play.upstreams[0].kill()
            await held(play)
            assert await sent(stopped, low) == 0
        async with played(0, datagrams=associated) as play:
            play.keeper.judged("low", low.option(C))
            outlives = await play.keeper.datagrams()
        assert await sent(outlives, low) == 0
        with pytest.raises(NotOpened):
            await play.keeper.open("127.0.0.1", 9)


async def test_a_connection_over_an_open_option_is_reset_when_a_better_class_is_used() -> None:
    async with puppet() as low, played(1) as play:
        play.keeper.judged("low", low.option(D))
        leg = await play.keeper.open("127.0.0.1", play.stream_port)
        cut = asyncio.Event()
        leg.when_cut(cut.set)
        play.keeper.judged("best", play.upstreams[0].option(A))
        assert cut.is_set()
        assert play.keeper.status().connections == 0
        leg.close()


async def test_connections_that_may_end_through_a_lower_class_are_counted_until_they_have() -> None:
    async with puppet() as low, played(1) as play:
        play.keeper.judged("low", low.option(C))
        leg = await play.keeper.open("127.0.0.1", play.stream_port)
        assert play.keeper.status().below == 0
        play.keeper.judged("best", play.upstreams[0].option(A))
        assert (play.keeper.status().below, play.keeper.status().connections) == (1, 1)
        leg.close()
        assert play.keeper.status().below == 0


@pytest.mark.parametrize("kind", [C, D])
async def test_a_connection_that_was_being_opened_through_a_lower_class_goes_through_the_better_one(
    kind: Protection,
) -> None:
    async with puppet() as low, played(1) as play:
        play.keeper.judged("low", low.option(kind))
        low.slow = 5.0
        async with asyncio.timeout(1.0), asyncio.TaskGroup() as group:
            opening = group.create_task(play.keeper.open("127.0.0.1", play.origin.http_port))
            await play.until(lambda: low.connections == [play.origin.http_port])
            play.keeper.judged("best", play.upstreams[0].option(A))
        assert play.upstreams[0].connections == 1
        assert play.keeper.status().below == 0
        opening.result().close()


async def test_after_the_hold_not_even_a_question_of_ours_goes_to_the_lower_class() -> None:
    async with puppet() as low, played(1) as play:
        (best,) = play.upstreams
        play.keeper.judged("low", low.option(C))
        low.slow = 30.0
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(_refused(play))
            await play.until(lambda: low.connections)
            play.keeper.judged("best", best.option(A))
            await best.kill()
            await held(play)
            await asyncio.sleep(0.5)  # what was on its way has arrived
            before = len(low.connections)
            await asyncio.sleep(2.5)
            assert len(low.connections) == before
            assert opening.done()


async def test_a_question_under_way_through_a_lower_class_ends_with_the_hold() -> None:
    async with puppet() as low, played(1) as play:
        (best,) = play.upstreams
        play.keeper.judged("low", low.option(C))
        leg = await play.keeper.open("127.0.0.1", play.stream_port)
        line = play.keeper._current
        assert line is not None
        play.keeper.judged("best", best.option(A))
        await best.kill()
        low.slow = 30.0
        leg.broke()
        await play.until(lambda: line.asking, 1.0)
        await held(play)
        assert line.dead
        await play.until(lambda: not line.asking, 0.2)
        await asyncio.sleep(0.5)  # what was on its way has arrived
        before = len(low.connections)
        await asyncio.sleep(1.0)
        assert len(low.connections) == before
        leg.close()


async def _refused(play: Played) -> None:
    with pytest.raises(NotOpened):
        await play.keeper.open("127.0.0.1", play.stream_port)


async def test_a_question_under_way_through_a_line_ends_with_its_use() -> None:
    async with puppet() as low, played(1) as play:
        play.keeper.judged("low", low.option(D))
        low.slow = 30.0
        play.keeper.shake(cut=False)
        await play.until(lambda: low.connections)
        line = play.keeper._current
        assert line is not None
        play.keeper.judged("best", play.upstreams[0].option(A))
        await asyncio.sleep(0)
        await play.until(lambda: not line.asking, 0.5)
        assert not play.of(Lost)


class Opened:
    closed = False

    def close(self) -> None:
        self.closed = True


async def test_what_is_opened_in_the_very_moment_of_a_cut_is_closed_and_not_used() -> None:
    async def settle(*_: object) -> bool:
        return True

    async with puppet() as low:
        line = Line("low", low.option(D), around, settle)
        opened = Opened()

        async def dial(_net: object) -> Opened:
            await asyncio.sleep(0)
            line.cut()  # and the dial has ended before anybody could take it back
            return opened

        with pytest.raises(Died):
            await line.through(dial)
        assert opened.closed
        assert not line.busy


async def test_a_death_is_noticed_although_only_datagrams_are_used() -> None:
    async with puppet() as first, played(1, datagrams=associated) as play:
        play.keeper.judged("one", first.option(C))
        play.keeper.judged("two", play.upstreams[0].option(C, 2))
        association = await play.keeper.datagrams()
        first.silent = True
        await association.send(*FAR, b"question")
        await play.until(lambda: play.of(Lost), 5.0)
        status = play.keeper.status()
        assert (status.id, status.up) == ("two", 8)


async def test_an_association_that_its_proxy_ends_makes_the_proxy_suspect() -> None:
    async with puppet() as first, played(1, datagrams=associated) as play:
        play.keeper.judged("one", first.option(C))
        await play.keeper.datagrams()
        first.silent = True
        before = len(first.connections)
        for task in asyncio.all_tasks():
            if "serve" in repr(task.get_coro()) and task is not asyncio.current_task():
                task.cancel()
        await play.until(lambda: len(first.connections) > before, 1.0)
        await play.until(lambda: play.of(Lost), 3.0)


async def test_a_question_for_a_class_that_is_gone_is_taken_back_and_put_anew_for_what_is_there() -> None:
    asked: list[Protection] = []
    taken_back: list[Protection] = []

    async def consent(there: Protection, _before: Protection | None) -> bool:
        asked.append(there)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            taken_back.append(there)
            raise
        return True

    async with played(3, consent=consent) as play:
        best, middle, low = play.upstreams
        play.keeper.judged("best", best.option(A))
        play.keeper.judged("middle", middle.option(C, 2))
        play.keeper.judged("low", low.option(D, 3))
        await best.kill()
        await held(play)
        await play.until(lambda: asked == [C])
        play.keeper._note("middle", Outcome(alive=False))
        play.keeper._review()
        await play.until(lambda: asked == [C, D])
        assert taken_back == [C]
        assert [event.there for event in play.of(Held)] == [C, D]  # type: ignore[union-attr]
        play.keeper.judged("best again", middle.option(A))  # and no question stands while something is used
        await play.until(lambda: taken_back == [C, D])


async def test_who_has_refused_a_class_is_not_asked_for_a_lower_one_but_for_a_better_one() -> None:
    asked: list[Protection] = []

    async def consent(there: Protection, _before: Protection | None) -> bool:
        asked.append(there)
        return False

    async with played(3, consent=consent) as play:
        best, middle, low = play.upstreams
        play.keeper.judged("best", best.option(A))
        play.keeper.judged("middle", middle.option(C, 2))
        play.keeper.judged("low", low.option(D, 3))
        await best.kill()
        await held(play)
        await play.until(lambda: play.keeper.declined)
        play.keeper._note("middle", Outcome(alive=False))
        play.keeper._review()
        await asyncio.sleep(0.1)
        assert asked == [C]
        play.keeper.judged("trusted", low.option(Protection.TRUSTED))
        await play.until(lambda: asked == [C, Protection.TRUSTED])


async def test_an_option_that_serves_only_the_test_page_is_left_for_the_next_of_its_class() -> None:
    async with puppet() as first, played(1) as play:
        play.keeper.judged("one", first.option(C))
        play.keeper.judged("two", play.upstreams[0].option(C, 2))
        first.only = play.origin.https_port

        async def want() -> None:
            while True:
                with suppress(NotOpened):
                    await play.keeper.open("127.0.0.1", play.stream_port)

        async with asyncio.TaskGroup() as group:
            wanting = group.create_task(want())
            await play.until(lambda: len(play.of(Using)) == 2, 20)
            wanting.cancel()
        last = play.of(Using)[-1]
        assert isinstance(last, Using)
        assert (last.id, last.why) == ("two", Why.FAILOVER)
        assert play.of(Noticed)
        assert not play.of(Lost)


async def test_a_mere_answer_does_not_renew_the_proof() -> None:
    async with played(1) as play:
        play.keeper.judged("one", play.upstreams[0].option(C))
        await asyncio.sleep(0.3)
        play.keeper._book.void()
        play.keeper.judged("one", play.upstreams[0].option(C))
        await asyncio.sleep(0.3)
        before = play.upstreams[0].connections
        leg = await play.keeper.open("127.0.0.1", play.origin.http_port)
        leg.broke()
        await play.until(lambda: play.upstreams[0].connections == before + 2)
        await asyncio.sleep(0.2)
        age = play.keeper.status().age
        assert age is not None
        assert age > 0.45
        leg.close()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
async def test_this_machines_lack_of_descriptors_is_the_death_of_nobody() -> None:
    import os
    import resource

    async with played(2) as play:
        play.keeper.judged("one", play.upstreams[0].option(C))
        play.keeper.judged("two", play.upstreams[1].option(C, 2))
        leg = await play.keeper.open("127.0.0.1", play.origin.http_port)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(NotOpened) as seen:
                await play.keeper.open("127.0.0.1", play.origin.http_port)
            assert seen.value.refusal is Refusal.FAILED
            leg.broke()
            play.keeper.shake(cut=False)
            await asyncio.sleep(1.0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert not play.of(Lost)
        leg.close()
        (await play.keeper.open("127.0.0.1", play.origin.http_port)).close()
        assert play.keeper.held is not Hold.NOTHING_WORKS
