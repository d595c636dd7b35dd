import base64
import time
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.wire.proxy_request import (
    HEAD_LIMIT,
    AnswerHead,
    BadRequest,
    Body,
    ProxyRequest,
    RequestReader,
    for_proxy,
    refusal,
)


def read(head: bytes) -> ProxyRequest:
    request = RequestReader().feed(head)
    assert request is not None
    return request


def lines(*of: str) -> bytes:
    return "\r\n".join([*of, "", ""]).encode("latin-1")


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [("a.test:443", "a.test", 443), ("[::1]:8443", "::1", 8443), ("127.0.0.1:1", "127.0.0.1", 1)],
)
def test_a_tunnel_is_asked_for_by_host_and_port(target: str, host: str, port: int) -> None:
    request = read(lines(f"CONNECT {target} HTTP/1.1", f"Host: {target}"))
    assert (request.host, request.port, request.head) == (host, port, b"")


def test_a_head_is_read_one_byte_at_a_time_and_what_follows_is_kept() -> None:
    reader, whole = RequestReader(), lines("CONNECT a.test:443 HTTP/1.1", "Host: a.test:443")
    seen = [reader.feed(byte) for byte in one_by_one(whole)]
    assert seen[:-1] == [None] * (len(whole) - 1)
    assert seen[-1] is not None
    reader = RequestReader()
    assert reader.feed(whole + b"\x16\x03") is not None
    assert reader.rest == b"\x16\x03"


def test_a_request_for_a_url_becomes_one_for_its_server() -> None:
    request = read(
        lines(
            "GET http://a.test:8080/x?y=1 HTTP/1.1",
            "Host: other.test",
            "Proxy-Connection: keep-alive",
            "Proxy-Authorization: Basic " + base64.b64encode(b"me:secret:too").decode(),
            "Connection: keep-alive, X-Hop",
            "Keep-Alive: 5",
            "X-Hop: for us",
            "TE: trailers",
            "Upgrade: h2c",
            "Cookie: kept",
        )
    )
    assert (request.host, request.port, request.length, request.password) == (
        "a.test",
        8080,
        0,
        b"secret:too",
    )
    assert request.head == lines(
        "GET /x?y=1 HTTP/1.1", "Host: a.test:8080", "Cookie: kept", "Connection: close"
    )


