"""A small country on loopback: servers at home and abroad on their true ports, each on an address of its own."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.rcode
import pytest
import trustme

from client.drill.serving import Handler, Peer, serving
from tests.client.diagnosis.loopback import (
    BODY,
    datagrams,
    dns_answer,
    dns_https,
    dns_stream,
    response,
    server_context,
    web,
)
from tests.client.diagnosis.test_ask_shapes import negotiation

NAMES = {  # to what they resolve; nobody connects there
    "www.harmless.one": "8.8.4.1",
    "www.other.two": "8.8.4.2",
    "home.three": "8.8.4.3",
}


@dataclass
class Country:
    """What the tests need: the file for the command, and what the servers saw."""

    anchors: Path
    connections: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)


def _addresses() -> Iterator[str]:
    # Nobody else's: tests run side by side on the same ports.
    net = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"
    yield from (f"{net}.{last}" for last in range(1, 250))


def _answers(country: Country) -> Callable[[bytes], list[bytes]]:
    def reply(query: bytes) -> list[bytes]:
        name = dns.message.from_wire(query).question[0].name.to_text(omit_final_dot=True)
        country.named.append(name)
        if name in NAMES:
            return [dns_answer(query, NAMES[name])]
        return [dns_answer(query, rcode=dns.rcode.NXDOMAIN)]

    return reply


def _counted(country: Country, who: str, handler: Handler) -> Handler:
    async def handle(peer: Peer) -> None:
        country.connections.append(who)
        await handler(peer)

    return handle


async def _redirecting(peer: Peer) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.send(response())
    await peer.linger()


def _server(place: str, name: str, address: str) -> str:
    return (
        f'[[server]]\nplace = "{place}"\noperator = "{name}"\nname = "{name}"\naddresses = ["{address}"]\n'
        'ports = [443]\nplain = [80]\nquic = 443\nbulk = "/bulk"\nupload = "/up"\n'
    )


Wrap = Callable[[str, Handler], Handler]


@asynccontextmanager
async def country(
    folder: Path,
    *,
    abroad: Wrap = lambda name, handler: handler,
    dead: tuple[str, ...] = (),
    forged: bool = False,
) -> AsyncIterator[Country]:
    """Run it. `abroad` changes what a server abroad does; those of `dead` refuse; `forged`: a national root's hand.

    Skips where the system does not let us take the true ports, or has one loopback address only.
    """
    ca, national = trustme.CA(), trustme.CA(organization_name="Test Trust Network")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    addresses = _addresses()
    found = Country(anchors=folder / "anchors.toml")
    text = 'date = 2026-07-29\nsource = "a test"\nca = "ca.pem"\nresolv_conf = "resolv.conf"\n'
    async with AsyncExitStack() as held:

        async def take(opening: Awaitable[int]) -> int:
            try:
                return await opening
            except OSError as error:
                pytest.skip(f"needs the true ports of loopback addresses ({error.strerror})")

        async def serve(handler: Handler, host: str, port: int, who: str, *names: str) -> None:
            maker = national if forged and who.startswith("abroad") else ca
            context = server_context(maker, *names, chain=maker is national) if names else None
            handler = _counted(found, who, handler)
            await take(held.enter_async_context(serving(handler, host=host, port=port, context=context)))

        async def answer(host: str, port: int, reply: Callable[[bytes], list[bytes]]) -> int:
            return await take(held.enter_async_context(datagrams(reply, host, port)))

        for place, count in (("home", 2), ("abroad", 4)):
            for number in range(1, count + 1):
                name, host = f"{place}{number}.example", next(addresses)
                text += _server(place, name, host)
                if name in dead:
                    continue
                handler = abroad(name, web()) if place == "abroad" else web()
                await serve(handler, host, 443, name, name)
                await answer(host, 443, lambda probe: [negotiation(probe)])
        for _ in (1, 2):
            host = next(addresses)
            await serve(_redirecting, host, 80, "page")
            text += f'[[page]]\nurl = "http://{host}/success.txt"\nbody = "{BODY.decode().strip()}"\n'
        host = next(addresses)
        text += (
            f'[[resolver]]\naddress = "{host}"\nname = "dns.example"\nways = ["udp", "tcp", "doh", "dot"]\n'
        )
        await answer(host, 53, _answers(found))
        await serve(dns_stream, host, 53, "dns")
        await serve(dns_stream, host, 853, "dns", "dns.example")
        await serve(dns_https, host, 443, "dns", "dns.example")
        for name, address in NAMES.items():
            place = "home" if name.startswith("home") else "abroad"
            text += f'[[name]]\nplace = "{place}"\nname = "{name}"\naddresses = ["{address}"]\n'
        own = next(addresses)
        port = await answer(own, 0, _answers(found))
        (folder / "resolv.conf").write_text(f"nameserver [{own}]:{port}\n")
        text += '[[forbidden]]\nname = "forbidden.example"\nserver = "abroad-1"\n'
        if forged:
            from tests.client.diagnosis.loopback import root_of

            text += f'[[national_root]]\nname = "Test Trust Network"\nsha256 = "{root_of(national)}"\n'
        found.anchors.write_text(text)
        yield found
