"""What is shown of a run and in which order; it must be the same however it came about."""

import random
from dataclasses import replace

import pytest

from client.events import Judged
from client.model import Candidate, Message, Status
from tests.tui.support import judged
from tui.listing import Filter, Listing, Sort, sought
from tui.state import KEPT, Row, RunState, Waiting

EVIL = "\x1b[31m\u202e[/x][@click=app.quit]\r\n" + "x" * 10_000


def shown(listing: Listing) -> list[str]:
    return [listing.at(index).key for index in range(len(listing))]


def made(count: int = 40, seed: int = 1) -> tuple[RunState, list[Judged]]:
    """Return a state that waits for `count` candidates, and their verdicts in an order by chance."""
    drawn = random.Random(seed)
    candidates = [judged(number).verdict.candidate for number in range(count)]
    state = RunState()
    state.expect(candidates)
    events = []
    for number, candidate in enumerate(candidates):
        event = judged(number, drawn.choice(list(Status)), kib_per_s=drawn.choice([None, 5, 500]))
        kind = drawn.choice(["socks5", "http", "vless"])
        finished = float(number % 7)
        verdict = replace(event.verdict, candidate=candidate, transport=kind, finished=finished)
        events.append(Judged(event.id, verdict))
    drawn.shuffle(events)
    return state, events


@pytest.mark.parametrize("wanted", list(Filter))
@pytest.mark.parametrize("sort", list(Sort))
def test_updating_row_by_row_gives_what_sorting_anew_gives(wanted: Filter, sort: Sort) -> None:
    state, events = made()
    listing = Listing(state)
    listing.filter, listing.sort = wanted, sort
    listing.rebuild()
    for event in events:
        listing.update(state.apply(event))
        fresh = Listing(state)
        fresh.filter, fresh.sort = wanted, sort
        fresh.rebuild()
        assert shown(listing) == shown(fresh)
    for index in range(len(listing)):
        assert listing.index_of(listing.at(index).key) == index


def test_each_filter_shows_its_own_and_all_shows_everything() -> None:
    state, events = made(60)
    for event in events[:45]:
        state.apply(event)
    listing = Listing(state)
    counts = {}
    for wanted in Filter:
        listing.filter = wanted
        listing.rebuild()
        counts[wanted] = len(listing)
        for index in range(len(listing)):
            item = listing.at(index)
            if wanted is Filter.WORKING:
                assert isinstance(item, Row)
                assert item.verdict.status in (Status.WORKING, Status.DEGRADED)
            if wanted is Filter.FAILED:
                assert isinstance(item, Row)
                assert item.verdict.status in (Status.FAILED, Status.BLOCKED, Status.HOSTILE)
            if wanted is Filter.WAITING and isinstance(item, Row):
                assert item.verdict.status is Status.UNTESTED
    assert counts[Filter.ALL] == 60
    assert counts[Filter.WORKING] + counts[Filter.WAITING] + counts[Filter.FAILED] == 60


def test_working_ones_rise_above_those_that_wait_and_those_that_failed() -> None:
    state, _events = made(5)
    listing = Listing(state)
    assert [type(listing.at(index)) for index in range(5)] == [Waiting] * 5
    for number, status in ((4, Status.FAILED), (2, Status.WORKING)):
        candidate = state.waiting[str(number)].candidate
        event = judged(number, status)
        listing.update(state.apply(Judged(event.id, replace(event.verdict, candidate=candidate))))
    assert shown(listing) == ["2", "4", "0", "1", "3"]


def test_orders_are_what_their_names_say() -> None:
    state, events = made(50)
    for event in events:
        state.apply(event)
    listing = Listing(state)
    rows = {}
    for sort in Sort:
        listing.sort = sort
        listing.rebuild()
        found = [listing.at(index) for index in range(50)]
        rows[sort] = [item.verdict for item in found if isinstance(item, Row)]
    speeds = [verdict.kib_per_s or 0.0 for verdict in rows[Sort.SPEED]]
    assert speeds == sorted(speeds, reverse=True)
    ages = [verdict.finished for verdict in rows[Sort.NEWEST]]
    assert ages == sorted(ages, reverse=True)
    assert [verdict.kind for verdict in rows[Sort.KIND]] == sorted(v.kind for v in rows[Sort.KIND])
    assert [verdict.candidate.line for verdict in rows[Sort.LISTED]] == list(range(50))
    assert rows[Sort.BEST][0].status is Status.WORKING


def test_a_search_wants_every_word_and_looks_at_addresses_only_where_they_are_shown() -> None:
    state = RunState()
    state.apply(judged(4000, Status.WORKING, source="mine.txt"))
    state.apply(judged(2, source="mine.txt", reason=Message("no answer: off, or cut on the way")))
    state.apply(judged(3, source="other.txt"))
    listing = Listing(state)
    for text, found in (("MINE", 2), ("mine cut", 1), ("socks5 other", 1), ("#00000003", 1), ("nowhere", 0)):
        listing.look_for(text)
        assert len(listing) == found, text
    listing.look_for("4001")
    assert len(listing) == 0
    listing.reveal = True
    listing.rebuild()
    assert len(listing) == 1
    listing.look_for("")
    assert len(listing) == 3


def test_a_search_goes_on_while_results_come_in() -> None:
    state, events = made(30)
    listing = Listing(state)
    listing.look_for("vless")
    for event in events:
        listing.update(state.apply(event))
    assert len(listing) == sum(event.verdict.kind == "vless" for event in events)


def test_thousands_at_once_and_rows_that_were_dropped_are_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for status in Status:
        monkeypatch.setitem(KEPT, status, 100)
    state, listing = RunState(), Listing(RunState())
    listing = Listing(state)
    changed: set[str] = set()
    for number in range(3000):
        changed |= state.apply(judged(number))
    listing.update(changed)
    assert len(listing) == 100
    for number in range(3000, 3050):
        listing.update(state.apply(judged(number)))
    assert len(listing) == 100
    assert [listing.at(index).key for index in range(2)] == [judged(3049).id, judged(3048).id]


def test_what_a_search_looks_at_carries_no_controls_and_is_short() -> None:
    text = sought(
        Waiting("0", Candidate(judged(1, text=EVIL).verdict.candidate.endpoint, EVIL, 1), 0), reveal=True
    )
    assert not set(text) & set("\x1b\u202e\r\n")
    assert len(text) < 1000
