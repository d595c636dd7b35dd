"""Resolvers on loopback that tell the truth, lie, cut answers short, or say nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from client.diagnosis.anchors import KnownName
from client.diagnosis.sights import Place
from client.holes import names
from client.holes.names import Recursing, Resolver

NAME = KnownName(who="name-1", place=Place.ABROAD, name="www.abroad.example", addresses=("203.0.113.9",))
LARGE = (("www.abroad.example", "TXT"),)
Reply = Callable[[dns.message.Message], dns.message.Message | None]


class Server(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.reply(dns.message.from_wire(data))
        if answer is not None:
            self.transport.sendto(answer.to_wire(max_size=65535), addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def resolver(reply: Reply) -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Server(reply), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        yield Resolver(who="resolver-1", place=Place.ABROAD, address="127.0.0.1", port=port)
    finally:
        transport.close()
        await asyncio.sleep(0)


def answering(address: str, *, fresh: bool = True, large: int = 3) -> Reply:
    def reply(query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        answer = dns.message.make_response(query)
        if question.rdtype == 16:
            texts = " ".join('"' + "x" * 250 + '"' for _ in range(large))
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", texts))
        elif str(question.name) == "www.abroad.example.":
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", address))
        elif fresh:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            return None
        return answer

    return reply


async def at_once() -> None:
    return None


async def ask(reply: Reply) -> Recursing:
    async with resolver(reply) as one:
        return await names.ask(one, [NAME], LARGE, at_once)


async def test_a_resolver_that_reaches_abroad_and_carries_large_answers() -> None:
    found = await ask(answering("203.0.113.9"))
    assert (found.right, found.fresh, found.tunnel) == (True, True, "yes")
    assert found.largest > 750


async def test_small_answers_make_a_slow_tunnel() -> None:
    found = await ask(answering("203.0.113.9", large=1))
    assert (found.tunnel, found.largest < 500) == ("slow", True)


@pytest.mark.parametrize("address", ["203.0.113.10", "10.10.34.36"])
async def test_a_resolver_that_lies_is_no_way_abroad(address: str) -> None:
    found = await ask(answering(address))
    assert (found.right, found.answered, found.tunnel) == (False, True, "no")


async def test_a_cache_is_no_way_abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_LIMIT", 0.3)
    found = await ask(answering("203.0.113.9", fresh=False))
    assert (found.right, found.fresh, found.tunnel) == (True, False, "no")


async def test_silence_garbage_and_a_closed_port_are_no_way_abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_LIMIT", 0.3)
    assert not (await ask(lambda _query: None)).answered

    def other(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.id = query.id ^ 1
        return answer

    assert not (await ask(other)).answered
    async with resolver(lambda _query: None) as one:
        pass
    assert not (await names.ask(one, [NAME], LARGE, at_once)).answered
