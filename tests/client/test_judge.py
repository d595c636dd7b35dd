from dataclasses import replace
from typing import Any

import pytest

from client.judge import (
    MOVES,
    SLOW,
    Judgement,
    judge,
    moves,
    needs_control,
    protection_of,
    settled,
    wants_patience,
    wants_retry,
)
from client.model import Content, Control, Failure, LineState, Observation, Proof, Protection, Status, Step
from client.probe import Attempt
from client.targets import Page
from transports.types import Endpoint, Note

QUOTA = 64 * 1024
FULL = Proof(
    content=True,
    down=QUOTA,
    up=32 * 1024,
    reads=40,
    writes=33,
    bulk_seconds=1.0,
    bulk_done=True,
    wire_down=QUOTA + 2000,
    upload=Content.INTACT,
    plain=Content.INTACT,
    impossible=Content.REFUSED,
    first_byte=0.2,
)
OPEN_LINE = Control(state=LineState.HEALTHY, connect=0.05, kib_per_s=500.0, upload=Content.INTACT)
UNKNOWN_LINE = Control()


def seen(step: Step, failure: Failure | None = None, note: Note | None = None) -> Observation:
    return Observation(step=step, started=0.0, elapsed=0.1, failure=failure, note=note)


def ended(step: Step, failure: Failure, note: Note | None = None) -> Attempt:
    return Attempt(failed=seen(step, failure, note))


def moved(**changes: Any) -> Attempt:
    return Attempt(proof=replace(FULL, **changes))


def page(body: bytes) -> Page:
    return Page(status=200, body=body, whole=True)


def concluded(attempt: Attempt, control: Control = OPEN_LINE, plain: bytes | None = None) -> Judgement:
    return judge(settled(attempt, plain), control, quota=QUOTA)


def test_authentic_content_and_the_whole_bulk_make_working() -> None:
    found = concluded(moved())
    assert (found.status, found.failure, found.step) == (Status.WORKING, None, None)


@pytest.mark.parametrize("control", [OPEN_LINE, UNKNOWN_LINE])
@pytest.mark.parametrize(
    "changes",
    [
        {"upload": Content.SKIPPED, "up": 0},
        {"plain": Content.NO_ANSWER},
        {"plain": Content.REFUSED},
        {"plain": Content.SKIPPED},
        {"impossible": Content.NO_ANSWER},
        {"impossible": Content.SKIPPED},
        {"udp": Content.REFUSED},
    ],
)
def test_a_side_check_without_an_answer_condemns_nothing(changes: dict[str, Any], control: Control) -> None:
    assert concluded(moved(**changes), control).status is Status.WORKING


def test_content_from_an_address_that_cannot_exist_condemns() -> None:
    found = concluded(moved(impossible=Content.ALTERED))
    assert (found.status, found.step) == (Status.HOSTILE, Step.HTTP_ROUND_TRIP)


def test_altered_plain_pages_condemn_unless_the_line_alters_them_too() -> None:
    assert concluded(moved(plain=Content.ALTERED)).status is Status.HOSTILE
    line = replace(OPEN_LINE, altered=True)
    assert concluded(moved(plain=Content.ALTERED), line).status is Status.WORKING


def test_unknown_plain_content_is_compared_with_what_the_control_saw() -> None:
    attempt = moved(plain=Content.UNKNOWN)
    attempt.plain_page = page(b"one")
    assert concluded(attempt, plain=b"one").status is Status.WORKING
    assert concluded(attempt, plain=b"other").status is Status.HOSTILE
    assert concluded(attempt, plain=None).status is Status.WORKING


@pytest.mark.parametrize(
    "changes",
    [
        {"reads": 16, "writes": 15},
        {"down": QUOTA - 1},
        {"reads": 1, "writes": 1, "segments_in": 20, "segments_out": 11},
    ],
)
def test_too_little_moved_is_never_working(changes: dict[str, Any]) -> None:
    found = concluded(moved(**changes))
    assert (found.status, found.step) == (Status.DEGRADED, Step.BULK_TRANSFER)


def test_segments_of_the_system_count_where_there_are_more_of_them() -> None:
    attempt = moved(reads=2, writes=2, segments_in=30, segments_out=2)
    assert moves(attempt.proof) == MOVES
    assert concluded(attempt).status is Status.WORKING


