"""Each part does what the cast says of it. What the checker makes of it is tested with the checker."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from client.drill import hostile
from client.drill.cast import CAST
from client.drill.origin import NAME, SMALL
from client.drill.stage import Placed, Stage, choose, stage
from client.model import Status
from tests.client.drill.raw import Line, connect_http, connect_socks5, fetch, line, tunnel
from transports.types import Rejected

HELLO = b"\x16\x03\x01\x00\x05hello"
CONNECT = b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n"
GREETING = b"\x05\x01\x00"

Check = Callable[[Line, Placed, Stage], Awaitable[None]]


def words(placed: Placed) -> bytes:
    return GREETING if placed.part.transport == "socks5" else CONNECT


async def nothing_within(at: Line, seconds: float) -> bool:
    try:
        await asyncio.wait_for(at.reader.read(1), seconds)
    except TimeoutError:
        return True
    return False


async def is_silent(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(words(placed))
    assert await nothing_within(at, 0.2)


async def trickles(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(words(placed))
    first = await at.some()
    assert len(first) == 1
    assert await nothing_within(at, 0.5)
    assert len(await at.some()) == 1


async def resets(at: Line, placed: Placed, playing: Stage) -> None:
    async def try_it() -> None:
        await at.say(words(placed))
        await at.exactly(1)

    with pytest.raises(ConnectionResetError):
        await try_it()


async def closes(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(words(placed))
    assert await at.rest() == b""


async def makes_noise(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(words(placed))
    assert await at.rest() == hostile.NOISE
    assert hostile.NOISE[:1] not in (b"\x05", b"H", b"<")


async def grants_then_is_silent(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_socks5(at, NAME, 443) == 0
    await at.say(HELLO)
    assert await nothing_within(at, 0.2)


async def grants_then_closes(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_socks5(at, NAME, 443) == 0
    await at.say(HELLO)
    assert await at.rest() == b""


async def grants_then_echoes(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_socks5(at, NAME, 443) == 0
    await at.say(HELLO)
    assert await at.exactly(len(HELLO)) == HELLO


async def grants_then_shows_a_page(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_socks5(at, "example.org", 443) == 0
    await at.say(HELLO)
    assert await at.rest() == hostile.BLOCK_PAGE


async def shows_a_page_to_connect(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(CONNECT)
    assert await at.rest() == hostile.BLOCK_PAGE


def says(status: int) -> Check:
    async def check(at: Line, placed: Placed, playing: Stage) -> None:
        assert await connect_http(at, NAME, 443, placed.username, placed.password) == status

    return check


async def turns_down(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_socks5(at, NAME, 443, placed.username, placed.password) == -1


async def lies_in_json(at: Line, placed: Placed, playing: Stage) -> None:
    assert (await fetch(at, "http://origin.test/small", NAME))[::2] == (200, hostile.LIE)
    async with line(placed.port) as again:
        assert await connect_http(again, NAME, 443) == 403


async def fetches_plain_pages_only(at: Line, placed: Placed, playing: Stage) -> None:
    assert await connect_http(at, NAME, playing.origin.https_port) == 405
    async with line(placed.port) as again:
        url = f"http://{NAME}:{playing.origin.http_port}/small"
        assert (await fetch(again, url, NAME))[::2] == (200, SMALL)


def never_ends(start: bytes) -> Check:
    async def check(at: Line, placed: Placed, playing: Stage) -> None:
        await at.say(CONNECT)
        got = await at.exactly(100_000)
        assert got.startswith(start)

    return check


async def escapes_in_403(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(CONNECT)
    assert (await at.head()).startswith(b"HTTP/1.1 403 \x1b]0;owned\x07\x1b[2J")


async def escapes_in_200(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(CONNECT)
    assert (await at.head()).startswith(b"HTTP/1.1 200 \x1b]0;owned\x07\x1b[2J")
    assert await at.rest() == hostile.ESCAPES


async def promises_too_much(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(CONNECT)
    assert b"Content-Length: 100000" in await at.head()
    assert await at.rest() == hostile.PAGE


async def says_version_four(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(GREETING)
    assert (await at.exactly(2))[0] == 4


async def has_a_huge_status(at: Line, placed: Placed, playing: Stage) -> None:
    await at.say(CONNECT)
    assert len((await at.head()).split()[1]) == 20


async def makes_up_nowhere_only(at: Line, placed: Placed, playing: Stage) -> None:
    assert await tunnel(at, placed, "233.252.0.7", 80)
    await at.say(b"GET / HTTP/1.1\r\n\r\n")
    assert await at.rest() == hostile.BLOCK_PAGE
    async with line(placed.port) as again:
        assert await tunnel(again, placed, NAME, playing.origin.https_port)
        await again.secure(playing.origin.ca_pem, NAME)
        assert (await fetch(again, "/small", NAME))[2] == SMALL


DOES: dict[str, Check] = {
    "always-407": says(407),
    "block-page": grants_then_shows_a_page,
    "captive": shows_a_page_to_connect,
    "closed-http": closes,
    "closed-socks5": closes,
    "endless-body": never_ends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"),
    "endless-headers": never_ends(b"HTTP/1.1 200 OK\r\nX-More: and more\r\nX-More"),
    "escapes-200": escapes_in_200,
    "escapes-403": escapes_in_403,
    "garbage-http": makes_noise,
    "garbage-socks5": makes_noise,
    "granted-closed": grants_then_closes,
    "granted-echo": grants_then_echoes,
    "granted-silent": grants_then_is_silent,
    "huge-status": has_a_huge_status,
    "interim": never_ends(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100"),
    "json-liar": lies_in_json,
    "no-method": turns_down,
    "no-password-http": says(407),
    "no-password-socks5": turns_down,
    "nowhere-page-http": makes_up_nowhere_only,
    "nowhere-page-socks5": makes_up_nowhere_only,
    "plain-only": fetches_plain_pages_only,
    "redirect": says(302),
    "reset-at-once": resets,
    "reset-http": resets,
    "reset-socks5": resets,
    "silent-http": is_silent,
    "silent-socks5": is_silent,
    "tarpit-http": is_silent,
    "tarpit-socks5": is_silent,
    "trickle-http": trickles,
    "trickle-socks5": trickles,
    "wrong-length": promises_too_much,
    "wrong-password-http": says(407),
    "wrong-password-socks5": turns_down,
    "wrong-version": says_version_four,
}
ELSEWHERE = ("refused", "intercepted", "injected", "frozen", "reset-16k", "crawl")  # test_relays, test_stage


@pytest.mark.parametrize("name", sorted(DOES))
async def test_a_part_does_what_the_cast_says(name: str) -> None:
    async with stage([name]) as playing:
        placed = playing.parts[0]
        async with line(placed.port) as at:
            await DOES[name](at, placed, playing)


def test_every_part_that_does_not_work_is_looked_at() -> None:
    bad = {part.name for part in CAST if part.expect[0][0] is not Status.WORKING}
    assert {name for name in bad if not name.startswith(ELSEWHERE)} == set(DOES)


def test_names_are_unique_and_fit_a_command_line() -> None:
    names = [part.name for part in CAST]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)


def test_a_story_is_one_short_sentence_without_an_end() -> None:
    for part in CAST:
        assert 10 < len(part.story) < 100, part.name
        assert part.story[-1] not in ".!?", part.name


def test_only_working_parts_have_no_step_and_no_failure() -> None:
    for part in CAST:
        for status, step, _ in part.expect:
            assert (status is Status.WORKING) == (step is None), part.name


def test_choosing_keeps_the_order_of_the_cast_and_knows_its_names() -> None:
    assert choose(None) == CAST
    assert [part.name for part in choose(["captive", "good-http"])] == ["good-http", "captive"]
    assert choose([]) == ()
    with pytest.raises(Rejected) as caught:
        choose(["nobody-like-this"])
    assert caught.value.values["name"] == "nobody-like-this"
    assert "captive" in str(caught.value.values["known"])