@pytest.mark.parametrize(
    ("first", "line", "host"),
    [
        ("GET http://a.test HTTP/1.1", b"GET / HTTP/1.1", b"a.test"),
        ("GET HTTP://a.test:/ HTTP/1.1", b"GET / HTTP/1.1", b"a.test"),
        ("GET http://a.test?q HTTP/1.0", b"GET /?q HTTP/1.0", b"a.test"),
        ("OPTIONS http://a.test HTTP/1.1", b"OPTIONS * HTTP/1.1", b"a.test"),
        ("GET http://[::1]/ HTTP/1.1", b"GET / HTTP/1.1", b"[::1]:80"),
        ("GET http://a.test/\xe9 HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"a.test"),
    ],
)
def test_forms_of_a_url(first: str, line: bytes, host: bytes) -> None:
    head = read(lines(first)).head.split(b"\r\n")
    assert head[:2] == [line, b"Host: " + host]


GET = "GET http://a.test/ HTTP/1.1"
POST = "POST http://a.test/ HTTP/1.1"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(lines("GET https://a.test/ HTTP/1.1"), id="another scheme"),
        pytest.param(lines("GET http://me:secret@a.test/ HTTP/1.1"), id="credentials in the URL"),
        pytest.param(lines("GET http://a.test/#part HTTP/1.1"), id="fragment"),
        pytest.param(lines("GET http:///x HTTP/1.1"), id="no host"),
        pytest.param(lines("GET http://a.test:0/ HTTP/1.1"), id="port 0"),
        pytest.param(lines("GET http://a.test:65536/ HTTP/1.1"), id="port too high"),
        pytest.param(lines("GET http://a_b c/ HTTP/1.1"), id="space in the target"),
        pytest.param(lines("GET  http://a.test/ HTTP/1.1"), id="two spaces"),
        pytest.param(lines("GET http://a.test/ HTTP/2.0"), id="another version"),
        pytest.param(lines("GET http://a.test/"), id="no version"),
        pytest.param(lines("CONNECT a.test HTTP/1.1"), id="tunnel without a port"),
        pytest.param(lines("CONNECT http://a.test:443/ HTTP/1.1"), id="tunnel to a URL"),
        pytest.param(lines("CONNECT a.test:443 HTTP/1.1", "Content-Length: 5"), id="tunnel with a body"),
        pytest.param(lines(GET, "Host: a.test", "Host: b.test"), id="two hosts"),
        pytest.param(lines(POST, "Content-Length: 5", "Transfer-Encoding: chunked"), id="both measures"),
        pytest.param(lines(POST, "Content-Length: 5", "Content-Length: 5"), id="two lengths"),
        pytest.param(lines(POST, "Content-Length: 5, 5"), id="a list of lengths"),
        pytest.param(lines(POST, "Content-Length: +5"), id="a signed length"),
        pytest.param(lines(POST, "Content-Length: 0x5"), id="a hexadecimal length"),
        pytest.param(lines(POST, "Content-Length:"), id="an empty length"),
        pytest.param(lines(POST, "Content-Length: \xb2"), id="another script's digit"),
        pytest.param(lines(POST, "Transfer-Encoding: gzip, chunked"), id="more codings"),
        pytest.param(
            lines(POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), id="a coding twice"
        ),
        pytest.param(lines("POST http://a.test/ HTTP/1.0", "Transfer-Encoding: chunked"), id="chunks in 1.0"),
        pytest.param(lines(POST, "Content-Length : 5"), id="space before the colon"),
        pytest.param(lines(GET, "X-A: 1", " folded"), id="a folded line"),
        pytest.param(lines(GET, "X-A: \x00"), id="a zero"),
        pytest.param(lines(GET, "X-A: a\rb"), id="a bare CR"),
        pytest.param(lines(GET, "X-A: a\nX-B: b"), id="a bare LF"),
        pytest.param(lines(GET, "no colon"), id="no field"),
        pytest.param(lines(GET, ": no name"), id="no name"),
        pytest.param(
            lines(POST, "Content-Length: 5", "Connection: Content-Length"), id="a length for us alone"
        ),
        pytest.param(b"GET http://a.test/ HTTP/1.1\n\n", id="lines of another system"),
    ],
)
def test_what_is_not_clear_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest) as bad:
        RequestReader().feed(head)
    assert bad.value.status == 400


def test_a_head_has_a_limit_whether_it_ends_or_not() -> None:
    reader = RequestReader()
    assert reader.feed(b"GET http://a.test/ HTTP/1.1\r\nX: " + b"a" * (HEAD_LIMIT - 100)) is None
    with pytest.raises(BadRequest) as bad:
        reader.feed(b"a" * 200)
    assert bad.value.status == 431


