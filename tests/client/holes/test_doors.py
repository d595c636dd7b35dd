"""One question to one port."""

from __future__ import annotations

import asyncio

import pytest

from client.beacon import wire
from client.beacon.wire import Protocol
from client.drill.serving import Peer, serving
from client.holes import doors
from client.holes.doors import Host
from client.holes.plan import Evidence, State
from tests.client.holes.beacons import KEY, asked, beacon, free_ports, silent

HERE = "127.0.0.1"


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_beacon_proves_itself(protocol: Protocol) -> None:
    (port,) = free_ports(1)
    async with beacon(port):
        answer = await doors.ask(asked(), protocol, port, 1.0)
    assert (answer.state, answer.evidence, answer.arrived) == (State.OPEN, Evidence.KEYED, port)


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_wrong_key_gets_nothing(protocol: Protocol) -> None:
    (port,) = free_ports(1)
    async with beacon(port):
        answer = await doors.ask(asked(key=bytes(16)), protocol, port, 0.3)
    assert answer.state is (State.MUTE if protocol is Protocol.TCP else State.SILENT)


@pytest.mark.parametrize("protocol", Protocol)
async def test_refusal_and_silence_are_told_apart(protocol: Protocol) -> None:
    shut, mute = free_ports(2)
    with silent(mute):
        assert (await doors.ask(asked(), protocol, shut, 0.4)).state is State.REFUSED
        assert (await doors.ask(asked(), protocol, mute, 0.4)).state is State.SILENT


async def echo(peer: Peer) -> None:
    await peer.send(await peer.read())


async def banner(peer: Peer) -> None:
    await peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    await peer.read()


async def hang_up(peer: Peer) -> None:
    await peer.read()


@pytest.mark.parametrize(
    ("what", "state"), [(echo, State.OTHER), (banner, State.OTHER), (hang_up, State.CUT)]
)
async def test_whoever_answers_for_the_beacon_is_unmasked(what: object, state: State) -> None:
    async with serving(what) as port:  # type: ignore[arg-type]
        assert (await doors.ask(asked(), Protocol.TCP, port, 0.5)).state is state


async def test_a_strange_answer_is_searched_for_another_port_only_a_few_times() -> None:
    host = asked()
    async with serving(banner) as port:
        for _ in range(20):
            await doors.ask(host, Protocol.TCP, port, 0.5)
    assert host.searches == []


async def test_a_question_that_was_led_to_another_port_is_seen() -> None:
    async def answer_for_another(peer: Peer) -> None:
        nonce = wire.asked(KEY, Protocol.TCP, await peer.read())
        assert nonce is not None
        await peer.send(wire.answer(KEY, Protocol.TCP, nonce, 4242, 64))

    async with serving(answer_for_another) as port:
        answer = await doors.ask(asked(), Protocol.TCP, port, 1.0)
    assert (answer.state, answer.arrived) == (State.MOVED, 4242)


async def test_a_port_that_is_not_offered_gets_no_byte() -> None:
    heard: list[bytes] = []

    async def listen(peer: Peer) -> None:
        heard.append(await peer.read())

    async with serving(listen) as port:
        host = asked(offers=lambda _port: False)
        assert (await doors.ask(host, Protocol.TCP, port, 0.5)).state is State.MUTE
        await asyncio.sleep(0.05)
    assert not any(heard)


def page(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("Port {port} test successful!\nYour IP: 192.0.2.99\n", State.OPEN),
        ("Port 1 test successful!\n", State.OTHER),
        ("Blocked by order.", State.OTHER),
    ],
)
async def test_a_public_host_says_which_port_was_reached(said: str, state: State) -> None:
    mine = 0

    async def tell(peer: Peer) -> None:
        assert b"Host: ports.example:" in await peer.read()
        await peer.send(page(said.format(port=mine)))

    async with serving(tell) as port:
        mine = port
        host = Host(name="host 1", address=HERE, site="ports.example")
        answer = await doors.ask(host, Protocol.TCP, port, 0.5)
    assert answer.state is state
    assert "192.0.2.99" not in repr(answer)


async def test_an_endless_page_is_left() -> None:
    async def talk(peer: Peer) -> None:
        while True:
            await peer.send(b"x" * 4096)

    async with serving(talk) as port:
        host = Host(name="host 1", address=HERE, site="ports.example")
        async with asyncio.timeout(2):
            assert (await doors.ask(host, Protocol.TCP, port, 1.5)).state is State.OTHER
