"""What is kept of a check, and what it is good for later."""

from __future__ import annotations

import pytest

from client.model import Candidate, Content, Failure, Message, Proof, Protection, Status, Step, Verdict
from client.redact import Namer
from client.vault import content as contents
from client.vault import kept
from client.vault.content import Kept

NAMER = Namer(b"k" * 32)


def candidate(line: str = "http://10.1.2.3:8080", source: str = "list") -> Candidate:
    from client import parse

    (found,) = parse.read([(source, line)]).candidates
    return found


def verdict(of: Candidate, status: Status = Status.WORKING, transport: str = "http") -> Verdict:
    proof = Proof(
        content=True, down=65536, bulk_seconds=2.0, bulk_done=True, udp=Content.INTACT, first_byte=0.5
    )
    return Verdict(
        candidate=of,
        transport=transport,
        protection=Protection.TRUSTED,
        status=status,
        reason=Message("because"),
        failure=Failure.CONNECTION_RESET,
        step=Step.CONNECT,
        proof=proof,
        tries=2,
    )


@pytest.mark.parametrize(
    ("line", "spoken"),
    [
        ("http://10.1.2.3:8080", "http"),
        ("socks5://user:secret@[2001:db8::7]:1080", "socks5"),
        ("10.1.2.3:8080", "socks5"),
        ("10.1.2.3:8080", "http"),
        ("tor", "tor"),
        (
            "obfs4 10.1.2.3:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=" + "A" * 70 + " iat-mode=0",
            "tor_bridge",
        ),
    ],
)
def test_what_is_kept_leads_to_the_same_endpoint_again(line: str, spoken: str) -> None:
    given = candidate(line)
    one = kept.of(verdict(given, transport=spoken), 1234.5)
    option = kept.option(one, NAMER)
    assert option is not None
    assert option.candidate.endpoint.key() == given.endpoint.key()
    assert (option.transport, option.status, option.seen) == (spoken, Status.WORKING, 1234.5)
    assert (option.kib_per_s, option.first_byte, option.udp) == (32.0, 0.5, True)
    assert option.id == NAMER.id(given.endpoint)
    assert (one.failure, one.step, one.tries, one.source) == ("connection_reset", "connect", 2, "list")


def test_trust_is_not_kept_but_asked_for_anew() -> None:
    option = kept.option(kept.of(verdict(candidate()), 1.0), NAMER)
    assert option is not None
    assert option.protection is Protection.OPEN


@pytest.mark.parametrize("line", ["", "no candidate", "10.1.1.1:80 10.1.1.2:80"])
def test_a_line_that_this_version_cannot_read_is_left_out(line: str) -> None:
    one = Kept(line=line, transport="http", status=Status.WORKING, seen=1.0)
    assert kept.option(one, NAMER) is None


def filled() -> contents.Content:
    def one(line: str, status: Status) -> Kept:
        return kept.of(verdict(candidate(line), status), 5.0)

    here = [
        one("http://10.0.0.1:1", Status.WORKING),
        one("http://10.0.0.2:1", Status.DEGRADED),
        one("http://10.0.0.3:1", Status.FAILED),
    ]
    there = [one("http://10.0.0.3:1", Status.WORKING), one("http://10.0.0.4:1", Status.BLOCKED)]
    content = contents.with_results(contents.Content(), "here", here)
    return contents.with_results(content, "there", there)


def test_options_are_what_worked_on_this_network_and_on_no_other() -> None:
    hosts = [option.candidate.endpoint.host for option in kept.options(filled(), "here")]
    assert hosts == ["10.0.0.1", "10.0.0.2"]
    assert kept.options(filled(), "nowhere") == []


def test_what_worked_here_comes_first_then_half_of_it_or_elsewhere_then_the_rest() -> None:
    rank = kept.ranking(kept.record(filled(), "here"), None)
    ordered = {host: rank(candidate(f"http://10.0.0.{host}:1")) for host in (1, 2, 3, 4, 5)}
    assert ordered[1] < ordered[2] == ordered[3] < ordered[4] == ordered[5]


def test_a_diagnosis_counts_more_than_the_past() -> None:
    def by_port(one: Candidate) -> int:
        return 0 if one.endpoint.host == "10.0.0.5" else 1

    rank = kept.ranking(kept.record(filled(), "here"), by_port)
    assert rank(candidate("http://10.0.0.5:1")) < rank(candidate("http://10.0.0.1:1"))
    assert rank(candidate("http://10.0.0.1:1")) < rank(candidate("http://10.0.0.4:1"))
