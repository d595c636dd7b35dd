import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from client.drill import proxies
from client.drill.origin import BULK, NAME, PLAIN, SMALL
from client.drill.proxies import Unreachable, World
from client.drill.serving import Handler, Peer, serving
from client.drill.stage import Stage, stage
from client.model import Status
from tests.client.drill.raw import (
    basic,
    connect_http,
    connect_socks4,
    connect_socks5,
    fetch,
    line,
    socks5_request,
    tunnel,
)

WORLD = World(names={NAME: "127.0.0.1", "six.test": "::1", "away.test": "192.0.2.7", "bare": "127.0.0.1"})

LATER = ("slow", "first-dropped")  # have tests of their own


@pytest.fixture
async def good() -> AsyncIterator[Stage]:
    from client.drill.cast import CAST

    async with stage([part.name for part in CAST if part.expect[0][0] is Status.WORKING]) as playing:
        yield playing


async def test_every_working_part_moves_256_kib_intact_both_ways(good: Stage) -> None:
    origin = good.origin
    assert {placed.part.transport for placed in good.parts} == {
        "http",
        "https",
        "socks4",
        "socks4a",
        "socks5",
    }
    for placed in good.parts:
        if placed.part.name.startswith(LATER):
            continue
        for host in (NAME, "localhost", "127.0.0.1"):
            async with line(placed.port) as at:
                assert await tunnel(at, placed, host, origin.http_port, origin.ca_pem), placed.part.name
                assert (await fetch(at, "/bulk", host))[::2] == (200, BULK), placed.part.name
                assert (await fetch(at, "/upload", host, body=BULK))[2] == b"262144\n", placed.part.name


async def test_tls_inside_a_tunnel_is_the_origins_own(good: Stage) -> None:
    for placed in good.parts:
        if placed.part.transport == "https" or placed.part.name.startswith(LATER):
            continue  # TLS in TLS is not for asyncio's streams on 3.11
        async with line(placed.port) as at:
            assert await tunnel(at, placed, NAME, good.origin.https_port)
            await at.secure(good.origin.ca_pem, NAME)
            assert (await fetch(at, "/small", NAME))[::2] == (200, SMALL)


@pytest.mark.parametrize("name", ["slow-http", "slow-socks5"])
async def test_a_slow_part_takes_its_time_and_then_answers(name: str) -> None:
    async with stage([name]) as playing:
        began = time.monotonic()
        async with line(playing.parts[0].port) as at:
            assert await tunnel(at, playing.parts[0], NAME, playing.origin.http_port)
            assert (await fetch(at, "/bulk", NAME))[2] == BULK
        assert 1.4 < time.monotonic() - began < 4


@pytest.mark.parametrize("name", ["first-dropped-http", "first-dropped-socks5"])
async def test_only_the_first_connection_is_dropped(name: str) -> None:
    async with stage([name]) as playing:
        placed, port = playing.parts[0], playing.origin.http_port
        async with line(placed.port) as at:
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await tunnel(at, placed, NAME, port)
        for _ in range(3):
            async with line(placed.port) as at:
                assert await tunnel(at, placed, NAME, port)
                assert (await fetch(at, "/plain", NAME))[2] == PLAIN


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.7",
        "233.252.0.9",
        "10.0.0.1",
        "0.0.0.0",
        "::",
        "2001:db8::1",
        "::ffff:192.0.2.7",
        "127.1",
        "example.org",
        "away.test",
        "unknown.test",
        "bare",
        "",
    ],
)
def test_nothing_outside_loopback_is_reachable(host: str) -> None:
    with pytest.raises(Unreachable):
        WORLD.address(host)


@pytest.mark.parametrize(
    ("host", "address"),
    [("LOCALHOST", "127.0.0.1"), ("127.9.9.9", "127.9.9.9"), ("::1", "::1"), ("six.test", "::1")],
)
def test_loopback_is_reachable_by_address_and_by_given_name(host: str, address: str) -> None:
    assert WORLD.address(host) == address


async def test_what_cannot_be_reached_is_refused_in_each_protocol() -> None:
    async with serving(proxies.http_proxy(WORLD)) as http, line(http) as at:
        assert await connect_http(at, "233.252.0.9", 80) == 502
    async with serving(proxies.http_proxy(WORLD)) as http, line(http) as at:
        assert (await fetch(at, "http://233.252.0.9/", "233.252.0.9"))[0] == 502
    async with serving(proxies.socks5_proxy(WORLD)) as socks5, line(socks5) as at:
        assert await connect_socks5(at, "2001:db8::1", 80) == 4
    async with serving(proxies.socks4_proxy(WORLD)) as socks4, line(socks4) as at:
        assert await connect_socks4(at, "example.org", 80) == 91


async def test_a_closed_port_on_loopback_is_refused_too() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        async with serving(proxies.http_proxy(WORLD)) as http, line(http) as at:
            assert await connect_http(at, "127.0.0.1", port) == 502
        async with serving(proxies.http_proxy(WORLD)) as http, line(http) as at:
            assert (await fetch(at, f"http://127.0.0.1:{port}/", "x"))[0] == 502


