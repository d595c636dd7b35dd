"""Bridge lines as people paste them, and which of them are the same bridge."""

from __future__ import annotations

import base64
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.model import kinds_of
from client.parse import parse_line, read
from tests.client.runs import processor_seconds
from tests.client.test_parse import CERT, FINGERPRINT, OBFS4
from tests.transports.test_tor_bridge import SNOWFLAKE, WEBTUNNEL
from transports.types import Endpoint, Rejected

SECOND = OBFS4.replace(".1:443", ".2:444")
VANILLA = f"192.0.2.3:9001 {FINGERPRINT}"
GROUPS = " ".join(FINGERPRINT[at : at + 4] for at in range(0, 40, 4))


def lines_in(text: str) -> list[str]:
    """Return the bridge lines of a text; anything else in it fails the test."""
    result = read([("a", text)])
    assert not result.rejected, [one.reason for one in result.rejected]
    assert all(one.endpoint.transport == "tor_bridge" for one in result.candidates)
    return [one.endpoint.reveal() for one in result.candidates]


@pytest.mark.parametrize(
    "text",
    [
        f"{OBFS4} {SECOND}",
        f"Bridge {OBFS4} Bridge {SECOND}",
        f"Bridge {OBFS4},Bridge {SECOND}",
        f"{OBFS4}, {SECOND}.",
        f"{OBFS4}; {SECOND}",
        f"{OBFS4} | {SECOND} | ok",
        f"['{OBFS4}', '{SECOND}']",
        f'["{OBFS4}", "{SECOND}"]',
        f'["{OBFS4}",\n "{SECOND}",',
        f"['{OBFS4}',\n '{SECOND}']",
        f"[u'{OBFS4}', u'{SECOND}']",
        f"QR: ['{OBFS4}', '{SECOND}'] спасибо",
        f"{{'bridges': ['{OBFS4}', '{SECOND}']}}",
        f'{{"line": "{OBFS4}", "port": 443}}\n{{"line": "{SECOND}", "port": 444}}',
        f"`{OBFS4}`\n```\n{SECOND}\n```",
        f"**{OBFS4}**\n__{SECOND}__",
        f"“{OBFS4}”\n«{SECOND}»",
        f"({OBFS4})\n<code>{SECOND}</code>",
        f"<p>{OBFS4}<br/>{SECOND}</p>",
        f"| {OBFS4} | yes |\n|{SECOND} |no|",
        f"\ufeff{OBFS4}\r\n\u200b{SECOND}\u200b\r\n",
        f"\u2068{OBFS4}\u2069\n\u202a{SECOND}\u202c",
        f"{OBFS4}\n{SECOND}".replace(" ", "\u00a0"),
        f"{OBFS4}\n{SECOND}".replace(" ", "  \t"),
        f"- {OBFS4}\n2. {SECOND}",
        f"> {OBFS4}\n>{SECOND}",
        f"[12:30, 05.01.2022] Айдар: {OBFS4}\nмост: {SECOND}",
        f'user_pref("torbrowser.settings.bridges.bridge_strings.0", "{OBFS4}");\n{SECOND}',
        base64.b64encode(f"{OBFS4}\n{SECOND}".encode()).decode(),
    ],
)
def test_two_bridges_are_found_however_they_were_pasted(text: str) -> None:
    assert lines_in(text) == [OBFS4, SECOND]


@pytest.mark.parametrize(
    "text",
    [
        f"{VANILLA} {VANILLA.replace('.3:', '.4:')}",
        f"Bridge {VANILLA} Bridge {VANILLA.replace('.3:', '.4:')}",
        f"Bridge 192.0.2.3:9001 {GROUPS} Bridge 192.0.2.4:9001 {GROUPS}",
        f"192.0.2.3:9001 {GROUPS} 192.0.2.4:9001 {GROUPS}",
        f"['{VANILLA}', '{VANILLA.replace('.3:', '.4:')}']",
    ],
)
def test_bridges_without_a_transport_are_told_apart_on_one_line(text: str) -> None:
    result = read([("a", text)])
    assert [(one.endpoint.host, one.endpoint.transport) for one in result.candidates] == [
        ("192.0.2.3", "tor_bridge"),
        ("192.0.2.4", "tor_bridge"),
    ]
    assert not result.rejected


def test_an_ipv6_address_keeps_its_bracket_at_the_end_of_a_line() -> None:
    assert lines_in("Bridge [2001:db8::5]") == ["[2001:db8::5]"]
    assert lines_in("(Bridge [2001:db8::5]:443)".strip("()")) == ["[2001:db8::5]:443"]


WRAPPED = OBFS4.replace(" cert", "\ncert"), SECOND.replace(f" {FINGERPRINT} ", f"\n{FINGERPRINT}\n> ")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\n".join(WRAPPED), [1, 3]),
        (
            f"Hello,\n\nBridge {WRAPPED[0]}\n> {WRAPPED[1]}\n--\n".replace("Hello,", "#").replace("--", "#"),
            [3, 5],
        ),
        (OBFS4.replace(" iat", " \r\n  iat") + f"\r\n{SECOND}", [1, 3]),
    ],
)
def test_a_line_that_a_mail_program_has_broken_is_made_whole(text: str, lines: list[int]) -> None:
    assert lines_in(text) == [OBFS4, SECOND]
    assert [one.line for one in read([("a", text)]).candidates] == lines


