from dataclasses import replace

import pytest
from rich.cells import cell_len

from client.events import Judged, LineRejected, Noticed, Progressed, Started
from client.model import (
    Candidate,
    Content,
    Failure,
    LineState,
    Message,
    Observation,
    Proof,
    RejectedLine,
    Status,
    Step,
)
from tests.tui.support import engine, finished, judged
from transports.types import Endpoint
from tui import describe
from tui.state import RunState


def shown(lines: describe.Lines) -> str:
    return "\n".join(f"{label} {text.plain}" for label, text in lines)


def state_of(*events: object) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)  # type: ignore[arg-type]
    return state


def test_a_place_keeps_its_line_number_however_long_its_source() -> None:
    endpoint = Endpoint(transport="socks5", host="127.0.0.1", port=1)
    assert describe.place(Candidate(endpoint, "pasted", 12), 10) == "pasted:12"
    long = describe.place(Candidate(endpoint, "a-very-long-name-of-a-list.txt", 1234), 12)
    assert long == "…st.txt:1234"
    wide = describe.place(Candidate(endpoint, "列表" * 20, 7), 12)
    assert cell_len(wide) <= 12
    assert wide.endswith(":7")


def test_details_hide_the_address_until_it_is_revealed() -> None:
    state = state_of(judged(4000, Status.WORKING, kib_per_s=64))
    hidden = shown(describe.details(state.at(0), now=5.0, reveal=False))
    assert "4001" not in hidden
    assert "127.0.0.1" not in hidden
    assert "64 KiB/s" in hidden
    assert "socks5://127.0.0.1:4001" in shown(describe.details(state.at(0), now=5.0, reveal=True))


def test_details_never_carry_controls_from_outside() -> None:
    evil = "\x1b[31m\u202e[/x][@click=app.quit]\r\n"
    state = state_of(
        judged(1, reason=Message("{why}", {"why": evil}), source=evil, text=f"socks5://{evil}127.0.0.1:1")
    )
    for reveal in (False, True):
        text = shown(describe.details(state.at(0), now=1.0, reveal=reveal))
        assert not set(text) & set("\x1b\u202e\r")
        assert "[@click=app.quit]" in text


def test_the_ladder_has_a_line_for_each_step_a_number_for_each_connection_and_names_the_failure() -> None:
    def step(kind: Step, failure: Failure | None = None, code: int = 0) -> Observation:
        return Observation(step=kind, started=0.0, elapsed=0.012, failure=failure, code=code)

    text = describe.ladder(
        (
            step(Step.CONNECT),
            step(Step.PROXY_HANDSHAKE),
            step(Step.CONNECT),
            step(Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY),
            step(Step.CONNECT),
            step(Step.HTTP_ROUND_TRIP, Failure.HTTP_STATUS, 403),
        )
    ).plain
    assert text.split("\n") == [
        "1  ✔ connect     12 ms",
        "   ✔ proxy       12 ms",
        "2  ✔ connect     12 ms",
        "   ✘ TLS         12 ms  ssl_unknown_authority",
        "3  ✔ connect     12 ms",
        "   ✘ page        12 ms  http_unexpected_status_code 403",
    ]


def test_moved_tells_a_refused_upload() -> None:
    proof = Proof(down=65536, reads=40, upload=Content.REFUSED)
    assert describe.moved(proof) == "64 KiB down in 40 reads, upload refused"


def test_an_engine_is_told_of_until_it_is_ready_or_the_run_is_over() -> None:
    said = "… tor at 45 %: it loads the list of relays, 1200 KiB loaded, 20 KiB/s."
    assert describe.engine(state_of(engine(45))).plain == said
    assert describe.engine(state_of(engine(75))).plain == ""
    assert describe.engine(state_of(engine(45), finished(failed=1))).plain == ""
    assert describe.engine(RunState()).plain == ""


def test_progress_tells_running_stopping_paused_broken_and_done() -> None:
    running = RunState()
    assert "0 of 0" in describe.progress(running, stopping=False, broken=False).plain
    assert "stopping" in describe.progress(running, stopping=True, broken=False).plain
    rests = describe.progress(running, stopping=False, broken=False, paused=61.4).plain
    assert "‖ paused at 1:01" in rests
    assert "0:00" not in rests  # a clock that runs would say that it goes on
    assert "error" in describe.progress(running, stopping=False, broken=True).plain
    done = state_of(finished(working=1, failed=2))
    assert (
        describe.progress(done, stopping=False, broken=False).plain == "Done in 3.0 s: 1 working, 2 failed."
    )
    stopped = state_of(finished("interrupted", failed=2))
    assert describe.progress(stopped, stopping=False, broken=False).plain.startswith("Stopped after 3.0 s")


def test_progress_tells_done_working_time_and_data_against_the_budget() -> None:
    started = Started(
        given=9,
        candidates=8,
        duplicates=1,
        rejected=0,
        profile="quiet",
        budget_connections=9,
        budget_kib=6144,
    )
    state = state_of(started, judged(1, Status.WORKING), Progressed(1, 8, 1, 12, 75.0, 1536))
    text = describe.progress(state, stopping=False, broken=False).plain
    assert text.endswith("  1 of 8 · ✔ 1 working · 1:15 · 1.5 of 6.0 MiB")


