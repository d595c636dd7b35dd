import asyncio
import base64
import time
from pathlib import Path

import pytest

from client.connect.legs import Refusal
from client.connect.local import Local
from client.drill.serving import Peer, serving
from tests.client.connect.test_socks_side import curl
from tests.client.connect.ways_out import WayOut, local, program, until
from tests.transports.streams import ROOT
from transports.types import Stream


class Server:
    """An origin that notes what it heard, whole requests and what followed."""

    def __init__(self, *, stays: bool = False) -> None:
        self.heard = b""
        self._stays = stays

    async def __call__(self, peer: Peer) -> None:
        got = b""
        while b"\r\n\r\n" not in got:
            got += await self._more(peer)
        head, _, body = got.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"expect: 100-continue" in lower:
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"transfer-encoding" in lower:
            while not body.endswith(b"0\r\n\r\n"):
                body += await self._more(peer)
        elif b"content-length: " in lower:
            length = int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += await self._more(peer)
        answer = b"got %d" % len(body)
        await peer.send(
            b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(answer)
        )
        await peer.send(answer)
        if self._stays:
            while True:
                await self._more(peer)
        else:
            await peer.linger()

    async def _more(self, peer: Peer) -> bytes:
        data = await peer.read()
        if not data:
            raise EOFError
        self.heard += data
        return data


async def test_curl_is_tunnelled_with_tls_inside(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_text(ROOT.pem)
    context = ROOT.server_context("origin.test")
    async with serving(Server(), context=context) as port, local() as (door, gateway):
        status, out = await curl(
            "--cacert", str(root), "-x", f"http://127.0.0.1:{door.port}", f"https://origin.test:{port}/"
        )
        assert (status, out) == (0, b"got 0")
        assert gateway.asked == [("origin.test", port)]


async def test_curl_sends_plain_requests_and_uploads() -> None:
    server = Server()
    async with serving(server) as port, local() as (door, gateway):
        proxy, url = ("-x", f"http://127.0.0.1:{door.port}"), f"http://nowhere.invalid:{port}/a?b"
        assert await curl(*proxy, url) == (0, b"got 0")
        assert server.heard.startswith(b"GET /a?b HTTP/1.1\r\nHost: nowhere.invalid:%d\r\n" % port)
        assert b"proxy" not in server.heard.lower()
        assert await curl(*proxy, "--data", "x" * 100_000, url) == (0, b"got 100000")
        status, out = await curl(*proxy, "-H", "Transfer-Encoding: chunked", "--data", "y" * 50_000, url)
        assert status == 0
        assert int(out.removeprefix(b"got ")) > 50_000
        assert gateway.asked == [("nowhere.invalid", port)] * 3
        assert gateway.legs[0].up == server.heard.index(b"\r\n\r\n") + 4


async def test_two_urls_of_one_curl_are_two_connections_even_where_the_server_stays() -> None:
    async with serving(Server(stays=True)) as port, local() as (door, gateway):
        url = f"http://nowhere.invalid:{port}/"
        assert await curl("-x", f"http://127.0.0.1:{door.port}", url, url) == (0, b"got 0got 0")
        assert len(gateway.legs) == 2
        await until(lambda: all(leg.closed for leg in gateway.legs))


@pytest.mark.parametrize(
    "body", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
async def test_a_second_request_behind_the_first_never_reaches_the_server(body: bytes) -> None:
    server = Server()
    async with serving(server) as port, local() as (door, gateway), program(door) as client:
        first = b"POST http://a.test:%d/ HTTP/1.1\r\n" % port + body
        await client.send(first + b"GET http://b.test/secret HTTP/1.1\r\n\r\n")
        answer = await client.everything()
        await client.send(b"GET http://c.test/secret HTTP/1.1\r\n\r\n")
        client.sock.close()
        await until(lambda: gateway.legs[0].closed)
        assert answer.count(b"HTTP/1.1 200 OK") == 1
        assert b"Connection: close" in answer
        assert b"keep-alive" not in answer
        assert server.heard.endswith(b"\r\n\r\n" + body.partition(b"\r\n\r\n")[2])
        assert b"secret" not in server.heard
        assert gateway.asked == [("a.test", port)]


@pytest.mark.parametrize("piece", [1, 7])
async def test_a_request_may_come_in_pieces(piece: int) -> None:
    server = Server()
    async with serving(server) as port, local() as (door, _), program(door) as client:
        whole = b"POST http://a.test:%d/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" % port
        for at in range(0, len(whole), piece):
            await client.send(whole[at : at + piece])
            await asyncio.sleep(0)
        assert (await client.everything()).endswith(b"got 3")


async def test_a_body_that_breaks_off_ends_the_leg() -> None:
    server = Server()
    async with serving(server) as port, local() as (door, gateway), program(door) as client:
        await client.send(b"POST http://a.test:%d/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc" % port)
        await until(lambda: server.heard.endswith(b"abc"))
        client.sock.shutdown(1)
        await until(lambda: gateway.legs[0].closed)
        assert not gateway.legs[0].has_broken


async def test_an_answer_that_breaks_off_in_its_head_is_a_reset() -> None:
    async def half(peer: Peer) -> None:
        await peer.read()
        await peer.send(b"HTTP/1.1 200 OK\r\nX: ")
        peer.finish()
        await peer.read()

    async with serving(half) as port, local() as (door, _), program(door) as client:
        await client.send(b"GET http://a.test:%d/ HTTP/1.1\r\n\r\n" % port)
        assert await client.is_reset()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Refusal.HELD, 503),
        (Refusal.NOT_ALLOWED, 502),
        (Refusal.NETWORK_UNREACHABLE, 502),
        (Refusal.HOST_UNREACHABLE, 502),
        (Refusal.REFUSED, 502),
        (Refusal.TIMEOUT, 504),
        (Refusal.UNSUPPORTED, 502),
        (Refusal.FAILED, 502),
    ],
)
@pytest.mark.parametrize(
    "request_", [b"CONNECT a.test:443 HTTP/1.1\r\n\r\n", b"GET http://a.test/ HTTP/1.1\r\n\r\n"]
)
async def test_a_refusal_has_its_status_and_words_that_do_not_name_us(
    refusal: Refusal, status: int, request_: bytes
) -> None:
    async with local(WayOut(refusal)) as (door, _), program(door) as client:
        await client.send(request_)
        answer = await client.everything()
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert b"sanylau" not in answer.lower()
        page = answer.partition(b"\r\n\r\n")[2]
        assert len(page) > 10
        assert page.count(b"\n") == 1