async def test_a_whole_url_is_fetched_without_the_proxys_secrets() -> None:
    heard: list[bytes] = []

    async def target(peer: Peer) -> None:
        heard.append(await peer.reader.readuntil(b"\r\n\r\n") + await peer.exactly(4))
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    proxy = proxies.http_proxy(WORLD, username="u", password="p")
    async with serving(target) as port, serving(proxy) as http, line(http) as at:
        who = basic("u", "p")
        got = await fetch(at, f"http://{NAME}:{port}/a?b=c", f"{NAME}:{port}", who, body=b"body")
        assert got[::2] == (200, b"ok")
    assert heard[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert heard[0].endswith(b"\r\n\r\nbody")
    assert b"authorization" not in heard[0].lower()


@pytest.mark.parametrize("target", ["/path", "https://origin.test/", "http://", "ftp://origin.test/"])
async def test_a_request_that_is_for_no_proxy_is_a_bad_request(target: str) -> None:
    async with serving(proxies.http_proxy(WORLD)) as http, line(http) as at:
        assert (await fetch(at, target, "x"))[0] == 400


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [("u", "p", 502), ("u", "q", 407), ("", "", 407), ("u", "", 407), ("up", "", 407)],
)
async def test_an_http_proxy_checks_credentials(username: str, password: str, status: int) -> None:
    proxy = proxies.http_proxy(WORLD, username="u", password="p")
    async with serving(proxy) as http, line(http) as at:
        assert await connect_http(at, "unknown.test", 80, username, password) == status


@pytest.mark.parametrize(
    ("username", "password", "code"), [("u", "p", 4), ("u", "q", -1), ("", "", -1), ("up", "", -1)]
)
async def test_a_socks5_proxy_checks_credentials(username: str, password: str, code: int) -> None:
    proxy = proxies.socks5_proxy(WORLD, username="u", password="p")
    async with serving(proxy) as socks5, line(socks5) as at:
        assert await connect_socks5(at, "unknown.test", 80, username, password) == code


@pytest.mark.parametrize(
    ("handler", "host", "user", "code"),
    [
        (proxies.socks4_proxy(WORLD, names=False), NAME, "", 91),
        (proxies.socks4_proxy(WORLD, names=False), "127.0.0.1", "", 90),
        (proxies.socks4_proxy(WORLD, user="me"), "127.0.0.1", "", 93),
        (proxies.socks4_proxy(WORLD, user="me"), NAME, "me", 90),
    ],
)
async def test_a_socks4_proxy_checks_names_and_user_ids(
    handler: Handler, host: str, user: str, code: int
) -> None:
    async def target(peer: Peer) -> None:
        await peer.read()

    async with serving(target) as port, serving(handler) as socks4, line(socks4) as at:
        assert await connect_socks4(at, host, port, user) == code


async def test_ipv6_is_reached_by_address_and_by_name() -> None:
    async def target(peer: Peer) -> None:
        await peer.send(b"six")

    try:
        async with serving(target, host="::1") as port, serving(proxies.socks5_proxy(WORLD)) as socks5:
            for host in ("::1", "six.test"):
                async with line(socks5) as at:
                    assert await connect_socks5(at, host, port) == 0
                    assert await at.rest() == b"six"
    except OSError:
        pytest.skip("no IPv6 loopback here")


async def test_malformed_requests_end_the_connection_without_an_answer() -> None:
    wrong = [
        (proxies.socks5_proxy(WORLD), b"\x04\x01\x00"),
        (proxies.socks4_proxy(WORLD), b"\x05\x01" + bytes(7)),
        (proxies.http_proxy(WORLD), b"\x05\x01\x00\r\n\r\n"),
        (proxies.http_proxy(WORLD), b"CONNECT origin.test:99999 HTTP/1.1\r\n\r\n"),
    ]
    for handler, data in wrong:
        async with serving(handler) as port, line(port) as at:
            await at.say(data)
            assert await at.rest() == b""


@pytest.mark.parametrize("granted", [True, False])
async def test_udp_is_carried_or_refused(granted: bool) -> None:
    loop = asyncio.get_running_loop()
    with (
        socket.socket(type=socket.SOCK_DGRAM) as target,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        for sock in (target, client):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
        proxy = proxies.socks5_proxy(WORLD, udp_granted=granted)
        async with serving(proxy) as port, line(port) as at, asyncio.timeout(5):
            await at.say(b"\x05\x01\x00")
            assert await at.exactly(2) == b"\x05\x00"
            await at.say(socks5_request("0.0.0.0", 0, command=3))
            reply = await at.exactly(10)
            assert reply[1] == (0 if granted else 7)
            if not granted:
                return
            relay = ("127.0.0.1", int.from_bytes(reply[8:], "big"))
            where = target.getsockname()[1].to_bytes(2, "big")
            for nonsense in (b"", b"\0\0\1\1", b"\0\0\0\x01\xe9\xfc\0\x01\0\x35lost", b"\0\0\0\x09zz"):
                client.sendto(nonsense, relay)
            client.sendto(b"\0\0\0\x03" + bytes([len(NAME)]) + NAME.encode() + where + b"ping", relay)
            data, sender = await loop.sock_recvfrom(target, 100)
            assert data == b"ping"
            target.sendto(b"pong", sender)
            assert await loop.sock_recv(client, 100) == b"\0\0\0\x01\x7f\0\0\x01" + where + b"pong"
