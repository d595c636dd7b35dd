import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from client.drill.proxies import World, socks5_proxy
from client.drill.serving import Handler, Peer, nobody, serving
from tests.client.connect.ways_out import until
from tests.servers.around import HASTY, around
from tests.servers.real import danted, find
from transports.failure import Failure, StepFailed
from transports.types import CannotMeasure, Endpoint
from transports.udp import Association, associate
from transports.wire.socks_server import pack, unpack


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(b"echo " + data, addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Echo, local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.abort()
        await asyncio.sleep(0)


def proxy(port: int, **more: str) -> Endpoint:
    return Endpoint(transport="socks5", host="127.0.0.1", port=port, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def associated(endpoint: Endpoint) -> AsyncIterator[Association]:
    association = await associate(endpoint, around())
    try:
        yield association
    finally:
        association.close()
        await asyncio.sleep(0.01)


async def answer(association: Association, host: str, port: int, word: bytes) -> tuple[str, int, bytes]:
    """Ask until an answer comes: datagrams may be lost."""
    for _ in range(20):
        association.send(host, port, word)
        try:
            async with asyncio.timeout(0.5):
                return await association.recv()
        except TimeoutError:
            continue
    raise AssertionError("no answer")


@pytest.mark.skipif(find("danted") is None, reason="needs danted")
async def test_a_real_proxy_carries_datagrams_both_ways(tmp_path: Path) -> None:
    async with echoing() as port, danted(tmp_path) as there, associated(proxy(there)) as association:
        assert await answer(association, "127.0.0.1", port, b"salem") == ("127.0.0.1", port, b"echo salem")
        assert await answer(association, "localhost", port, b"named") == ("127.0.0.1", port, b"echo named")


@pytest.mark.parametrize(("user", "password"), [("", ""), ("me", "secret")])
async def test_credentials_are_given(user: str, password: str) -> None:
    handler = socks5_proxy(World(), username=user, password=password)
    async with (
        echoing() as port,
        serving(handler) as there,
        associated(proxy(there, username=user, password=password)) as association,
    ):
        assert await answer(association, "127.0.0.1", port, b"x") == ("127.0.0.1", port, b"echo x")


def grants(reply: bytes) -> Handler:
    async def handle(peer: Peer) -> None:
        await peer.exactly(3)
        await peer.send(b"\x05\x00")
        asked = await peer.exactly(10)
        assert asked == b"\x05\x03\x00\x01" + bytes(6)
        await peer.send(reply)
        while await peer.read():
            pass

    return handle


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (b"\x05\x07\x00\x01" + bytes(6), Failure.SOCKS_COMMAND),
        (b"\x05\x02\x00\x01" + bytes(6), Failure.SOCKS_NOT_ALLOWED),
        (b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", Failure.SOCKS_ERROR),
        (b"\x05\x00\x00\x09" + bytes(6), Failure.SOCKS_ERROR),
    ],
)
async def test_a_proxy_that_refuses_or_grants_nothing_usable_is_a_failure(
    reply: bytes, failure: Failure
) -> None:
    async with serving(grants(reply)) as there:
        with pytest.raises(StepFailed) as failed:
            await associate(proxy(there), around())
    assert failed.value.failure is failure


async def test_a_silent_proxy_is_a_timeout() -> None:
    async def silent(peer: Peer) -> None:
        await peer.linger()

    async with serving(silent) as there:
        with pytest.raises(StepFailed):
            await associate(proxy(there), around(HASTY))
    async with nobody() as closed:
        with pytest.raises(StepFailed) as failed:
            await associate(proxy(closed), around())
    assert failed.value.failure is Failure.CONNECTION_REFUSED


@pytest.mark.parametrize("named", [b"\x01\xc6\x33\x64\x07", b"\x01\x00\x00\x00\x00", b"\x03\x04evil"])
async def test_datagrams_go_to_the_proxy_and_to_no_address_that_it_names(named: bytes) -> None:
    """The guard of the tests fails this one if anything went to 198.51.100.7."""
    heard: list[bytes] = []

    class Relay(Echo):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            heard.append(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Relay, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    try:
        async with (
            serving(grants(b"\x05\x00\x00" + named + port.to_bytes(2, "big"))) as there,
            associated(proxy(there)) as association,
        ):
            association.send("name.test", 53, b"question")
            await until(lambda: bool(heard))
    finally:
        transport.abort()
    assert unpack(heard[0]) == ("name.test", 53, b"question")


async def test_it_ends_with_its_control_connection() -> None:
    async def hangs_up(peer: Peer) -> None:
        await peer.exactly(3)
        await peer.send(b"\x05\x00")
        await peer.exactly(10)
        await peer.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x01\x01")
        await asyncio.sleep(0.05)

    over: list[bool] = []
    async with serving(hangs_up) as there, associated(proxy(there)) as association:
        association.when_over(lambda: over.append(True))
        with pytest.raises(EOFError):
            await association.recv()
        with pytest.raises(EOFError):
            association.send("127.0.0.1", 53, b"x")
        assert over == [True]
        association.when_over(lambda: over.append(True))
        association.close()
        assert over == [True, True]


async def test_what_nobody_takes_is_bounded_and_garbage_is_dropped() -> None:
    class Floods(Echo):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for number in range(100):
                self.transport.sendto(b"garbage", addr)  # type: ignore[attr-defined]
                self.transport.sendto(pack("127.0.0.1", 53, bytes([number]) * 10_000), addr)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Floods, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        async with (
            serving(grants(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))) as there,
            associated(proxy(there)) as association,
        ):
            association.send("127.0.0.1", 53, b"go")
            await asyncio.sleep(0.2)
            kept = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    while True:
                        assert len((await association.recv())[2]) == 10_000
                        kept += 1
            assert 0 < kept <= 26
    finally:
        transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(transport="http", host="127.0.0.1", port=1),
        Endpoint(transport="socks4a", host="127.0.0.1", port=1),
        Endpoint(transport="tor", host="127.0.0.1", port=1),
        Endpoint(transport="singbox", host="127.0.0.1", port=1, options={"type": "ssh"}),
        Endpoint(transport="singbox", host="127.0.0.1", port=1, options={"type": "vless", "network": "tcp"}),
        Endpoint(transport="singbox", host="127.0.0.1", port=1, options={"type": "vless"}),
    ],
)
async def test_what_carries_no_datagrams_cannot_be_asked(endpoint: Endpoint) -> None:
    with pytest.raises(CannotMeasure):
        await associate(endpoint, around())


async def test_a_node_without_a_door_says_why() -> None:
    endpoint = Endpoint(transport="singbox", host="127.0.0.1", port=1, options={"type": "vless"})
    reason = CannotMeasure("this is why")
    with pytest.raises(CannotMeasure, match="this is why"):
        await associate(endpoint, around(doors={endpoint.key(): reason}))
