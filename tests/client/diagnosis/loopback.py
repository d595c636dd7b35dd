"""Servers on loopback for questions of a diagnosis: web, DNS, datagrams, and the hands that disturb them."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from client.diagnosis.around import Around, no_plugins
from client.diagnosis.ask import ask
from client.diagnosis.asks import Ask
from client.diagnosis.roots_known import KnownRoots
from client.diagnosis.sights import Name, Place, Sight, Test
from client.drill.serving import Handler, Peer

NAME = "site.test"
BODY = b"known content\n"
KNOWN = KnownRoots(roots={}, products=())


def server_context(ca: trustme.CA, *names: str, chain: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = ca.issue_cert(*(names or (NAME, "127.0.0.1")))
    issued.configure_cert(context)
    if chain:
        blobs = [issued.private_key_pem, *issued.cert_chain_pems, ca.cert_pem]
        with trustme.Blob(b"".join(blob.bytes() for blob in blobs)).tempfile() as path:
            context.load_cert_chain(path)
    return context


def root_of(ca: trustme.CA) -> str:
    """Return the SHA-256 of a root's DER."""
    der = x509.load_pem_x509_certificate(ca.cert_pem.bytes()).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def trusting(*cas: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for ca in cas:
        ca.configure_trust(context)
    return context


async def _at_once() -> None:
    return None


def make_around(
    *cas: trustme.CA, system: Sequence[trustme.CA] = (), known: KnownRoots = KNOWN, **more: Any
) -> Around:
    """Return surroundings that trust `cas`, on a machine whose own store holds `system` besides."""

    async def bundled() -> ssl.SSLContext:
        return trusting(*cas)

    async def any_name() -> ssl.SSLContext:
        context = trusting(*cas)
        context.check_hostname = False
        return context

    async def own() -> ssl.SSLContext:
        return trusting(*cas, *system)

    values: dict[str, Any] = {"pace": _at_once, "agent": "tests", "plugins": no_plugins}
    return Around(tls=bundled, any_name=any_name, system=own, known=known, **(values | more))


QUESTION = Ask(
    test=Test.CONNECT,
    place=Place.ABROAD,
    who="abroad-1",
    host="127.0.0.1",
    name=Name.HARMLESS,
    value=NAME,
    limit=2.0,
)


def question(test: Test, port: int, **more: Any) -> Ask:
    return replace(QUESTION, test=test, port=port, **more)


async def put(asked: Ask, around: Around) -> tuple[Sight, ...]:
    """Put a question; every sight keeps what the question says of itself."""
    seen = tuple(await ask(asked, around))
    for sight in seen:
        kept = (sight.place, sight.who, sight.port, sight.way, sight.name, sight.round)
        assert kept == (asked.place, asked.who, asked.port, asked.way, asked.name, asked.round)
        assert 0 <= sight.started <= around.now()
        assert 0 <= sight.elapsed <= around.now()
    assert asked.test in {sight.test for sight in seen} | {Test.TLS}
    return seen


async def one(asked: Ask, around: Around) -> Sight:
    (sight,) = await put(asked, around)
    assert sight.test is asked.test
    return sight


# streams


async def silent(peer: Peer) -> None:
    """Read whatever comes and say nothing."""
    while await peer.read():
        pass


async def resets(peer: Peer) -> None:
    """Reset after the first message."""
    await peer.read()
    peer.reset()


async def closes(peer: Peer) -> None:
    """Close in order after the first message."""
    await peer.read()
    peer.finish()


def says(data: bytes) -> Handler:
    """Answer the first message with `data`, then close."""

    async def handle(peer: Peer) -> None:
        await peer.read()
        await peer.send(data)
        await peer.linger()

    return handle


def response(status: int = 200, body: bytes = BODY, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


async def head_of(peer: Peer) -> tuple[str, dict[str, str]]:
    text = (await peer.reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.lower().split(": ", 1) for line in text.split("\r\n")[1:] if ": " in line)
    return text.split("\r\n")[0], fields


def web(bulk: int = 96 * 1024, pause: float = 0.0, freeze: int = 0) -> Handler:
    """Serve `/`, `/bulk` and POSTs. `freeze`: nothing more is sent after so many bytes of the file."""

    async def handle(peer: Peer) -> None:
        first, fields = await head_of(peer)
        if first.startswith("POST"):
            left = int(fields["content-length"])
            while left:
                left -= len(await peer.exactly(min(left, 4096)))
                await asyncio.sleep(pause)
            await peer.send(response(200, b"thanks"))
        elif " /bulk " in first:
            await peer.send(response(200, b"")[:-4].replace(b": 0", f": {bulk}".encode()) + b"\r\n\r\n")
            sent = 0
            while sent < bulk and not (freeze and sent >= freeze):
                await peer.send(bytes(1024))
                sent += 1024
                await asyncio.sleep(pause)
            if freeze:
                await asyncio.sleep(60)
        else:
            await peer.send(response())
        await peer.linger()

    return handle


# datagrams

Reply = Callable[[bytes], Sequence[bytes]]


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for answer in self.reply(data):
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def datagrams(reply: Reply, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Answer every datagram with those that `reply` gives."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(reply), local_addr=(host, port))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


def dns_answer(query: bytes, *addresses: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bytes:
    asked = dns.message.from_wire(query)
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.RA
    answer.set_rcode(rcode)
    if addresses:
        answer.answer.append(dns.rrset.from_text(asked.question[0].name, 60, "IN", "A", *addresses))
    return answer.to_wire()


def resolves(*addresses: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Reply:
    return lambda query: [dns_answer(query, *addresses, rcode=rcode)]


async def dns_stream(peer: Peer) -> None:
    """Answer DNS over TCP or TLS with one address."""
    query = await peer.exactly(int.from_bytes(await peer.exactly(2)))
    said = dns_answer(query, "8.8.4.4")
    await peer.send(len(said).to_bytes(2) + said)
    await peer.linger()


async def dns_https(peer: Peer) -> None:
    """Answer DNS over HTTPS, POST to /dns-query only."""
    first, fields = await head_of(peer)
    if first != "POST /dns-query HTTP/1.1" or fields["content-type"] != "application/dns-message":
        await peer.send(response(400))
    else:
        query = await peer.exactly(int(fields["content-length"]))
        assert query[:2] == b"\0\0"
        await peer.send(response(200, dns_answer(query, "8.8.4.4"), "Content-Type: application/dns-message"))
    await peer.linger()


@contextmanager
def resolv_conf(folder: Path, *ports: int, host: str = "127.0.0.1") -> Iterator[Path]:
    path = folder / "resolv.conf"
    path.write_text("# made by a test\n" + "".join(f"nameserver [{host}]:{port}\n" for port in ports))
    yield path