def test_a_refused_upload_counts_only_where_the_target_is_known_to_take_one() -> None:
    found = concluded(moved(upload=Content.REFUSED))
    assert (found.status, found.failure) == (Status.DEGRADED, Failure.HTTP_STATUS)
    for upload in (Content.SKIPPED, Content.REFUSED):
        line = replace(OPEN_LINE, upload=upload)
        assert concluded(moved(upload=Content.REFUSED), line).status is Status.WORKING


@pytest.mark.parametrize(
    ("line_speed", "speed", "status"),
    [
        (500.0, SLOW + 0.5, Status.WORKING),
        (500.0, SLOW - 0.5, Status.DEGRADED),
        (SLOW + 1, SLOW - 0.5, Status.DEGRADED),
        (4.0, 2.5, Status.WORKING),  # a slow line: half of it is enough
        (4.0, 1.5, Status.DEGRADED),
        (None, 1.0, Status.WORKING),  # nothing to compare with
    ],
)
def test_speed_is_judged_beside_what_the_line_can_do(
    line_speed: float | None, speed: float, status: Status
) -> None:
    attempt = moved(bulk_seconds=QUOTA / 1024 / speed)
    assert concluded(attempt, replace(OPEN_LINE, kib_per_s=line_speed)).status is status


STALL = {"bulk_done": False, "down": 9000, "up": 0, "wire_down": 16 * 1024, "upload": Content.SKIPPED}


@pytest.mark.parametrize(
    ("failed", "changes", "words"),
    [
        (
            seen(Step.BULK_TRANSFER, Failure.TIMEOUT),
            {"bulk_seconds": 0.1, "silence": 8.0},
            "froze after 16 KiB",
        ),
        (seen(Step.BULK_TRANSFER, Failure.TIMEOUT), {"bulk_seconds": 10.0, "silence": 0.2}, "far too slow"),
        (seen(Step.BULK_TRANSFER, Failure.TIMEOUT), {"down": QUOTA}, "what you send stops"),
        (seen(Step.BULK_TRANSFER, Failure.HTTP_FAILED, Note.TOO_SMALL), {}, "larger file with --bulk-target"),
        (seen(Step.BULK_TRANSFER, Failure.CONNECTION_RESET), {}, "broke off after 16 KiB"),
        (seen(Step.BULK_TRANSFER, Failure.HTTP_STATUS, Note.OTHER_CONTENT), {}, "not given out"),
        (seen(Step.CONNECT, Failure.CONNECTION_REFUSED), {}, "next connection failed"),
        (None, {}, "larger file did not"),
    ],
)
def test_a_transfer_that_does_not_end_is_degraded_and_says_how(
    failed: Observation | None, changes: dict[str, Any], words: str
) -> None:
    attempt = moved(**(STALL | changes))
    attempt.bulk_failed = failed
    found = concluded(attempt)
    assert found.status is Status.DEGRADED
    assert found.failure is (failed.failure if failed else None)
    assert found.step is (failed.step if failed else Step.BULK_TRANSFER)
    assert words in found.reason.id.format_map(found.reason.values)


@pytest.mark.parametrize("forgery", [Failure.SSL_AUTHORITY, Failure.SSL_HOSTNAME])
def test_a_forged_certificate_is_hostile_unless_it_shows_without_any_proxy(forgery: Failure) -> None:
    attempt = ended(Step.TLS_HANDSHAKE, forgery)
    assert concluded(attempt).status is Status.HOSTILE
    found = concluded(attempt, replace(OPEN_LINE, forged=True))
    assert found.status is Status.FAILED
    assert "without any proxy" in found.reason.id


def test_a_forged_certificate_of_the_proxy_itself_is_no_forged_target() -> None:
    assert concluded(ended(Step.PROXY_HANDSHAKE, Failure.SSL_AUTHORITY)).status is Status.FAILED


def test_an_expired_certificate_points_at_the_clock_not_at_the_proxy() -> None:
    found = concluded(ended(Step.TLS_HANDSHAKE, Failure.SSL_CERTIFICATE))
    assert found.status is Status.FAILED
    assert "clock" in found.reason.id


