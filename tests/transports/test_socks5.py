import asyncio
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
import socks

from client.drill import proxies
from client.drill.proxies import World
from client.drill.serving import Handler, Peer, nobody, serving
from tests.servers.around import answers, around, drips
from transports.failure import Failure, StepFailed
from transports.socks5 import Socks5Proxy, ask_udp, udp_associate
from transports.types import Endpoint, Note, Step

GRANTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"


def proxy(port: int, **who: str) -> Endpoint:
    return Endpoint(transport="socks5", host="127.0.0.1", port=port, **who)  # type: ignore[arg-type]


async def failure_of(handler: Handler, **who: str) -> StepFailed:
    async with serving(handler) as port:
        with pytest.raises(StepFailed) as caught:
            await Socks5Proxy().dial(proxy(port, **who), "origin.test", 443, around())
    assert caught.value.step is Step.PROXY_HANDSHAKE
    return caught.value


async def test_the_name_travels_to_the_proxy() -> None:
    heard: list[bytes] = []
    net = around()
    async with serving(answers(b"\x05\x00", GRANTED, heard=heard)) as port:
        (await Socks5Proxy().dial(proxy(port), "origin.test", 443, net)).close()
    assert heard == [b"\x05\x01\x00", b"\x05\x01\x00\x03\x0borigin.test\x01\xbb"]
    assert [(seen.step, seen.failure) for seen in net.trace.observations] == [
        (Step.CONNECT, None),
        (Step.PROXY_HANDSHAKE, None),
    ]


async def test_credentials_go_only_to_a_server_that_asks_for_them() -> None:
    heard: list[bytes] = []
    async with serving(answers(b"\x05\x02", b"\x01\x00", GRANTED, heard=heard)) as port:
        endpoint = proxy(port, username="drill", password="open sesame")
        (await Socks5Proxy().dial(endpoint, "127.0.0.1", 443, around())).close()
    assert heard[:2] == [b"\x05\x02\x00\x02", b"\x01\x05drill\x0bopen sesame"]


@pytest.mark.parametrize("end", [b"", b"hi"])
@pytest.mark.parametrize(
    "bound", [b"\x01\x7f\0\0\1\0\x50", b"\x04" + bytes(18), b"\x03\x06proxy1\0\x50"], ids=["v4", "v6", "name"]
)
async def test_what_comes_behind_the_answer_belongs_to_the_tunnel(bound: bytes, end: bytes) -> None:
    async with serving(answers(b"\x05\x00", b"\x05\x00\x00" + bound + end)) as port:
        stream = await Socks5Proxy().dial(proxy(port), "origin.test", 443, around())
        if end:
            assert await stream.recv(10) == b"hi"
        stream.close()


async def test_a_server_that_says_all_at_once_or_byte_by_byte_is_understood() -> None:
    for handler in (answers(b"\x05\x00" + GRANTED + b"x"), drips(b"\x05\x00" + GRANTED + b"x")):
        async with serving(handler) as port:
            stream = await Socks5Proxy().dial(proxy(port), "origin.test", 443, around())
            assert await stream.recv(10) == b"x"
            stream.close()


@pytest.mark.parametrize(
    ("said", "failure", "note", "code"),
    [
        ((b"\x05\xff",), Failure.SOCKS_ERROR, Note.AUTH_REQUIRED, 0),
        ((b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6)), Failure.SOCKS_REFUSED, Note.REFUSED, 5),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Failure.SOCKS_ERROR, Note.GARBAGE, 0),
        ((b"\x05",), Failure.EOF, None, 0),
        ((b"\x05\x00", b"\x05\x00\x00\x01\x7f"), Failure.EOF, None, 0),
    ],
    ids=["password wanted", "refused", "http", "half a greeting", "half a reply"],
)
async def test_each_way_to_say_no_is_named(
    said: tuple[bytes, ...], failure: Failure, note: Note | None, code: int
) -> None:
    failed = await failure_of(answers(*said))
    assert (failed.failure, failed.note, failed.code) == (failure, note, code)


async def test_credentials_that_are_turned_down_are_told_from_missing_ones() -> None:
    failed = await failure_of(answers(b"\x05\x02", b"\x01\x01"), username="drill", password="guess")
    assert (failed.failure, failed.note) == (Failure.SOCKS_ERROR, Note.AUTH_REFUSED)


# the second opinion on UDP


async def udp_verdict(handler: Handler, **who: str) -> bool | None:
    async with serving(handler) as port:
        return await ask_udp(proxy(port, **who), "127.0.0.1")


async def test_a_proxy_that_carries_udp_is_told_from_one_that_does_not() -> None:
    assert await udp_verdict(proxies.socks5_proxy(World())) is True
    assert await udp_verdict(proxies.socks5_proxy(World(), udp_granted=False)) is False


async def test_the_second_opinion_logs_in_too() -> None:
    guarded = proxies.socks5_proxy(World(), username="drill", password="open sesame")
    assert await udp_verdict(guarded, username="drill", password="open sesame") is True
    assert await udp_verdict(guarded, username="drill", password="guess") is not True


async def test_no_proxy_at_all_is_no_answer() -> None:
    assert await udp_verdict(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")) is None
    async with nobody() as port:
        endpoint = proxy(port)
        assert await asyncio.to_thread(udp_associate, endpoint, "127.0.0.1") is None
        over_long = replace(endpoint, username="u" * 256, password="p")
        assert await asyncio.to_thread(udp_associate, over_long, "127.0.0.1") is None


def asking() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "udp"]


@pytest.mark.parametrize("patience", [0.1, 10.0])
async def test_a_silent_server_holds_up_nobody_and_keeps_nothing_open(patience: float) -> None:
    ended = asyncio.Event()

    async def silent(peer: Peer) -> None:
        try:
            while await peer.read():
                pass
        except OSError:
            pass
        ended.set()

    async with serving(silent) as port:
        began = asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            assert await asyncio.wait_for(ask_udp(proxy(port), "127.0.0.1"), patience) is None
        await asyncio.wait_for(ended.wait(), 2.5)  # the connection is gone while the server still waits
        for thread in asking():
            assert thread.daemon
            await asyncio.to_thread(thread.join, 0.5)
        assert asking() == []
        assert asyncio.get_running_loop().time() - began < 2.5


async def test_a_server_that_drips_does_not_stretch_the_question() -> None:
    async def slow(peer: Peer) -> None:
        await peer.read()
        with suppress(OSError):
            for byte in b"\x05\x00\x05\x00\x00\x03\xff" + bytes(200):
                await peer.send(bytes([byte]))
                await asyncio.sleep(0.1)

    async with serving(slow) as port:
        assert await asyncio.wait_for(ask_udp(proxy(port), "127.0.0.1"), 2.5) is None
        for thread in asking():
            await asyncio.to_thread(thread.join, 0.5)
        assert asking() == []


async def test_the_question_listens_only_on_the_address_that_faces_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound: list[str] = []
    real = socks.socksocket.bind

    def bind(self: socks.socksocket, address: tuple[str, int]) -> None:
        bound.append(address[0])
        real(self, address)

    monkeypatch.setattr(socks.socksocket, "bind", bind)
    assert await udp_verdict(proxies.socks5_proxy(World())) is True
    assert bound == ["127.0.0.1"]
