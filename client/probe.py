"""The proof ladder: what one candidate has to do, step by step, before it may be called working.

Source of the rungs and their reasons: docs/verdicts.md. This module acts and notes; `judge` concludes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from client.model import Content, Proof
from client.targets import Target, Targets, digest
from client.tasks import together
from transports.failure import Failure, StepFailed, WireError
from transports.http_connect import HttpConnect, read_head
from transports.net import Net
from transports.registry import REGISTRY, Entry
from transports.singbox import blame
from transports.stream import secure
from transports.types import Endpoint, Note, Observation, Step, Stream
from transports.wire.http1 import HEAD_LIMIT, BodyReader, get_request, post_head

_BODY_LIMIT: Final = 64 * 1024  # of a small page; more is not the page that was asked for
_READ: Final = 1400  # about one segment, so that a bulk transfer is many separate reads
_WRITE: Final = 1024
_MOST_REQUESTS: Final = 640
_SIDE_LIMIT: Final = 3.0
_PORTAL: Final = 511  # RFC 6585 section 6
_PAUSE: Final = 0.5
# MCAST-TEST-NET (RFC 6676): documentation addresses that TCP can never reach, so no packet leaves a proxy.
_IMPOSSIBLE: Final = "233.252.0."


@dataclass(slots=True)
class Attempt:
    """What one try has brought: the observations of its main path, and the proof so far."""

    observations: list[Observation] = field(default_factory=list)
    proof: Proof = field(default_factory=Proof)
    failed: Observation | None = None  # the main path ended here
    bulk_failed: Observation | None = None
    spoken: str = ""
    plain_digest: bytes | None = None  # what plain HTTP brought where the content is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One candidate's way up. `side_checks` is False for the control, which has no proxy to doubt."""

    endpoint: Endpoint
    net: Net
    hurry: Callable[[], Awaitable[None]]  # the pace with precedence
    targets: Targets
    rng: random.Random
    upload: Callable[[], bool]
    side_checks: bool = True
    udp: Callable[[Endpoint], Awaitable[Content]] | None = None

    @property
    def follow(self) -> Net:
        """Return the surroundings for the later connections of one that has already answered."""
        return replace(self.net, pace=self.hurry)

    @property
    def entry(self) -> Entry:
        """Return the registry entry of the protocol that is really spoken."""
        return REGISTRY[self.net.spoken.get(self.endpoint.transport, self.endpoint.transport)]


async def climb(way: Climb) -> Attempt:
    """Climb as far as it goes. Raises CannotMeasure when our side cannot test this endpoint."""
    attempt = Attempt()
    try:
        await _small(way, attempt)
        if attempt.failed is None:
            checks = [_bulk(way, attempt)]
            if way.side_checks:
                checks += [_plain(way, attempt), _impossible(way, attempt), _udp(way, attempt)]
            elif way.targets.plain:
                checks += [_plain(way, attempt)]
            await _run_checks(checks, one_by_one=bool(way.entry.engine))
    finally:
        attempt.observations[:0] = way.net.trace.observations
        attempt.spoken = way.net.spoken.get(way.endpoint.transport, "")
    return attempt


async def _run_checks(checks: list[Coroutine[Any, Any, None]], *, one_by_one: bool) -> None:
    """Run the later checks side by side, or in turn where an engine's reports would get mixed up."""
    if not one_by_one:
        await together(*checks)
        return
    try:
        while checks:
            await checks.pop(0)
    finally:
        for check in checks:
            check.close()


async def _small(way: Climb, attempt: Attempt) -> None:
    """Fetch a small page over checked TLS; another target where the first is authentic but not as expected."""
    for number, target in enumerate(way.targets.order(way.targets.small, way.rng)[:2]):
        net = way.net if number == 0 else way.follow
        attempt.failed = None
        try:
            stream = await _tunnel(way, target, net)
        except StepFailed as failed:
            attempt.failed = failed.seen()
            if number == 0:
                await _is_plain_only(way, attempt)
            return
        try:
            async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange) as step:
                await stream.send(get_request(target.path, target.host_header))
                status, body = await _page(stream)
                step.code = status
                _expect(target, status, body)
        except StepFailed as failed:
            attempt.failed = failed.seen()
        else:
            at = net.trace.now()
            attempt.proof = replace(attempt.proof, content=True, first_byte=at)
            return
        finally:
            stream.close()


def _expect(target: Target, status: int, body: bytes) -> None:
    if target.expects(status, body) is not False:
        return
    if 300 <= status < 400:
        raise WireError(Failure.HTTP_REDIRECT, Note.REDIRECT, status)
    raise WireError(Failure.HTTP_STATUS, Note.OTHER_CONTENT, status)


