from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from client.advise import advise, after, best, exposure, line_message, rank
from client.events import Finished
from client.i18n import say
from client.judge import NO_IPV6
from client.model import Candidate, LineState, Message, Proof, Protection, Status, Verdict
from client.sources import BUILTIN
from tests.client.runs import candidates, endpoint
from transports.tor_bridge import parse

ONE = candidates(endpoint())[0]


def verdict(
    status: Status = Status.WORKING, protection: Protection = Protection.OPEN, speed: float = 100.0
) -> Verdict:
    proof = Proof(content=True, down=65536, bulk_done=True, bulk_seconds=64 / speed)
    return Verdict(
        candidate=ONE,
        transport="http",
        protection=protection,
        status=status,
        reason=Message(""),
        proof=proof,
    )


def said(
    counts: Mapping[str, int], found: list[Verdict], line: LineState = LineState.HEALTHY, stopped: str = ""
) -> str:
    return "\n".join(say(step) for step in advise(counts, found, line, stopped))


def test_the_class_counts_before_the_speed() -> None:
    tor, unknown, fast = (
        verdict(protection=Protection.TOR, speed=9),
        verdict(protection=Protection.UNKNOWN, speed=10),
        verdict(speed=9000),
    )
    quicker = verdict(protection=Protection.UNKNOWN, speed=20)
    assert best([fast, unknown, quicker, tor]) == [tor, quicker, unknown, fast]
    assert rank(tor) < rank(fast)


def test_only_working_ones_are_best_and_only_so_many() -> None:
    others = [verdict(status) for status in Status if status is not Status.WORKING]
    assert best(others) == []
    assert len(best([verdict() for _ in range(9)], 4)) == 4


def test_an_unencrypted_proxy_is_never_recommended_for_anything_private() -> None:
    assert "public pages only" in said({"working": 1}, [verdict()])
    assert "public pages only" not in said({"working": 1}, [verdict(protection=Protection.UNKNOWN)])


@pytest.mark.parametrize("protection", Protection)
def test_what_works_leads_to_the_guide_and_the_local_connection(protection: Protection) -> None:
    told = said({"working": 1}, [verdict(protection=protection)])
    assert "`sanylau guide LIST`" in told
    assert "`sanylau connect LIST`" in told
    assert "sanylau guide" not in said({"degraded": 1}, [])


def test_a_list_that_is_a_file_is_named_so_that_the_command_runs_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my list").write_text("x", "ascii")
    monkeypatch.chdir(tmp_path)
    found = verdict()
    found = replace(found, candidate=replace(found.candidate, source="my list"))
    told = said({"working": 1}, [found])
    assert f"`sanylau guide '{tmp_path}/my list'`" in told
    assert f"`sanylau connect '{tmp_path}/my list'`" in told


def test_the_built_in_list_is_no_list_that_could_be_named_to_a_command() -> None:
    found = verdict(protection=Protection.TOR)
    found = replace(found, candidate=replace(found.candidate, source=BUILTIN))
    assert "LIST" not in said({"working": 1}, [found])


@pytest.mark.parametrize(
    ("counts", "line", "words"),
    [
        ({}, LineState.HEALTHY, "mend the lines"),
        ({"failed": 3}, LineState.NO_NETWORK, "Connect this machine"),
        ({"failed": 3}, LineState.HEALTHY, "dead, not censored"),
        ({"failed": 3}, LineState.SLOW, "dead, not censored"),
        ({"failed": 3}, LineState.NO_ANSWER, "try again in an hour"),
        ({"failed": 3}, LineState.IMPAIRED, "other kinds"),
        ({"failed": 1, "degraded": 1}, LineState.HEALTHY, "short text"),
        ({"untested": 2}, LineState.HEALTHY, "sanylau doctor"),
    ],
)
def test_without_a_working_one_the_next_step_fits_the_line(
    counts: dict[str, int], line: LineState, words: str
) -> None:
    assert words in said(counts, [], line)


def test_what_alters_traffic_is_named_with_its_number() -> None:
    assert "1 entry alters" in said({"hostile": 1}, [])
    assert "3 entries alter" in said({"hostile": 3}, [])


def test_on_a_tampered_line_a_false_certificate_is_warned_of() -> None:
    assert "Do not install" in said({"failed": 1}, [], LineState.TAMPERED)


@pytest.mark.parametrize("stopped", ["", "budget", "interrupted"])
@pytest.mark.parametrize("line", LineState)
def test_on_the_screen_a_key_is_named_where_a_shell_would_need_a_command(
    stopped: str, line: LineState
) -> None:
    cases: list[dict[str, int]] = [{Status.FAILED: 3}, {Status.WORKING: 1, Status.UNTESTED: 2}]
    for counts in cases:
        here = advise(counts, [], line, stopped, commands=False)
        texts = [say(message) for message in here]
        assert not any("again" in text and "Esc" not in text and "hour" not in text for text in texts), texts
        assert not any("--budget" in text or "command" in text for text in texts), texts


