import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.failure import Failure, WireError
from transports.types import Note
from transports.wire.socks import Socks4, Socks5

GRANTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
REPLIES = [  # RFC 1928 section 6
    (1, Failure.SOCKS_SERVER_FAILURE),
    (2, Failure.SOCKS_NOT_ALLOWED),
    (3, Failure.SOCKS_NETWORK_UNREACHABLE),
    (4, Failure.SOCKS_HOST_UNREACHABLE),
    (5, Failure.SOCKS_REFUSED),
    (6, Failure.SOCKS_TTL),
    (7, Failure.SOCKS_COMMAND),
    (8, Failure.SOCKS_ADDRESS),
    (9, Failure.SOCKS_ERROR),
    (255, Failure.SOCKS_ERROR),
]


def play(machine: Socks4 | Socks5, answers: bytes, step: int = 1) -> bytes:
    """Feed `answers` in pieces of at most `step` bytes; return all that was sent."""
    sent = machine.start()
    while answers and not machine.done:
        piece, answers = answers[: min(step, machine.wants)], answers[min(step, machine.wants) :]
        sent += machine.receive(piece)
    assert not answers, "the machine was done before the answers were"
    return sent


@pytest.mark.parametrize("step", [1, 2, 3, 300])
@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("origin.test", b"\x03\x0borigin.test"),
        ("127.0.0.1", b"\x01\x7f\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("bücher.test", b"\x03\x12xn--bcher-kva.test"),
    ],
)
def test_socks5_sends_exactly_what_rfc_1928_says(host: str, where: bytes, step: int) -> None:
    machine = Socks5(host, 443)
    sent = play(machine, b"\x05\x00" + GRANTED, step)
    assert sent == b"\x05\x01\x00" + b"\x05\x01\x00" + where + b"\x01\xbb"
    assert machine.done


@pytest.mark.parametrize("step", [1, 300])
def test_socks5_sends_exactly_what_rfc_1929_says(step: int) -> None:
    machine = Socks5("127.0.0.1", 80, "drill", "open sesame")
    sent = play(machine, b"\x05\x02" + b"\x01\x00" + GRANTED, step)
    assert sent == (
        b"\x05\x02\x00\x02" + b"\x01\x05drill\x0bopen sesame" + b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"
    )
    assert machine.done


def test_a_server_that_needs_no_password_does_not_get_it() -> None:
    sent = play(Socks5("127.0.0.1", 80, "drill", "open sesame"), b"\x05\x00" + GRANTED)
    assert b"sesame" not in sent


@pytest.mark.parametrize(("kind", "size"), [(1, 4), (4, 16)])
def test_the_bound_address_is_read_whole_and_not_further(kind: int, size: int) -> None:
    machine = Socks5("origin.test", 443)
    play(machine, b"\x05\x00" + b"\x05\x00\x00" + bytes([kind]) + bytes(size + 2))
    assert machine.done
    assert machine.wants == 0


@pytest.mark.parametrize("size", [0, 1, 255])
def test_a_bound_name_of_any_length_is_read_whole(size: int) -> None:
    machine = Socks5("origin.test", 443)
    play(machine, b"\x05\x00" + b"\x05\x00\x00\x03" + bytes([size]) + b"n" * size + b"\x00\x50")
    assert machine.done


@pytest.mark.parametrize(("code", "failure"), REPLIES)
def test_each_socks5_reply_has_its_own_name(code: int, failure: Failure) -> None:
    with pytest.raises(WireError) as caught:
        play(Socks5("origin.test", 443), b"\x05\x00" + bytes([5, code, 0, 1]))
    assert (caught.value.failure, caught.value.note, caught.value.code) == (failure, Note.REFUSED, code)


@pytest.mark.parametrize(
    ("answers", "who", "note"),
    [
        (b"\x05\xff", "", Note.AUTH_REQUIRED),
        (b"\x05\x02", "", Note.AUTH_REQUIRED),
        (b"\x05\xff", "drill", Note.AUTH_REFUSED),
        (b"\x05\x02\x01\x01", "drill", Note.AUTH_REFUSED),
        (b"\x05\x02\x05\x01", "drill", Note.AUTH_REFUSED),
        (b"\x05\x01", "drill", Note.GARBAGE),  # GSSAPI, which was not offered
        (b"\x04\x00", "", Note.GARBAGE),
        (b"HT", "", Note.GARBAGE),
        (b"\x05\x00\x04\x00\x00\x01", "", Note.GARBAGE),
        (b"\x05\x00\x05\x00\x00\x02", "", Note.GARBAGE),
    ],
)
def test_a_socks5_server_that_says_no_or_nonsense_is_told_apart(answers: bytes, who: str, note: Note) -> None:
    with pytest.raises(WireError) as caught:
        play(Socks5("origin.test", 443, who, who), answers)
    assert caught.value.note is note
    assert caught.value.failure is Failure.SOCKS_ERROR


