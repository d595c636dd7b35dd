"""The transports against programs that people really run, with a real TLS origin behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from client.drill.asking import answer, read_request
from client.drill.ca import Authority
from client.drill.origin import SMALL, Origin, playing_origin
from client.drill.serving import Peer, serving
from tests.servers import real
from tests.servers.around import HASTY, around, trusting
from transports.failure import Failure, StepFailed
from transports.http_connect import HttpConnect, read_head
from transports.net import Net
from transports.registry import REGISTRY
from transports.socks5 import udp_associate
from transports.stream import secure
from transports.types import Endpoint, Note, Step, Stream
from transports.wire.http1 import get_request

Start = Callable[[Path], AbstractAsyncContextManager[int]]

pytestmark = pytest.mark.skipif(
    not all(real.find(program) for program in ("tinyproxy", "microsocks", "danted")),
    reason="needs tinyproxy, microsocks and danted (python tests/servers/install.py)",
)

USERNAME, PASSWORD = "drill", "open-sesame"
OPEN: list[tuple[str, str, Start]] = [
    ("tinyproxy", "http", lambda folder: real.tinyproxy(folder)),
    ("tinyproxy", "auto", lambda folder: real.tinyproxy(folder)),
    ("microsocks", "socks5", lambda folder: real.microsocks()),
    ("microsocks", "auto", lambda folder: real.microsocks()),
    ("danted", "socks5", lambda folder: real.danted(folder)),
    ("danted", "socks4", lambda folder: real.danted(folder)),
    ("danted", "socks4a", lambda folder: real.danted(folder)),
    ("danted", "auto", lambda folder: real.danted(folder)),
]
GUARDED: list[tuple[str, str, Start]] = [
    ("tinyproxy", "http", lambda folder: real.tinyproxy(folder, username=USERNAME, password=PASSWORD)),
    ("tinyproxy", "auto", lambda folder: real.tinyproxy(folder, username=USERNAME, password=PASSWORD)),
    ("microsocks", "socks5", lambda folder: real.microsocks(username=USERNAME, password=PASSWORD)),
    ("microsocks", "auto", lambda folder: real.microsocks(username=USERNAME, password=PASSWORD)),
]


def named(cases: list[tuple[str, str, Start]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("name", "start"),
        [(name, start) for _, name, start in cases],
        ids=[f"{program}-{name}" for program, name, _ in cases],
    )


@asynccontextmanager
async def site() -> AsyncIterator[tuple[Origin, int]]:
    """Run the origin on 127.0.0.1, and a page like it on ::1, whose HTTPS port comes second."""
    authority = Authority("Test Root")

    async def page(peer: Peer) -> None:
        await read_request(peer)
        await peer.send(answer("200 OK", SMALL))

    async with (
        playing_origin(authority) as origin,
        serving(page, host="::1", context=authority.server_context("::1")) as port6,
    ):
        yield origin, port6


async def dial(endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
    transport = REGISTRY[endpoint.transport].transport
    assert transport is not None
    return await transport.dial(endpoint, host, port, net)


async def fetch(endpoint: Endpoint, host: str, port: int, net: Net, path: str = "/small") -> bytes:
    stream = await dial(endpoint, host, port, net)
    try:
        secured = await secure(stream, await net.tls(), host, net)
        await secured.send(get_request(path, host, extra=("Connection: close",)))
        assert (await read_head(secured)).status == 200
        got = b""
        while data := await secured.recv(2048):
            got += data
        return got
    finally:
        stream.close()


def endpoint(name: str, port: int, username: str = "", password: str = "") -> Endpoint:
    return Endpoint(transport=name, host="127.0.0.1", port=port, username=username, password=password)


@named(OPEN)
async def test_an_open_proxy_leads_to_ipv4_ipv6_and_names(name: str, start: Start, tmp_path: Path) -> None:
    async with site() as (origin, port6), start(tmp_path) as port:
        at = endpoint(name, port)
        roots = trusting(origin.ca_pem)
        assert await fetch(at, "127.0.0.1", origin.https_port, around(tls=roots)) == SMALL
        if not name.startswith("socks4"):
            assert await fetch(at, "localhost", origin.https_port, around(tls=roots)) == SMALL
            assert await fetch(at, "::1", port6, around(tls=roots)) == SMALL


async def test_a_socks4_server_without_names_needs_the_address(tmp_path: Path) -> None:
    """danted turns every SOCKS4a name down, so there only an address that is known here gets through."""
    async with site() as (origin, _), real.danted(tmp_path) as port:
        roots = trusting(origin.ca_pem)
        for name, knows, works in (
            ("socks4", True, True),
            ("socks4", False, False),
            ("socks4a", True, False),
        ):
            net = around(tls=roots, known=lambda host, knows=knows: ("127.0.0.1",) if knows else ())
            if works:
                assert await fetch(endpoint(name, port), "localhost", origin.https_port, net) == SMALL
                continue
            with pytest.raises(StepFailed) as caught:
                await dial(endpoint(name, port), "localhost", origin.https_port, net)
            assert (caught.value.note, caught.value.code) == (Note.REFUSED, 91)


@named(OPEN)
async def test_a_large_answer_comes_through_whole(name: str, start: Start, tmp_path: Path) -> None:
    async with site() as (origin, _), start(tmp_path) as port:
        net = around(tls=trusting(origin.ca_pem))
        assert (
            len(await fetch(endpoint(name, port), "127.0.0.1", origin.https_port, net, "/bulk")) == 256 * 1024
        )


@named(OPEN)
async def test_a_target_that_is_gone_is_the_proxys_refusal_and_not_its_death(
    name: str, start: Start, tmp_path: Path
) -> None:
    async with start(tmp_path) as port:
        with pytest.raises(StepFailed) as caught:
            await dial(endpoint(name, port), "127.0.0.1", 9, around())
    assert caught.value.step is Step.PROXY_HANDSHAKE
    assert caught.value.note is Note.REFUSED
    assert caught.value.failure in {Failure.HTTP_STATUS, Failure.SOCKS_REFUSED, Failure.SOCKS_ERROR}


@named(GUARDED)
async def test_the_right_password_opens(name: str, start: Start, tmp_path: Path) -> None:
    async with site() as (origin, _), start(tmp_path) as port:
        net = around(tls=trusting(origin.ca_pem))
        at = endpoint(name, port, USERNAME, PASSWORD)
        assert await fetch(at, "localhost", origin.https_port, net) == SMALL


@named(GUARDED)
@pytest.mark.parametrize(
    ("username", "password", "note"),
    [
        ("", "", Note.AUTH_REQUIRED),
        (USERNAME, "guess", Note.AUTH_REFUSED),
        ("somebody", PASSWORD, Note.AUTH_REFUSED),
        (USERNAME, "ü" * 100, Note.AUTH_REFUSED),
    ],
    ids=["none", "wrong password", "wrong name", "not ascii"],
)
async def test_a_wrong_password_is_told_from_a_missing_one(
    name: str, start: Start, username: str, password: str, note: Note, tmp_path: Path
) -> None:
    async with start(tmp_path) as port:
        with pytest.raises(StepFailed) as caught:
            await dial(endpoint(name, port, username, password), "127.0.0.1", 9, around())
    assert caught.value.step is Step.PROXY_HANDSHAKE
    assert caught.value.note is note


@pytest.mark.parametrize(
    ("username", "note"), [("", Note.AUTH_REQUIRED), ("nobody-at-all", Note.AUTH_REFUSED)]
)
async def test_dantes_own_users_are_asked_for(username: str, note: Note, tmp_path: Path) -> None:
    """A right password cannot be tried here: danted takes the system's users, and the tests make none."""
    async with real.danted(tmp_path, method="username") as port:
        with pytest.raises(StepFailed) as caught:
            await dial(endpoint("socks5", port, username, username), "127.0.0.1", 9, around())
    assert (caught.value.step, caught.value.note) == (Step.PROXY_HANDSHAKE, note)