@pytest.mark.parametrize(
    ("step", "failure", "note", "status", "words"),
    [
        (Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE, Note.PAGE, Status.HOSTILE, "page of its own"),
        (Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE, Note.REFUSED, Status.FAILED, "reports an error"),
        (Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE, Note.ECHO, Status.FAILED, "echoes"),
        (Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE, Note.GARBAGE, Status.FAILED, "not the target"),
        (Step.TLS_HANDSHAKE, Failure.TIMEOUT, None, Status.FAILED, "nothing comes"),
        (Step.TLS_HANDSHAKE, Failure.EOF, None, Status.FAILED, "breaks off"),
        (Step.PROXY_HANDSHAKE, Failure.TIMEOUT, None, Status.FAILED, "no answer in time"),
        (Step.PROXY_HANDSHAKE, Failure.EOF, None, Status.FAILED, "closed the connection"),
        (
            Step.PROXY_HANDSHAKE,
            Failure.HTTP_STATUS,
            Note.AUTH_REQUIRED,
            Status.FAILED,
            "user name and password",
        ),
        (Step.PROXY_HANDSHAKE, Failure.SOCKS_ERROR, Note.AUTH_REFUSED, Status.FAILED, "does not accept"),
        (Step.PROXY_HANDSHAKE, Failure.HTTP_STATUS, Note.REFUSED, Status.FAILED, "refuses to connect"),
        (Step.PROXY_HANDSHAKE, Failure.HTTP_REDIRECT, Note.REDIRECT, Status.FAILED, "another page"),
        (Step.PROXY_HANDSHAKE, Failure.HTTP_FAILED, Note.PAGE, Status.FAILED, "no proxy"),
        (Step.PROXY_HANDSHAKE, Failure.HTTP_FAILED, Note.GARBAGE, Status.FAILED, "not with this protocol"),
        (Step.PROXY_HANDSHAKE, Failure.HTTP_FAILED, Note.ENDLESS, Status.FAILED, "never ends"),
        (Step.HTTP_ROUND_TRIP, Failure.HTTP_REDIRECT, Note.REDIRECT, Status.FAILED, "redirects elsewhere"),
        (Step.HTTP_ROUND_TRIP, Failure.HTTP_STATUS, Note.OTHER_CONTENT, Status.FAILED, "another answer"),
        (Step.HTTP_ROUND_TRIP, Failure.TIMEOUT, None, Status.FAILED, "no page comes"),
        (Step.HTTP_ROUND_TRIP, Failure.CONNECTION_RESET, None, Status.FAILED, "before the page came"),
        (Step.RESOLVE, Failure.DNS_NXDOMAIN, None, Status.FAILED, "spelling"),
        (Step.RESOLVE, Failure.DNS_TEMPORARY, None, Status.FAILED, "looked up"),
        (Step.CONNECT, Failure.CONNECTION_REFUSED, None, Status.FAILED, "nobody listens"),
        (Step.CONNECT, Failure.TIMEOUT, None, Status.FAILED, "no answer"),
        (Step.CONNECT, Failure.CONNECTION_RESET, None, Status.FAILED, "torn down"),
        (Step.CONNECT, Failure.HOST_UNREACHABLE, None, Status.FAILED, "cannot be reached"),
        (Step.CONNECT, Failure.UNKNOWN, None, Status.FAILED, "could not be reached"),
    ],
)
def test_every_end_has_its_status_and_its_reason(
    step: Step, failure: Failure, note: Note | None, status: Status, words: str
) -> None:
    found = concluded(ended(step, failure, note))
    assert (found.status, found.step, found.failure) == (status, step, failure)
    assert words in found.reason.id


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("failure", Failure)
def test_what_broke_off_before_any_content_never_works_and_is_never_called_blocked(
    step: Step, failure: Failure
) -> None:
    for control in (OPEN_LINE, UNKNOWN_LINE):
        found = concluded(ended(step, failure), control)
        assert found.status in (Status.FAILED, Status.HOSTILE)
        assert found.reason.id


def test_without_a_network_the_candidate_is_not_blamed() -> None:
    line = Control(state=LineState.NO_NETWORK)
    found = concluded(ended(Step.CONNECT, Failure.NETWORK_UNREACHABLE), line)
    assert "no network" in found.reason.id


