from __future__ import annotations

import dataclasses
import json
import random
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.parse import parse_line
from client.share import capsule as capsules
from client.share import codecs
from client.share.capsule import AGES, Capsule, Entry, Line, Seen, What, pack, unpack
from tests.client.share.ways import CERT, FINGERPRINT, LINES, OBFS4, capsule, endpoint, entry
from transports.types import Endpoint, Rejected

every_kind = pytest.mark.parametrize("line", LINES.values(), ids=LINES)
SEEN = [Seen(what=what, age=age, line=line) for what in What for age in range(len(AGES)) for line in Line]
every_seen = pytest.mark.parametrize("seen", sorted(set(SEEN), key=repr), ids=repr)


@every_kind
def test_every_kind_comes_out_as_it_went_in(line: str) -> None:
    seen = Seen(what=What.WORKING, age=2, line=Line.MOBILE)
    (out,) = unpack(pack(Capsule(entries=(entry(line, seen),)))).entries
    assert (out.endpoint.key(), out.seen) == (endpoint(line).key(), seen)


def test_many_kinds_in_one_capsule_keep_their_order() -> None:
    whole = capsule(*LINES.values(), *reversed(LINES.values()))
    out = unpack(pack(whole)).entries
    assert [one.endpoint.key() for one in out] == [one.endpoint.key() for one in whole.entries]


@every_seen
def test_whatever_was_seen_fits_into_the_first_of_59_bytes(seen: Seen) -> None:
    data = pack(Capsule(entries=(entry(OBFS4.replace("iat-mode=0", "iat-mode=2"), seen),)))
    assert len(data) == 59
    assert data[0] & 0x80
    (out,) = unpack(data).entries
    assert out.seen == seen
    assert (out.endpoint.options or {})["args"]["iat-mode"] == "2"


def test_there_are_41_things_to_have_seen_and_one_number_is_left() -> None:
    assert len(set(SEEN)) == 41


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, 0), (3600, 0), (3601, 1), (86_400, 2), (700_000, 5), (None, 5), (float("inf"), 5)],
)
def test_an_age_is_rounded_up_and_an_unknown_one_is_the_oldest(seconds: float | None, age: int) -> None:
    assert Seen.of(What.WORKING, seconds, Line.FIXED).age == age


def test_an_age_that_does_not_exist_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no such age"):
        Seen(what=What.WORKING, age=6)


def test_the_fingerprint_of_an_obfs4_bridge_is_left_out_unless_all_is_wanted() -> None:
    given = capsule(OBFS4.replace(" cert", f" {FINGERPRINT} cert"))
    short, whole = pack(given), pack(given, whole=True)
    assert (len(short), len(whole)) == (59, 82)
    assert unpack(short).entries[0].endpoint.key() == endpoint(OBFS4).key()
    assert unpack(whole).entries[0].endpoint.key() == given.entries[0].endpoint.key()


def test_a_key_in_an_unusual_spelling_and_settings_beside_it_travel_as_text() -> None:
    odd = CERT[:-1] + "/"  # the last bits of base64 that say nothing
    for line in (OBFS4.replace(CERT, odd), f"{OBFS4} ver=2"):
        (out,) = unpack(pack(capsule(line))).entries
        assert out.endpoint.key() == endpoint(line).key()


def test_a_node_out_of_a_document_travels_as_a_link_that_means_the_same() -> None:
    link = endpoint(LINES["vless"])
    (out,) = unpack(pack(Capsule(entries=(Entry(endpoint=dataclasses.replace(link, text="")),)))).entries
    assert out.endpoint.key() == link.key()


def test_a_link_leaves_its_advertising_behind() -> None:
    (out,) = unpack(pack(capsule(LINES["vless"]))).entries
    assert "advertising" not in out.endpoint.text


def test_settings_that_no_line_says_are_refused_and_not_lost() -> None:
    node = Endpoint(transport="singbox", host="a.example", port=1, options={"type": "shadowtls"})
    with pytest.raises(Rejected, match="no line of text says"):
        pack(Capsule(entries=(Entry(endpoint=node),)))


@pytest.mark.parametrize("entries", [(), (entry(),) * (capsules.MOST + 1)])
def test_an_empty_or_endless_capsule_is_not_packed(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(Rejected, match="from 1 to"):
        pack(Capsule(entries=entries))


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "[::1]",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "[fd00::1]",
            "0.0.0.0",
        ),
        *("[::ffff:127.0.0.1]", "localhost", "printer.local", "224.0.0.1"),
        *("[::127.0.0.1]", "[64:ff9b::192.168.1.1]", "[2002:c0a8:101::1]", "[fec0::1]", "[64:ff9b:1::1]"),
        *("0x7f000001", "0x7f.0.0.1", "localhost.", "ip6-localhost", "router", "nas.lan", "a.localdomain"),
    ],
)
def test_an_address_inside_is_flagged_and_not_dropped(host: str) -> None:
    (out,) = unpack(pack(capsule(f"socks5://{host}:1080"))).entries
    assert out.inward


