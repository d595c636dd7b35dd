"""The judges' eyes, without a network: names in split hellos, and what looks encrypted."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab import places
from tests.lab.dpi import Inspector, Streams, is_forbidden, looks_known, looks_random
from tests.lab.packets import (
    ACK,
    SYN,
    TCP,
    UDP,
    Packet,
    address,
    answer,
    asked,
    host_of,
    read,
    server_name,
    write,
)
from tests.lab.probe import SHAPES, hello_bytes
from tests.lab.scenarios import Judge

ME, THEM = address(places.PERSON), address("192.88.99.11")


def sent(seq: int, data: bytes = b"", flags: int = ACK) -> Packet:
    return Packet(
        source=ME, target=THEM, protocol=TCP, sport=40000, dport=443, seq=seq, ack=7, flags=flags, data=data
    )


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.booleans())
def test_a_packet_reads_back_as_it_was_written(data: bytes, seq: int, over_udp: bool) -> None:
    packet = sent(seq, data)
    if over_udp:
        packet = Packet(source=ME, target=THEM, protocol=UDP, sport=40000, dport=53, data=data)
    assert read(write(packet)) == packet


def test_the_name_of_a_hello_shows_as_soon_as_it_is_whole() -> None:
    hello = hello_bytes("www.abroad-one.example")
    assert server_name(hello) == "www.abroad-one.example"
    assert all(server_name(hello[:end]) is None for end in range(len(hello)))
    assert server_name(b"GET / HTTP/1.1\r\n") == ""


def test_a_hello_over_two_tls_records_is_put_together() -> None:
    body = hello_bytes("www.abroad-one.example")[5:]
    records = [b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in (body[:50], body[50:])]
    assert server_name(b"".join(records)) == "www.abroad-one.example"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 1, 0, 1, 2)])
def test_a_stream_is_whole_in_whatever_order_its_packets_come(order: tuple[int, ...]) -> None:
    streams, parts, begin = Streams(), (b"abc", b"defg", b"h"), 2**32 - 3
    streams.of(sent(begin - 1, flags=SYN), outward=True)
    at = (begin, begin + 3, begin + 7)
    for index in order:
        packet = sent(at[index] % 2**32, parts[index])
        stream = streams.of(packet, outward=True)
        assert stream is not None
        whole = stream.take(packet)
    assert whole == b"abcdefgh"


@pytest.mark.parametrize(
    ("data", "random"),
    [
        (SHAPES["random"], True),
        (SHAPES["zeros"], False),
        (SHAPES["http"], False),
        (b"abcdef" + SHAPES["random"], False),
        (SHAPES["random"][:40] + b"x" * 21 + SHAPES["random"][40:], False),
        (b"\x16\x03\x01" + SHAPES["random"], False),
    ],
)
def test_only_what_no_exemption_covers_looks_random(data: bytes, random: bool) -> None:
    assert looks_random(data) is random


def test_known_protocols_are_known() -> None:
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
    assert looks_known(hello_bytes("a.example"), 443, TCP)
    assert looks_known(SHAPES["http"], 443, TCP)
    assert looks_known(len(query).to_bytes(2) + query, 53, TCP)
    assert not looks_known(os.urandom(1) + SHAPES["zeros"], 443, TCP)


def test_names_below_a_forbidden_one_are_forbidden_and_longer_words_are_not() -> None:
    bad = places.FORBIDDEN[0]
    assert [is_forbidden(name) for name in (bad, f"a.{bad}", f"a{bad}", "", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_host_is_found_without_its_port() -> None:
    assert host_of(b"GET / HTTP/1.1\r\nA: b\r\nHost: www.Example:8080\r\n\r\n") == "www.example"
    assert host_of(b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n") == "www.example"


def test_a_forged_answer_answers_the_question() -> None:
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
    assert asked(query) == ("www.example", 1, len(query))
    forged = answer(query, places.BOGON)
    assert forged[:2] == query[:2]
    assert forged.endswith(address(places.BOGON))
    assert asked(forged) is None


def test_the_resets_of_a_forbidden_name_fit_into_the_windows_of_both_sides() -> None:
    inspector = Inspector(Judge.SNI_RESET)
    syn, hello = sent(100, flags=SYN), sent(101, hello_bytes(places.FORBIDDEN[0]))
    inspector.judge(syn, write(syn), True, 0.0)
    to_us, to_them = (read(raw) for _, raw in inspector.judge(hello, write(hello), True, 0.0))
    assert to_us is not None
    assert to_them is not None
    assert (to_us.target, to_us.seq, to_us.ack) == (ME, 7, 101 + len(hello.data))
    assert (to_them.target, to_them.seq) == (THEM, 101)
