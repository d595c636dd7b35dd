import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.wire.socks import Socks4, Socks5
from transports.wire.socks_server import Denied, Reply, SocksServer, Wish, answer, host_of, pack, unpack

NAMES = st.from_regex(r"[a-z0-9_]([a-z0-9.-]{0,60}[a-z0-9])?", fullmatch=True).filter(
    lambda name: not name.replace(".", "").isdigit()
)
ADDRESSES = st.ip_addresses().map(str)
PORTS = st.integers(1, 65535)
SECRETS = st.text(min_size=1, max_size=40)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(at)]


def told(server: SocksServer, data: bytes, cuts: list[int]) -> bytes:
    return b"".join(server.feed(piece) for piece in pieces(data, cuts))


def wish_of(server: SocksServer) -> tuple[str, int]:
    assert server.wish is not None
    return server.wish.host, server.wish.port


@given(NAMES | ADDRESSES, PORTS, st.lists(st.integers(0, 1000)), st.binary(max_size=20))
def test_a_wish_of_our_own_client_is_read_however_it_is_cut(
    host: str, port: int, cuts: list[int], more: bytes
) -> None:
    client, server = Socks5(host, port), SocksServer()
    assert told(server, client.start(), cuts) == b"\x05\x00"
    assert server.wish is None
    assert told(server, client.receive(b"\x05\x00"), cuts) == b""
    assert server.feed(b"") == b""
    assert wish_of(server) == (host, port)
    server = SocksServer()
    client = Socks5(host, port)
    whole = client.start() + client.receive(b"\x05\x00")
    assert server.feed(whole + more) == b"\x05\x00"
    assert wish_of(server) == (host, port)
    assert server.rest == more


@given(SECRETS, SECRETS, SECRETS, st.lists(st.integers(0, 1000)))
def test_only_the_right_password_opens(
    user: str, password: str, given_password: str, cuts: list[int]
) -> None:
    seen = []

    def check(name: bytes, secret: bytes) -> bool:
        seen.append((name, secret))
        return secret == password.encode()

    client, server = Socks5("a.test", 80, user, given_password), SocksServer(check)
    assert told(server, client.start(), cuts) == b"\x05\x02"
    attempt = client.receive(b"\x05\x02")
    if given_password == password:
        assert told(server, attempt, cuts) == b"\x01\x00"
        told(server, client.receive(b"\x01\x00"), cuts)
        assert wish_of(server) == ("a.test", 80)
    else:
        with pytest.raises(Denied) as denied:
            told(server, attempt, cuts)
        assert denied.value.reply == b"\x01\x01"
        assert server.wish is None
    assert seen == [(user.encode(), given_password.encode())]


def test_a_program_that_says_everything_at_once_gets_every_answer_before_its_denial() -> None:
    client, server = Socks5("a.test", 80, "me", "wrong"), SocksServer(lambda _, secret: secret == b"right")
    with pytest.raises(Denied) as denied:
        server.feed(client.start() + client.receive(b"\x05\x02"))
    assert denied.value.reply == b"\x05\x02\x01\x01"


def test_a_program_without_a_password_is_denied_where_one_is_due() -> None:
    with pytest.raises(Denied) as denied:
        SocksServer(lambda *_: True).feed(b"\x05\x01\x00")
    assert denied.value.reply == b"\x05\xff"


def test_a_program_that_offers_only_a_password_is_let_in_where_none_is_due() -> None:
    server = SocksServer()
    assert server.feed(b"\x05\x01\x02") == b"\x05\x02"
    assert server.feed(b"\x01\x01a\x01b") == b"\x01\x00"


@given(
    NAMES | st.ip_addresses(v=4).filter(lambda one: int(one) > 255).map(str),
    PORTS,
    st.lists(st.integers(0, 1000)),
)
def test_socks4_and_4a_are_read_however_they_are_cut(host: str, port: int, cuts: list[int]) -> None:
    server = SocksServer()
    assert told(server, Socks4(host, port, "someone").start(), cuts) == b""
    assert wish_of(server) == (host, port)
    assert server.wish is not None
    assert server.wish.version == 4


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"\x04\x02\x00\x50\x7f\x00\x00\x01\x00", id="bind"),
        pytest.param(b"\x04\x01\x00\x00\x7f\x00\x00\x01\x00", id="no port"),
        pytest.param(b"\x04\x01\x00\x50\x7f\x00\x00\x01" + b"u" * 300, id="endless user"),
        pytest.param(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00" + b"n" * 300, id="endless name"),
        pytest.param(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a b\x00", id="no name"),
    ],
)
def test_a_socks4_wish_that_cannot_be_met_is_denied(request_: bytes) -> None:
    with pytest.raises(Denied) as denied:
        SocksServer().feed(request_)
    assert denied.value.reply == b"\x00\x5b" + bytes(6)