@pytest.mark.parametrize("value", ["Bearer x", "Basic ???", "Basic"])
def test_credentials_that_are_none_are_as_good_as_absent(value: str) -> None:
    assert not read(lines(GET, f"Proxy-Authorization: {value}")).password
    both = lines(GET, "Proxy-Authorization: Basic YTpi", "Proxy-Authorization: Basic YTpi")
    assert read(both).password is None


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"GET http://a.test/ HTTP/1.1\r\n", b"CONNECT a.test:1 "])
)
def test_garbage_is_refused_or_waited_for_and_never_an_error(data: bytes, start: bytes) -> None:
    reader = RequestReader()
    try:
        request = reader.feed(start + data + b"\r\n\r\n")
    except BadRequest:
        return
    assert request is not None
    assert b"\r\n\r\n" in start + data + b"\r\n\r\n"


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(1, 20))
def test_exactly_the_announced_length_passes(body: bytes, more: bytes, step: int) -> None:
    sieve, data = Body(len(body)), body + more
    out = b"".join(sieve.feed(data[at : at + step]) for at in range(0, len(data), step))
    assert out == body
    assert sieve.done
    assert sieve.end()


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.integers(1, 7), st.binary(max_size=20))
def test_a_body_in_chunks_passes_as_it_is_and_nothing_behind_it(
    parts: list[bytes], step: int, more: bytes
) -> None:
    sieve, data = Body(None), chunked(parts) + more
    out = b"".join(sieve.feed(data[at : at + step]) for at in range(0, len(data), step))
    assert out == chunked(parts)
    assert sieve.done


def test_extensions_and_trailers_of_chunks_pass() -> None:
    data = b"3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert Body(None).feed(data + b"GET / HTTP/1.1\r\n\r\n") == data


@pytest.mark.parametrize(
    "data",
    [
        b"xyz\r\n",
        b"-1\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"3;\x00\r\n",
        b"3;a\rb\r\n",
        b"\r\n",
        b"f" * 16 + b"\r\n",
        b"1" * 300,
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 2000,
    ],
)
def test_chunks_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(BadRequest):
        Body(None).feed(data)


@pytest.mark.parametrize(("length", "data"), [(5, b"abc"), (None, b"3\r\nabc\r\n")])
def test_a_body_must_not_end_early(length: int | None, data: bytes) -> None:
    sieve = Body(length)
    sieve.feed(data)
    with pytest.raises(BadRequest):
        sieve.end()


ANSWER = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX: y\r\n\r\nbody\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\nbody\r\n\r\n"


@given(st.integers(1, 40))
def test_the_program_is_told_that_the_connection_ends_with_the_answer(step: int) -> None:
    sieve = AnswerHead()
    assert b"".join(sieve.feed(ANSWER[at : at + step]) for at in range(0, len(ANSWER), step)) == CLOSED
    assert sieve.end()


def test_interim_answers_stay_before_the_real_one() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert AnswerHead().feed(interim + ANSWER) == interim + CLOSED
    switching = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x01\x02"
    assert AnswerHead().feed(switching).endswith(b"Connection: close\r\n\r\n\x01\x02")


def test_a_folded_line_goes_with_its_field_and_lf_alone_is_read() -> None:
    data = b"HTTP/1.0 200 OK\nConnection: keep-alive,\n x\nA: b\n\nrest"
    assert AnswerHead().feed(data) == b"HTTP/1.0 200 OK\r\nA: b\r\nConnection: close\r\n\r\nrest"


@pytest.mark.parametrize("data", [b"<html>old server", b"HTTP/1.1 200 OK\r\nX: " + b"a" * HEAD_LIMIT])
def test_what_is_no_head_goes_through_untouched(data: bytes) -> None:
    sieve = AnswerHead()
    assert sieve.feed(data) + sieve.feed(b"more") == data + b"more"
    assert sieve.end()


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nX: y"])
def test_an_answer_without_a_whole_head_must_not_look_whole(data: bytes) -> None:
    sieve = AnswerHead()
    assert sieve.feed(data) == b""
    with pytest.raises(BadRequest):
        sieve.end()


@pytest.mark.parametrize("status", [400, 407, 431, 502, 503, 504])
def test_a_refusal_is_a_whole_answer_to_another_implementation(status: int) -> None:
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "a.test")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(refusal(status, "Не пройти."))
    head = reader.next_event()
    assert isinstance(head, h11.Response)
    assert head.status_code == status
    assert (b"proxy-authenticate" in dict(head.headers)) == (status == 407)
    page = reader.next_event()
    assert isinstance(page, h11.Data)
    assert bytes(page.data).decode() == "Не пройти.\n"


