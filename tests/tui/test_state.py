from dataclasses import replace
from typing import cast

import pytest

from client.events import ControlFinished, Judged, LineRejected, Noticed, PaceChanged, Progressed, Started
from client.model import Candidate, Control, LineState, Message, Protection, RejectedLine, Status
from tests.tui.support import engine, finished, judged
from tui.state import ENGINE, KEPT, LINE, NOTICES, PACE, PROGRESS, SUMMARY, RunState


def ids(state: RunState) -> list[str]:
    return [state.at(index).id for index in range(len(state))]


def test_each_event_names_what_it_changes() -> None:
    state = RunState()
    started = Started(
        given=3, candidates=2, duplicates=1, rejected=0, profile="quiet", budget_connections=9, budget_kib=9
    )
    assert state.apply(started) == {PROGRESS}
    assert state.apply(ControlFinished(Control(state=LineState.SLOW))) == {LINE}
    assert state.apply(Noticed(Message("x"))) == {NOTICES}
    assert state.apply(LineRejected(RejectedLine("pasted", 1, Message("x")))) == {NOTICES}
    assert state.apply(judged(7, Status.WORKING)) == {"00000007", PROGRESS, LINE}
    assert state.apply(Progressed(1, 2, 1, 5, 0.5)) == {PROGRESS}
    assert state.apply(engine(25)) == {ENGINE}
    assert state.apply(PaceChanged("fast", True, 2.0)) == {PACE, PROGRESS}
    assert state.apply(finished(working=1)) == {PROGRESS, ENGINE, SUMMARY}
    assert (state.total, state.done, len(state)) == (2, 1, 1)


def test_working_ones_stand_first_then_by_class_then_by_speed() -> None:
    state = RunState()
    state.apply(judged(1, Status.UNTESTED))
    state.apply(judged(2, Status.FAILED))
    state.apply(judged(3, Status.WORKING, kib_per_s=100))
    state.apply(judged(4, Status.WORKING, kib_per_s=900))
    state.apply(judged(5, Status.WORKING, kib_per_s=10, protection=Protection.UNKNOWN))
    state.apply(judged(6, Status.HOSTILE))
    state.apply(judged(7, Status.DEGRADED))
    assert [int(name) for name in ids(state)] == [5, 4, 3, 7, 6, 2, 1]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Keep few rows of each state, so that the limits are reached soon."""
    for status in Status:
        monkeypatch.setitem(cast("dict[Status, int]", KEPT), status, 200)
    return 200


def test_only_the_latest_failed_rows_stay_and_all_are_counted(few: int) -> None:
    state = RunState()
    kept = few
    gone: set[str] = set()
    state.apply(judged(0, Status.WORKING, kib_per_s=5))
    state.apply(judged(1, Status.UNTESTED))
    for number in range(2, 1002):
        gone |= state.apply(judged(number)) - {PROGRESS, LINE, judged(number).id}
    assert state.counts[Status.FAILED] == 1000
    assert len(state) == kept + 2
    assert state.unlisted == 1000 - kept
    assert len(gone) == 1000 - kept
    assert not gone & state.rows.keys()
    assert ids(state)[1] == judged(1001).id  # the latest first
    assert ids(state)[0] == judged(0).id
    assert ids(state)[-1] == judged(1).id


def test_the_best_working_ones_stay_when_there_are_too_many(few: int) -> None:
    state = RunState()
    for number in range(few + 1):
        state.apply(judged(number, Status.WORKING, kib_per_s=1000 - number / 10))
    state.apply(judged(5000, Status.WORKING, kib_per_s=9999))
    assert ids(state)[0] == judged(5000).id
    assert len(state) == few


def test_two_entries_with_the_same_short_name_are_two_rows() -> None:
    state = RunState()
    state.apply(judged(1))
    state.apply(judged(1, Status.WORKING))
    assert len(state) == 2
    assert ids(state) == ["00000001", "00000001"]


def test_every_row_is_found_where_it_stands() -> None:
    state = RunState()
    for number in range(50):
        state.apply(judged(number, list(Status)[number % 6], kib_per_s=1 + number % 7))
    for index in range(len(state)):
        assert state.index_of(state.at(index).key) == index
    assert state.index_of("nobody") is None


def test_advice_is_made_from_working_and_degraded_only() -> None:
    state = RunState()
    for number, status in enumerate(Status):
        state.apply(judged(number, status))
    assert [verdict.status for verdict in state.found()] == [Status.WORKING, Status.DEGRADED]


def waiting_state(count: int = 5) -> tuple[RunState, list[Candidate]]:
    state = RunState()
    candidates = [judged(number).verdict.candidate for number in range(count)]
    assert state.expect(candidates) == {str(number) for number in range(count)}
    return state, candidates


def of(candidate: Candidate, number: int, status: Status = Status.FAILED, **more: float) -> Judged:
    made = judged(number, status, **more)  # type: ignore[arg-type]
    return Judged(made.id, replace(made.verdict, candidate=candidate))


def test_a_candidate_waits_until_its_verdict_comes_and_keeps_its_key() -> None:
    state, candidates = waiting_state()
    assert state.apply(of(candidates[3], 3)) == {"3", PROGRESS, LINE}
    assert list(state.waiting) == ["0", "1", "2", "4"]
    assert state.rows["3"].id == judged(3).id
    for number in (0, 1, 2, 4):
        state.apply(of(candidates[number], number))
    assert state.waiting == {}
    assert len(state) == 5


def test_the_next_usable_is_the_best_then_each_after_it_then_the_best_again() -> None:
    state = RunState()
    assert state.next_usable(None) is None
    state.apply(judged(1))
    assert state.next_usable(None) is None
    for number, rate in ((2, 50), (3, 900), (4, 200)):
        state.apply(judged(number, Status.WORKING, kib_per_s=rate))
    state.apply(judged(5, Status.DEGRADED))
    seen, key = [], None
    for _ in range(5):
        found = state.next_usable(key)
        assert found is not None
        key = found.key
        seen.append(int(found.id))
    assert seen == [3, 4, 2, 5, 3]
    failed = state.next_usable(judged(1).id)  # the cursor is on one that does not work
    assert failed is not None
    assert int(failed.id) == 3
