import asyncio
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from client.diagnosis.around import Around, sight
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Sight
from client.watch import events as told
from client.watch.calendar import Calendar, Mark
from client.watch.clock import Why
from client.watch.jobs import Command
from client.watch.pulse import Mode
from client.watch.run import Watch, mark_of, watching
from client.watch.state import Change, State
from tests.client.watch.waiting import BEGIN, HOUR, Place, watched
from transports.types import Rejected


async def shut_then_open(place: Place) -> None:
    await asyncio.sleep(HOUR / 2)
    await place.scenery.set(Mark.OPEN)
    await asyncio.sleep(HOUR / 2)


def test_an_opening_is_told_and_the_queue_is_done(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    code = "import sys; open(sys.argv[1], 'w').write('x')"
    place = watched(shut_then_open, jobs=[Command([sys.executable, "-c", code, str(mark)])])
    assert place.turns == [("outage", ""), ("open", "opened")]
    assert [event.done for event in place.of(told.JobEnded)] == [True]
    assert mark.read_text() == "x"
    end = place.events[-1]
    assert isinstance(end, told.Ended)
    assert (end.opened, end.shut) == (1, 0)
    assert end.connections == place.of(told.Asked)[-1].connections


def test_with_once_it_ends_after_the_queue() -> None:
    async def open_at_last(place: Place) -> None:
        await shut_then_open(place)
        raise AssertionError("it should be over long since")

    place = watched(open_at_last, once=True, jobs=[Command([sys.executable, "-c", "pass"])])
    assert place.stop.why == "once"
    assert [event.done for event in place.of(told.JobEnded)] == [True]


def test_a_line_that_is_open_from_the_start_is_an_opening_too() -> None:
    async def always_open(place: Place) -> None:
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(600)

    place = watched(always_open, once=True)
    assert place.turns[-1] == ("open", "opened")


def test_never_more_than_allowed_goes_out_and_after_an_hour_less() -> None:
    async def long(place: Place) -> None:
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(4 * HOUR)

    place = watched(long)
    asked = place.of(told.Asked)
    times = [event.at for event in asked]
    assert max(sum(at <= other < at + 59 for other in times) for at in times) <= 2
    assert max(sum(e.moved for e in asked if at <= e.at < at + 59) for at in times) <= 6000
    late = [at for at in times if at > BEGIN + 1.2 * HOUR]
    assert min(after - before for before, after in itertools.pairwise(late)) >= 119
    assert [event.mode for event in place.of(told.Paced)] == [Mode.SLOW]


def test_the_calendar_holds_what_was_seen() -> None:
    kept: list[tuple[str, Calendar]] = []

    async def day(place: Place) -> None:
        await asyncio.sleep(HOUR)
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(HOUR)
        await place.scenery.set(Mark.PARTLY)
        await asyncio.sleep(HOUR)

    async def save(network: str, calendar: Calendar) -> None:
        kept.append((network, calendar))

    place = watched(day, save=save)
    network, calendar = kept[-1]
    assert network == "one"
    assert calendar == place.of(told.Noted)[-1].calendar
    assert calendar.at(BEGIN + 0.5 * HOUR) is Mark.SHUT
    assert calendar.at(BEGIN + 1.5 * HOUR) is Mark.OPEN
    assert calendar.at(BEGIN + 2.5 * HOUR) is Mark.PARTLY
    opened = next(span.start * 60 for span in calendar.spans if span.mark is Mark.OPEN)
    assert abs(opened - BEGIN - HOUR) <= 180


def test_a_sleep_leaves_a_gap_and_what_opened_meanwhile_is_told() -> None:
    async def sleeper(place: Place) -> None:
        await asyncio.sleep(HOUR)
        place.clock.slept += 5 * HOUR
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(600)

    place = watched(sleeper)
    assert [event.jump.why for event in place.of(told.Jumped)] == [Why.SLEEP]
    assert place.turns[-1] == ("open", "opened")
    told_at = place.of(told.Turned)[-1].at
    assert told_at - (BEGIN + 6 * HOUR) < 60, "it is asked at once"
    calendar = place.of(told.Noted)[-1].calendar
    assert calendar.at(BEGIN + 0.5 * HOUR) is Mark.SHUT
    assert calendar.at(BEGIN + 3 * HOUR) is None
    assert calendar.at(BEGIN + 6.1 * HOUR) is Mark.OPEN


@pytest.mark.parametrize("by", [-2 * HOUR, 30 * HOUR])
def test_a_clock_that_is_set_breaks_nothing(by: float) -> None:
    async def setter(place: Place) -> None:
        await asyncio.sleep(HOUR / 2)
        place.clock.set_by += by
        await asyncio.sleep(HOUR / 2)
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(600)

    place = watched(setter)
    assert [event.jump.why for event in place.of(told.Jumped)] == [Why.CLOCK]
    assert place.turns == [("outage", ""), ("open", "opened")]
    calendar = place.of(told.Noted)[-1].calendar
    assert calendar.at(BEGIN + by + 0.9 * HOUR) is Mark.SHUT
    assert calendar.at(BEGIN + by + 1.15 * HOUR) is Mark.OPEN
    assert sum(span.end - span.start for span in calendar.spans) < 75


def test_another_network_has_its_own_calendar() -> None:
    other = Calendar().marked(BEGIN - 2 * HOUR, BEGIN - HOUR, Mark.OPEN)
    kept: dict[str, Calendar] = {}

    async def traveller(place: Place) -> None:
        await asyncio.sleep(HOUR / 2)
        place.network = "two"
        await asyncio.sleep(HOUR / 2)

    async def save(network: str, calendar: Calendar) -> None:
        kept[network] = calendar

    place = watched(traveller, load=lambda name: other, save=save)
    assert [event.network for event in place.of(told.Moved)] == ["two"]
    assert place.turns == [("outage", ""), ("outage", "")]
    assert kept["one"].at(BEGIN + 0.25 * HOUR) is Mark.SHUT
    assert kept["one"].at(BEGIN + 0.75 * HOUR) is None
    assert kept["two"].at(BEGIN + 0.75 * HOUR) is Mark.SHUT
    assert kept["two"].at(BEGIN - 1.5 * HOUR) is Mark.OPEN


def test_near_a_foretold_window_it_is_asked_faster() -> None:
    known = Calendar().marked(BEGIN - 72 * HOUR, BEGIN, Mark.SHUT)
    for day in (1, 2, 3):
        known = known.marked(
            BEGIN - day * 24 * HOUR + 2 * HOUR, BEGIN - day * 24 * HOUR + 4 * HOUR, Mark.OPEN
        )

    async def morning(place: Place) -> None:
        await asyncio.sleep(2.05 * HOUR)
        await place.scenery.set(Mark.OPEN)
        await asyncio.sleep(120)

    place = watched(morning, calendar=known)
    assert [event.mode for event in place.of(told.Paced)] == [Mode.SLOW, Mode.BURST, Mode.FULL]
    times = [event.at for event in place.of(told.Asked)]
    near = [at for at in times if BEGIN + 1.8 * HOUR < at < BEGIN + 2.04 * HOUR]
    most = max(sum(at <= other < at + 59 for other in near) for at in near)
    assert 3 < most <= 6
    first = next(event for event in place.of(told.Turned) if event.turn.change is Change.OPENED)
    assert first.at - (BEGIN + 2.05 * HOUR) < 45
    assert place.of(told.Expected)[0].forecast.start == BEGIN + 2 * HOUR


def test_a_calendar_that_cannot_be_kept_is_told_once_and_the_watch_goes_on() -> None:
    async def full(network: str, calendar: Calendar) -> None:
        raise Rejected("the disk is full")

    place = watched(shut_then_open, save=full)
    assert [event.why.id for event in place.of(told.NotKept)] == ["the disk is full"]
    assert place.turns[-1] == ("open", "opened")


async def _no_way(ask: Ask, around: Around) -> Sequence[Sight]:
    return (sight(ask, Came.NO_ROUTE, around.now(), around, detail="no_route"),)


def test_without_a_way_out_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.watch.run.has_route_to", lambda host: False)

    async def offline(place: Place) -> None:
        await asyncio.sleep(HOUR)

    place = watched(offline, look=_no_way)
    assert place.turns == [("local_fault", "")]
    assert place.of(told.Asked) == []
    assert place.of(told.Noted)[-1].calendar == Calendar()


def test_where_only_the_servers_are_reachable_they_are_asked_all_the_same() -> None:
    place = watched(shut_then_open, look=_no_way)
    assert place.turns[-1] == ("open", "opened")


def test_when_it_shuts_the_queue_is_ended() -> None:
    async def short_window(place: Place) -> None:
        await place.scenery.set(Mark.OPEN)
        while not place.of(told.JobBegan):  # noqa: ASYNC110 - the clock jumps
            await asyncio.sleep(1)
        await place.scenery.set(Mark.SHUT)
        while not place.of(told.JobEnded):  # noqa: ASYNC110
            await asyncio.sleep(1)

    place = watched(short_window, jobs=[_Endless()])
    assert [event.done for event in place.of(told.JobEnded)] == [False]
    assert ("cut", "shut") in place.turns


class _Endless:
    name = "command"

    async def do(self, found: object, stop: asyncio.Event) -> tuple[bool, object]:
        from client.model import Message

        await stop.wait()
        return False, Message("ended")


def test_a_notice_is_shown_where_there_is_a_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    from client.watch.ring import OPENED, Notice

    shown = []

    async def notify(text: str) -> bool:
        shown.append(text)
        return True

    monkeypatch.setattr("client.watch.ring.notify", notify)
    watched(shut_then_open, notice=Notice())
    watched(shut_then_open, notice=Notice(text="Tea"))
    watched(shut_then_open, notice=Notice(desktop=False))
    assert shown == [OPENED, "Tea"]


async def test_leaving_the_block_stops_everything() -> None:
    from client.diagnosis.run import Inquiry
    from client.drill.windows import has_way, scenery
    from client.settings import PROFILES

    async with scenery() as set_up:
        inquiry = Inquiry(anchors=set_up.anchors, profile=PROFILES["quiet"])
        async with watching(Watch(inquiry=inquiry, look=has_way)) as events:
            first = await anext(events)
        assert isinstance(first, told.Began)
    assert len(asyncio.all_tasks()) == 1


def test_each_state_has_its_mark() -> None:
    marks = {state: mark_of(state) for state in State}
    assert marks[State.OPEN] is Mark.OPEN
    assert marks[State.HOLES] is marks[State.ALLOW_LIST] is Mark.PARTLY
    assert marks[State.SHUT] is marks[State.OUTAGE] is Mark.SHUT
    assert marks[State.LOCAL] is marks[State.PORTAL] is marks[State.UNKNOWN] is None