def test_details_say_what_a_failure_means_and_what_to_do() -> None:
    event = judged(1)
    verdict = replace(event.verdict, failure=Failure.CONNECTION_REFUSED, step=Step.CONNECT)
    told = shown(describe.details(state_of(Judged(event.id, verdict)).at(0), now=1.0, reveal=False))
    assert "meaning Refused: your packets arrive" in told
    assert "to do Ask whoever gave it to you for a new one" in told
    works = shown(describe.details(state_of(judged(2, Status.WORKING)).at(0), now=1.0, reveal=False))
    assert "meaning" not in works
    assert "to do Press u" in works


def test_details_of_a_part_in_the_drill_tell_what_it_plays() -> None:
    row = state_of(judged(1)).at(0)
    assert "played" not in shown(describe.details(row, now=1.0, reveal=False))
    told = shown(describe.details(row, now=1.0, reveal=False, tale="a proxy that never answers"))
    assert "played a proxy that never answers" in told


def test_details_of_one_that_waits_hide_its_address_until_it_is_revealed() -> None:
    state = RunState()
    state.expect([judged(4000).verdict.candidate])
    (item,) = state.waiting.values()
    hidden = shown(describe.details(item, now=0.0, reveal=False))
    assert "… waiting" in hidden
    assert "4001" not in hidden
    assert "socks5://127.0.0.1:4001" in shown(describe.details(item, now=0.0, reveal=True))


@pytest.mark.parametrize(
    "state",
    [
        state_of(finished()),
        state_of(judged(1), finished(failed=1)),
        state_of(judged(1, Status.WORKING), finished(working=1)),
        state_of(judged(1, Status.DEGRADED), finished(degraded=1)),
        state_of(judged(1, Status.UNTESTED), finished("interrupted", untested=1)),
        state_of(judged(1, Status.UNTESTED), finished("budget", untested=1)),
        state_of(judged(1, Status.UNTESTED), finished("no_network", untested=1)),
        state_of(judged(1, Status.UNTESTED), finished("target", untested=1)),
    ],
    ids=["empty", "none works", "works", "degraded", "stopped", "budget", "no network", "target"],
)
def test_every_end_names_the_next_step_and_no_shell_command_for_what_has_a_key(state: RunState) -> None:
    lines = describe.summary(state, reveal=False)
    assert lines[0][0] == "next"
    assert lines[0][1].plain.startswith("→ ")
    told = shown(lines)
    assert "LIST`" not in told
    assert ("Press n" in told) == bool(state.found())
    assert ("Esc goes back" in told) != bool(state.found())


def test_what_follows_a_stop_is_what_really_happens() -> None:
    for why in describe.LEFT:
        state = state_of(judged(1), judged(2, Status.UNTESTED), finished(why, failed=1, untested=1))
        listed = shown(describe.summary(state, reveal=False, listed=True))
        assert "press Esc, then ^s: what was tested is left out" in listed
        assert "Esc twice, then 1: the kind of cut" in listed
        other = shown(describe.summary(state, reveal=False))
        assert "it contacts all entries once more" in other
        assert "Esc goes back: there the kind of cut is named" in other
        practice = shown(describe.summary(state, reveal=False, staged=True))
        assert "On the first screen 3 plays it again" in practice
        assert "contacts" not in practice
    over = state_of(judged(1), finished("interrupted", failed=1))
    assert "stopped" not in shown(describe.summary(over, reveal=False, listed=True)).lower()


def test_an_end_by_an_error_names_the_next_step_too() -> None:
    ((label, text),) = describe.summary(RunState(), reveal=False, broken=True)
    assert label == "next"
    assert "begin the check again" in text.plain


def test_the_end_of_a_practice_says_that_nothing_was_about_the_line() -> None:
    for line in LineState:
        state = state_of(judged(1), replace(finished(failed=1), line_state=line))
        said = shown(describe.summary(state, reveal=False, staged=True))
        assert "This was practice, on a stage" in said
        assert "your line" not in said
        assert "network" not in said


def test_whatever_was_told_is_kept_in_full_and_carries_no_controls() -> None:
    why = Message("{why}", {"why": "\x1b[31m\u202e" + "long " * 200 + "end"})
    state = state_of(Noticed(why), LineRejected(RejectedLine("a\x1blist", 9, why)))
    said = shown(describe.summary(state, reveal=False))
    assert said.count("long " * 200 + "end") == 2
    assert not set(said) & set("\x1b\u202e")
    assert ":9: " in said


def test_a_clock_shows_minutes_and_hours() -> None:
    assert [describe.clock(value) for value in (0.4, 61, 3601)] == ["0:00", "1:01", "1:00:01"]


def test_the_summary_gives_the_next_step_and_the_best_options_first() -> None:
    assert describe.summary(RunState(), reveal=False) == []
    events = [judged(number, Status.WORKING, kib_per_s=100 + number) for number in range(8)]
    state = state_of(*events, judged(9), finished(working=8, failed=1))
    lines = describe.summary(state, reveal=False)
    assert lines[0][0] == "next"
    options = [text.plain for _label, text in lines if "KiB/s" in text.plain]
    assert len(options) == 5
    assert options[0].split()[-2:] == ["KiB/s", "pasted:7"]
    assert "127.0.0.1" not in shown(lines)
    assert "socks5://127.0.0.1:8" in shown(describe.summary(state, reveal=True))


def test_age_is_told_in_minutes() -> None:
    state = state_of(judged(1))
    assert "just now" in shown(describe.details(state.at(0), now=59, reveal=False))
    assert "2 minutes ago" in shown(describe.details(state.at(0), now=130, reveal=False))
