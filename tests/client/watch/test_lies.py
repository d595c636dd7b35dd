"""A watch before a line that lies, opens and shuts at will, or changes its addresses: what rings, what runs, what goes out."""

import asyncio
from collections.abc import Sequence

import pytest

from client.model import Message
from client.watch import events as told
from client.watch.calendar import Mark
from client.watch.openings import MOST, SPAN
from tests.client.watch.lying import (
    FORGED,
    LARGE,
    PAGE,
    REFUSED,
    RESET,
    RIGHT,
    SILENT,
    SLOW,
    Lying,
    lied_to,
    no_thread,
)
from tests.client.watch.waiting import BEGIN, HOUR

__all__ = ["no_thread"]


class Counted:
    """A job that counts how often it is begun."""

    name = "command"

    def __init__(self, seconds: float = 5.0) -> None:
        self.begun: list[float] = []
        self.seconds = seconds

    async def do(self, found: object, stop: asyncio.Event) -> tuple[bool, Message]:
        self.begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)  # as one that does not heed `stop`
        return True, Message("done")


@pytest.mark.parametrize("way", [SILENT, FORGED, PAGE, RESET])
@pytest.mark.parametrize("at_home", [RIGHT, FORGED])
def test_what_only_looks_like_an_answer_rings_no_opening(way: str, at_home: str) -> None:
    async def faked(place: Lying) -> None:
        await place.set(at_home, "home")
        await asyncio.sleep(HOUR / 2)
        await place.set(way, "abroad")
        await asyncio.sleep(1.5 * HOUR)

    place = lied_to(faked)
    assert "open" not in [state for state, _ in place.turns]
    assert place.rings == []


@pytest.mark.parametrize("others", [SILENT, REFUSED, RESET])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_server_that_stands_on_a_list_alone_is_no_opening(others: str, seed: int) -> None:
    """Such lists let every connection through to whoever is not on them, and nothing after it."""

    async def listed(place: Lying) -> None:
        await place.set(RIGHT, "home")
        await asyncio.sleep(HOUR / 2 * (seed % 2))
        await place.set(others, "abroad")
        await place.set(RIGHT, "abroad-1")
        await asyncio.sleep(2 * HOUR)

    place = lied_to(listed, seed=seed)
    assert "open" not in [state for state, _ in place.turns]
    assert place.turns[-1] == ("allow_list", "")


def test_when_only_the_list_is_left_it_shuts() -> None:
    async def left(place: Lying) -> None:
        await place.set(RIGHT, "")
        await asyncio.sleep(1.5 * HOUR)
        await place.set(SILENT, "abroad")
        await place.set(RIGHT, "abroad-1")
        await asyncio.sleep(HOUR)

    place = lied_to(left)
    assert place.rings == ["opened", "shut"]
    assert place.turns[-1][0] == "allow_list"


def test_an_interception_that_begins_is_no_longer_open() -> None:
    async def intercepted(place: Lying) -> None:
        await place.set(RIGHT, "")
        await asyncio.sleep(2 * HOUR)
        await place.set(FORGED, "abroad")
        await asyncio.sleep(HOUR / 2)

    place = lied_to(intercepted)
    assert place.turns == [("open", "opened"), ("cut", "shut")]
    end = next(
        event.at for event in place.events if isinstance(event, told.Turned) and event.turn.new == "cut"
    )
    assert end - (BEGIN + 2 * HOUR) < 480


def test_a_login_page_is_told_as_long_as_it_is_there_and_then_the_opening() -> None:
    async def portal(place: Lying) -> None:
        await place.set(FORGED, "")
        await asyncio.sleep(2 * HOUR)
        await place.set(RIGHT, "")
        await asyncio.sleep(HOUR / 2)

    place = lied_to(portal)
    assert place.turns == [("captive_portal", ""), ("open", "opened")]


@pytest.mark.parametrize("seed", range(4))
def test_six_minutes_of_opening_are_not_missed_however_long_it_was_shut(seed: int) -> None:
    async def short(place: Lying) -> None:
        await place.set(RIGHT, "home")
        await asyncio.sleep(2 * HOUR + 77 * seed)
        await place.set(RIGHT, "abroad")
        await asyncio.sleep(360)
        await place.set(REFUSED, "abroad")
        await asyncio.sleep(600)

    assert lied_to(short, seed=seed).rings == ["opened", "shut"]


async def flutter(place: Lying) -> None:
    await place.set(RIGHT, "home")
    for _ in range(30):
        await place.set(RIGHT, "abroad")
        await asyncio.sleep(240)
        await place.set(REFUSED, "abroad")
        await asyncio.sleep(180)


