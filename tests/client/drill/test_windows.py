"""The whole replay: real servers on loopback that open and shut, the real watch, a driven clock."""

import asyncio
from bisect import bisect_left

import pytest

from client.drill.windows import FastClock, Played, play, scenery
from client.steering import Stop
from client.watch import events as told
from client.watch.calendar import Mark
from client.watch.pulse import INTERVALS, Mode
from client.watch.replay import load
from tests.client.watch.waiting import DrivenClock
from tests.virtual import run_virtual

TABLE = load()


@pytest.mark.timeout(180)
def test_the_whole_replay_is_announced_foretold_and_kept() -> None:
    """One test, because the replay takes some seconds and its parts would each run it anew on another worker."""
    events: list[told.Event] = []

    async def whole() -> Played:
        return await play(TABLE, events.append, clock=DrivenClock(TABLE.start))

    played = run_virtual(whole())
    every_window_is_announced_within_one_test_interval(played)
    nothing_else_is_announced(events)
    the_ninth_of_january_is_foretold_within_30_minutes(played)
    the_calendar_is_that_of_the_table(played)
    no_minute_holds_more_than_allowed(events)


def every_window_is_announced_within_one_test_interval(played: Played) -> None:
    assert len(played.scenes) == 8
    assert [scene.opened for scene in played.scenes if not scene.right] == []
    assert all(scene.opened is not None and scene.opened <= INTERVALS[Mode.SLOW] for scene in played.scenes)
    ends = [scene.shut for scene in played.scenes[:-1]]
    assert all(end is not None and end <= 2 * INTERVALS[Mode.SLOW] for end in ends), ends


def nothing_else_is_announced(events: list[told.Event]) -> None:
    end = events[-1]
    assert isinstance(end, told.Ended)
    # The country's servers may be seen before those abroad: then an opening is told in two steps.
    assert 8 <= end.opened <= 15
    assert end.shut == 7


def the_ninth_of_january_is_foretold_within_30_minutes(played: Played) -> None:
    ninth = played.scenes[4]
    assert ninth.forecast is not None
    assert abs(ninth.forecast.start - ninth.window.start) <= 30 * 60
    assert ninth.forecast.sure > 0.5
    assert ninth.opened is not None
    assert ninth.opened <= INTERVALS[Mode.BURST], "it was waited for"


def the_calendar_is_that_of_the_table(played: Played) -> None:
    minutes = range(int(TABLE.start // 60) + 10, int(TABLE.end // 60) - 10)
    wrong = [one for one in minutes if played.calendar.at(one * 60) is not TABLE.at(one * 60)]
    assert len(wrong) < 0.01 * len(minutes)


def no_minute_holds_more_than_allowed(events: list[told.Event]) -> None:
    mode, slow, modes = Mode.FULL, list[float](), {Mode.FULL}
    asked = [event for event in events if isinstance(event, told.Asked)]
    for event in events:
        if isinstance(event, told.Paced):
            mode = event.mode
            modes.add(mode)
        elif isinstance(event, told.Asked) and mode is Mode.SLOW:
            slow.append(event.at)
    assert modes == set(Mode)
    times = [event.at for event in asked]
    near = [bisect_left(times, at) - bisect_left(times, at - 59) + 1 for at in slow]
    assert max(near) <= 2
    assert sum(event.moved for event in asked) / ((TABLE.end - TABLE.start) / 60) < 2000, "bytes a minute"


async def test_a_stop_ends_it_with_what_was_played() -> None:
    stop = Stop()

    def hear(event: told.Event) -> None:
        if isinstance(event, told.Turned):
            stop.ring("interrupted")

    async with asyncio.timeout(30):
        played = await play(TABLE, hear, speed=5000, stop=stop)
    assert played.stopped
    assert played.scenes == []


async def test_a_door_that_is_shut_refuses_and_keeps_its_port() -> None:
    async with scenery() as set_up:
        doors = [door for found in set_up.doors.values() for door in found]
        for mark, count in ((Mark.SHUT, 0), (Mark.OPEN, 8), (Mark.PARTLY, 4), (Mark.SHUT, 0), (Mark.OPEN, 8)):
            await set_up.set(mark)
            assert sum([await _is_open(door.port) for door in doors]) == count


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_a_fast_clock_runs_fast() -> None:
    clock = FastClock(1000.0, 500)
    await clock.sleep(5)
    assert 5 <= clock.steady() < 500
    assert clock.wall() - 1000 == pytest.approx(clock.awake(), abs=50)