def test_requests_are_rewritten_so_that_another_implementation_reads_the_same() -> None:
    head = read(lines(POST, "Content-Length: 3", "Accept: a", "Accept: b")).head
    server = h11.Connection(h11.SERVER)
    server.receive_data(head + b"abc")
    request = server.next_event()
    assert isinstance(request, h11.Request)
    assert request.target == b"/"
    assert [name for name, _ in pairwise([*request.headers, (b"", b"")]) if name[0] == b"accept"] == [
        (b"accept", b"a"),
        (b"accept", b"b"),
    ]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (b"GET http://a.test/x?y HTTP/1.1\r\n\r\n", b"GET http://a.test/x?y HTTP/1.1"),
        (b"GET http://a.test:8080/ HTTP/1.0\r\n\r\n", b"GET http://a.test:8080/ HTTP/1.0"),
        (b"GET http://[::1]/ HTTP/1.1\r\n\r\n", b"GET http://[::1]:80/ HTTP/1.1"),
        (b"OPTIONS http://a.test HTTP/1.1\r\n\r\n", b"OPTIONS http://a.test HTTP/1.1"),
    ],
)
def test_a_request_can_go_on_to_another_proxy(asked: bytes, line: bytes) -> None:
    request = RequestReader().feed(asked)
    assert request is not None
    head = for_proxy(request.head, request.host, request.port, "somebody", "secret")
    assert head.split(b"\r\n")[0] == line
    assert head.split(b"\r\n")[1] == b"Proxy-Authorization: Basic c29tZWJvZHk6c2VjcmV0"
    assert head.endswith(request.head.split(b"\r\n", 1)[1])
    assert b"Proxy-Authorization" not in for_proxy(request.head, request.host, request.port)


@pytest.mark.parametrize(
    "request_",
    [
        lines("GET / HTTP/1.1", "Host: 127.0.0.1:1080"),
        lines("GET //a.test/ HTTP/1.1", "Host: a.test", "no field at all"),
        lines("OPTIONS * HTTP/1.1"),
    ],
)
def test_who_takes_us_for_a_web_server_is_to_hear_nothing(request_: bytes) -> None:
    with pytest.raises(BadRequest) as bad:
        RequestReader().feed(request_)
    assert bad.value.status == 0


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET http://a.test/ HTTP/1.1\r\nX:" + b" " * 31_000 + b"\x01", id="blanks"),
        pytest.param(b"GET http://a.test/ HTTP/1.1\r\n" + b" " * 31_000 + b":", id="no name"),
        pytest.param(b"GET http://" + b"a" * 31_000 + b"# HTTP/1.1", id="a fragment"),
        pytest.param(b"CONNECT " + "\uff41".encode() * 10_000 + b":443 HTTP/1.1", id="a long name"),
        pytest.param(b"CONNECT " + b"1" * 31_000 + b":x HTTP/1.1", id="an authority"),
    ],
)
def test_no_head_takes_longer_to_read_than_it_is_long(head: bytes) -> None:
    began = time.process_time()
    with pytest.raises(BadRequest):
        RequestReader().feed(head + b"\r\n\r\n")
    assert time.process_time() - began < 0.1


def test_no_body_takes_longer_to_read_than_it_is_long() -> None:
    began = time.process_time()
    with pytest.raises(BadRequest):
        Body(None).feed(b"0\r\nX:" + b" " * 8000 + b"\x01\r\n\r\n")
    many = b"1\r\nx\r\n" * 50_000
    assert Body(None).feed(many) == many
    assert time.process_time() - began < 0.5


def test_the_blanks_around_a_value_are_not_part_of_it() -> None:
    request = RequestReader().feed(lines("GET http://a.test/ HTTP/1.1", "X: \t a b\t ", "Y:", "Z:  "))
    assert request is not None
    assert b"\r\nX: a b\r\nY: \r\nZ: \r\n" in request.head
