import random
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.i18n import say
from client.share import envelope, intake, listing, parts, sms
from client.share.capsule import Capsule, Entry, Line, Seen, What
from client.share.seal import OneTime
from tests.client.cli.passing import BRIDGE
from tests.client.export.made import options
from transports.types import Rejected

LINES = (
    BRIDGE,
    "obfs4 [2001:db8::7]:443 " + BRIDGE.split(" ", 2)[2],
    "1.2.3.4:9001 " + "AB" * 20,
    "socks5://user:p%40ss@198.51.100.3:1080",
    "trojan://secret-word@far.example:443?sni=far.example",
)
SEEN = Seen(what=What.WORKING, age=2, line=Line.MOBILE)
CAPSULE = Capsule(entries=tuple(Entry(endpoint=one.endpoint, seen=SEEN) for one in options(*LINES)))


def keys(entries: tuple[Entry, ...]) -> list[str]:
    return [one.endpoint.key() for one in entries]


def test_a_text_of_ours_gives_back_every_entry_with_its_proof() -> None:
    text, lost = listing.write(CAPSULE)
    back = listing.read(text)
    assert lost == 0
    assert keys(back) == keys(CAPSULE.entries)
    assert {one.seen for one in back} == {SEEN}


def test_a_text_of_others_brings_entries_without_any_proof() -> None:
    text, _lost = listing.write(CAPSULE)
    back = listing.read("\n" + text)
    assert keys(back) == keys(CAPSULE.entries)
    assert {one.seen for one in back} == {Seen()}


@pytest.mark.parametrize(
    "comment", ["#: working 9 mobile", "#: sure 1 mobile", "#: working 1 moon", "#: working 1", "# x", ""]
)
def test_a_proof_that_cannot_be_is_none(comment: str) -> None:
    (entry,) = listing.read(f"{listing.HEAD}\n{comment}\n{BRIDGE}\n")
    assert entry.seen == Seen()


def test_an_entry_that_no_line_says_is_counted_and_left_out() -> None:
    from tests.client.export.made import proxy

    odd = Entry(endpoint=proxy("socks5", user="line\nfeed").endpoint)
    text, lost = listing.write(Capsule(entries=(odd, *CAPSULE.entries)))
    assert lost == 1
    assert len(listing.read(text)) == len(LINES)


def test_messages_of_two_capsules_in_one_paste_give_both() -> None:
    one = envelope.plain(Capsule(entries=CAPSULE.entries[:1]))
    two = envelope.plain(Capsule(entries=CAPSULE.entries[1:]))
    texts = [*sms.split(envelope.checked(one)), *sms.split(envelope.checked(two))]
    random.Random(7).shuffle(texts)
    got = intake.opened(intake.of_texts(("\n".join(texts),)))
    assert sorted(keys(got.entries)) == sorted(keys(CAPSULE.entries))
    assert not got.sealed


def test_what_is_sealed_needs_the_key_of_this_session() -> None:
    key = OneTime.new()
    sealed = envelope.sealed(envelope.plain(CAPSULE), key.public)
    found = intake.recognise(envelope.checked(sealed))
    assert found.shape is intake.Shape.MESSAGES
    with pytest.raises(Rejected) as refused:
        intake.opened(found)
    assert refused.value.reason == intake.FOR_WORDS
    with pytest.raises(Rejected):
        intake.opened(found, key=OneTime.new())
    got = intake.opened(found, key=key)
    assert (keys(got.entries), got.sealed) == (keys(CAPSULE.entries), True)


def test_files_are_known_by_what_is_in_them() -> None:
    assert intake.recognise(b"age-encryption.org/v1\n-> x").shape is intake.Shape.AGE
    assert intake.recognise(b"\x89PNG\r\n\x1a\n").shape is intake.Shape.PICTURE
    assert intake.recognise(("\ufeff" + BRIDGE).encode("utf-8")).shape is intake.Shape.LIST
    assert intake.recognise(("\ufeff" + BRIDGE).encode("utf-16-le")).shape is intake.Shape.LIST
    with pytest.raises(Rejected) as refused:
        intake.recognise(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert refused.value.reason == intake.ARMORED


def test_a_message_cut_short_or_changed_is_refused_before_it_is_opened() -> None:
    data = envelope.checked(envelope.plain(Capsule(entries=CAPSULE.entries[:1])))
    for spoiled in (data[:-1], data[1:], bytes([data[0] ^ 1]) + data[1:], b"", b"\0"):
        with pytest.raises(Rejected):
            intake.recognise(spoiled)


def test_the_inside_of_a_stick_s_file_is_read_as_a_list() -> None:
    got = intake.of_file(listing.write(CAPSULE)[0].encode())
    assert (keys(got.entries), got.sealed) == (keys(CAPSULE.entries), True)
    with pytest.raises(Rejected):
        intake.of_file(b"nothing in here")
    with pytest.raises(Rejected):
        intake.of_file(b"\0\xff\0\xff")


def test_a_code_of_something_else_is_called_that() -> None:
    for text in ("https://example.org/menu", "WIFI:S:home;T:WPA;P:secret;;", "hello"):
        with pytest.raises(Rejected) as refused:
            intake.of_codes((text,))
        assert refused.value.reason == intake.OTHER_CODE
        assert "secret" not in say_of(refused.value)


def say_of(rejected: Rejected) -> str:
    from client.model import Message

    return say(Message(rejected.reason, rejected.values))


def test_more_text_than_any_list_has_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        intake.of_texts(("x" * (8 * 1024 * 1024), "y"))
    assert refused.value.reason == parts.TOO_MUCH_TEXT


def test_a_long_list_that_happens_to_hold_the_letters_of_a_part_is_still_a_list() -> None:
    text = f"{BRIDGE}\n" + "# easy\n" * 60_000
    assert len(intake.of_texts((text,)).entries) == 1


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_or_recognised_and_nothing_else(data: bytes) -> None:
    try:
        intake.opened(intake.recognise(data))
    except Rejected:
        pass
    except IndexError:
        assert intake.recognise(data).shape in (intake.Shape.AGE, intake.Shape.PICTURE)


@given(st.binary(min_size=1, max_size=200))
def test_hostile_messages_with_a_right_check_are_refused_or_opened_and_nothing_else(data: bytes) -> None:
    found = intake.Found(shape=intake.Shape.MESSAGES, messages=(data,))
    try:
        got = intake.opened(found, key=OneTime.new())
    except Rejected:
        return
    assert got.entries


def test_sixteen_messages_are_opened_and_not_more() -> None:
    texts = [
        sms.split(envelope.checked(envelope.plain(Capsule(entries=(entry,)))))[0]
        for entry in (
            Entry(endpoint=one.endpoint)
            for one in options(
                *(f"socks5://198.51.100.{last}:{secrets.randbelow(9) + 1}" for last in range(1, 40))
            )
        )
    ]
    assert len(intake.of_texts(tuple(texts)).messages) <= 16
