"""The bulk transfer: 64 KiB down and, where the target takes it, 32 KiB up, in many separate reads and writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from client.model import Content
from client.targets import Target
from client.way import READ, Attempt, Climb, tunnel
from transports.failure import Failure, StepFailed, WireError
from transports.http_connect import read_head
from transports.net import Net
from transports.types import Note, Step, Stream
from transports.wire.http1 import HEAD_LIMIT, BodyReader, Head, get_request, post_head

_WRITE: Final = 1024
_MOST_REQUESTS: Final = 640
_MOST_CONNECTIONS: Final = 4
_TELLING: Final = 24 * 1024  # bytes on one connection that the known freezes (16 to 20 KB) do not let pass
_PAUSE: Final = 0.5


async def bulk(way: Climb, attempt: Attempt) -> None:
    """Move the quotas; a second time, by another target where there is one, if the first way breaks off."""
    order = way.targets.order(way.targets.bulk, way.rng)
    for number in range(2):
        net = replace(way.follow, trace=way.net.trace.branch())
        try:
            await _transfer(way, attempt, order[number % len(order)], net)
        except StepFailed as failed:
            attempt.bulk_failed = failed.seen()
            again = failed.failure is not Failure.TIMEOUT and failed.note is not Note.TOO_SMALL
            attempt.observations += net.trace.observations
            if number or not again:
                return
            attempt.proof = replace(attempt.proof, down=0, bulk_seconds=0.0, wire_down=0)
            await asyncio.sleep(_PAUSE)
        else:
            attempt.bulk_failed = None
            attempt.observations += net.trace.observations
            return


async def _transfer(way: Climb, attempt: Attempt, target: Target, net: Net) -> None:
    stream = await tunnel(way, target, net)
    try:
        reusable, before = False, 0
        for _ in range(_MOST_CONNECTIONS):
            async with net.trace.step(Step.BULK_TRANSFER, net.limits.bulk):
                with _counted(stream, attempt):
                    reusable = await _download(stream, target, way, attempt, net.trace.now)
            if attempt.proof.down >= way.targets.quota:
                break
            # A target that hangs up after so many pages; a censor's freeze would have shown by now.
            if attempt.proof.down - before < _TELLING:
                raise net.trace.failed(
                    Step.BULK_TRANSFER, net.trace.clock(), WireError(Failure.HTTP_FAILED, Note.TOO_SMALL)
                )
            before = attempt.proof.down
            stream.close()
            stream = await tunnel(way, target, net)
        taker = _taker(way, target)
        if taker is not None:
            stream = await _send_up(way, attempt, taker, net, stream, reusable=reusable and taker is target)
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
    stream: Stream, target: Target, way: Climb, attempt: Attempt, now: Callable[[], float]
) -> bool:
    """Ask for the file until the quota has come; a small file is asked for again.

    Returns whether the connection can carry another request.
    """
    quota = way.targets.quota
    was = attempt.proof
    wanted = (f"Range: bytes=0-{quota - 1}",)
    request = get_request(target.path, target.host_header, extra=wanted, agent=way.agent)
    began, before, wire_before = now(), stream.received, stream.wire[0]
    try:
        for _ in range(_MOST_REQUESTS):
            await stream.send(request)
            head = await read_head(stream)
            if not 200 <= head.status < 300:
                raise WireError(Failure.HTTP_STATUS, Note.OTHER_CONTENT, head.status)
            ended = await _drink(stream, head, before + quota - was.down)
            if stream.received - before + was.down >= quota:
                return ended and _stays_open(head)
            if not _stays_open(head):
                break
        return False
    finally:
        wire, last = stream.wire
        ended_at = asyncio.get_running_loop().time()
        silence = ended_at - last if wire > wire_before else now() - began
        attempt.proof = replace(
            attempt.proof,
            down=min(was.down + stream.received - before, quota),
            bulk_seconds=was.bulk_seconds + now() - began - silence,
            wire_down=was.wire_down + wire - wire_before,
            silence=silence,
        )


async def _drink(stream: Stream, head: Head, enough: int) -> bool:
    """Read a body to its end, or until `enough` bytes have been received; say whether it ended.

    Raises EOFError when it breaks off before both.
    """
    body = BodyReader(head)
    while not body.done:
        if stream.received >= enough + HEAD_LIMIT:
            return False
        data = await stream.recv(READ)
        if data:
            body.feed(data)
        elif body.length is None or stream.received >= enough:
            return False  # the end of the connection ends the body, or all that was wanted has come
        else:
            raise EOFError
    return True


def _stays_open(head: Head) -> bool:
    """Say whether the connection persists behind this answer (RFC 9112 section 9.3)."""
    if (
        "content-length" not in head.headers
        and "transfer-encoding" not in head.headers
        and head.status != 204
    ):
        return False
    options = {word.strip().lower() for word in head.headers.get("connection", "").split(",")}
    return "close" not in options and (head.version >= (1, 1) or "keep-alive" in options)


def _taker(way: Climb, target: Target) -> Target | None:
    """Return the target that is to take the upload, None where there is none."""
    if target.upload:
        return target
    if target.upload is None:  # the person's own: the control may have found that it takes none
        return None if way.upload() in (Content.REFUSED, Content.NO_ANSWER) else target
    return way.rng.choice(way.targets.uploads) if way.targets.uploads else None


async def _send_up(
    way: Climb, attempt: Attempt, taker: Target, net: Net, stream: Stream, *, reusable: bool
) -> Stream:
    """Upload on `stream`, or on a tunnel of its own. Returns the stream that is open now.

    Silence counts against the entry. A refusal or a hang-up does not, unless the control has shown that this
    target takes uploads: then something on the way does not.
    """
    sure = way.upload() is Content.INTACT and taker.upload is None
    try:
        if not reusable:
            stream.close()
            stream = await tunnel(way, taker, net)
        async with net.trace.step(Step.BULK_TRANSFER, net.limits.bulk):
            with _counted(stream, attempt):
                await _upload(way, attempt, taker, stream)
    except StepFailed as failed:
        silent = failed.failure is Failure.TIMEOUT and failed.step is Step.BULK_TRANSFER
        if sure or (silent and way.side_checks):
            raise
        seen = Content.NO_ANSWER if silent else Content.REFUSED
        attempt.proof = replace(attempt.proof, upload=seen)
    return stream


async def _upload(way: Climb, attempt: Attempt, taker: Target, stream: Stream) -> None:
    quota = way.targets.upload
    path = taker.upload or taker.path
    await stream.send(post_head(path, taker.host_header, quota, agent=way.agent))
    piece = way.rng.randbytes(_WRITE)
    for _ in range(quota // _WRITE):
        await stream.send(piece)
    head = await read_head(stream)
    taken = 200 <= head.status < 300
    # Only an accepted upload has arrived: what was handed to the system may still lie there.
    attempt.proof = replace(
        attempt.proof, upload=Content.INTACT if taken else Content.REFUSED, up=quota if taken else 0
    )
