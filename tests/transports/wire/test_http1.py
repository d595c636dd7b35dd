import base64
from collections.abc import Callable

import h11
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transports.failure import Failure, WireError
from transports.types import Note
from transports.wire.http1 import (
    HEAD_LIMIT,
    BodyReader,
    Head,
    HeadReader,
    authority,
    connect_request,
    get_request,
    post_head,
)

OK = b"HTTP/1.1 200 OK\r\n"


def read(raw: bytes, step: int = 0) -> tuple[Head, bytes]:
    """Return the head in `raw` and what came behind it, fed `step` bytes at a time."""
    reader = HeadReader()
    for at in range(0, len(raw), step or len(raw)):
        head = reader.feed(raw[at : at + (step or len(raw))])
        if head is not None:
            return head, reader.rest + raw[at + (step or len(raw)) :]
    raise AssertionError("no end of the head")


def body_of(head: Head, raw: bytes, step: int = 0) -> tuple[bytes, bool]:
    reader = BodyReader(head)
    body = b"".join(reader.feed(raw[at : at + (step or 9999)]) for at in range(0, len(raw), step or 9999))
    return body, reader.done


def error_of(raw: bytes) -> WireError:
    with pytest.raises(WireError) as caught:
        HeadReader().feed(raw)
    return caught.value


# requests