def test_who_opens_and_shuts_at_will_does_not_have_the_command_run_in_a_loop() -> None:
    job = Counted()
    place = lied_to(flutter, jobs=[job])
    assert place.rings.count("opened") > 20
    assert max(sum(at <= other < at + SPAN for other in job.begun) for at in job.begun) == MOST
    held = [event for event in place.events if isinstance(event, told.Held)]
    assert held
    assert all(0 < event.until - event.at <= SPAN for event in held)


def test_a_new_address_in_an_open_network_is_no_opening() -> None:
    job = Counted()

    async def renewed(place: Lying) -> None:
        await place.set(RIGHT, "")
        for number in range(20):
            await asyncio.sleep(300)
            place.network = f"address-{number}"

    place = lied_to(renewed, jobs=[job])
    assert place.rings == ["opened"]
    assert len(job.begun) == 1


def test_an_opening_while_the_queue_of_the_last_one_still_ends_has_its_own() -> None:
    job = Counted(900)

    async def twice(place: Lying) -> None:
        await place.set(RIGHT, "home")
        for way in (RIGHT, REFUSED, RIGHT):
            await place.set(way, "abroad")
            await asyncio.sleep(300)
        await asyncio.sleep(HOUR)

    assert lied_to(twice, jobs=[job]).rings == ["opened", "shut", "opened"]
    assert len(job.begun) == 2


@pytest.mark.parametrize("way", [RIGHT, FORGED, SLOW, RESET, SILENT])
def test_the_limits_hold_where_it_arrives(way: str) -> None:
    async def long(place: Lying) -> None:
        await place.set(RIGHT, "home")
        await asyncio.sleep(600)
        await place.set(way, "")
        await asyncio.sleep(2.5 * HOUR)

    place = lied_to(long)
    connections, amount = place.most(59)
    assert connections <= 2
    assert amount <= 6000
    end = place.events[-1]
    assert isinstance(end, told.Ended)
    assert end.total >= 0.9 * sum(sum(moved) for _, _, moved in place.came)


def test_the_limits_hold_while_it_flutters() -> None:
    connections, amount = lied_to(flutter).most(59)
    assert connections <= 2
    assert amount <= 6000


def test_large_certificates_are_paid_for_by_waiting() -> None:
    async def long(place: Lying) -> None:
        await place.set(LARGE, "")
        await asyncio.sleep(2 * HOUR)

    place = lied_to(long)
    total = sum(sum(moved) for _, _, moved in place.came)
    assert max(sum(moved) for _, _, moved in place.came) > 6000, "or it would show nothing"
    assert total / 120 <= 6000
    assert place.rings == ["opened"]


def test_minutes_in_which_nothing_could_be_asked_stay_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as when no name is found any more: that says nothing about the line."""
    from client.diagnosis.around import Around, fault
    from client.diagnosis.asks import Ask
    from client.diagnosis.sights import Sight
    from client.watch import run

    put = run.ask  # type: ignore[attr-defined]

    async def asked(ask: Ask, around: Around) -> Sequence[Sight]:
        late = asyncio.get_running_loop().time() > HOUR
        return (fault(ask, around.now(), around, "no_address"),) if late else await put(ask, around)

    async def nameless(place: Lying) -> None:
        await place.set(RIGHT, "")
        await asyncio.sleep(3 * HOUR)

    monkeypatch.setattr(run, "ask", asked)
    place = lied_to(nameless)
    calendar = [event.calendar for event in place.events if isinstance(event, told.Noted)][-1]
    assert calendar.at(BEGIN + 0.5 * HOUR) is Mark.OPEN
    assert calendar.at(BEGIN + 2 * HOUR) is None


@pytest.mark.parametrize("seed", range(3))
def test_one_opening_is_one_even_where_the_country_answers_first(seed: int) -> None:
    job = Counted()

    async def opening(place: Lying) -> None:
        await asyncio.sleep(HOUR / 2)
        await place.set(RIGHT, "")
        await asyncio.sleep(HOUR / 2)

    place = lied_to(opening, seed=seed, jobs=[job])
    assert place.rings == ["opened"]
    assert len(job.begun) == 1


def test_the_country_that_comes_back_alone_is_told() -> None:
    async def alone(place: Lying) -> None:
        await asyncio.sleep(HOUR / 2)
        await place.set(RIGHT, "home")
        await place.set(SILENT, "abroad")
        await asyncio.sleep(HOUR / 2)

    place = lied_to(alone)
    assert place.rings == ["opened"]
    assert place.turns[-1][0] == "allow_list"
