"""Whole lists: documents, encodings, limits, and whatever else comes as bytes. Lines: test_parse.py."""

import base64
import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client import parse
from client.i18n import say
from client.model import Reading
from client.parse import decode, parse_line, read
from tests.client.runs import processor_seconds
from tests.client.test_parse import OBFS4, SS, TROJAN, UUID, VLESS
from transports.types import Rejected

LINKS = f"{VLESS}#a\n{SS}#b\n{TROJAN}#c\n"
PACKED = base64.b64encode(LINKS.encode()).decode()

ENCODINGS: list[Callable[[], str]] = [
    lambda: PACKED,
    lambda: base64.urlsafe_b64encode(LINKS.encode()).decode(),
    lambda: PACKED.rstrip("="),
    lambda: "\r\n".join(PACKED[at : at + 76] for at in range(0, len(PACKED), 76)) + "\r\n",
    lambda: f"\n  {PACKED}  \n",
    lambda: base64.b64encode(PACKED.encode()).decode(),
]


@pytest.mark.parametrize("make", ENCODINGS[:5])
def test_a_base64_subscription_is_read_in_every_spelling(make: Callable[[], str]) -> None:
    result = read([("sub", make())])
    assert [(one.endpoint.transport, one.line) for one in result.candidates] == [
        ("vless", 1),
        ("shadowsocks", 2),
        ("trojan", 3),
    ]
    assert not result.rejected


def test_base64_of_no_links_stays_a_rejected_line() -> None:
    packed = base64.b64encode(b"nothing that anybody could use here").decode()
    assert len(read([("sub", packed)]).rejected) == 1


CLASH = f"""
port: 7890
proxies:
  - name: one
    type: socks5
    server: 192.0.2.7
    port: 1080
  - {{name: two, type: vless, server: 192.0.2.30, port: 443, uuid: {UUID}, tls: true, network: tcp}}
  - name: broken
    type: vless
rules: []
"""
SING_BOX = json.dumps(
    {
        "outbounds": [
            {"type": "direct", "tag": "direct"},
            {"type": "socks", "tag": "one", "server": "192.0.2.7", "server_port": 1080},
            {
                "type": "trojan",
                "server": "192.0.2.40",
                "server_port": 443,
                "password": "p",
                "tls": {"enabled": True},
            },
        ]
    }
)
SIP008 = json.dumps(
    {
        "version": 1,
        "servers": [
            {"server": "192.0.2.10", "server_port": 8388, "method": "aes-256-gcm", "password": "x"},
            {"server": "192.0.2.11", "server_port": 0, "method": "aes-256-gcm", "password": "x"},
        ],
    }
)


@pytest.mark.parametrize(
    ("text", "kinds", "refused"),
    [
        (CLASH, ["socks5", "vless"], 1),
        (SING_BOX, ["socks5", "trojan"], 0),
        (SIP008, ["shadowsocks"], 1),
    ],
)
def test_a_document_of_nodes_is_read_and_a_bad_node_fails_alone(
    text: str, kinds: list[str], refused: int
) -> None:
    result = read([("doc", text)])
    assert [one.endpoint.transport for one in result.candidates] == kinds
    assert len(result.rejected) == refused


# bytes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-8", "utf-8-sig"])
def test_the_usual_encodings_of_text_are_understood(encoding: str) -> None:
    text = "Прокси: 192.0.2.7:8080\n"
    mark = {"utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}.get(encoding, b"")
    assert len(read([("a", decode(mark + text.encode(encoding)))]).candidates) == 1


def test_bytes_that_are_no_utf8_do_not_hide_the_proxies_between_them() -> None:
    data = "прокси 192.0.2.7:8080\n".encode("cp1251") + b"\xff\xfe\x81 192.0.2.8:80\n"
    assert len(read([("a", decode(data))]).candidates) == 2


def test_a_binary_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="binary"):
        decode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")


def test_a_list_at_the_size_limit_is_read_and_one_byte_more_is_refused() -> None:
    assert len(decode(b"#" * parse.LARGEST)) == parse.LARGEST
    with pytest.raises(Rejected) as refused:
        decode(b"#" * (parse.LARGEST + 1))
    assert refused.value.values == {"limit": 8}


def test_lines_over_the_limit_are_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MOST_LINES", 3)
    result = read([("a", "\n".join(f"192.0.2.{n}:80" for n in range(1, 6)))])
    assert len(result.candidates) == 3
    assert [say(notice) for notice in result.notices] == ["a: only the first 3 of 5 lines are read"]


# whatever comes

CLEAN = st.integers(1, 250).map(lambda n: f"198.51.100.{n}:8080")
DIRTY = st.sampled_from(
    [
        "",
        "# x",
        "nonsense",
        "192.0.2.7:99999",
        "ftp://x",
        "• \u200b198.51.100.1:8080.",
        OBFS4,
        f"{SS}#n",
        "][",
    ]
)
LINES = st.lists(st.one_of(CLEAN, DIRTY, st.text(max_size=40)), max_size=30)


def adds_up(result: Reading) -> bool:
    return result.given == len(result.candidates) + result.duplicates + len(result.rejected)


@given(st.text())
def test_any_text_is_taken_apart_without_surprise(text: str) -> None:
    result = read([("a", text)])
    assert adds_up(result)
    assert all(1 <= one.line <= text.count("\n") + len(text.splitlines()) + 1 for one in result.candidates)
    for line in result.rejected:
        assert say(line.reason)


@given(st.binary())
def test_any_bytes_are_text_or_are_refused(data: bytes) -> None:
    try:
        text = decode(data)
    except Rejected:
        return
    assert adds_up(read([("a", text)]))


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_the_lines_changes_no_count(lines: list[str], rng: random.Random) -> None:
    lines = [" ".join(line.splitlines()) for line in ["# a list", *lines]]
    shuffled = [lines[0], *rng.sample(lines[1:], len(lines) - 1)]
    one, other = read([("a", "\n".join(lines))]), read([("a", "\n".join(shuffled))])
    assert one.given == other.given
    assert len(one.rejected) == len(other.rejected)
    assert {c.endpoint.key() for c in one.candidates} == {c.endpoint.key() for c in other.candidates}


@given(st.sampled_from([VLESS, SS, TROJAN, OBFS4, CLASH, SING_BOX, SIP008, PACKED]), st.data())
@settings(max_examples=60)
def test_a_mutilated_document_is_never_a_surprise(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, len(text)))
    assert adds_up(read([("a", text[:at] + data.draw(st.text(max_size=8)) + text[end:])]))


@pytest.mark.parametrize(
    "piece", ["!", "!!:", "a.", "[", "1.2.3.4:", "—", "1.2.3.4:8 ", "a:", "socks5://", '"', "!a:b"]
)
def test_no_line_costs_more_than_a_moment_of_processor_time(piece: str) -> None:
    line = (piece * parse.LONGEST)[: parse.LONGEST]
    assert processor_seconds(lambda: parse_line(line)) < 0.25  # squares of its length take seconds


def test_ten_thousand_lines_cost_a_small_multiple_of_splitting_them() -> None:
    text = "\n".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}:8080" for n in range(10_000))

    def split() -> list[list[str]]:
        return [line.split(":") for _ in range(10) for line in text.splitlines()]

    assert processor_seconds(lambda: read([("a", text)])) < 30 * processor_seconds(split)
