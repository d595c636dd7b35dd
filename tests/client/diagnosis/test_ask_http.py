import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from client.diagnosis import ask_http
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Issuer, Name, Sight, Test
from client.drill.serving import Handler, Peer, nobody, serving
from client.model import Failure
from tests.client.diagnosis.loopback import (
    BODY,
    closes,
    head_of,
    make_around,
    one,
    question,
    resets,
    response,
    says,
    server_context,
    silent,
    web,
)

CA = trustme.CA()
VOLUME = 64 * 1024


@asynccontextmanager
async def site(handler: Handler, ca: trustme.CA = CA) -> AsyncIterator[int]:
    async with serving(handler, context=server_context(ca)) as port:
        yield port


def page(port: int, **more: object) -> Ask:
    return question(Test.PAGE, port, **({"path": "/", "status": 200, "body": BODY, "limit": 1.0} | more))


async def test_the_known_page_is_right() -> None:
    around = make_around(CA)
    async with serving(web()) as port:
        seen = await one(page(port), around)
    assert (seen.came, seen.after, seen.detail, seen.failure) == (Came.RIGHT, "request", "200", None)
    assert seen.received == len(response())
    assert around.moved > seen.received


async def test_a_last_line_end_makes_no_other_page() -> None:
    async with serving(says(response(200, BODY.rstrip()))) as port:
        assert (await one(page(port), make_around(CA))).came is Came.RIGHT


@pytest.mark.parametrize(
    ("answer", "came", "detail"),
    [
        (response(302, b"", "Location: http://192.168.1.1/login"), Came.FALSE, "302"),
        (response(200, b"<html>log in</html>"), Came.FALSE, "200"),
        (response(511, b""), Came.FALSE, "511"),
        (response(403, b"forbidden by law"), Came.FALSE, "403"),
        (response(503, b"busy"), Came.OTHER, "503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n<html>short", Came.FALSE, "200"),
    ],
)
async def test_another_page_is_false_and_a_busy_server_is_not(answer: bytes, came: Came, detail: str) -> None:
    async with serving(says(answer)) as port:
        seen = await one(page(port), make_around(CA))
    assert (seen.came, seen.detail, seen.after) == (came, detail, "request")


@pytest.mark.parametrize(
    ("handler", "came", "failure"),
    [
        (resets, Came.RESET, Failure.CONNECTION_RESET),
        (closes, Came.CLOSED, Failure.EOF),
        (silent, Came.SILENCE, Failure.TIMEOUT),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nknown"), Came.CLOSED, Failure.EOF),
        (says(b"<html>injected"), Came.FALSE, Failure.HTTP_FAILED),
    ],
    ids=["reset", "closed", "silence", "half of it", "no HTTP"],
)
async def test_a_page_that_does_not_come(handler: Handler, came: Came, failure: Failure) -> None:
    async with serving(handler) as port:
        seen = await one(page(port, limit=0.4), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (came, "request", failure)


async def test_a_page_that_freezes_has_stopped() -> None:
    async def freezes(peer: Peer) -> None:
        await head_of(peer)
        await peer.send(response()[:-5])
        await silent(peer)

    async with serving(freezes) as port:
        seen = await one(page(port, limit=0.4), make_around(CA))
    assert (seen.came, seen.failure, seen.received) == (
        Came.STOPPED,
        Failure.TIMEOUT,
        len(response()) - 5,
    )


async def test_a_page_behind_a_closed_port_is_refused() -> None:
    async with nobody() as port:
        seen = await one(page(port), make_around(CA))
    assert (seen.came, seen.after) == (Came.REFUSED, "syn")


def transfer(test: Test, port: int, **more: object) -> Ask:
    return question(test, port, **({"path": "/bulk", "limit": 3.0} | more))


async def test_a_whole_download_is_right_and_has_a_speed() -> None:
    around = make_around(CA)
    async with site(web()) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), around)
    assert (seen.came, seen.failure, seen.after, seen.detail) == (Came.RIGHT, None, "first_bytes", "200")
    assert VOLUME < seen.received < VOLUME + 24 * 1024
    assert seen.kib_per_s is not None
    assert seen.kib_per_s > 1000
    assert around.moved >= seen.received


async def test_a_file_that_is_smaller_but_whole_is_right() -> None:
    async with site(web(bulk=8 * 1024)) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), make_around(CA))
    assert (seen.came, seen.failure) == (Came.RIGHT, None)


async def test_a_freeze_after_16_kb_is_told_with_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_http, "_STILL", 0.4)
    async with site(web(freeze=16 * 1024)) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), make_around(CA))
    assert (seen.came, seen.failure, seen.after) == (Came.STOPPED, Failure.TIMEOUT, "first_bytes")
    assert 16 * 1024 <= seen.received < 20 * 1024
    assert seen.elapsed < 1.5
    if seen.packets:
        assert seen.packets > 10


