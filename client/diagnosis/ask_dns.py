"""Names: asked of the system's own resolver and of others, by UDP, TCP, DNS over TLS and over HTTPS.

dnspython writes and reads the messages. Datagrams are sent here, because what matters is what a resolver library
hides: a second answer to one query, and an answer from where no resolver runs.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.diagnosis.around import Around, came_of, failed, fault, sight
from client.diagnosis.asks import Ask
from client.diagnosis.datagrams import Datagrams, opened
from client.diagnosis.sights import Came, Forgery, Name, Place, Sight
from client.model import Failure, Step
from transports.failure import StepFailed, WireError, classify
from transports.http_connect import read_head
from transports.stream import is_literal
from transports.types import Stream
from transports.wire.http1 import BodyReader, authority, post_head

if TYPE_CHECKING:
    import dns.message

_SECOND: Final = 0.3  # seconds in which a second answer to the same query would come
_LARGEST: Final = 4096
_ADDRESSES: Final = 8
_MOST_SERVERS: Final = 3
_SERVER: Final = re.compile(r"\[(?P<host>[^]]+)\]:(?P<port>[0-9]{1,5})|(?P<bare>[^\[\]]+)")
# Private, loopback, link-local, shared and "this network" addresses: never the answer for a public name.
_BOGONS: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)


async def resolve(ask: Ask, around: Around) -> Sequence[Sight]:
    """Ask for the address of `value`, by `way`."""
    began = around.now()
    try:
        query = _query(ask.value)
    except (ImportError, ValueError):
        return (fault(ask, began, around, "no_library"),)
    if ask.way == "system":
        servers = await asyncio.to_thread(nameservers, around.resolv_conf)
        if not servers:
            return (await _by_system(ask, began, around),)
        host, port = servers[ask.round % len(servers) - 1]
        return (await _by_datagram(ask, query, host, port, began, around),)
    if ask.way == "udp":
        return (await _by_datagram(ask, query, ask.host, ask.port, began, around),)
    return (await _by_stream(ask, query, began, around),)


def nameservers(resolv_conf: Path) -> list[tuple[str, int]]:
    """Return addresses and ports of the system's resolvers; none where the system does not tell them in a file.

    A port stands only in a file of OpenBSD's kind: `nameserver [127.0.0.1]:5353`.
    """
    if sys.platform == "win32":
        return _windows()
    if not resolv_conf.is_file():  # a pipe would hold us up for ever
        return []
    try:
        with resolv_conf.open("rb") as file:
            lines = file.read(65536).decode("ascii", "replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    told = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    found = [_SERVER.fullmatch(text) for text in told]
    return [
        (match["host"] or match["bare"], int(match["port"] or 53))
        for match in found
        if match and is_literal(match["host"] or match["bare"])
    ][:_MOST_SERVERS]


def _windows() -> list[tuple[str, int]]:
    import dns.exception
    import dns.resolver

    with suppress(OSError, dns.exception.DNSException):
        told = [str(address) for address in dns.resolver.Resolver().nameservers]
        return [(address, 53) for address in told if is_literal(address)][:_MOST_SERVERS]
    return []


def _query(name: str) -> dns.message.QueryMessage:
    import dns.exception
    import dns.message

    try:
        return dns.message.make_query(name, "A")
    except dns.exception.DNSException:
        raise ValueError from None


async def _by_system(ask: Ask, began: float, around: Around) -> Sight:
    """Ask the C library, where nothing else tells who the resolver is."""
    try:
        async with asyncio.timeout(ask.limit):
            addresses = await around.resolver(ask.value)
    except TimeoutError:
        return sight(ask, Came.SILENCE, began, around, after="query")
    except (OSError, UnicodeError) as error:
        failure = classify(error)
        rcode = "nxdomain" if failure is Failure.DNS_NXDOMAIN else "servfail"
        return _judged(ask, rcode, (), began, around)
    return _judged(ask, "noerror", addresses, began, around)


async def _by_datagram(
    ask: Ask, query: dns.message.QueryMessage, host: str, port: int, began: float, around: Around
) -> Sight:
    wire = query.to_wire()
    around.moved += len(wire)
    try:
        async with opened(host, port) as socket:
            around.datagrams += 1
            socket.send(wire)
            answers = await _answers(socket, query, ask.limit)
    except OSError as error:
        failure = classify(error)
        came = came_of(failure, elapsed=around.now() - began)
        return sight(ask, came, began, around, failure=failure, after="query")
    if not answers:
        return sight(ask, Came.SILENCE, began, around, failure=Failure.TIMEOUT, after="query")
    around.moved += sum(len(raw) for raw, _ in answers)
    rcode, addresses = _read(answers[0][1])
    seen = {_read(answer) for _, answer in answers}
    if len(seen) > 1 and ask.place is not Place.NOBODY:
        false = {"forgery": Forgery.TWICE, "detail": rcode, "addresses": addresses}
        return sight(ask, Came.FALSE, began, around, **false)
    return _judged(ask, rcode, addresses, began, around)


async def _answers(
    socket: Datagrams, query: dns.message.QueryMessage, limit: float
) -> list[tuple[bytes, dns.message.Message]]:
    """Return the answers to the query: the first, and what comes shortly behind it."""
    import dns.exception
    import dns.message

    found: list[tuple[bytes, dns.message.Message]] = []
    deadline = asyncio.get_running_loop().time() + limit
    with suppress(TimeoutError):
        while len(found) < 4:
            async with asyncio.timeout_at(deadline):
                raw = await socket.receive()
            with suppress(dns.exception.DNSException, ValueError):
                answer = dns.message.from_wire(raw, ignore_trailing=True)
                if query.is_response(answer):
                    found.append((raw, answer))
                    deadline = min(deadline, asyncio.get_running_loop().time() + _SECOND)
    return found


def _read(answer: dns.message.Message) -> tuple[str, tuple[str, ...]]:
    """Return the rcode in small letters and the addresses, sorted."""
    import dns.rcode

    found = {
        str(item.address)
        for records in answer.answer
        if records.rdtype in (1, 28)
        for item in records
        if hasattr(item, "address")
    }
    return dns.rcode.to_text(answer.rcode()).lower(), tuple(sorted(found)[:_ADDRESSES])


def _judged(ask: Ask, rcode: str, addresses: tuple[str, ...], began: float, around: Around) -> Sight:
    """Say what an answer is, by itself; two answers are compared by the rules."""
    came, forgery = Came.RIGHT, None
    if ask.place is Place.NOBODY:
        came, forgery = Came.FALSE, Forgery.NOBODY
    elif ask.name is Name.RANDOM:
        if addresses:
            came, forgery = Came.FALSE, Forgery.RANDOM_NAME
        elif rcode != "nxdomain":
            came = Came.OTHER
    elif rcode == "nxdomain":
        came, forgery = Came.FALSE, Forgery.NO_NAME
    elif rcode == "refused":
        came = Came.REFUSED
    elif rcode != "noerror" or not addresses:
        came = Came.OTHER
    elif any(is_bogon(address) for address in addresses):
        came, forgery = Came.FALSE, Forgery.BOGON
    elif _told_for_others(ask.value, addresses, around):
        came, forgery = Came.FALSE, Forgery.SAME_FOR_ALL
    detail = rcode if addresses or rcode != "noerror" else "no_answer"
    return sight(ask, came, began, around, forgery=forgery, detail=detail, addresses=addresses, after="query")


def is_bogon(address: str) -> bool:
    """Say whether an address can never be that of a public name."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in net for net in _BOGONS if net.version == parsed.version)