@pytest.mark.parametrize(
    "line",
    [
        "webtunnel [2001:db8::1]:443 url=https://192.168.1.1/x ver=0.0.3",
        "webtunnel [2001:db8::1]:443 url=https://example.org/x addr=127.0.0.1:22 ver=0.0.3",
        "meek_lite 192.0.2.20:80 url=https://localhost/",
        "snowflake 192.0.2.3:80 2B280B23E1107BB62ABFC40DDCC8824814F80A72 url=https://a.example/ fronts=router",
    ],
)
def test_a_bridge_is_flagged_for_the_server_that_it_is_really_reached_through(line: str) -> None:
    (out,) = unpack(pack(capsule(line))).entries
    assert out.inward


@pytest.mark.parametrize(
    "line",
    [
        *(OBFS4, LINES["http"], LINES["snowflake"], LINES["webtunnel"], "tor"),
        *("socks5://[64:ff9b::8.8.8.8]:1080", "socks5://[2002:808:808::1]:1080"),
    ],
)
def test_an_address_on_the_internet_or_a_placeholder_is_not_flagged(line: str) -> None:
    assert not entry(line).inward


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="newer version"):
        unpack(b"\x02" + pack(capsule("tor"))[1:])


def test_a_kind_of_entry_that_only_a_newer_version_knows_is_refused_with_what_to_do() -> None:
    with pytest.raises(Rejected, match="newer version"):
        unpack(b"\x01\x01\x08\x00")


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x01\x00", b"\x80", b"\x01\x01\x00\x00", b"\x00rest", b"\x7fELF"]
)
def test_what_is_no_capsule_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected):
        unpack(data)


def test_a_capsule_that_is_too_large_is_refused_before_it_is_read() -> None:
    begun = time.perf_counter()
    with pytest.raises(Rejected, match="larger than any capsule"):
        unpack(bytes(capsules.LARGEST + 1))
    assert time.perf_counter() - begun < 0.1


def test_a_small_capsule_that_swells_is_refused_without_filling_the_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(40_000_000)) + packer.flush()
    begun = time.perf_counter()
    with pytest.raises(Rejected, match="damaged"):
        unpack(b"\x01\x01\x00\x00" + bomb)
    assert time.perf_counter() - begun < 2


def test_a_count_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Rejected, match="damaged"):
        unpack(b"\x01" + codecs.number(capsules.MOST + 1) + bytes(100))


@pytest.mark.parametrize(
    "text", ["socks5://a.example:1080\nsocks5://b.example:1080", "no way in", "", "# a comment"]
)
def test_a_text_that_is_not_exactly_one_way_in_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        unpack(b"\x01\x01\x00\x00" + codecs.squeezed(text))


@every_kind
def test_no_byte_can_be_cut_off_or_added(line: str) -> None:
    data = pack(capsule(line))
    for torn in (*(data[:end] for end in range(len(data))), data + b"\x00"):
        with pytest.raises(Rejected):
            unpack(torn)


@every_kind
def test_altered_bytes_give_a_way_in_that_could_have_been_pasted_or_a_refusal(line: str) -> None:
    rng = random.Random(1)
    data = pack(capsule(line))
    for _ in range(200):
        altered = bytearray(data)
        altered[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        try:
            found = unpack(bytes(altered)).entries
        except Rejected:
            continue
        for one in found:
            (again,) = parse_line(one.endpoint.reveal())
            assert isinstance(again, Endpoint)
            assert again.key() == one.endpoint.key()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_capsule_or_refused(data: bytes) -> None:
    for hostile in (data, b"\x01" + data, b"\x01\x01" + data, b"\x01\x01\x00\x00" + data):
        try:
            assert unpack(hostile).entries
        except Rejected as refused:
            json.dumps(refused.values)


def test_ten_thousand_ways_in_are_packed_and_read_in_time() -> None:
    whole = Capsule(entries=tuple(entry(line) for line in LINES.values()) * 500)
    begun = time.perf_counter()
    out = unpack(pack(whole))
    assert len(out.entries) == len(whole.entries) >= 10_000
    assert time.perf_counter() - begun < 10


def test_an_entry_keeps_addresses_out_of_its_repr() -> None:
    assert "93.184" not in repr(capsule())


def test_the_format_of_version_1_stays_as_it_is() -> None:
    cert = bytes(range(52)).hex()
    (one,) = unpack(bytes.fromhex(f"985db8d70e1151{cert}")).entries
    assert one.endpoint.key() == endpoint(OBFS4).key()
    assert one.seen == Seen(what=What.WORKING, age=1, line=Line.MOBILE)
    many = f"0104 550009612e6578616d706c650438 40005db8d70e01bb 825db8d70e1151{cert} 0000 03e63b00"
    keys = [one.endpoint.key() for one in unpack(bytes.fromhex(many)).entries]
    paranoid = OBFS4.replace("iat-mode=0", "iat-mode=2")
    assert keys == [
        endpoint(line).key() for line in ("socks5://a.example:1080", "93.184.215.14:443", paranoid, "tor")
    ]