async def test_a_slow_download_that_flows_is_right_at_its_deadline() -> None:
    async with site(web(pause=0.05)) as port:
        seen = await one(transfer(Test.DOWNLOAD, port, limit=0.6), make_around(CA))
    assert (seen.came, seen.failure) == (Came.RIGHT, Failure.TIMEOUT)
    assert seen.kib_per_s is not None
    assert 5 < seen.kib_per_s < 30


async def test_a_freeze_shortly_before_the_deadline_is_still_a_freeze(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask_http, "_STILL", 0.4)
    async with site(web(freeze=16 * 1024, pause=0.03)) as port:
        seen = await one(transfer(Test.DOWNLOAD, port, limit=0.7), make_around(CA))
    assert (seen.came, seen.failure) == (Came.STOPPED, Failure.TIMEOUT)


@pytest.mark.parametrize(
    ("cut", "came", "failure"),
    [
        (Peer.reset, Came.RESET, Failure.CONNECTION_RESET),
        (Peer.finish, Came.CLOSED, Failure.EOF),
    ],
    ids=["reset", "closed"],
)
async def test_a_download_that_is_cut(cut: object, came: Came, failure: Failure) -> None:
    async def cuts(peer: Peer) -> None:
        await head_of(peer)
        await peer.send(response(200, bytes(96 * 1024))[: 20 * 1024])
        await asyncio.sleep(0.1)
        cut(peer)  # type: ignore[operator]

    async with site(cuts) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), make_around(CA))
    assert (seen.came, seen.failure, seen.after) == (came, failure, "first_bytes")
    assert 20 * 1024 <= seen.received < 24 * 1024


async def test_a_file_that_is_not_there_says_nothing_about_the_line() -> None:
    async with site(says(response(404))) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), make_around(CA))
    assert (seen.came, seen.detail, seen.kib_per_s) == (Came.OTHER, "404", None)


async def test_a_server_that_never_answers_is_silent() -> None:
    async with site(silent) as port:
        seen = await one(transfer(Test.DOWNLOAD, port, limit=0.4), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.SILENCE, "request", Failure.TIMEOUT)


async def test_a_transfer_under_a_forged_certificate_is_false() -> None:
    async with site(web(), trustme.CA()) as port:
        seen = await one(transfer(Test.DOWNLOAD, port), make_around(CA))
    assert (seen.came, seen.after) == (Came.FALSE, "client_hello")
    assert seen.certificate is not None
    assert seen.certificate.issuer is Issuer.UNKNOWN


async def test_a_transfer_under_a_name_that_may_be_forbidden_is_one_from_a_server_of_another_name() -> None:
    heard: list[str] = []

    async def handle(peer: Peer) -> None:
        _, fields = await head_of(peer)
        heard.append(fields["host"].partition(":")[0])
        await peer.send(response(200, bytes(96 * 1024)))
        await peer.linger()

    more = {"name": Name.FORBIDDEN, "value": "forbidden.test"}
    async with site(handle) as port:
        seen = await one(transfer(Test.DOWNLOAD, port, **more), make_around(CA))
        told = await one(transfer(Test.DOWNLOAD, port, data="site.test", **more), make_around(CA))
        forged = await one(transfer(Test.DOWNLOAD, port, **more), make_around(trustme.CA()))
    assert (seen.came, told.came, seen.failure) == (Came.RIGHT, Came.RIGHT, None)
    assert heard == ["forbidden.test", "site.test"]
    assert (forged.came, forged.after) == (Came.FALSE, "client_hello")


async def test_a_transfer_behind_a_closed_port_is_refused() -> None:
    async with nobody() as port:
        seen = await one(transfer(Test.UPLOAD, port), make_around(CA))
    assert (seen.came, seen.after) == (Came.REFUSED, "syn")


async def test_a_whole_upload_is_right_and_has_a_speed() -> None:
    async with site(web()) as port:
        seen = await one(transfer(Test.UPLOAD, port), make_around(CA))
    assert (seen.came, seen.failure, seen.after, seen.detail) == (Came.RIGHT, None, "first_bytes", "200")
    assert seen.sent == VOLUME
    assert seen.kib_per_s is not None
    assert seen.kib_per_s > 500


def sink(take: int) -> Handler:
    """Read so many bytes, and then no more; the system's buffer is kept small."""

    async def handle(peer: Peer) -> None:
        await peer.exactly(take)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    return handle


async def _upload(handler: Handler, **more: object) -> Sight:
    async with site(handler) as port:
        return await one(transfer(Test.UPLOAD, port, **more), make_around(CA))


async def test_an_upload_that_nobody_confirms_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_http, "_STILL", 0.4)
    seen = await _upload(sink(16 * 1024))
    assert (seen.came, seen.failure, seen.after) == (Came.STOPPED, Failure.TIMEOUT, "first_bytes")
    assert 16 * 1024 <= seen.sent <= VOLUME
    assert seen.elapsed < 1.5


async def test_an_upload_that_is_reset_is_reset() -> None:
    async def cuts(peer: Peer) -> None:
        await peer.exactly(8192)
        peer.reset()

    seen = await _upload(cuts)
    assert (seen.came, seen.failure) == (Came.RESET, Failure.CONNECTION_RESET)