@pytest.mark.parametrize("stray", ["iat-mode=0", f"cert={CERT}", FINGERPRINT, "x=1", "url="])
def test_a_whole_bridge_line_is_not_spoilt_by_what_stands_below_it(stray: str) -> None:
    result = read([("a", f"{OBFS4}\n{stray}\n{SECOND}")])
    assert [one.endpoint.reveal() for one in result.candidates] == [OBFS4, SECOND]
    assert [one.line for one in result.rejected] == [2]


@pytest.mark.parametrize(
    "texts",
    [
        (OBFS4, f"Bridge {OBFS4.replace(FINGERPRINT, FINGERPRINT.lower())}"),
        (OBFS4, OBFS4.replace(f" {FINGERPRINT}", "")),
        (OBFS4, OBFS4.replace("iat-mode=0", "iat-mode=1"), OBFS4.replace(f" {FINGERPRINT}", "")),
        (f"[2001:db8::10]:9001 {FINGERPRINT}", f"[2001:DB8:0::10]:9001 {GROUPS}"),
        (WEBTUNNEL, WEBTUNNEL.replace("1234:5678::9", "1:2::3")),
        (SNOWFLAKE, SNOWFLAKE.replace("192.0.2.3:80", "192.0.2.3:1")),
    ],
)
def test_the_same_bridge_twice_is_one_candidate_in_any_order(texts: tuple[str, ...]) -> None:
    for order in (texts, texts[::-1]):
        result = read([("a", "\n".join(order))])
        assert len(result.candidates) == 1
        assert result.duplicates == len(texts) - 1
        assert result.given == len(texts)
        assert (result.candidates[0].endpoint.options or {})["fingerprint"] == FINGERPRINT


@pytest.mark.parametrize(
    "other",
    [
        OBFS4.replace(CERT, CERT[::-1]),
        OBFS4.replace(FINGERPRINT, FINGERPRINT[::-1]),
        OBFS4.replace(f" {FINGERPRINT}", "").replace(CERT, CERT[::-1]),
        f"192.0.2.1:443 {FINGERPRINT}",
    ],
)
def test_a_line_with_a_wrong_key_hides_no_good_one(other: str) -> None:
    assert len(read([("a", f"{other}\n{OBFS4}")]).candidates) == 2


def test_an_address_alone_is_not_taken_for_the_bridge_that_should_be_there() -> None:
    assert len(read([("a", f"{VANILLA}\nBridge 192.0.2.3:9001")]).candidates) == 2


PIECES = [
    "obfs4",
    "Bridge",
    "192.0.2.1:443",
    FINGERPRINT,
    f"cert={CERT}",
    "iat-mode=0",
    "password=s3cretpass",
]
PIECES += [
    "s3cretname=1",
    "s3cretname=2",
    "OBFS4",
    "webtunnel",
    "url=s3cret://x",
    "[2001:db8::5]:443",
    "'",
    "s3cret",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_a_rejection_repeats_no_address_key_or_argument(pieces: list[str]) -> None:
    for item in parse_line(" ".join(pieces)):
        if isinstance(item, Rejected):
            told = str(item.values)
            assert not any(word in told for word in ("s3cret", "192.0", "2001", FINGERPRINT[:8], CERT[:8]))


def many(lines: int) -> str:
    rng = random.Random(1)

    def line(number: int) -> str:
        cert = base64.b64encode(rng.randbytes(52)).decode().rstrip("=")
        return f"obfs4 10.9.{number >> 8}.{number & 255}:443 {rng.randbytes(20).hex()} cert={cert} iat-mode=0"

    return "\n".join(map(line, range(lines)))


def test_a_thousand_bridges_cost_little_time_and_memory() -> None:
    text = many(1000)

    def split() -> list[list[str]]:
        return [line.split() for _ in range(20) for line in text.splitlines()]

    assert processor_seconds(lambda: read([("a", text)])) < 30 * processor_seconds(split)
    tracemalloc.start()
    result = read([("a", text)])
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(result.candidates) == 1000
    assert kept < 2 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


@given(st.data())
@settings(max_examples=50)
def test_the_order_of_bridge_lines_changes_no_count(data: st.DataObject) -> None:
    pool = [OBFS4, SECOND, OBFS4.replace(f" {FINGERPRINT}", ""), OBFS4.replace(CERT, CERT[::-1]), VANILLA]
    pool += ["192.0.2.7:80", "http://192.0.2.7:80", "socks5://192.0.2.7:80", "Bridge 192.0.2.3:9001"]
    lines = data.draw(st.lists(st.sampled_from(pool), max_size=12))
    one, other = (read([("a", "\n".join(some))]) for some in (lines, data.draw(st.permutations(lines))))
    assert {c.endpoint.key() for c in one.candidates} == {c.endpoint.key() for c in other.candidates}
    assert (
        (one.duplicates, one.given)
        == (other.duplicates, other.given)
        == (len(lines) - len(one.candidates), len(lines))
    )
    assert all(isinstance(c.endpoint, Endpoint) for c in one.candidates)


def test_entries_of_one_line_are_counted_and_lone_ones_are_not() -> None:
    found = read([("a", f"{VANILLA}\n['{OBFS4}', '{SECOND}']\nsocks5://127.0.0.1:1080\n")]).candidates
    assert [(one.line, one.item) for one in found] == [(1, 0), (2, 1), (2, 2), (3, 0)]


def test_a_bridge_goes_by_the_name_of_its_transport() -> None:
    lines = f"{VANILLA}\n{OBFS4}\nsocks5://127.0.0.1:1080"
    kinds = [kinds_of(one.endpoint) for one in read([("a", lines)]).candidates]
    assert kinds == [("vanilla", "tor_bridge"), ("obfs4", "tor_bridge"), ("socks5",)]