def test_socks4_knows_no_password_and_is_denied_where_one_is_due() -> None:
    with pytest.raises(Denied):
        SocksServer(lambda *_: True).feed(Socks4("127.0.0.1", 80, "right").start())


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", 7, id="bind"),
        pytest.param(b"\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50", 7, id="unknown command"),
        pytest.param(b"\x05\x01\x00\x02\x7f\x00\x00\x01\x00\x50", 8, id="unknown address type"),
        pytest.param(b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x00", 1, id="no port"),
        pytest.param(b"\x05\x01\x00\x03\x00\x00\x50", 1, id="empty name"),
        pytest.param(b"\x05\x01\x00\x03\x03a\r\n\x00\x50", 1, id="line end in a name"),
        pytest.param(b"\x05\x01\x00\x03\x03a/b\x00\x50", 1, id="slash in a name"),
        pytest.param(b"\x05\x01\x00\x03\x02\xff\xfe\x00\x50", 1, id="no text"),
    ],
)
def test_a_socks5_wish_that_cannot_be_met_is_denied_with_its_code(request_: bytes, code: int) -> None:
    server = SocksServer()
    server.feed(b"\x05\x01\x00")
    with pytest.raises(Denied) as denied:
        server.feed(request_)
    assert denied.value.reply == bytes([5, code]) + b"\x00\x01" + bytes(6)


@given(st.binary(max_size=600), st.lists(st.integers(0, 1000)))
def test_garbage_is_denied_or_waited_for_and_never_an_error(data: bytes, cuts: list[int]) -> None:
    server = SocksServer()
    try:
        told(server, data, cuts)
    except Denied:
        return
    assert server.wish is not None or len(data) < 600


def test_an_association_may_leave_its_own_address_open() -> None:
    server = SocksServer()
    server.feed(b"\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00")
    assert server.wish == Wish(version=5, host="0.0.0.0", port=0, datagrams=True)


def test_answers_name_where_datagrams_go() -> None:
    assert answer(5, Reply.GRANTED, "127.0.0.1", 258) == b"\x05\x00\x00\x01\x7f\x00\x00\x01\x01\x02"
    assert answer(5, Reply.GRANTED, "::1", 258) == b"\x05\x00\x00\x04" + bytes(15) + b"\x01\x01\x02"
    assert answer(4, Reply.GRANTED) == b"\x00\x5a" + bytes(6)


@given(NAMES | ADDRESSES, PORTS, st.binary(max_size=100))
def test_a_datagram_keeps_its_address_and_data(host: str, port: int, data: bytes) -> None:
    assert unpack(pack(host, port, data)) == (host, port, data)


@given(st.binary(max_size=40))
def test_what_is_no_datagram_of_socks_is_dropped(data: bytes) -> None:
    got = unpack(data)
    assert got is None or data[:3] == b"\0\0\0"


def test_fragments_are_refused() -> None:
    whole = pack("127.0.0.1", 53, b"part")
    assert unpack(b"\0\0\x01" + whole[3:]) is None


@pytest.mark.parametrize("end", range(10))
def test_a_cut_datagram_is_dropped(end: int) -> None:
    assert unpack(pack("127.0.0.1", 53, b"")[:end]) is None


@pytest.mark.parametrize(
    "raw", [b"", b"a b", b"a\0b", b"a:b", b"fe80::1%lo", b"[::1]", b".a", b"a@b", b"x" * 254, b"\xff"]
)
def test_what_is_no_host_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        host_of(raw)


def test_a_name_in_another_script_gets_its_ascii_form() -> None:
    assert host_of("саңылау.test".encode()).startswith("xn--")
    assert host_of(b"::1") == str(ipaddress.ip_address("::1"))