async def test_a_plain_page_comes_by_its_whole_url(tmp_path: Path) -> None:
    async with site() as (origin, _), real.tinyproxy(tmp_path, username=USERNAME, password=PASSWORD) as port:
        net = around()
        stream = await HttpConnect().forward(endpoint("http", port), net)
        url = f"http://127.0.0.1:{origin.http_port}/small"
        await stream.send(get_request(url, "127.0.0.1", username=USERNAME, password=PASSWORD))
        assert (await read_head(stream)).status == 200
        assert await stream.recv(100) == SMALL
        stream.close()


async def test_the_wrong_protocol_is_no_proxy_at_all(tmp_path: Path) -> None:
    async with real.microsocks() as socks_port, real.tinyproxy(tmp_path) as http_port:
        with pytest.raises(StepFailed) as as_http:
            await dial(endpoint("http", socks_port), "127.0.0.1", 9, around(HASTY))
        with pytest.raises(StepFailed) as as_socks:
            await dial(endpoint("socks5", http_port), "127.0.0.1", 9, around(HASTY))
    for caught in (as_http, as_socks):
        assert caught.value.step is Step.PROXY_HANDSHAKE
        assert caught.value.note not in {Note.REFUSED, Note.AUTH_REFUSED, Note.AUTH_REQUIRED}


async def test_udp_is_granted_by_danted_and_not_by_microsocks(tmp_path: Path) -> None:
    async with real.danted(tmp_path) as with_udp, real.microsocks() as without:
        for port, granted in ((with_udp, True), (without, False)):
            assert await asyncio.to_thread(udp_associate, endpoint("socks5", port), "127.0.0.1") is granted