@given(st.text(max_size=300), st.text(max_size=300))
def test_credentials_go_out_as_they_are_or_not_at_all(user: str, password: str) -> None:
    raw_user, raw_password = user.encode(), password.encode()
    if max(len(raw_user), len(raw_password)) > 255:
        with pytest.raises(WireError):
            Socks5("origin.test", 443, user, password)
        return
    machine = Socks5("origin.test", 443, user, password)
    if not (user or password):
        assert machine.start() == b"\x05\x01\x00"
        return
    machine.start()
    sent = machine.receive(b"\x05\x02")
    at = 2 + sent[1]
    assert (sent[2:at], sent[at + 1 :], sent[at]) == (raw_user, raw_password, len(raw_password))


@given(st.ip_addresses())
def test_an_address_travels_as_an_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    sent = play(Socks5(str(address), 1), b"\x05\x00" + GRANTED)
    assert sent[3:] == b"\x05\x01\x00" + bytes([{4: 1, 6: 4}[address.version]]) + address.packed + b"\x00\x01"


@pytest.mark.parametrize("host", ["", "a" * 256, "ü" * 64 + ".test", "two\0names.test"])
def test_what_cannot_be_a_name_is_not_sent(host: str) -> None:
    with pytest.raises(WireError) as caught:
        play(Socks5(host, 443), b"\x05\x00")
    assert caught.value.failure is Failure.SOCKS_ADDRESS
    with pytest.raises(WireError):
        Socks4(host, 443)


@pytest.mark.parametrize("step", [1, 8])
@pytest.mark.parametrize(
    ("host", "user", "expected"),
    [
        ("127.0.0.1", "", b"\x04\x01\x01\xbb\x7f\x00\x00\x01\x00"),
        ("127.0.0.1", "drill", b"\x04\x01\x01\xbb\x7f\x00\x00\x01drill\x00"),
        ("origin.test", "", b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00origin.test\x00"),
        ("origin.test", "drill", b"\x04\x01\x01\xbb\x00\x00\x00\x01drill\x00origin.test\x00"),
        ("127.0.0.1", "dr\0ill", b"\x04\x01\x01\xbb\x7f\x00\x00\x01drill\x00"),
    ],
)
def test_socks4_sends_exactly_what_the_memos_say(host: str, user: str, expected: bytes, step: int) -> None:
    machine = Socks4(host, 443, user)
    assert play(machine, b"\x00\x5a" + bytes(6), step) == expected
    assert machine.done


@pytest.mark.parametrize(
    ("code", "note"), [(91, Note.REFUSED), (92, Note.AUTH_REFUSED), (93, Note.AUTH_REFUSED)]
)
def test_each_socks4_reply_has_its_own_meaning(code: int, note: Note) -> None:
    with pytest.raises(WireError) as caught:
        play(Socks4("127.0.0.1", 80), bytes([0, code]) + bytes(6))
    assert (caught.value.failure, caught.value.note, caught.value.code) == (Failure.SOCKS_ERROR, note, code)


@pytest.mark.parametrize("answer", [b"\x05\x00" + bytes(6), b"HTTP/1.1", b"\x00\x59" + bytes(6)])
def test_what_is_no_socks4_reply_is_garbage(answer: bytes) -> None:
    with pytest.raises(WireError) as caught:
        play(Socks4("127.0.0.1", 80), answer)
    assert caught.value.note is Note.GARBAGE


def test_socks4_cannot_carry_an_ipv6_address() -> None:
    with pytest.raises(WireError) as caught:
        Socks4("::1", 80)
    assert caught.value.failure is Failure.SOCKS_ADDRESS


@given(st.binary(max_size=600), st.booleans(), st.integers(1, 7))
def test_random_bytes_raise_nothing_but_wire_errors(data: bytes, new: bool, step: int) -> None:
    machine = Socks5("origin.test", 443, "drill", "x") if new else Socks4("origin.test", 443, "drill")
    machine.start()
    try:
        while data and not machine.done:
            assert machine.wants > 0
            size = min(step, machine.wants)
            machine.receive(data[:size])
            data = data[size:]
    except WireError:
        return
    assert machine.done or machine.wants > 0


def test_feeding_more_than_was_wanted_is_a_bug_of_ours() -> None:
    machine = Socks5("origin.test", 443)
    machine.start()
    with pytest.raises(ValueError, match="more than was wanted"):
        machine.receive(b"\x05\x00\x05")
