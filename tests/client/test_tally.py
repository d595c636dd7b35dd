from dataclasses import replace

from client.following import Follower
from client.model import Candidate, Control, LineState, Message, Proof, Protection, Reading, Status, Verdict
from client.tally import Tally
from tests.client.runs import endpoint
from tests.client.test_following import Report, following
from transports.types import Endpoint

BRIDGE = Endpoint(transport="tor_bridge", host="127.0.0.1", port=1)


def verdict(of: Endpoint, status: Status = Status.WORKING, down: int = 0, up: int = 0) -> Verdict:
    return Verdict(
        candidate=Candidate(of, "list", 1),
        transport=of.transport,
        protection=Protection.OPEN,
        status=status,
        reason=Message("why"),
        proof=Proof(down=down, up=up),
        finished=1.5,
    )


def test_what_tor_loads_counts_and_the_downloads_through_it_do_not_count_twice() -> None:
    report = Report(received=500 * 1024)
    tally = Tally(Reading((), (), 0), following(report))
    assert tally.moved_kib == 500
    tally.take(verdict(BRIDGE, down=64 * 1024, up=32 * 1024))
    assert tally.moved_kib == 532
    tally.take(verdict(endpoint(), down=64 * 1024, up=32 * 1024))
    assert tally.moved_kib == 628


def test_what_tor_has_not_told_of_yet_counts_by_the_proofs() -> None:
    tally = Tally(Reading((), (), 0), following(Report(received=10 * 1024)))
    tally.take(verdict(BRIDGE, down=64 * 1024))
    assert tally.moved_kib == 64


def test_counts_and_the_first_success_reach_the_end() -> None:
    tally = Tally(Reading((), (), 3), Follower())
    tally.take(verdict(endpoint(), Status.FAILED))
    tally.take(verdict(endpoint(), down=2048))
    progress = tally.progressed(7, 2.0)
    assert (progress.done, progress.working, progress.connections, progress.moved_kib) == (2, 1, 7, 2)
    last = tally.finished("budget", 3.0, Control(state=LineState.SLOW))
    assert (last.duplicates, last.stopped, last.first_working, last.moved_kib) == (3, "budget", 1.5, 2)
    assert (last.counts["working"], last.counts["failed"], last.counts["blocked"]) == (1, 1, 0)


def test_the_end_tells_the_most_frequent_reasons_and_whether_all_were_for_tor() -> None:
    bridge, proxy = Candidate(BRIDGE, "list", 1), Candidate(endpoint(), "list", 2)
    tally = Tally(Reading((bridge,), (), 0), Follower())
    for why in ("rare", "often", "often"):
        tally.take(replace(verdict(BRIDGE, Status.UNTESTED), reason=Message(why, {"n": 1})))
    tally.take(verdict(BRIDGE, Status.FAILED))
    last = tally.finished("", 3.0, Control(state=LineState.HEALTHY, own=True))
    assert last.reasons == {"untested": Message("often", {"n": 1}), "failed": Message("why")}
    assert last.bridges_only
    assert last.own
    assert not Tally(Reading((bridge, proxy), (), 0), Follower()).finished("", 3.0, Control()).bridges_only