def test_a_connect_request_is_exactly_these_bytes() -> None:
    assert connect_request("origin.test", 443) == (
        b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n"
    )
    assert connect_request("::1", 443).startswith(b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n")


def test_basic_credentials_are_utf_8_in_base64() -> None:
    request = connect_request("origin.test", 443, "дрель", "open: sesame")
    line = request.split(b"\r\n")[2]
    assert line.startswith(b"Proxy-Authorization: Basic ")
    assert base64.b64decode(line.rpartition(b" ")[2]).decode() == "дрель:open: sesame"


def test_a_user_without_a_password_still_identifies_himself() -> None:
    assert b"Basic " + base64.b64encode(b"drill:") in connect_request("origin.test", 443, "drill")


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_credentials_can_add_a_line_to_a_request(user: str, password: str) -> None:
    assume(user or password)
    for request, lines in (
        (connect_request("origin.test", 443, user, password), 3),
        (get_request("http://origin.test/", "origin.test", username=user, password=password), 5),
    ):
        head, end, after = request.partition(b"\r\n\r\n")
        assert end
        assert after == b""
        assert len(head.split(b"\r\n")) == lines
        assert head.count(b"\n") == lines - 1


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x1b[2Jb", "a\x7fb"])
def test_no_host_path_or_header_can_add_a_line_to_a_request(bad: str) -> None:
    makers: list[Callable[[], bytes]] = [
        lambda: connect_request(bad, 443),
        lambda: get_request(bad, "origin.test"),
        lambda: get_request("/", bad),
        lambda: get_request("/", "origin.test", extra=(bad,)),
        lambda: post_head(bad, "origin.test", 1),
        lambda: post_head("/", bad, 1),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="control character") as caught:
            make()
        assert "Evil" not in str(caught.value)


def test_h11_understands_our_requests_as_they_are_meant() -> None:
    for raw, method, target in (
        (connect_request("::1", 443, "u", "p"), b"CONNECT", b"[::1]:443"),
        (get_request("/small", "origin.test", extra=("Range: bytes=0-9",)), b"GET", b"/small"),
        (post_head("/upload", "origin.test", 5) + b"12345", b"POST", b"/upload"),
    ):
        server = h11.Connection(h11.SERVER)
        server.receive_data(raw)
        request = server.next_event()
        assert isinstance(request, h11.Request)
        assert (request.method, request.target) == (method, target)
    server.next_event()  # the body of the POST
    assert isinstance(server.next_event(), h11.EndOfMessage)


@pytest.mark.parametrize(("host", "expected"), [("a.test", "a.test:1"), ("::1", "[::1]:1")])
def test_an_ipv6_authority_has_brackets(host: str, expected: str) -> None:
    assert authority(host, 1) == expected


# heads


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_head_survives_one_byte_at_a_time_and_bare_line_feeds(end: bytes, step: int) -> None:
    raw = end.join([b"HTTP/1.0 403 No, thanks", b"X-One: 1", b"x-one:2", b"Empty:", b"", b"rest\r\n\r\n"])
    head, rest = read(raw, step)
    assert head == Head(403, {"x-one": "1", "empty": ""}, (1, 0))
    assert rest == b"rest\r\n\r\n"


@pytest.mark.parametrize("raw", [OK + b"A: b\n\r\nrest", b"HTTP/1.1 200 OK\nA: b\r\n\nrest"])
def test_line_ends_may_be_mixed(raw: bytes) -> None:
    assert read(raw) == (Head(200, {"a": "b"}), b"rest")


def test_a_folded_line_belongs_to_the_field_before_it() -> None:
    head, _ = read(OK + b"X-Note: one\r\n Content-Length: 5\r\n\ttwo\r\nA: b\r\n\r\n")
    assert head.headers == {"x-note": "one Content-Length: 5 two", "a": "b"}


def test_a_folded_line_without_a_field_before_it_is_no_accident() -> None:
    head, _ = read(OK + b" folded onto nothing\r\nA: b\r\n\r\n")
    assert head.headers == {"a": "b"}


def test_a_line_without_a_colon_is_passed_over() -> None:
    assert read(OK + b"nonsense\r\nA: b\r\n\r\n")[0].headers == {"a": "b"}


def test_a_status_line_needs_no_phrase() -> None:
    assert read(b"HTTP/1.1 204\r\n\r\n")[0].status == 204


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        (b"<html>", Note.PAGE),
        (b"\r\n <!DOCTYPE html>", Note.PAGE),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Note.GARBAGE),
        (b"\x05\x00", Note.GARBAGE),
        (b"\x15\x03\x01\x00\x02\x02\x28", Note.GARBAGE),
        (b"HTTQ", Note.GARBAGE),
    ],
)
def test_what_is_not_http_is_known_from_its_first_bytes(raw: bytes, note: Note) -> None:
    error = error_of(raw)
    assert (error.failure, error.note) == (Failure.HTTP_FAILED, note)


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1", b"HTTP/1.1 2000 OK", b"HTTP/1.1 20", b"HTTP/1.1 -20", b"HTTP/1.1 2\xb20", b"HTTP/"]
)
def test_a_status_that_cannot_be_is_garbage(line: bytes) -> None:
    assert error_of(line + b"\r\n\r\n").note is Note.GARBAGE


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_a_head_over_the_limit_is_refused_with_and_without_its_end(end: bytes) -> None:
    raw = OK + b"X: " + b"x" * HEAD_LIMIT + end
    assert error_of(raw).note is Note.ENDLESS


def test_a_head_without_an_end_is_refused_as_soon_as_it_is_too_long() -> None:
    reader, line = HeadReader(), b"X-More: and more\r\n"
    reader.feed(OK)
    for _ in range((HEAD_LIMIT - len(OK)) // len(line)):
        assert reader.feed(line) is None
    with pytest.raises(WireError) as caught:
        reader.feed(line)
    assert caught.value.note is Note.ENDLESS


def test_a_body_of_any_size_behind_a_short_head_is_no_long_head() -> None:
    _, rest = read(OK + b"\r\n" + b"x" * (2 * HEAD_LIMIT))
    assert len(rest) == 2 * HEAD_LIMIT


def unless_refused(read_it: Callable[[], bytes]) -> bytes:
    """Return what `read_it` returns; b"" where it raises a WireError, and no other error is caught."""
    try:
        return read_it()
    except WireError:
        return b""


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda b: b"HTTP/1.1 " + b)))
def test_random_heads_raise_nothing_but_wire_errors(raw: bytes) -> None:
    def read_it() -> bytes:
        head = HeadReader().feed(raw)
        assert head is None or 0 <= head.status <= 999
        return BodyReader(head).feed(raw) if head else b""

    assert len(unless_refused(read_it)) <= len(raw)


