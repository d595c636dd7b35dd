from dataclasses import replace

import pytest

from client.export.common import NO_WORDS
from client.i18n import say
from client.model import Status
from client.share import choosing
from client.share.capsule import Line, Seen, What
from tests.client.cli.passing import BRIDGE
from tests.client.export.made import options, proxy

NOW = 1_800_000_000.0


def test_the_best_come_first_and_the_rest_is_counted() -> None:
    given = options(*(f"socks5://198.51.100.{last}:1080" for last in range(1, 6)))
    chosen = choosing.choose(given, 2, now=NOW, line=Line.MOBILE)
    assert [one.endpoint.host for one in chosen.entries] == ["198.51.100.1", "198.51.100.2"]
    assert (chosen.more, chosen.left_out) == (3, ())
    assert len(choosing.choose(given, 0, now=NOW, line=Line.MOBILE).entries) == 5


def test_what_cannot_be_told_is_left_out_with_the_reason_and_another_takes_its_place() -> None:
    odd = proxy("socks5", user="line\nfeed", password="x")
    (good,) = options(BRIDGE)
    chosen = choosing.choose([odd, good], 1, now=NOW, line=Line.UNSAID)
    assert [one.endpoint for one in chosen.entries] == [good.endpoint]
    assert len(chosen.left_out) == 1
    assert say(chosen.left_out[0][1]) != NO_WORDS


@pytest.mark.parametrize(
    ("status", "seen", "told"),
    [
        (Status.WORKING, NOW - 60, "was working less than an hour ago, on a mobile line"),
        (Status.WORKING, NOW - 7200, "was working less than 6 hours ago, on a mobile line"),
        (Status.WORKING, NOW + 500, "was working less than an hour ago, on a mobile line"),
        (Status.WORKING, NOW + 90_000, "was working more than a week ago, on a mobile line"),
        (Status.WORKING, None, "was working more than a week ago, on a mobile line"),
        (Status.DEGRADED, NOW - 7200, "was working in part less than 6 hours ago, on a mobile line"),
        (Status.UNTESTED, None, "not tested by the sender"),
    ],
)
def test_what_was_seen_is_told_with_its_age(status: Status, seen: float | None, told: str) -> None:
    (option,) = options(BRIDGE)
    entry = choosing.entry(replace(option, status=status, seen=seen), now=NOW, line=Line.MOBILE)
    assert say(choosing.seen(entry.seen)) == told


def test_every_kind_of_proof_has_words() -> None:
    for what in What:
        for age in range(6):
            for line in Line:
                assert "{" not in say(choosing.seen(Seen(what=what, age=age, line=line)))


def test_names_tell_nothing_about_an_entry_and_differ_in_the_next_run() -> None:
    entries = choosing.choose(options(BRIDGE), 0, now=NOW, line=Line.UNSAID).entries
    assert choosing.names(entries) != choosing.names(entries)
    assert "1.2.3.4" not in "".join(choosing.names(entries))
