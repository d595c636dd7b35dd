import asyncio
import hashlib
from pathlib import Path

import pytest

from client.connect.legs import Refusal
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import Through, WayOut, local, program, until
from tests.servers.real import find, microsocks, tinyproxy
from transports.http_connect import HttpConnect
from transports.socks5 import Socks5Proxy
from transports.types import Endpoint

BULK = hashlib.shake_256(b"bulk").digest(2_000_000)


async def serve_bulk(peer: Peer) -> None:
    await peer.read()
    await peer.send(BULK)
    await peer.linger()


async def curl(*options: str) -> tuple[int, bytes]:
    if find("curl") is None:
        pytest.skip("needs curl")
    process = await asyncio.create_subprocess_exec(
        "curl",
        "-q",
        "-s",
        "-m",
        "20",
        *options,
        env={"PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out


async def page(peer: Peer) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += await peer.read()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BULK) + BULK)
    await peer.linger()


@pytest.mark.parametrize("scheme", ["--socks5-hostname", "--socks4a"])
async def test_curl_fetches_through_it_and_its_name_is_left_to_the_far_end(scheme: str) -> None:
    async with serving(page) as port, local() as (door, gateway):
        status, out = await curl(scheme, f"127.0.0.1:{door.port}", f"http://nowhere.invalid:{port}/")
        assert status == 0
        assert out == BULK
        assert gateway.asked == [("nowhere.invalid", port)]


@pytest.mark.parametrize("scheme", ["--socks5", "--socks4"])
async def test_curl_may_name_an_address(scheme: str) -> None:
    async with serving(page) as port, local() as (door, gateway):
        status, out = await curl(scheme, f"127.0.0.1:{door.port}", f"http://127.0.0.1:{port}/")
        assert (status, len(out)) == (0, len(BULK))
        assert gateway.asked == [("127.0.0.1", port)]


@pytest.mark.parametrize(("password", "status"), [("right", 0), ("wrong", 97)])
async def test_curl_needs_the_password(password: str, status: int) -> None:
    async with serving(page) as port, local(password="right") as (door, gateway):
        given = f"socks5h://anyone:{password}@127.0.0.1:{door.port}"
        seen, out = await curl("-x", given, f"http://nowhere.invalid:{port}/")
        assert seen == status
        assert (out == BULK) is (status == 0)
        assert bool(gateway.asked) is (status == 0)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.HELD, 1),
        (Refusal.NOT_ALLOWED, 2),
        (Refusal.NETWORK_UNREACHABLE, 3),
        (Refusal.HOST_UNREACHABLE, 4),
        (Refusal.REFUSED, 5),
        (Refusal.TIMEOUT, 6),
        (Refusal.UNSUPPORTED, 7),
        (Refusal.FAILED, 1),
    ],
)
async def test_a_refusal_has_its_code(refusal: Refusal, code: int) -> None:
    async with local(WayOut(refusal)) as (door, _):
        async with program(door) as client:
            assert await client.socks5(80) == bytes([5, code]) + b"\x00\x01" + bytes(6)
            assert await client.everything() == b""
        async with program(door) as client:
            await client.send(b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00")
            assert await client.everything() == b"\x00\x5b" + bytes(6)


async def test_every_refusal_is_known() -> None:
    from client.connect import http_side, socks_side

    assert set(socks_side._CODES) == set(http_side._WORDS) == set(Refusal)


async def test_what_a_program_says_before_it_is_let_in_arrives() -> None:
    async def echo(peer: Peer) -> None:
        while data := await peer.read():
            await peer.send(data)
        peer.finish()

    async with serving(echo) as port, local() as (door, _), program(door) as client:
        await client.send(
            b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big") + b"early"
        )
        await client.exactly(12)
        assert await client.exactly(5) == b"early"


async def test_a_program_that_leaves_while_its_connection_is_opened_leaves_nothing() -> None:
    class Slow(WayOut):
        async def stream(self, host: str, port: int) -> object:  # type: ignore[override]
            await asyncio.sleep(0.2)
            return await super().stream(host, port)

    async with serving(serve_bulk) as port, local(Slow()) as (door, gateway):
        async with program(door) as client:
            await client.send(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
            await client.exactly(2)
        await until(lambda: bool(gateway.legs) and gateway.legs[0].closed)
        await until(lambda: door.totals.now == 0)


@pytest.mark.skipif(find("microsocks") is None, reason="needs microsocks")
async def test_it_leads_through_a_real_socks_proxy() -> None:
    async with serving(page) as port, microsocks() as proxy:
        endpoint = Endpoint(transport="socks5", host="127.0.0.1", port=proxy)
        async with local(Through(Socks5Proxy(), endpoint)) as (door, _):
            address = f"127.0.0.1:{door.port}"
            status, out = await curl("--socks5-hostname", address, f"http://localhost:{port}/")
            assert (status, out == BULK) == (0, True)


@pytest.mark.skipif(find("tinyproxy") is None, reason="needs tinyproxy")
async def test_it_leads_through_a_real_http_proxy(tmp_path: Path) -> None:
    async with serving(page) as port, tinyproxy(tmp_path) as proxy:
        endpoint = Endpoint(transport="http", host="127.0.0.1", port=proxy)
        async with local(Through(HttpConnect(), endpoint)) as (door, _):
            address = f"127.0.0.1:{door.port}"
            status, out = await curl("--socks5-hostname", address, f"http://localhost:{port}/")
            assert (status, out == BULK) == (0, True)
