from __future__ import annotations

import asyncio
import ipaddress
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client.drill.serving import Peer, serving
from tests.servers.around import answers, around
from tests.servers.bridges import Bridge, bridge, line, obfs4, obfs4_bridge, obfs4_line
from tests.servers.bridges import program as real
from tests.servers.pt_fixture import installed
from tests.servers.singbox import echo, free_port, guard
from transports.failure import Failure, StepFailed
from transports.guard import Guard
from transports.knock import is_placeholder, knock, link_of, through
from transports.net import Limits, Net
from transports.pt_engine import Plugins, opened
from transports.types import CannotMeasure, Endpoint, Note, Step
from transports.wire.pt import Method

__all__ = ["bridge", "guard", "obfs4_bridge"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fixture is a script")

PATIENT = Limits(connect=2.0, handshake=6.0, total=20.0)
HASTY = Limits(connect=0.4, handshake=0.4, total=8.0)
WRONG = "A" * 70
OTHER = "F" * 40


@pytest.fixture
async def pts(guard: Guard, tmp_path: Path) -> AsyncIterator[Plugins]:
    programs = [Path(real("obfs4proxy"))]
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=programs) as plugins:
        yield plugins


@asynccontextmanager
async def fixture_of(guard: Guard, folder: Path, lie: str = "") -> AsyncIterator[Plugins]:
    programs = [installed(folder, "webtunnel-client", lie), installed(folder, "conjure-client", lie)]
    async with opened(["webtunnel", "conjure"], guard=guard, folder=folder, programs=programs) as plugins:
        yield plugins


def steps(net: Net) -> list[tuple[Step, Failure | None]]:
    return [(seen.step, seen.failure) for seen in net.trace.observations]


async def refusal(endpoint: Endpoint, pts: Plugins | None, net: Net) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        await knock(endpoint, net, pts, pause=0.0)
    last = net.trace.observations[-1]
    assert (last.step, last.failure, last.note) == (
        failed.value.step,
        failed.value.failure,
        failed.value.note,
    )
    return failed.value


async def silent(peer: Peer) -> None:
    while await peer.read():
        pass


async def test_a_bridge_without_transport_is_known_by_its_fingerprint(bridge: Bridge) -> None:
    net = around(PATIENT)
    assert await knock(line("", bridge.port, bridge.fingerprint), net, None) == bridge.fingerprint
    assert steps(net) == [(Step.CONNECT, None), (Step.TLS_HANDSHAKE, None)]


async def test_a_bridge_without_transport_and_with_another_fingerprint_is_found_out(bridge: Bridge) -> None:
    error = await refusal(line("", bridge.port, OTHER), None, around(PATIENT))
    assert (error.step, error.failure) == (Step.TLS_HANDSHAKE, Failure.SSL_CERTIFICATE)
    assert error.note is Note.OTHER_IDENTITY


async def test_a_refused_bridge_without_transport_is_refused() -> None:
    error = await refusal(line("", free_port(), OTHER), None, around(PATIENT))
    assert (error.step, error.failure) == (Step.CONNECT, Failure.CONNECTION_REFUSED)


async def test_an_obfs4_bridge_is_known_by_its_fingerprint(
    bridge: Bridge, obfs4_bridge: tuple[int, str], pts: Plugins
) -> None:
    net = around(PATIENT)
    found = await link_of(obfs4_line(*obfs4_bridge, bridge.fingerprint), net, pts)
    assert (found.fingerprint, found.proved) == (bridge.fingerprint, True)
    assert steps(net) == [(Step.PT_HANDSHAKE, None), (Step.TLS_HANDSHAKE, None)]


async def test_an_obfs4_bridge_with_another_fingerprint_is_found_out(
    obfs4_bridge: tuple[int, str], pts: Plugins
) -> None:
    error = await refusal(obfs4_line(*obfs4_bridge, OTHER), pts, around(PATIENT))
    assert (error.step, error.note) == (Step.TLS_HANDSHAKE, Note.OTHER_IDENTITY)


async def test_bytes_cross_obfs4_unchanged(pts: Plugins) -> None:
    async with echo() as target:
        with obfs4(target.port) as server:
            stream = await through(obfs4_line(*server), around(PATIENT), pts)
            try:
                sent = bytes(range(256)) * 400
                await stream.send(sent)
                came = b""
                while len(came) < len(sent):
                    came += await stream.recv(65536)
                assert came == sent
            finally:
                stream.close()