async def _tunnel(way: Climb, target: Target, net: Net) -> Stream:
    """Open TLS to `target` through the candidate."""
    transport = way.entry.transport
    assert transport is not None
    try:
        stream = await transport.dial(way.endpoint, target.host, target.port, net)
        try:
            context = await net.tls()  # loaded meanwhile
        except BaseException:
            stream.close()
            raise
        return await secure(stream, context, target.host, net)
    except StepFailed as failed:
        if way.entry.engine:
            raise await blame(way.endpoint, failed, net) from failed
        raise


async def _page(stream: Stream) -> tuple[int, bytes]:
    """Read an answer of at most _BODY_LIMIT bytes. Raises WireError, EOFError, OSError."""
    head = await read_head(stream)
    reader = BodyReader(head)
    body = b""
    while not reader.done:
        data = await stream.recv(_READ)
        if not data:
            if reader.length is not None:
                raise EOFError
            break
        body += reader.feed(data)
        if len(body) > _BODY_LIMIT:
            raise WireError(Failure.HTTP_FAILED, Note.ENDLESS, head.status)
    return head.status, body


async def _is_plain_only(way: Climb, attempt: Attempt) -> None:
    """A proxy that refuses tunnels may still fetch plain pages: that is worth telling apart."""
    failed = attempt.failed
    refused = failed is not None and failed.note is Note.REFUSED and failed.step is Step.PROXY_HANDSHAKE
    if refused and way.entry.forwards and way.targets.plain:
        await _plain(way, attempt)


async def _bulk(way: Climb, attempt: Attempt) -> None:
    """Move the quota down, and up where the target takes it; twice where the first way breaks off."""
    order = way.targets.order(way.targets.bulk, way.rng)
    for number in range(2):
        target = order[number % len(order)]
        net = replace(way.follow, trace=way.follow.trace.branch())
        try:
            await _transfer(way, attempt, target, net)
        except StepFailed as failed:
            attempt.bulk_failed = failed.seen()
            attempt.observations += net.trace.observations
            if failed.failure is Failure.TIMEOUT or number:
                return
            await asyncio.sleep(_PAUSE)
        else:
            attempt.bulk_failed = None
            attempt.observations += net.trace.observations
            return


async def _transfer(way: Climb, attempt: Attempt, target: Target, net: Net) -> None:
    stream = await _tunnel(way, target, net)
    try:
        async with net.trace.step(Step.BULK_TRANSFER, net.limits.bulk):
            with _counted(stream, attempt):
                reusable = await _download(stream, target, way.targets.quota, attempt, net.trace.now)
                if reusable:
                    await _upload(way, attempt, target, stream)
        if not reusable and _wants_upload(way, target):
            stream.close()
            stream = await _tunnel(way, target, net)
            async with net.trace.step(Step.BULK_TRANSFER, net.limits.bulk):
                with _counted(stream, attempt):
                    await _upload(way, attempt, target, stream)
        attempt.proof = replace(attempt.proof, bulk_done=True)
    finally:
        stream.close()


@contextmanager
def _counted(stream: Stream, attempt: Attempt) -> Iterator[None]:
    """Add what moved on `stream` inside the block to the proof, also when the block fails."""
    reads, writes = stream.reads, stream.writes
    try:
        yield
    finally:
        was, segments = attempt.proof, stream.segments() or (None, None)
        attempt.proof = replace(
            was,
            reads=was.reads + stream.reads - reads,
            writes=was.writes + stream.writes - writes,
            segments_in=segments[0],
            segments_out=segments[1],
        )


async def _download(
    stream: Stream, target: Target, quota: int, attempt: Attempt, now: Callable[[], float]
) -> bool:
    """Ask for the file until `quota` bytes have come; a small file is asked for again.

    Returns whether the connection can carry another request.
    """
    request = get_request(target.path, target.host_header, extra=(f"Range: bytes=0-{quota - 1}",))
    began, before, wire_before = now(), stream.received, stream.wire[0]
    try:
        for _ in range(_MOST_REQUESTS):
            await stream.send(request)
            head = await read_head(stream)
            if not 200 <= head.status < 300:
                raise WireError(Failure.HTTP_STATUS, Note.OTHER_CONTENT, head.status)
            body = BodyReader(head)
            while not body.done and stream.received - before < quota + HEAD_LIMIT:
                data = await stream.recv(_READ)
                if not data:
                    raise EOFError
                body.feed(data)
            if stream.received - before >= quota:
                return body.done and head.headers.get("connection", "").lower() != "close"
        raise WireError(Failure.HTTP_FAILED, Note.OTHER_CONTENT)
    finally:
        wire, last = stream.wire
        ended = asyncio.get_running_loop().time()
        silence = ended - last if wire > wire_before else now() - began
        attempt.proof = replace(
            attempt.proof,
            down=min(stream.received - before, quota),
            bulk_seconds=now() - began - silence,
            wire_down=wire - wire_before,
            silence=silence,
        )