@pytest.mark.parametrize(
    "failure", [Failure.NETWORK_UNREACHABLE, Failure.ADDRESS_NOT_AVAILABLE, Failure.ADDRESS_FAMILY]
)
def test_a_machine_without_ipv6_is_named_and_not_the_candidate(failure: Failure) -> None:
    attempt = ended(Step.CONNECT, failure)
    for knocking in (attempt, replace(attempt, engine="tor")):
        found = judge(knocking, OPEN_LINE, quota=QUOTA, host="2001:db8::7")
        assert (found.status, found.failure, found.step) == (Status.FAILED, failure, Step.CONNECT)
        assert "no IPv6" in found.reason.id
    offline = Control(state=LineState.NO_NETWORK)
    assert "no network" in judge(attempt, offline, quota=QUOTA, host="2001:db8::7").reason.id
    assert "IPv6" not in judge(attempt, OPEN_LINE, quota=QUOTA, host="192.0.2.7").reason.id
    refused = ended(Step.CONNECT, Failure.CONNECTION_REFUSED)
    assert "IPv6" not in judge(refused, OPEN_LINE, quota=QUOTA, host="2001:db8::7").reason.id


def test_a_proxy_that_fetches_plain_pages_only_is_told_apart() -> None:
    attempt = ended(Step.PROXY_HANDSHAKE, Failure.HTTP_STATUS, Note.REFUSED)
    attempt.proof = Proof(plain=Content.INTACT)
    assert "unencrypted pages" in concluded(attempt).reason.id
    attempt.proof = Proof(plain=Content.UNKNOWN)
    attempt.plain_page = page(b"unknown content")
    assert "refuses to connect" in concluded(attempt).reason.id
    assert "unencrypted pages" in concluded(attempt, plain=b"unknown content").reason.id


@pytest.mark.parametrize(
    ("failure", "again", "longer"),
    [
        (Failure.CONNECTION_RESET, True, False),
        (Failure.CONNECTION_ABORTED, True, False),
        (Failure.EOF, True, False),
        (Failure.TIMEOUT, False, True),
        (Failure.CONNECTION_REFUSED, False, False),
        (Failure.SSL_AUTHORITY, False, False),
    ],
)
def test_a_second_try_follows_a_break_and_a_longer_one_follows_silence(
    failure: Failure, again: bool, longer: bool
) -> None:
    attempt = ended(Step.PROXY_HANDSHAKE, failure)
    assert (wants_retry(attempt), wants_patience(attempt)) == (again, longer)


def test_nobody_who_brought_content_is_asked_again() -> None:
    attempt = moved()
    attempt.bulk_failed = seen(Step.BULK_TRANSFER, Failure.CONNECTION_RESET)
    assert not wants_retry(attempt)
    assert not wants_patience(attempt)


def test_only_unclear_and_slow_results_wait_for_the_control() -> None:
    dead = Attempt(failed=seen(Step.CONNECT, Failure.TIMEOUT))
    forged = Attempt(failed=seen(Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY))
    fast = Attempt(proof=Proof(content=True, down=65536, bulk_seconds=0.1, bulk_done=True))
    slow = Attempt(proof=Proof(content=True, down=65536, bulk_seconds=9.0, bulk_done=True))
    unknown_page = Attempt(proof=Proof(content=True), plain_page=page(b"x"))
    assert [needs_control(attempt) for attempt in (dead, forged, fast, slow, unknown_page)] == [
        False,
        True,
        False,
        True,
        True,
    ]


def test_a_share_link_without_encryption_is_class_d_and_trust_lifts_only_encrypted_ones() -> None:
    bare = Endpoint(transport="vless", host="127.0.0.1", port=1, options={"type": "vless"})
    sealed = Endpoint(transport="vless", host="127.0.0.1", port=1, options={"type": "vless", "tls": {}})
    assert protection_of("vless", bare, trusted=True) is Protection.OPEN
    assert protection_of("vless", sealed, trusted=False) is Protection.UNKNOWN
    assert protection_of("vless", sealed, trusted=True) is Protection.TRUSTED
    unchecked = Endpoint(
        transport="trojan", host="127.0.0.1", port=1, options={"type": "trojan", "tls": {"insecure": True}}
    )
    assert protection_of("trojan", unchecked, trusted=True) is Protection.OPEN
    assert protection_of("socks5", bare, trusted=True) is Protection.OPEN


