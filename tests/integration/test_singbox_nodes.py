"""Real sing-box nodes on loopback, each with right and with wrong credentials."""

from __future__ import annotations

import asyncio

import pytest

from tests.servers.singbox import Servers, Target, box, echo, guard, listening, net_of, singbox_servers
from transports.failure import Failure, StepFailed
from transports.guard import Guard
from transports.net import Limits, Net
from transports.singbox import SingBoxNode, blame
from transports.singbox_engine import SingBox, opened
from transports.stream import secure
from transports.types import CannotMeasure, Endpoint, Note, Step, Stream

__all__ = ["box", "guard", "singbox_servers"]

NAMES = (
    "anytls",
    "http",
    "hysteria2",
    "shadowsocks",
    "shadowsocks-2022",
    "shadowtls",
    "socks",
    "trojan",
    "tuic",
    "vless",
    "vless-grpc-tls",
    "vless-httpupgrade",
    "vless-ws-tls",
    "vmess",
    "vmess-ws",
    "wireguard",
)
HASTY = Limits(connect=0.5, handshake=1.0)


async def exchange(stream: Stream, data: bytes) -> bytes:
    await stream.send(data)
    got = b""
    while len(got) < len(data):
        part = await stream.recv(len(data) - len(got))
        if not part:
            break
        got += part
    return got


async def failure_of(endpoint: Endpoint, target: Target, net: Net) -> StepFailed:
    """Climb as a probe does, up to TLS in the tunnel, and return what stopped it."""
    try:
        stream = await SingBoxNode().dial(endpoint, "127.0.0.1", target.port, net)
    except StepFailed as error:
        return error
    try:
        (await secure(stream, await net.tls(), "localhost", net)).close()
    except StepFailed as error:
        return await blame(endpoint, error, net)
    raise AssertionError("it got through")


@pytest.mark.parametrize("name", NAMES)
async def test_right_credentials_carry_bytes_both_ways(
    name: str, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint(name)
    host = "10.7.0.1" if name == "wireguard" else "127.0.0.1"
    async with (
        echo() as target,
        opened(box, [endpoint], guard=guard, extra_roots=singbox_servers.roots) as engine,
    ):
        net = net_of(engine.doors)
        stream = await SingBoxNode().dial(endpoint, host, target.port, net)
        async with asyncio.timeout(10):
            assert await exchange(stream, bytes(200_000)) == bytes(200_000)
        stream.close()
        assert [(o.step, o.failure) for o in net.trace.observations] == [(Step.PROXY_HANDSHAKE, None)]
        assert target.reached == 1


HUNG_UP = {Failure.EOF, Failure.CONNECTION_RESET}  # which of the two is a matter of moments
WRONG = {  # where the protocol lets the node say more than hanging up
    "http": ({Failure.HTTP_STATUS}, Note.AUTH_REFUSED),
    "hysteria2": ({Failure.HTTP_STATUS}, Note.AUTH_REFUSED),
    "shadowtls": ({Failure.SSL_HANDSHAKE}, None),
    "socks": ({Failure.SOCKS_ERROR}, Note.AUTH_REFUSED),
    "vless-httpupgrade": ({Failure.HTTP_STATUS}, None),
    "vmess-ws": ({Failure.HTTP_STATUS}, None),
    "wireguard": ({Failure.TIMEOUT}, None),
}


@pytest.mark.parametrize("name", NAMES)
async def test_wrong_credentials_never_reach_the_target(
    name: str, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint(name, bad=True)
    async with (
        echo() as target,
        opened(box, [endpoint], guard=guard, extra_roots=singbox_servers.roots) as engine,
    ):
        net = net_of(engine.doors, HASTY) if name == "wireguard" else net_of(engine.doors)
        error = await failure_of(endpoint, target, net)
        failures, note = WRONG.get(name, (HUNG_UP, None))
        assert (error.step, error.note) == (Step.PROXY_HANDSHAKE, note)
        assert error.failure in failures
        last = net.trace.observations[-1]
        assert (last.step, last.failure, last.note) == (error.step, error.failure, error.note)
        assert target.reached == 0


async def test_a_name_is_resolved_inside_a_wireguard_tunnel(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            asked.append(query)
            end = query.index(b"\0", 12) + 5
            known = query[end - 4 : end - 2] == b"\x00\x01"  # an A record: 10.7.0.1
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\7\0\1" if known else b""
            counts = b"\0\1\0" + bytes([known]) + bytes(4)
            reply = query[:2] + b"\x81\x80" + counts + query[12:end] + record
            writer.write(len(reply).to_bytes(2, "big") + reply)

    endpoint = singbox_servers.endpoint("wireguard")
    async with listening(answer) as port, echo() as target:
        async with opened(box, [endpoint], guard=guard, tunnel_dns=("10.7.0.1", port)) as engine:
            stream = await SingBoxNode().dial(endpoint, "target.test", target.port, net_of(engine.doors))
            assert await exchange(stream, b"hello") == b"hello"
            stream.close()
        assert any(b"\x06target\x04test" in query for query in asked)


async def test_without_a_resolver_in_the_tunnel_a_name_is_looked_up_nowhere(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("wireguard")
    async with opened(box, [endpoint], guard=guard) as engine:
        with pytest.raises(CannotMeasure):
            await SingBoxNode().dial(endpoint, "target.test", 80, net_of(engine.doors))
