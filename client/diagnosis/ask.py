"""Puts one question to the line and brings back what was seen. One function for each kind of question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from client.diagnosis import ask_dns, ask_here, ask_http, ask_shapes, ask_tls, ask_tor
from client.diagnosis.around import Around, fault
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Sight, Test
from transports.stream import is_literal

Put = Callable[[Ask, Around], Awaitable[Sequence[Sight]]]

_PUT: Final[Mapping[Test, Put]] = {
    Test.ROUTE: ask_here.route,
    Test.RESOLVE: ask_dns.resolve,
    Test.CONNECT: ask_tls.connection,
    Test.TLS: ask_tls.handshake,
    Test.PAGE: ask_http.known_page,
    Test.DOWNLOAD: ask_http.download,
    Test.UPLOAD: ask_http.upload,
    Test.BYTES: ask_shapes.first_bytes,
    Test.QUIC: ask_shapes.quic,
    Test.PARALLEL: ask_tls.parallel,
    Test.TOR_LINK: ask_tor.link,
    Test.PT: ask_tor.bridge,
}
_FREE: Final = frozenset({Test.ROUTE, Test.QUIC, Test.UDP})


async def ask(question: Ask, around: Around) -> Sequence[Sight]:
    """Put `question`, at the pace of the run. A name that has no address here is a fault of ours, not a sight."""
    began, named = around.now(), question.host
    put = _PUT.get(question.test)
    if put is None:
        return (fault(question, began, around, "unknown"),)
    if question.host and not is_literal(question.host):
        try:
            async with asyncio.timeout(question.limit):
                addresses = await around.resolver(question.host)
        except (OSError, UnicodeError):  # TimeoutError is one
            return (fault(question, began, around, "no_address"),)
        question = replace(question, host=addresses[0])
    if question.test not in _FREE and question.way not in ("system", "udp"):  # the pace is one of connections
        await around.turn(named)
    return await put(question, around)
