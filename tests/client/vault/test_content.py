"""What a vault holds, and its form."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.model import Protection, Status
from client.vault import content as contents
from client.vault.content import Content, Damaged, Kept, decode, encode
from transports.types import Rejected

NAMES = st.from_regex(contents.NAME, fullmatch=True)
LINES = st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=200)
NUMBERS = st.floats(0, 1e12, allow_nan=False)
KEPT = st.builds(
    Kept,
    line=LINES,
    transport=st.sampled_from(["socks5", "tor_bridge"]),
    status=st.sampled_from(Status),
    seen=NUMBERS,
    failure=st.sampled_from(["", "generic_timeout_error"]),
    step=st.sampled_from(["", "connect"]),
    protection=st.sampled_from(Protection),
    kib_per_s=st.none() | NUMBERS,
    first_byte=st.none() | NUMBERS,
    tries=st.integers(0, 9),
    udp=st.booleans(),
    source=LINES,
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CONTENTS = st.builds(
    Content,
    lists=st.dictionaries(NAMES, st.lists(LINES, max_size=5).map(tuple), max_size=3),
    results=st.dictionaries(
        st.text(max_size=9), st.lists(KEPT, min_size=1, max_size=4).map(tuple), max_size=3
    ),
    calendars=st.dictionaries(st.text(max_size=9), ANY, max_size=3),
    settings=st.dictionaries(st.text(max_size=9), ANY, max_size=3),
    id_key=st.binary(min_size=32, max_size=32),
    signing=st.just(b"") | st.binary(min_size=32, max_size=32),
)


def seen(line: str, when: float = 1.0, status: Status = Status.WORKING) -> Kept:
    return Kept(line=line, transport="socks5", status=status, seen=when)


def packed(told: Any) -> bytes:
    return gzip.compress(json.dumps(told).encode(), mtime=0)


def told(**other: Any) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(gzip.decompress(encode(Content())))
    return known | other


@given(CONTENTS)
@settings(max_examples=80)
def test_everything_comes_back(content: Content) -> None:
    assert decode(encode(content)) == content


def test_an_empty_vault_is_as_large_as_one_with_fifty_bridges() -> None:
    from secrets import token_hex

    lines = [f"obfs4 10.0.0.{n}:443 {token_hex(20)} cert={token_hex(35)} iat-mode=0" for n in range(50)]
    assert len(encode(contents.with_list(Content(), "main", lines))) == len(encode(Content()))


@given(st.integers(1, 40 * 1024 * 1024))
def test_filling_up_costs_at_most_an_eighth_and_never_cuts(size: int) -> None:
    full = contents._filled(size)
    assert full >= size
    assert full == contents._LEAST or full - size <= size / 8 or full - size < contents._LEAST


def test_gzip_reads_the_form_without_a_word() -> None:
    import subprocess

    ran = subprocess.run(["gzip", "-dc"], input=encode(Content()), capture_output=True, check=True, timeout=9)
    assert json.loads(ran.stdout)["v"] == 1
    assert ran.stderr == b""


def test_a_newer_vault_is_named_and_not_taken_for_damage() -> None:
    with pytest.raises(Rejected, match="newer version"):
        decode(packed({"v": 2, "something": "else"}))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "text",
        None,
        {},
        {"v": 1},
        told(v="1"),
        told(v=0),
        told(v=True),
        told(lists=[]),
        told(lists={"main": "line"}),
        told(lists={"main": [5]}),
        told(lists={"../main": []}),
        told(lists={"main": ["x" * (contents.LONGEST + 1)]}),
        told(lists={f"n{number}": [] for number in range(contents.MOST_LISTS + 1)}),
        told(lists={"main": ["x"] * (contents.MOST_LINES + 1)}),
        told(results={"home": []}),
        told(results={"home": [[1, 2]]}),
        told(results={"home": [["a", "socks5", "splendid", "", "", "C", "", 1, None, None, 0, 0]]}),
        told(results={"home": [["a", "socks5", "working", "", "", "Z", "", 1, None, None, 0, 0]]}),
        told(results={"home": [["a", "socks5", "working", "", "", "C", "", -1, None, None, 0, 0]]}),
        told(results={"home": [["a", "socks5", "working", "", "", "C", "", "1", None, None, 0, 0]]}),
        told(results={"home": [["a", "socks5", "working", "", "", "C", 7, 1, None, None, 0, 0]]}),
        told(id_key="short"),
        told(id_key="AAAA"),
        told(id_key=None),
        told(signing="AAAA"),
        told(calendars=[]),
        told(settings=None),
    ],
)
def test_another_shape_is_damage(wrong: Any) -> None:
    with pytest.raises(Damaged):
        decode(packed(wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"no gzip",
        gzip.compress(b"no json"),
        gzip.compress(b"[" * 200_000),
        gzip.compress(json.dumps(told()).encode().replace(b'"v": 1', b'"v": NaN')),
        gzip.compress(json.dumps(told(calendars={"x": 1})).encode().replace(b'"x": 1', b'"x": Infinity')),
        encode(Content())[:100],
        encode(Content()) + b"more",
        packed(told()) + packed(told()),
        zlib.compress(json.dumps(told()).encode()),
    ],
    ids=["empty", "text", "no JSON", "deep", "NaN", "infinity", "cut", "more", "twice", "zlib"],
)
def test_other_bytes_are_damage(wrong: bytes) -> None:
    with pytest.raises(Damaged):
        decode(wrong)


def test_a_bomb_is_damage_and_takes_no_more_memory_than_a_vault_may() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(Damaged):
            decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * contents.LARGEST
    finally:
        tracemalloc.stop()


def test_more_than_would_be_read_back_is_not_written() -> None:
    with pytest.raises(Rejected, match="full"):
        encode(contents.with_setting(Content(), "large", "x" * contents.LARGEST))


def test_a_list_takes_each_line_once_and_keeps_the_order() -> None:
    content = contents.with_list(Content(), "main", ["b", "a", "b"])
    assert contents.with_list(content, "main", ["c", "a"]).lists == {"main": ("b", "a", "c")}
    assert content.lists == {"main": ("b", "a")}


@pytest.mark.parametrize("name", ["", "_x", "-", "a b", "a/b", "a" * 41, "x\n", "\x1b[2J", "../x"])
def test_a_name_that_could_not_be_typed_is_refused(name: str) -> None:
    with pytest.raises(Rejected, match="name"):
        contents.with_list(Content(), name, ["line"])


@pytest.mark.parametrize("name", ["a", "мосты", "көпір-1", "a.b_c-d", "9"])
def test_names_may_be_in_any_language(name: str) -> None:
    assert contents.with_list(Content(), name, ["line"]).lists == {name: ("line",)}


def test_a_full_vault_takes_no_more_and_says_what_to_do() -> None:
    full = contents.with_list(Content(), "main", map(str, range(contents.MOST_LINES)))
    with pytest.raises(Rejected, match="remove a list"):
        contents.with_list(full, "other", ["x"])
    crowded = Content(lists={f"n{number}": () for number in range(contents.MOST_LISTS)})
    with pytest.raises(Rejected, match="remove a list"):
        contents.with_list(crowded, "other", ["x"])
    with pytest.raises(Rejected, match="longer"):
        contents.with_list(Content(), "main", ["x" * (contents.LONGEST + 1)])


def test_a_list_goes_with_what_was_seen_of_its_entries_and_of_no_other() -> None:
    content = Content(lists={"one": ("a", "b"), "two": ("b",)})
    content = contents.with_results(content, "home", [seen("a"), seen("b"), seen("z")])
    content = contents.with_results(content, "work", [seen("a")])
    left = contents.without_list(content, "one")
    assert left.lists == {"two": ("b",)}
    assert {network: [one.line for one in kept] for network, kept in left.results.items()} == {
        "home": ["b", "z"]
    }
    with pytest.raises(Rejected, match="no list"):
        contents.without_list(left, "one")


def test_of_one_entry_the_last_result_counts_and_others_stay() -> None:
    content = contents.with_results(Content(), "home", [seen("a", 1), seen("b", 2)])
    content = contents.with_results(content, "home", [seen("a", 3, Status.FAILED)])
    assert [(one.line, one.status) for one in content.results["home"]] == [
        ("b", Status.WORKING),
        ("a", Status.FAILED),
    ]


def test_the_oldest_results_and_networks_make_room() -> None:
    content = contents.with_results(
        Content(), "home", (seen(str(n), n) for n in range(contents.MOST_RESULTS + 5))
    )
    assert len(content.results["home"]) == contents.MOST_RESULTS
    assert content.results["home"][0].line == "5"
    for number in range(contents.MOST_NETWORKS):
        content = contents.with_results(content, f"n{number}", [seen("a", number + 1e6)])
    assert len(content.results) == contents.MOST_NETWORKS
    assert "home" not in content.results
    assert "n49" in content.results


def test_no_result_leaves_no_network_behind() -> None:
    assert contents.with_results(Content(), "home", []).results == {}


def test_settings_come_and_go() -> None:
    content = contents.with_setting(Content(), "consent", {"check": True})
    assert content.settings == {"consent": {"check": True}}
    assert contents.with_setting(content, "consent", None).settings == {}


def test_nothing_inside_shows_in_a_log() -> None:
    content = contents.with_results(
        contents.with_list(Content(), "main", ["socks5://10.9.8.7:1080"]),
        "home",
        [seen("socks5://10.9.8.7:1080")],
    )
    assert "10.9.8.7" not in repr(content) + repr(content.results["home"][0])