def _told_for_others(name: str, addresses: tuple[str, ...], around: Around) -> bool:
    """Note for which names these addresses were told; True when all were told for an unrelated one too."""
    family = ".".join(name.lower().rstrip(".").split(".")[-2:])
    known = [around.told.setdefault(address, set()) for address in addresses]
    for names in known:
        names.add(family)
    return all(len(names) > 1 for names in known)


async def _by_stream(ask: Ask, query: dns.message.QueryMessage, began: float, around: Around) -> Sight:
    import dns.exception
    import dns.message

    net = around.net(ask)
    after = "syn"
    try:
        connected = await around.connected(ask, net)
        stream: Stream = connected
        try:
            if ask.way != "tcp":
                after = "client_hello"
                stream = await around.secured(connected, ask.data or ask.host, net)
                around.moved += 4096
            after = "query"
            async with net.trace.step(Step.HTTP_ROUND_TRIP, ask.limit):
                raw = await (
                    _over_https(ask, query, stream, around) if ask.way == "doh" else _framed(query, stream)
                )
        finally:
            stream.close()
        answer = dns.message.from_wire(raw, ignore_trailing=True)
        if not query.is_response(answer):
            raise ValueError
    except StepFailed as error:
        came = Came.FALSE if error.failure.value.startswith(("ssl_unknown", "ssl_invalid")) else None
        return failed(ask, error, began, around, after, came)
    except (dns.exception.DNSException, ValueError):
        return sight(ask, Came.FALSE, began, around, after=after, detail="garbage")
    around.moved += len(raw) + 200
    rcode, addresses = _read(answer)
    return _judged(ask, rcode, addresses, began, around)


async def _framed(query: dns.message.QueryMessage, stream: Stream) -> bytes:
    """RFC 1035 section 4.2.2: two bytes of length before the message."""
    wire = query.to_wire()
    await stream.send(struct.pack("!H", len(wire)) + wire)
    head = await _exactly(stream, 2)
    return await _exactly(stream, min(struct.unpack("!H", head)[0], _LARGEST))


async def _exactly(stream: Stream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


async def _over_https(ask: Ask, query: dns.message.QueryMessage, stream: Stream, around: Around) -> bytes:
    """RFC 8484 section 4.1: POST of the message, with id 0 so that caches may serve it."""
    query.id = 0
    wire = query.to_wire()
    host = ask.data or ask.host
    host = host if ask.port == 443 else authority(host, ask.port)
    await stream.send(
        post_head(ask.path, host, len(wire), "application/dns-message", agent=around.agent) + wire
    )
    head = await read_head(stream)
    reader, body = BodyReader(head), b""
    while not reader.done and len(body) <= _LARGEST:
        data = await stream.recv(_LARGEST)
        if not data:
            break
        body += reader.feed(data)
    if head.status != 200:
        raise WireError(Failure.HTTP_STATUS, None, head.status)
    return body


def random_names(count: int) -> tuple[str, ...]:
    """Return names under common domains that cannot exist: twelve random letters, as in a misspelt address."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    drawn = os.urandom(count * 12)
    words = ["".join(letters[byte % 26] for byte in drawn[at : at + 12]) for at in range(0, len(drawn), 12)]
    return tuple(f"{word}.{('com', 'org', 'net')[number % 3]}" for number, word in enumerate(words))