def _wants_upload(way: Climb, target: Target) -> bool:
    return way.upload() if target.upload is None else bool(target.upload)


async def _upload(way: Climb, attempt: Attempt, target: Target, stream: Stream) -> None:
    """Send the upload quota in many small writes, where the target is known to take it."""
    if not _wants_upload(way, target):
        return
    quota = way.targets.upload
    await stream.send(post_head(target.upload or target.path, target.host_header, quota))
    piece = way.rng.randbytes(_WRITE)
    up = 0
    try:
        while up < quota:
            await stream.send(piece)
            up += _WRITE
    finally:
        attempt.proof = replace(attempt.proof, up=up)
    head = await read_head(stream)
    taken = Content.INTACT if 200 <= head.status < 300 else Content.REFUSED
    attempt.proof = replace(attempt.proof, upload=taken)


def _side(way: Climb) -> Net:
    """Return the surroundings for a check beside the main path: its own trace, a short limit."""
    limits = way.follow.limits
    short = min(_SIDE_LIMIT, limits.total)
    return replace(
        way.follow,
        trace=way.follow.trace.branch(),
        limits=replace(limits, connect=min(limits.connect, short), handshake=short, exchange=short),
    )


async def _plain(way: Climb, attempt: Attempt) -> None:
    """Fetch known content without TLS: some alter only what they can read."""
    for target in way.targets.order(way.targets.plain, way.rng)[:2]:
        try:
            status, body = await _fetch_plain(way, target, _side(way))
        except StepFailed:
            attempt.proof = replace(attempt.proof, plain=Content.NO_ANSWER)
            return
        expected = target.expects(status, body)
        attempt.plain_digest = digest(body) if expected is None else None
        if expected is not False:
            attempt.proof = replace(attempt.proof, plain=Content.INTACT)
            return
        if status >= 400 and status != _PORTAL:
            attempt.proof = replace(attempt.proof, plain=Content.REFUSED)
            return
        attempt.proof = replace(attempt.proof, plain=Content.ALTERED)  # a second page must agree


async def _fetch_plain(way: Climb, target: Target, net: Net) -> tuple[int, bytes]:
    transport, endpoint = way.entry.transport, way.endpoint
    assert transport is not None
    if way.entry.forwards and isinstance(transport, HttpConnect):
        stream = await transport.forward(endpoint, net)
        who = (endpoint.username, endpoint.password)
        request = get_request(target.url, target.host_header, username=who[0], password=who[1])
    else:
        stream = await transport.dial(endpoint, target.host, target.port, net)
        request = get_request(target.path, target.host_header)
    try:
        async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange):
            await stream.send(request)
            return await _page(stream)
    finally:
        stream.close()


async def _impossible(way: Climb, attempt: Attempt) -> None:
    """Ask for an address that cannot exist. "Granted" alone means nothing; content condemns."""
    net = _side(way)
    transport = way.entry.transport
    assert transport is not None
    host = _IMPOSSIBLE + str(way.rng.randrange(1, 255))
    seen = Content.REFUSED
    try:
        stream = await transport.dial(way.endpoint, host, way.targets.small[0].port, net)
        try:
            async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange):
                await stream.send(get_request("/", host))
                seen = _made_up(await stream.recv(_READ))
        finally:
            stream.close()
    except StepFailed as failed:
        seen = Content.NO_ANSWER if failed.failure is Failure.TIMEOUT else Content.REFUSED
    attempt.proof = replace(attempt.proof, impossible=seen)


def _made_up(answer: bytes) -> Content:
    """An error page inside the tunnel is a refusal; anything else from nowhere is made up."""
    parts = answer.split(None, 2)
    if not answer or (parts[0].startswith(b"HTTP/") and len(parts) > 1 and parts[1][:1] in b"45"):
        return Content.REFUSED
    return Content.ALTERED


async def _udp(way: Climb, attempt: Attempt) -> None:
    """Ask a SOCKS5 proxy whether it would carry UDP, by a second, independent client."""
    if way.udp is None or not way.entry.udp:
        return
    await way.follow.pace()
    try:
        async with asyncio.timeout(_SIDE_LIMIT):
            seen = await way.udp(way.endpoint)
    except TimeoutError:
        seen = Content.NO_ANSWER
    attempt.proof = replace(attempt.proof, udp=seen)