def test_an_interrupted_run_can_be_done_again() -> None:
    assert "run it again" in said({"failed": 1, "untested": 4}, [], stopped="interrupted")
    assert "--budget" in said({"failed": 1, "untested": 4}, [], stopped="budget")


@pytest.mark.parametrize("state", LineState)
def test_where_only_the_own_test_page_was_asked_nothing_is_said_of_the_internet_nor_of_a_shutdown(
    state: LineState,
) -> None:
    message = line_message(state, own=True)
    told = say(message) if message else ""
    assert "open internet" not in told
    assert "reaches" not in told
    assert (told.startswith("Your own test page")) == (
        state not in (LineState.TAMPERED, LineState.NO_NETWORK, LineState.UNKNOWN)
    )
    advice = "\n".join(say(step) for step in advise({"failed": 3}, [], state, "", own=True))
    assert "your line is open" not in advice
    assert "In a shutdown" not in advice
    assert ("your own test page" in advice) == (state in (LineState.HEALTHY, LineState.SLOW))


@pytest.mark.parametrize("state", LineState)
def test_each_state_of_the_line_has_a_sentence_or_is_not_known(state: LineState) -> None:
    message = line_message(state)
    assert (message is None) == (state is LineState.UNKNOWN)


@pytest.mark.parametrize("protection", Protection)
def test_each_class_says_who_sees_what(protection: Protection) -> None:
    assert "sees" in say(exposure(protection)) or "see where" in say(exposure(protection))


def test_a_stopped_run_says_how_much_it_has_not_seen_and_calls_nothing_dead() -> None:
    steps = advise({"failed": 36, "untested": 88}, [], LineState.HEALTHY, "interrupted")
    told = [step.id.format_map(step.values) for step in steps]
    assert told[0] == "None of the 36 tested so far works; 88 were not tested."
    assert not any("dead" in step for step in told)


def test_a_wrong_target_is_blamed_itself() -> None:
    steps = advise({"untested": 5}, [], LineState.UNKNOWN, "target")
    assert "target" in steps[0].id


def ended(reasons: Mapping[str, str], line: LineState, *, bridges_only: bool = False, **counts: int) -> str:
    event = Finished(
        given=9,
        candidates=9,
        duplicates=0,
        rejected=0,
        counts=counts,
        stopped="",
        elapsed=1.0,
        first_working=None,
        line_state=line,
        reasons={status: Message(text) for status, text in reasons.items()},
        bridges_only=bridges_only,
    )
    return "\n".join(say(step) for step in after(event, []))


def test_where_most_were_not_tested_their_reason_comes_first_and_nothing_is_called_dead() -> None:
    told = ended({"untested": "tor is missing"}, LineState.HEALTHY, failed=1, untested=29)
    assert told.startswith("29 entries were not tested. The most frequent reason: tor is missing\n")
    assert "dead" not in told
    assert "Get a fresh list" not in told
    assert "dead" not in ended({}, LineState.HEALTHY, failed=1, untested=29)


def test_where_few_were_not_tested_that_comes_last() -> None:
    told = ended({"untested": "tor is missing"}, LineState.HEALTHY, failed=29, untested=1)
    assert "dead, not censored" in told.splitlines()[0]
    assert told.splitlines()[1] == "1 entry was not tested: tor is missing"


def test_where_nothing_was_tested_the_reason_comes_before_the_doctor() -> None:
    told = ended({"untested": "tor is missing"}, LineState.HEALTHY, untested=2).splitlines()
    assert "tor is missing" in told[0]
    assert "sanylau doctor" in told[1]


def test_a_list_of_bridges_only_is_not_answered_with_bridges() -> None:
    told = ended({}, LineState.IMPAIRED, bridges_only=True, failed=3)
    assert "share links or Tor bridges" not in told
    assert "sanylau bridges --how" in told


@pytest.mark.parametrize("line", [LineState.HEALTHY, LineState.IMPAIRED, LineState.NO_ANSWER])
def test_the_lack_of_ipv6_here_is_no_reason_to_call_entries_dead(line: LineState) -> None:
    told = ended({"failed": NO_IPV6}, line, bridges_only=True, failed=3)
    assert "IPv4 addresses" in told
    assert "dead" not in told


def test_how_to_use_a_bridge_is_told_with_it() -> None:
    bridge = Candidate(parse("192.0.2.7:443"), "list", 1)
    best_one = replace(verdict(protection=Protection.TOR), candidate=bridge, transport="tor_bridge")
    assert "into Tor Browser" in said({"working": 1}, [best_one])
    assert "Tor Browser" not in said({"working": 1}, [verdict(protection=Protection.UNKNOWN)])