async def test_a_wrong_cert_ends_at_our_own_deadline_and_the_port_is_found_open(
    obfs4_bridge: tuple[int, str], pts: Plugins
) -> None:
    net = around(HASTY)
    error = await refusal(obfs4_line(obfs4_bridge[0], WRONG), pts, net)
    assert (error.step, error.failure, error.note) == (Step.PT_HANDSHAKE, Failure.TIMEOUT, Note.OPEN_PORT)
    assert steps(net) == [(Step.CONNECT, None), (Step.PT_HANDSHAKE, Failure.TIMEOUT)]
    assert net.trace.observations[1].elapsed < 2


async def test_a_refused_port_is_told_by_one_bare_connection(pts: Plugins) -> None:
    net = around(PATIENT)
    error = await refusal(obfs4_line(free_port(), WRONG), pts, net)
    assert (error.step, error.failure) == (Step.CONNECT, Failure.CONNECTION_REFUSED)
    assert [step for step, _ in steps(net)] == [Step.PT_HANDSHAKE, Step.CONNECT]


async def test_a_silent_port_gets_one_bare_connection_after_the_first(pts: Plugins) -> None:
    came: list[float] = []

    async def count(peer: Peer) -> None:
        came.append(asyncio.get_running_loop().time())
        await silent(peer)

    async with serving(count) as port:
        net = around(HASTY)
        with pytest.raises(StepFailed):
            await knock(obfs4_line(port, WRONG), net, pts, pause=0.3)
    assert len(came) == 2
    assert came[1] - came[0] > HASTY.connect + HASTY.handshake + 0.25
    assert net.trace.observations[-1].note is Note.OPEN_PORT


