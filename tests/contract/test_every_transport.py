"""What every transport that dials by itself owes to its callers. A new one is picked up from the registry.

It then fails here until it has a good server in GOOD, which is the reminder.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from client.drill import hostile
from client.drill.cast import CAST
from client.drill.origin import NAME, SMALL, Origin
from client.drill.serving import Handler, nobody, serving
from client.drill.stage import Placed, stage
from client.model import Status
from tests.servers.around import PATIENT, around, trusting
from transports.failure import Failure, StepFailed
from transports.net import Limits, Net
from transports.registry import REGISTRY
from transports.stream import secure
from transports.types import Endpoint, Step, Stream
from transports.wire.http1 import get_request

DIALS = [
    name for name, entry in REGISTRY.items() if entry.transport and not entry.engine and name != "direct"
]
GOOD = {
    "auto": ("good-http", "good-socks5", "right-password-http", "right-password-socks5"),
    "http": ("good-http", "right-password-http"),
    "https": ("good-https",),
    "socks4": ("good-socks4", "good-socks4a"),
    "socks4a": ("good-socks4", "good-socks4a"),
    "socks5": ("good-socks5", "no-udp-socks5", "right-password-socks5"),
}
PAIRS = [(name, part) for name in DIALS for part in GOOD.get(name, ("missing from GOOD",))]
GARBLED = {
    "auto": Failure.HTTP_FAILED,
    "http": Failure.HTTP_FAILED,
    "https": Failure.SSL_HANDSHAKE,
    "socks4": Failure.SOCKS_ERROR,
    "socks4a": Failure.SOCKS_ERROR,
    "socks5": Failure.SOCKS_ERROR,
}
SHORT = Limits(connect=0.25, handshake=0.25, exchange=0.25, bulk=0.25, total=5.0)


@dataclass(frozen=True, slots=True)
class Playing:
    endpoint: Endpoint
    origin: Origin

    def net(self, limits: Limits = PATIENT, **more: Any) -> Net:
        return around(limits, tls=trusting(self.origin.ca_pem), **more)


@asynccontextmanager
async def playing(part: str, transport: str = "") -> AsyncIterator[Playing]:
    async with stage((part,)) as scene:
        (placed,) = scene.parts
        endpoint = placed.endpoint()
        yield Playing(replace(endpoint, transport=transport or endpoint.transport), scene.origin)


async def dial(endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
    transport = REGISTRY[endpoint.transport].transport
    assert transport is not None
    return await transport.dial(endpoint, host, port, net)


async def fetch(stream: Stream) -> bytes:
    await stream.send(get_request("/small", NAME, extra=("Connection: close",)))
    got = b""
    while data := await stream.recv(2048):
        got += data
    return got


@pytest.mark.parametrize(("name", "part"), PAIRS)
@pytest.mark.parametrize("host", [NAME, "127.0.0.1"])
async def test_a_good_proxy_leads_to_the_origin_and_is_let_go(name: str, part: str, host: str) -> None:
    async with playing(part, name) as scene:
        net = scene.net()
        stream = await dial(scene.endpoint, host, scene.origin.https_port, net)
        try:
            secured = await secure(stream, await net.tls(), host, net)
            assert (await fetch(secured)).endswith(b"\r\n\r\n" + SMALL)
        finally:
            stream.close()
            stream.close()  # twice is safe
        assert stream.segments() is None
        steps = [seen.step for seen in net.trace.observations if seen.failure is None]
        assert steps[0] is Step.CONNECT
        assert Step.PROXY_HANDSHAKE in steps
        assert steps[-1] is Step.TLS_HANDSHAKE


@pytest.mark.parametrize("name", DIALS)
async def test_the_name_of_a_target_is_never_resolved_here(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(str(host))
        return real(host, *args, **kwargs)

    async def resolve(host: str) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with playing(GOOD[name][0], name) as scene:
        endpoint = replace(scene.endpoint, host="localhost")
        stream = await dial(endpoint, NAME, scene.origin.http_port, scene.net(resolve=resolve))
        assert (await fetch(stream)).endswith(SMALL)
        stream.close()
    assert set(asked) <= {"localhost", "127.0.0.1"}
    assert asked[0] == "localhost"


@asynccontextmanager
async def bad(name: str, handler: Handler | None) -> AsyncIterator[Endpoint]:
    starting = nobody() if handler is None else serving(handler)
    async with starting as port:
        yield Endpoint(transport=name, host="127.0.0.1", port=port)


FAULTS: list[tuple[str, Handler | None, Step, Failure | None]] = [
    ("refused", None, Step.CONNECT, Failure.CONNECTION_REFUSED),
    ("silent", hostile.silent, Step.PROXY_HANDSHAKE, Failure.TIMEOUT),
    ("tarpit", hostile.tarpit, Step.PROXY_HANDSHAKE, Failure.TIMEOUT),
    ("reset", hostile.reset_on_request, Step.PROXY_HANDSHAKE, Failure.CONNECTION_RESET),
    ("closed", hostile.closed_on_request, Step.PROXY_HANDSHAKE, Failure.EOF),
    ("garbage", hostile.GARBAGE, Step.PROXY_HANDSHAKE, None),
]


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize(("handler", "step", "failure"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
async def test_each_fault_is_named_at_its_step(
    name: str, handler: Handler | None, step: Step, failure: Failure | None
) -> None:
    authority_free = around(SHORT, tls=_no_roots_needed)
    async with bad(name, handler) as endpoint:
        with pytest.raises(StepFailed) as caught:
            await dial(endpoint, NAME, 443, authority_free)
    assert (caught.value.step, caught.value.failure) == (step, failure or GARBLED[name])
    last = authority_free.trace.observations[-1]
    assert last.failure is not None


async def _no_roots_needed() -> Any:
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize("name", DIALS)
@pytest.mark.parametrize(
    "handler", [hostile.silent, hostile.TRICKLE_HTTP, hostile.TRICKLE_SOCKS5], ids=["s", "h", "5"]
)
async def test_the_total_deadline_is_held_whatever_the_steps_allow(name: str, handler: Handler) -> None:
    limits = Limits(connect=30.0, handshake=30.0, exchange=30.0, bulk=30.0, total=0.4)
    net = around(limits, tls=_no_roots_needed)
    async with bad(name, handler) as endpoint:
        with pytest.raises(StepFailed) as caught:
            await dial(endpoint, NAME, 443, net)
    assert caught.value.step is Step.PROXY_HANDSHAKE
    assert net.trace.now() < 1.5
    if handler is hostile.silent:
        assert caught.value.failure is Failure.TIMEOUT


@pytest.mark.parametrize("name", DIALS)
async def test_cancelling_at_any_moment_leaves_nothing_open(name: str) -> None:
    """Cancel after every number of loop passes that the way takes; conftest looks for what is left."""
    async with playing(GOOD[name][-1], name) as scene:
        finished = cancelled = 0
        passes = 0
        while finished < 3 and passes < 400:
            held: list[Stream] = []

            async def work(held: list[Stream] = held) -> None:
                held.append(await dial(scene.endpoint, NAME, scene.origin.http_port, scene.net(pace=_turn)))

            async with asyncio.TaskGroup() as group:
                task = group.create_task(work())
                for _ in range(passes):
                    await asyncio.sleep(0)
                task.cancel()
            finished, cancelled = finished + len(held), cancelled + task.cancelled()
            for stream in held:
                stream.close()
            passes += 1
        assert finished == 3, "it never got through: the passes do not cover the whole way"
        assert cancelled > 3


async def _turn() -> None:
    await asyncio.sleep(0)


async def outcome(placed: Placed, origin: Origin, net: Net) -> tuple[Step, Failure] | None:
    stream: Stream | None = None
    try:
        stream = await dial(placed.endpoint(), NAME, origin.https_port, net)
        await secure(stream, await net.tls(), NAME, net)
    except StepFailed as failed:
        return failed.step, failed.failure
    finally:
        if stream is not None:
            stream.close()
    return None


HERE = (Step.CONNECT, Step.PROXY_HANDSHAKE, Step.TLS_HANDSHAKE)  # the later steps are the checker's
PLAYED = [part for part in CAST if not part.name.startswith(("first-dropped", "slow"))]


@pytest.mark.parametrize("part", PLAYED, ids=lambda part: part.name)
async def test_each_part_of_the_cast_fails_where_the_cast_says(part: Any) -> None:
    waits = any(failure is Failure.TIMEOUT for _, step, failure in part.expect if step in HERE)
    async with stage((part.name,)) as scene:
        net = around(SHORT if waits else PATIENT, tls=trusting(scene.origin.ca_pem))
        seen = await outcome(scene.parts[0], scene.origin, net)
    expected = {(step, failure) for _, step, failure in part.expect if step in HERE}
    assert seen in expected if expected else seen is None
    good = {Status.WORKING, Status.DEGRADED}
    assert expected or any(status in good or step is Step.HTTP_ROUND_TRIP for status, step, _ in part.expect)


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_dropped_first_connection_says_nothing_about_the_second(kind: str) -> None:
    async with stage((f"first-dropped-{kind}",)) as scene:
        roots = trusting(scene.origin.ca_pem)
        first = await outcome(scene.parts[0], scene.origin, around(tls=roots))
        second = await outcome(scene.parts[0], scene.origin, around(tls=roots))
    assert first == (Step.PROXY_HANDSHAKE, Failure.CONNECTION_RESET)
    assert second is None
