from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from client.drill.ca import Authority
from client.drill.origin import BULK, NAME, PLAIN, SMALL, Origin, playing_origin
from tests.client.drill.raw import fetch, line


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with playing_origin(Authority("one")) as running:
        yield running


async def test_one_connection_carries_many_requests_and_all_are_counted(origin: Origin) -> None:
    async with line(origin.https_port) as at:
        await at.secure(origin.ca_pem, NAME)
        assert (await fetch(at, "/small", NAME))[::2] == (200, SMALL)
        assert (await fetch(at, "/bulk", NAME))[::2] == (200, BULK)
        assert (await fetch(at, "/nothing", NAME))[0] == 404
    assert (origin.seen.connections, origin.seen.requests) == (1, 3)
    assert origin.seen.paths["/bulk"] == 1


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-65535", 206, BULK[:65536]),
        ("bytes=10-10", 206, BULK[10:11]),
        ("bytes=262140-", 206, BULK[-4:]),
        ("bytes=262140-999999", 206, BULK[-4:]),
        ("bytes=262144-", 416, b""),
        ("bytes=-5", 200, BULK),
        ("lines=1-2", 200, BULK),
    ],
)
async def test_a_range_gives_that_part(origin: Origin, asked: str, status: int, body: bytes) -> None:
    async with line(origin.http_port) as at:
        got = await fetch(at, "/bulk", NAME, f"Range: {asked}\r\n")
    assert got[::2] == (status, body)


async def test_what_is_sent_up_is_counted_and_the_connection_stays_usable(origin: Origin) -> None:
    async with line(origin.http_port) as at:
        assert (await fetch(at, "/upload", NAME, body=bytes(40_000)))[2] == b"40000\n"
        assert (await fetch(at, "/bulk", NAME, body=bytes(5)))[2] == b"5\n"
        assert (await fetch(at, "/small", NAME, body=bytes(5)))[0] == 405
        assert (await fetch(at, "/plain", NAME))[2] == PLAIN
    assert origin.seen.uploaded == 40_010


async def test_a_redirect_names_the_other_page(origin: Origin) -> None:
    async with line(origin.http_port) as at:
        status, head, _ = await fetch(at, "/redirect", NAME)
        assert status == 302
        assert "Location: /other" in head
        assert (await fetch(at, "/other", NAME))[0] == 200


async def test_nonsense_and_endless_heads_end_the_connection(origin: Origin) -> None:
    for nonsense in (b"\x16\x03\x01\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000):
        async with line(origin.http_port) as at:
            await at.say(nonsense)
            with suppress(ConnectionResetError):
                assert await at.rest() == b""
    assert origin.seen.requests == 0
