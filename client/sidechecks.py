"""Checks beside the main path, each on a connection of its own: plain HTTP, the impossible address, UDP.

Their own failure condemns nobody; what they bring may.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from client.model import Content
from client.targets import Page, Target, has_script
from client.way import READ, Attempt, Climb, read_page
from transports.failure import Failure, StepFailed
from transports.http_connect import HttpConnect
from transports.net import Net
from transports.types import Step, Stream
from transports.wire.http1 import HEAD_LIMIT, get_request

_LIMIT: Final = 3.0
# MCAST-TEST-NET (RFC 6676): documentation addresses that TCP can never reach, so no packet leaves a proxy.
_IMPOSSIBLE: Final = "233.252.0."
_TLS_ALERT: Final = b"\x15\x03"


def _side(way: Climb) -> Net:
    """Return the surroundings for a check beside the main path: its own trace, a short limit."""
    limits = way.net.limits
    short = min(_LIMIT, limits.total)
    return replace(
        way.follow,
        trace=way.net.trace.branch(),
        limits=replace(limits, connect=min(limits.connect, short), handshake=short, exchange=short),
    )


async def plain_page(way: Climb, attempt: Attempt) -> None:
    """Fetch known content without TLS: some alter only what they can read.

    Pages with markup come first, because that is what is altered. Where the expected content is only known
    from a list, an alteration that is no script must show on a second page too: the page may have changed.
    """
    order = sorted(way.targets.order(way.targets.plain, way.rng), key=lambda target: not target.is_markup)
    for target in order[:2]:
        page = await _fetch_plain(way, target, _side(way))
        seen = target.compare(page)
        attempt.plain_page = page if seen is Content.UNKNOWN else None
        attempt.proof = replace(attempt.proof, plain=seen)
        if seen is not Content.ALTERED or way.targets.own or has_script(page.body):
            return


async def _fetch_plain(way: Climb, target: Target, net: Net) -> Page:
    """Return what came, whole or not."""
    transport, endpoint, page = way.entry.transport, way.endpoint, Page()
    assert transport is not None
    stream: Stream | None = None
    try:
        if way.entry.forwards and isinstance(transport, HttpConnect):
            stream = await transport.forward(endpoint, net)
            user, secret = endpoint.username, endpoint.password
            request = get_request(
                target.url, target.host_header, agent=way.agent, username=user, password=secret
            )
        else:
            stream = await transport.dial(endpoint, target.host, target.port, net)
            request = get_request(target.path, target.host_header, agent=way.agent)
        async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange):
            await stream.send(request)
            await read_page(stream, page)
    except StepFailed:
        return page
    finally:
        if stream is not None:
            stream.close()
    return page


async def impossible_address(way: Climb, attempt: Attempt) -> None:
    """Ask for an address that cannot exist. "Granted" alone means nothing; content condemns."""
    net = _side(way)
    transport = way.entry.transport
    assert transport is not None
    host = _IMPOSSIBLE + str(way.rng.randrange(1, 255))
    answer = bytearray()
    silent = False
    try:
        stream = await transport.dial(way.endpoint, host, way.targets.small[0].port, net)
        try:
            async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange):
                await stream.send(get_request("/", host, agent=way.agent))
                while not _tells(answer):
                    data = await stream.recv(READ)
                    if not data:
                        break
                    answer += data
        finally:
            stream.close()
    except StepFailed as failed:
        silent = failed.failure is Failure.TIMEOUT
    seen = made_up(bytes(answer)) if answer.strip() else Content.NO_ANSWER if silent else Content.REFUSED
    attempt.proof = replace(attempt.proof, impossible=seen)


def _tells(answer: bytearray) -> bool:
    """Say whether enough has come to tell an error from a page."""
    text = answer.lstrip()
    return b"\n" in text or len(text) >= HEAD_LIMIT or (len(text) >= 5 and text[:5].upper() != b"HTTP/")


def made_up(answer: bytes) -> Content:
    """An error, in HTTP or as a TLS alert, is a refusal; any other content from nowhere is made up."""
    text = answer.lstrip()
    parts = text.split(None, 2)
    is_error = text[:5].upper() == b"HTTP/" and len(parts) > 1 and parts[1][:1] in (b"4", b"5")
    return Content.REFUSED if is_error or answer.startswith(_TLS_ALERT) else Content.ALTERED


async def udp_question(way: Climb, attempt: Attempt) -> None:
    """Ask a SOCKS5 proxy whether it would carry UDP, by a second, independent client."""
    if way.udp is None or not way.entry.udp:
        return
    await way.follow.pace()
    try:
        async with asyncio.timeout(_LIMIT):
            seen = await way.udp(way.endpoint)
    except TimeoutError:
        seen = Content.NO_ANSWER
    attempt.proof = replace(attempt.proof, udp=seen)
