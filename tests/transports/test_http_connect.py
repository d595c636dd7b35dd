import base64

import pytest

from client.drill.ca import Authority
from client.drill.serving import Handler, serving
from tests.servers.around import answers, around, drips, trusting
from transports.failure import Failure, StepFailed
from transports.http_connect import HttpConnect, read_head
from transports.stream import connect
from transports.types import Endpoint, Note, Step

GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
ROOT = Authority("Test Root")


def proxy(port: int, **who: str) -> Endpoint:
    return Endpoint(transport="http", host="127.0.0.1", port=port, **who)  # type: ignore[arg-type]


async def failure_of(handler: Handler, **who: str) -> StepFailed:
    async with serving(handler) as port:
        with pytest.raises(StepFailed) as caught:
            await HttpConnect().dial(proxy(port, **who), "origin.test", 443, around())
    assert caught.value.step is Step.PROXY_HANDSHAKE
    return caught.value


async def test_the_name_and_nothing_more_travels_to_the_proxy() -> None:
    heard: list[bytes] = []
    net = around()
    async with serving(answers(GRANTED, heard=heard)) as port:
        (await HttpConnect().dial(proxy(port), "origin.test", 443, net)).close()
    assert heard == [b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n"]
    assert [(seen.step, seen.failure, seen.code) for seen in net.trace.observations] == [
        (Step.CONNECT, None, 0),
        (Step.PROXY_HANDSHAKE, None, 200),
    ]


async def test_credentials_go_along_unasked() -> None:
    heard: list[bytes] = []
    async with serving(answers(GRANTED, heard=heard)) as port:
        endpoint = proxy(port, username="дрель", password="open: sesame")
        (await HttpConnect().dial(endpoint, "::1", 443, around())).close()
    assert heard[0].startswith(b"CONNECT [::1]:443 HTTP/1.1\r\n")
    assert b"Basic " + base64.b64encode("дрель:open: sesame".encode()) in heard[0]


@pytest.mark.parametrize(
    "before", [b"", INTERIM, INTERIM * 3, INTERIM + b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"]
)
@pytest.mark.parametrize("speak", [answers, drips], ids=["at once", "byte by byte"])
async def test_what_comes_behind_the_answer_belongs_to_the_tunnel(speak: object, before: bytes) -> None:
    handler = (answers if speak is answers else drips)(before + GRANTED + b"first words")
    async with serving(handler) as port:
        stream = await HttpConnect().dial(proxy(port), "origin.test", 443, around())
        got = b""
        while len(got) < len(b"first words"):
            got += await stream.recv(4)
        assert got == b"first words"
        stream.close()


@pytest.mark.parametrize(
    ("status", "failure", "note"),
    [
        (b"407 Who are you?", Failure.HTTP_STATUS, Note.AUTH_REQUIRED),
        (b"302 Found", Failure.HTTP_REDIRECT, Note.REDIRECT),
        (b"403 Forbidden", Failure.HTTP_STATUS, Note.REFUSED),
        (b"405 Method Not Allowed", Failure.HTTP_STATUS, Note.REFUSED),
        (b"502 Bad Gateway", Failure.HTTP_STATUS, Note.REFUSED),
        (b"101 Switching Protocols", Failure.HTTP_STATUS, Note.REFUSED),
        (b"999 Odd", Failure.HTTP_STATUS, Note.REFUSED),
    ],
)
async def test_each_refusal_has_its_name_and_status(status: bytes, failure: Failure, note: Note) -> None:
    failed = await failure_of(answers(b"HTTP/1.1 " + status + b"\r\n\r\n"))
    assert (failed.failure, failed.note, failed.code) == (failure, note, int(status[:3]))


async def test_credentials_that_are_turned_down_are_told_from_missing_ones() -> None:
    for status in (401, 407):  # tinyproxy says 401
        said = b"HTTP/1.1 %d No\r\n\r\n" % status
        failed = await failure_of(answers(said), username="drill", password="guess")
        assert (failed.note, failed.code) == (Note.AUTH_REFUSED, status)


@pytest.mark.parametrize(
    ("said", "failure", "note"),
    [
        (b"<html>", Failure.HTTP_FAILED, Note.PAGE),
        (b"SSH-2.0-x\r\n", Failure.HTTP_FAILED, Note.GARBAGE),
        (b"HTTP/1.1 200", Failure.EOF, None),
        (INTERIM, Failure.EOF, None),
        (INTERIM * 1000, Failure.HTTP_FAILED, Note.ENDLESS),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 17_000, Failure.HTTP_FAILED, Note.ENDLESS),
    ],
    ids=["page", "ssh", "half a head", "interim only", "interim for ever", "endless"],
)
async def test_an_answer_that_is_none_is_named(said: bytes, failure: Failure, note: Note | None) -> None:
    failed = await failure_of(answers(said))
    assert (failed.failure, failed.note) == (failure, note)


async def test_an_https_proxy_is_spoken_to_in_checked_tls() -> None:
    heard: list[bytes] = []
    net = around(tls=trusting(ROOT.pem))
    context = ROOT.server_context("127.0.0.1")
    async with serving(answers(GRANTED, heard=heard), context=context) as port:
        endpoint = Endpoint(transport="https", host="127.0.0.1", port=port)
        (await HttpConnect().dial(endpoint, "origin.test", 443, net)).close()
    assert heard[0].startswith(b"CONNECT origin.test:443 ")
    assert [seen.step for seen in net.trace.observations] == [
        Step.CONNECT,
        Step.PROXY_HANDSHAKE,
        Step.PROXY_HANDSHAKE,
    ]


@pytest.mark.parametrize(
    ("root", "name", "failure"),
    [
        (ROOT, "localhost", Failure.SSL_HOSTNAME),
        (Authority("Another Root"), "127.0.0.1", Failure.SSL_AUTHORITY),
    ],
)
async def test_an_https_proxy_with_a_wrong_certificate_gets_no_password(
    root: Authority, name: str, failure: Failure
) -> None:
    heard: list[bytes] = []
    async with serving(answers(GRANTED, heard=heard), context=root.server_context(name)) as port:
        endpoint = Endpoint(transport="https", host="127.0.0.1", port=port, username="u", password="p")
        with pytest.raises(StepFailed) as caught:
            await HttpConnect().dial(endpoint, "origin.test", 443, around(tls=trusting(ROOT.pem)))
    assert (caught.value.step, caught.value.failure) == (Step.PROXY_HANDSHAKE, failure)
    assert heard == []


async def test_roots_that_cannot_be_loaded_leave_no_connection_open() -> None:
    async with serving(answers()) as port:  # `around` has no roots; the leak check looks after the socket
        endpoint = Endpoint(transport="https", host="127.0.0.1", port=port)
        with pytest.raises(RuntimeError, match="no TLS roots"):
            await HttpConnect().dial(endpoint, "origin.test", 443, around())


async def test_a_plain_request_goes_to_the_proxy_itself() -> None:
    heard: list[bytes] = []
    async with serving(answers(b"HTTP/1.1 200 OK\r\n\r\n", heard=heard)) as port:
        stream = await HttpConnect().forward(proxy(port), around())
        await stream.send(b"GET http://origin.test/ HTTP/1.1\r\n\r\n")
        assert (await read_head(stream)).status == 200
        stream.close()
    assert heard == [b"GET http://origin.test/ HTTP/1.1\r\n\r\n"]


async def test_a_head_leaves_the_body_to_the_next_reader() -> None:
    async with serving(answers(b"HTTP/1.1 200 OK\r\n\r\nbody")) as port:
        stream = await connect("127.0.0.1", port, around())
        await stream.send(b"x")
        await read_head(stream)
        assert await stream.recv(10) == b"body"
        stream.close()