# bodies


def head_with(**headers: str) -> Head:
    return Head(200, {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_body_ends_at_its_announced_length() -> None:
    reader = BodyReader(head_with(content_length="5"))
    assert (reader.feed(b"123"), reader.done) == (b"123", False)
    assert (reader.feed(b"45NEXT"), reader.done) == (b"45", True)
    assert reader.feed(b"more") == b""


def test_a_body_of_no_bytes_is_done_at_once() -> None:
    assert BodyReader(head_with(content_length="0")).done


@pytest.mark.parametrize("status", [100, 204, 304])
def test_some_answers_have_no_body_whatever_they_say(status: int) -> None:
    reader = BodyReader(Head(status, {"content-length": "5", "transfer-encoding": "chunked"}))
    assert (reader.done, reader.length, reader.feed(b"xxxxx")) == (True, 0, b"")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader = BodyReader(head_with())
    assert (reader.feed(b"abc"), reader.done, reader.length) == (b"abc", False, None)


@pytest.mark.parametrize("text", ["-1", "+5", "5 5", "0x5", "", "٥", "1" * 16, "5;x"])
def test_a_length_that_is_no_number_is_garbage(text: str) -> None:
    with pytest.raises(WireError) as caught:
        BodyReader(head_with(content_length=text))
    assert caught.value.note is Note.GARBAGE


@pytest.mark.parametrize("step", [0, 1, 2, 5])
def test_chunks_are_unwrapped_one_byte_at_a_time(step: int) -> None:
    raw = b"4\r\nWiki\r\n5;name=val\r\npedia\r\n0a \r\n in\r\nchunk\r\n0\r\nTrailer: x\r\n\r\nNEXT"
    assert body_of(head_with(transfer_encoding="chunked"), raw, step) == (b"Wikipedia in\r\nchunk", True)


def test_chunks_rule_over_an_announced_length() -> None:
    head = head_with(transfer_encoding="gzip, Chunked", content_length="1")
    assert body_of(head, b"3\r\nabc\r\n0\r\n\r\n") == (b"abc", True)


def test_a_chunked_body_without_its_last_chunk_is_not_whole() -> None:
    reader = BodyReader(head_with(transfer_encoding="chunked"))
    reader.feed(b"3\r\nabc\r\n")
    assert not reader.done
    assert reader.length is not None  # so an end of the connection is not its end


@pytest.mark.parametrize("coding", ["identity", "notchunked", "chunked, gzip"])
def test_only_a_last_coding_of_chunked_means_chunks(coding: str) -> None:
    assert body_of(head_with(transfer_encoding=coding), b"3\r\nabc") == (b"3\r\nabc", False)


@pytest.mark.parametrize(
    "line", [b"", b"-1", b"+1", b"0x1", b"1_0", b"fffffffff", b"g", b";x", b" 1 1", b"1 x", b"\xb2"]
)
def test_a_chunk_size_that_is_no_number_or_too_large_is_garbage(line: bytes) -> None:
    with pytest.raises(WireError) as caught:
        body_of(head_with(transfer_encoding="chunked"), line + b"\r\nx")
    assert caught.value.note is Note.GARBAGE


def test_a_chunk_that_is_longer_than_it_says_is_garbage() -> None:
    with pytest.raises(WireError) as caught:
        body_of(head_with(transfer_encoding="chunked"), b"3\r\nabcd\r\n")
    assert caught.value.note is Note.GARBAGE


@pytest.mark.parametrize("start", [b"", b"0\r\n"])
def test_an_endless_chunk_line_is_refused(start: bytes) -> None:
    with pytest.raises(WireError) as caught:
        body_of(head_with(transfer_encoding="chunked"), start + b"1" * 300)
    assert caught.value.note is Note.ENDLESS


def test_an_endless_trailer_is_refused() -> None:
    reader = BodyReader(head_with(transfer_encoding="chunked"))
    reader.feed(b"0\r\n")
    line = b"X-More: and"
    for _ in range(HEAD_LIMIT // len(line)):
        reader.feed(line + b"\r\n")
    with pytest.raises(WireError) as caught:
        reader.feed(line + b"\r\n")
    assert caught.value.note is Note.ENDLESS


@given(st.binary(max_size=300), st.integers(1, 9))
def test_random_chunks_raise_nothing_but_wire_errors(raw: bytes, step: int) -> None:
    head = head_with(transfer_encoding="chunked")
    assert len(unless_refused(lambda: body_of(head, raw, step)[0])) <= len(raw)


# h11 as a second opinion

ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\n"])
TOKENS = st.sampled_from([b"X-A", b"Server", b"Via", b"content-type", b"Content-Language"])
VALUES = st.lists(
    st.sampled_from([b"a", b"  ", b"\t", b":", b"chunked", b"5", b"\xff", b";q=1"]), max_size=4
).map(b"".join)
BODIES = st.binary(max_size=60)


@st.composite
def framings(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Return the framing headers and the body on the wire; sometimes they do not fit."""
    kind = draw(st.sampled_from(["length", "chunks", "close", "both"]))
    body = draw(BODIES)
    if kind == "close":
        return [], body
    length = [
        b"Content-Length: %d" % draw(st.sampled_from([len(body), len(body), max(0, len(body) - 3), 99]))
    ]
    if kind == "length":
        return length, body
    raw, left = b"", body
    while left:
        size = draw(st.integers(1, len(left)))
        spelled = draw(st.sampled_from([b"%x", b"%X", b"0%x", b"000000000%x"])) % size
        extension = draw(st.sampled_from([b"", b"", b";a=b", b" "]))
        raw += spelled + extension + b"\r\n" + left[:size] + b"\r\n"
        left = left[size:]
    raw += draw(st.sampled_from([b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"0\r\n", b""]))
    coding = [draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding:  Chunked\t"]))]
    return coding + (length if kind == "both" else []), raw


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    status = draw(st.sampled_from([b"200", b"200", b"200", b"204", b"304", b"404", b"502", b"511"]))
    lines = [
        b"HTTP/1."
        + draw(st.sampled_from([b"0 ", b"1 "]))
        + status
        + draw(st.sampled_from([b" ok", b"", b" "]))
    ]
    fields = [
        name + b":" + value + draw(st.sampled_from([b"", b"", b"\r\n folded: 7", b"\r\n\tContent-Length: 3"]))
        for name, value in draw(st.lists(st.tuples(TOKENS, VALUES), max_size=4))
    ]
    framing, body = draw(framings())
    lines += draw(st.permutations(fields + framing))
    end = draw(ENDS)
    return end.join(lines) + end + draw(ENDS) + body


def by_h11(raw: bytes) -> tuple[int, bytes, bool] | None:
    """Return status, body and whether the body was whole; None where h11 does not accept the answer."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "origin.test")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    client.receive_data(b"")
    status, body = 0, b""
    try:
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, body, True
            else:
                return None
    except h11.RemoteProtocolError:
        return (status, body, False) if status else None


@given(responses(), st.integers(1, 40))
def test_what_h11_takes_for_an_answer_we_read_the_same_way(raw: bytes, step: int) -> None:
    expected = by_h11(raw)
    assume(expected is not None)
    assert expected is not None
    status, body, whole = expected
    head, rest = read(raw, step)
    assert head.status == status
    reader = BodyReader(head)
    got = b"".join(reader.feed(rest[at : at + step]) for at in range(0, len(rest), step))
    assert got == body
    assert whole == (reader.done or reader.length is None)
