from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.tor_paths import Relay, addresses, exits, lets_out, middles, relays

RNG = random.Random(1)


def entry(number: int, flags: str, bandwidth: int = 10) -> str:
    identity = base64.b64encode(bytes([number]) * 20).decode().rstrip("=")
    return (
        f"r nick {identity} 2030-01-01 00:00:00 192.0.2.{number} 9001 0\ns {flags}\nw Bandwidth={bandwidth}\n"
    )


def relay(name: str, *flags: str, bandwidth: int = 1) -> Relay:
    return Relay(fingerprint=name, flags=frozenset(flags), bandwidth=bandwidth)


def test_entries_are_read_with_their_flags_and_weights() -> None:
    first, second = relays(
        entry(1, "Exit Fast Running Valid", 20) + entry(2, "Running Valid") + entry(3, "Fast")
    )
    assert first == relay("01" * 20, "Exit", "Fast", "Running", "Valid", bandwidth=20)
    assert second.fingerprint == "02" * 20


@given(st.text(), st.text(alphabet="rsw =Bandwith0123456789\n"))
def test_no_text_breaks_the_reading(one: str, two: str) -> None:
    for text in (one, two, entry(1, "Running Valid") + one):
        assert all(len(found.fingerprint) == 40 for found in relays(text))


def test_exits_are_exits_that_are_not_to_be_avoided() -> None:
    known = [
        relay("A", "Exit"),
        relay("B", "Exit", "BadExit"),
        relay("C"),
        relay("D", "Exit"),
    ]
    assert {found.fingerprint for found in exits(known, {"D"}, RNG)} == {"A"}


def test_exits_serve_in_the_middle_only_where_there_is_nothing_else() -> None:
    known = [relay("A", "Exit", "Fast", bandwidth=10**6), relay("B", "Fast"), relay("C", "Fast"), relay("D")]
    assert [found.fingerprint for found in middles(known, {"C"}, RNG)] == ["B", "A"]


def test_quick_relays_are_drawn_more_often() -> None:
    known = [relay("slow", "Exit", bandwidth=1), relay("quick", "Exit", bandwidth=1000)]
    first = [next(iter(exits(known, (), RNG))).fingerprint for _ in range(200)]
    assert first.count("quick") > 180


@pytest.mark.parametrize(
    ("policy", "port", "out"),
    [
        ("p accept 1-65535", 443, True),
        ("p accept 80,443", 443, True),
        ("p accept 80,443", 8443, False),
        ("p reject 25,119,135-139", 137, False),
        ("p reject 25,119,135-139", 443, True),
        ("p accept", 443, False),
        ("p accept x-y", 443, False),
        ("onion-key", 443, False),
        ("p6 accept 443", 443, False),
    ],
)
def test_the_exit_policy_says_which_ports_are_let_out(policy: str, port: int, out: bool) -> None:
    assert lets_out(f"onion-key\n{policy}\nid ed25519 x\n", port) is out


def test_addresses_of_the_new_kind_have_a_policy_of_their_own() -> None:
    text = "p accept 80\np6 accept 443\n"
    assert lets_out(text, 443, v6=True)
    assert not lets_out(text, 443)


def test_the_addresses_of_a_relay_are_those_of_its_entry() -> None:
    told = entry(7, "Running Valid") + "a [2001:db8::7]:9050\n"
    assert addresses(told) == {"192.0.2.7:9001", "[2001:db8::7]:9050"}


@pytest.mark.parametrize("text", ["", "r", "r a b", "a", "a b c", "s Running"])
def test_an_entry_that_nobody_can_read_has_no_address(text: str) -> None:
    assert addresses(text) == frozenset()