@pytest.mark.parametrize(
    "request_",
    [
        b"GET http://a.test/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"lower case\r\n\r\n",
    ],
)
async def test_what_is_no_clear_request_is_refused_without_a_word(request_: bytes) -> None:
    async with local() as (door, gateway), program(door) as client:
        await client.send(request_)
        assert await client.everything() == (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        assert gateway.asked == []


@pytest.mark.parametrize("password", [None, "secret"])
@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET //a.test/ HTTP/1.1\r\nHost: a.test\r\nX: \x01\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30\r\n\r\n\x05\x01\x00",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_page_that_takes_us_for_a_web_server_is_reset_and_reads_nothing(
    request_: bytes, password: str | None
) -> None:
    async with local(password=password) as (door, gateway), program(door) as client:
        await client.send(request_)
        with pytest.raises(ConnectionResetError):
            await client.recv()
        assert gateway.asked == []


async def test_a_request_that_is_hard_to_read_holds_nobody_up() -> None:
    async with local(password="secret") as (door, _), program(door) as client:
        began = time.monotonic()
        await client.send(b"GET http://a.test/ HTTP/1.1\r\nX:" + b" " * 31_000 + b"\x01\r\n\r\n")
        assert (await client.everything()).startswith(b"HTTP/1.1 400 ")
        assert time.monotonic() - began < 1


async def test_wrong_passwords_wait_one_behind_the_other_and_the_right_one_does_not() -> None:
    async def told(door: Local, token: bytes) -> tuple[int, float]:
        async with program(door) as client:
            began = time.monotonic()
            words = b"Proxy-Authorization: Basic " + base64.b64encode(token) if token else b"X: y"
            await client.send(b"CONNECT a.test:443 HTTP/1.1\r\n" + words + b"\r\n\r\n")
            return int((await client.everything())[9:12]), time.monotonic() - began

    async with local(WayOut(Refusal.HELD), password="right") as (door, _):
        words = [b"x:wrong1", b"x:wrong2", b"x:wrong3", b"x:right", b""]  # git asks without any first
        answers = await asyncio.gather(*(told(door, token) for token in words))
    assert [status for status, _ in answers] == [407, 407, 407, 503, 407]
    assert sorted(round(after * 2) for _, after in answers[:3]) == [1, 2, 3]
    assert max(after for _, after in answers[3:]) < 0.4


async def test_an_endless_head_is_refused_with_its_status() -> None:
    async with local() as (door, _), program(door) as client:
        await client.send(b"GET http://a.test/ HTTP/1.1\r\n" + b"X: y\r\n" * 8000)
        assert (await client.everything()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("user", "opened"), [("me:right", True), ("me:wrong", False), (":right", True), ("right:", False)]
)
async def test_a_password_is_wanted_and_checked(user: str, opened: bool) -> None:
    server = Server()
    async with serving(server) as port, local(password="right") as (door, gateway):
        url = f"http://nowhere.invalid:{port}/"
        status, out = await curl("-x", f"http://{user}@127.0.0.1:{door.port}", url)
        assert status == 0
        assert (out == b"got 0") is opened
        assert bool(gateway.asked) is opened
        assert b"proxy-authorization" not in server.heard.lower()


async def test_without_a_password_it_is_asked_for() -> None:
    async with local(password="right") as (door, gateway), program(door) as client:
        await client.send(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
        answer = await client.everything()
        assert answer.startswith(b"HTTP/1.1 407 ")
        assert b'Proxy-Authenticate: Basic realm="proxy"\r\n' in answer
        assert gateway.asked == []


async def test_an_option_that_does_not_take_the_request_is_a_bad_gateway() -> None:
    class Broken(WayOut):
        async def stream(self, host: str, port: int) -> Stream:
            stream = await super().stream(host, port)
            await stream.finish()  # type: ignore[attr-defined]
            return stream

    async with serving(Server()) as port, local(Broken()) as (door, gateway), program(door) as client:
        await client.send(b"GET http://a.test:%d/ HTTP/1.1\r\n\r\n" % port)
        assert (await client.everything()).startswith(b"HTTP/1.1 502 ")
        assert gateway.legs[0].has_broken
        await until(lambda: gateway.legs[0].closed)