def bootstrapped(kind: str, percent: int) -> str:
    failed = replace(seen(Step.TOR_BOOTSTRAP, Failure.TIMEOUT), code=percent)
    found = concluded(Attempt(failed=failed, engine="tor", kind=kind))
    assert (found.status, found.step) == (Status.FAILED, Step.TOR_BOOTSTRAP)
    return found.reason.id.format_map(found.reason.values)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("snowflake", "no way to the broker"),
        ("meek_lite", "no answer from the front"),
        ("conjure", "could not reach its first server through this bridge (10 %)"),
        ("dnstt", "could not reach its first server through this bridge (10 %)"),
        ("tor", "tor could not reach its first server (10 %)"),
    ],
)
def test_nothing_is_said_to_answer_before_a_handshake_through_it_is_complete(kind: str, words: str) -> None:
    for percent in (0, 10, 14):
        said = bootstrapped(kind, percent)
        assert words.replace("10 %", f"{percent} %") in said
        assert "answers," not in said
        assert f"{percent} %" in said


def test_from_a_complete_handshake_on_a_bridge_answers_and_the_percent_tells_the_rest() -> None:
    for kind in ("obfs4", "snowflake"):
        assert bootstrapped(kind, 15) == "the bridge answers, but tor came only to 15 % through it"
        assert "lost its own way out" in bootstrapped(kind, 90)
    for percent in (15, 95):
        assert bootstrapped("tor", percent) == f"tor reached a first server, but came only to {percent} %"


@pytest.mark.parametrize(
    ("failure", "note", "words"),
    [
        (Failure.SSL_HANDSHAKE, Note.PAGE, "a web site answers there"),
        (Failure.SSL_HANDSHAKE, Note.REFUSED, "a web site answers there"),
        (Failure.SSL_HANDSHAKE, Note.GARBAGE, "no bridge"),
        (Failure.SSL_HANDSHAKE, None, "something answers there"),
        (Failure.TIMEOUT, None, "stays silent"),
        (Failure.EOF, None, "hangs up"),
        (Failure.CONNECTION_RESET, None, "tears it down"),
    ],
)
def test_what_answers_in_the_place_of_a_vanilla_bridge_is_told_apart(
    failure: Failure, note: Note | None, words: str
) -> None:
    attempt = replace(ended(Step.TLS_HANDSHAKE, failure, note), engine="tor", kind="vanilla")
    assert words in concluded(attempt).reason.id
    if note is None:
        attempt.kind = "obfs4"
        assert "did not complete its own handshake" in concluded(attempt).reason.id


@pytest.mark.parametrize(
    ("failure", "note"), [(Failure.SOCKS_HOST_UNREACHABLE, Note.REFUSED), (Failure.TIMEOUT, None)]
)
def test_a_test_page_that_the_exit_cannot_reach_is_not_told_in_the_words_for_a_proxy(
    failure: Failure, note: Note | None
) -> None:
    attempt = replace(ended(Step.PROXY_HANDSHAKE, failure, note), engine="tor", kind="vanilla")
    attempt.observations = [seen(Step.TOR_BOOTSTRAP)]
    found = concluded(attempt)
    assert (found.status, found.failure) == (Status.FAILED, failure)
    assert "the circuit through Tor stands" in found.reason.id
    assert "--target" in found.reason.id


@pytest.mark.parametrize(
    ("step", "failure", "status"),
    [
        (Step.CONNECT, Failure.NETWORK_UNREACHABLE, Status.UNTESTED),
        (Step.CONNECT, Failure.TIMEOUT, Status.UNTESTED),
        (Step.RESOLVE, Failure.DNS_TEMPORARY, Status.UNTESTED),
        (Step.CONNECT, Failure.CONNECTION_REFUSED, Status.FAILED),
        (Step.TLS_HANDSHAKE, Failure.TIMEOUT, Status.FAILED),
    ],
)
def test_without_a_network_what_was_never_reached_is_untested(
    step: Step, failure: Failure, status: Status
) -> None:
    offline = Control(state=LineState.NO_NETWORK)
    for engine in ("", "tor"):
        found = concluded(replace(ended(step, failure), engine=engine), offline)
        assert (found.status, found.failure, found.step) == (status, failure, step)
        assert ("no network" in found.reason.id) == (status is Status.UNTESTED)