async def test_a_web_site_is_no_obfs4_bridge(pts: Plugins) -> None:
    async with serving(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = await refusal(obfs4_line(port, WRONG), pts, around(HASTY))
    assert (error.step, error.note) == (Step.PT_HANDSHAKE, Note.OPEN_PORT)
    assert error.failure in (Failure.TIMEOUT, Failure.SOCKS_SERVER_FAILURE)


async def test_after_a_success_no_further_connection_comes(bridge: Bridge, pts: Plugins) -> None:
    paced = 0

    async def pace() -> None:
        nonlocal paced
        paced += 1

    with obfs4(bridge.port) as server:
        await knock(obfs4_line(*server, bridge.fingerprint), replace(around(PATIENT), pace=pace), pts)
    assert paced == 1


async def test_a_dead_tor_behind_the_transport_is_told(pts: Plugins) -> None:
    with obfs4(free_port()) as server:
        error = await refusal(obfs4_line(*server), pts, around(PATIENT))
    assert error.step is Step.TLS_HANDSHAKE
    assert error.failure in (Failure.EOF, Failure.CONNECTION_RESET)


async def test_a_dead_program_says_nothing_about_the_bridge(
    guard: Guard, tmp_path: Path, obfs4_bridge: tuple[int, str]
) -> None:
    with pytest.raises(CannotMeasure, match="not here"):
        await knock(obfs4_line(*obfs4_bridge), around(PATIENT), None)
    async with fixture_of(guard, tmp_path, "dies") as plugins:
        for _ in range(2):
            with pytest.raises(CannotMeasure, match="has stopped"):
                await knock(webtunnel(1), around(PATIENT), plugins)


@pytest.mark.parametrize(("lie", "words"), [("picky", "settings"), ("no socks", "does not answer")])
async def test_a_program_that_does_not_keep_to_socks_says_nothing_about_the_bridge(
    guard: Guard, tmp_path: Path, lie: str, words: str
) -> None:
    async with fixture_of(guard, tmp_path, lie) as plugins:
        net = around(PATIENT)
        with pytest.raises(CannotMeasure, match=words):
            await knock(webtunnel(1), net, plugins)
        assert not net.trace.observations


def webtunnel(port: int, **more: Any) -> Endpoint:
    url = f"http://127.0.0.1:{port}/a;b\\c"  # no line may have the backslash; on the way it must do no harm
    ready = line("webtunnel", 443, OTHER, url="http://127.0.0.1/", ver="0.0.3", **more)
    assert ready.options is not None
    args = {**ready.options["args"], "url": url}
    return replace(ready, host="192.0.2.7", options={**ready.options, "args": args})


@asynccontextmanager
async def upgrading(behind: int, heard: list[bytes]) -> AsyncIterator[int]:
    """A web server that takes the upgrade and then hands everything on to the port `behind`."""

    async def handle(peer: Peer) -> None:
        heard.append(await peer.reader.readuntil(b"\r\n\r\n"))
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", behind)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(peer.reader, writer))
                group.create_task(_copy(reader, peer.writer))
        finally:
            writer.transport.abort()

    async with serving(handle) as port:
        yield port


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(16384):
        sink.write(data)
        await sink.drain()
    sink.close()


async def test_the_settings_reach_the_program_and_the_bridge_is_known(
    guard: Guard, tmp_path: Path, bridge: Bridge
) -> None:
    heard: list[bytes] = []
    async with fixture_of(guard, tmp_path) as plugins, upgrading(bridge.port, heard) as port:
        net = around(PATIENT)
        endpoint = webtunnel(port)
        assert endpoint.options is not None
        named = replace(endpoint, options={**endpoint.options, "fingerprint": bridge.fingerprint})
        assert await knock(named, net, plugins) == bridge.fingerprint
    assert heard[0].startswith(b"GET /a;b\\c HTTP/1.1\r\n")
    assert steps(net) == [(Step.PT_HANDSHAKE, None), (Step.TLS_HANDSHAKE, None)]


async def test_a_placeholder_gets_no_bare_connection(guard: Guard, tmp_path: Path) -> None:
    async with fixture_of(guard, tmp_path) as plugins:
        net = around(PATIENT)
        error = await refusal(webtunnel(free_port()), plugins, net)
    assert (error.step, error.failure, error.note) == (Step.PT_HANDSHAKE, Failure.SOCKS_SERVER_FAILURE, None)
    assert len(net.trace.observations) == 1


async def test_an_address_that_is_a_placeholder_gets_none_with_obfs4_either(
    pts: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transports.knock._PLACEHOLDERS", (ipaddress.ip_network("127.0.0.0/8"),))
    net = around(PATIENT)
    error = await refusal(obfs4_line(free_port(), WRONG), pts, net)
    assert (error.step, error.failure) == (Step.PT_HANDSHAKE, Failure.SOCKS_SERVER_FAILURE)
    assert len(net.trace.observations) == 1


async def test_a_program_that_does_not_listen_where_it_says_is_no_fault_of_the_bridge(
    guard: Guard, tmp_path: Path
) -> None:
    async with fixture_of(guard, tmp_path) as plugins:
        plugins.of("webtunnel").methods = {"webtunnel": Method(host="127.0.0.1", port=free_port())}
        net = around(PATIENT)
        with pytest.raises(CannotMeasure, match="does not answer"):
            await knock(webtunnel(1), net, plugins)
        assert not net.trace.observations


async def test_settings_that_do_not_fit_are_not_sent(guard: Guard, tmp_path: Path) -> None:
    async with fixture_of(guard, tmp_path) as plugins:
        endpoint = webtunnel(1)
        assert endpoint.options is not None
        long = replace(endpoint, options={**endpoint.options, "args": {"url": "x" * 600}})
        with pytest.raises(CannotMeasure, match="510"):
            await knock(long, around(PATIENT), plugins)


async def test_when_the_time_is_up_no_silence_is_laid_on_the_bridge(pts: Plugins) -> None:
    async with serving(silent) as port:
        net = around(replace(HASTY, total=0.9))
        error = await refusal(obfs4_line(port, WRONG), pts, net)
    assert (error.step, error.failure, error.note) == (Step.PT_HANDSHAKE, Failure.TIMEOUT, None)


@pytest.mark.parametrize(
    ("host", "placeholder"),
    [
        ("192.0.2.3", True),
        ("203.0.113.9", True),
        ("0.0.1.0", True),
        ("2001:db8:1::9", True),
        ("a.example", True),
        ("127.0.0.1", False),
        ("2001:4860::1", False),
    ],
)
def test_placeholder_addresses_are_known(host: str, placeholder: bool) -> None:
    assert is_placeholder(host) is placeholder
