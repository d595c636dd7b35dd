"""The proof ladder: what one candidate has to do, step by step, before it may be called working.

Source of the rungs and their reasons: docs/verdicts.md. This module acts and notes; `judge` concludes.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from client.model import kinds_of
from client.sidechecks import impossible_address, plain_page, udp_question
from client.targets import Page, Target
from client.tasks import together
from client.transfer import bulk
from client.way import Attempt, Climb, read_page, tunnel
from transports.failure import Failure, StepFailed, WireError
from transports.types import Note, Step
from transports.wire.http1 import get_request

__all__ = ["Attempt", "Climb", "climb", "glance"]


async def climb(way: Climb) -> Attempt:
    """Climb as far as it goes. Raises CannotMeasure when our side cannot test this endpoint."""
    attempt = Attempt(engine=way.entry.engine, kind=kinds_of(way.endpoint)[0])
    try:
        await _small(way, attempt)
        if attempt.failed is None:
            checks = [bulk(way, attempt)]
            if way.side_checks:
                checks += [
                    plain_page(way, attempt),
                    impossible_address(way, attempt),
                    udp_question(way, attempt),
                ]
            elif way.targets.plain:
                checks += [plain_page(way, attempt)]
            await _run_checks(checks, one_by_one=bool(way.entry.engine))
    finally:
        attempt.observations[:0] = way.net.trace.observations
        attempt.spoken = way.net.spoken.get(way.endpoint.transport, "")
    return attempt


async def glance(way: Climb) -> Attempt:
    """Only fetch a small page: enough to see whether one that was proved before is still alive."""
    attempt = Attempt(engine=way.entry.engine, kind=kinds_of(way.endpoint)[0])
    try:
        await _small(way, attempt)
    finally:
        attempt.observations[:0] = way.net.trace.observations
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
            stream = await tunnel(way, target, net)
        except StepFailed as failed:
            attempt.failed = failed.seen()
            if number == 0:
                await _is_plain_only(way, attempt)
            return
        try:
            async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange) as step:
                await stream.send(get_request(target.path, target.host_header, agent=way.agent))
                page = Page()
                await read_page(stream, page)
                if not way.side_checks:
                    attempt.ahead = _ahead(page)
                step.code = page.status
                _expect(target, page)
        except StepFailed as failed:
            attempt.failed = failed.seen()
        else:
            at = net.trace.now() - net.trace.waited
            attempt.proof = replace(attempt.proof, content=True, first_byte=at)
            return
        finally:
            stream.close()


def _ahead(page: Page) -> int | None:
    """Compare our clock with the time of an answer (RFC 9110 section 6.6.1); None where it tells none."""
    from email.utils import parsedate_to_datetime

    try:
        told = parsedate_to_datetime(page.headers.get("date", ""))
        return round(time.time() - told.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _expect(target: Target, page: Page) -> None:
    if target.expects(page.status, page.body):
        return
    if 300 <= page.status < 400:
        raise WireError(Failure.HTTP_REDIRECT, Note.REDIRECT, page.status)
    raise WireError(Failure.HTTP_STATUS, Note.OTHER_CONTENT, page.status)


async def _is_plain_only(way: Climb, attempt: Attempt) -> None:
    """A proxy that refuses tunnels may still fetch plain pages: that is worth telling apart."""
    failed = attempt.failed
    refused = failed is not None and failed.note is Note.REFUSED and failed.step is Step.PROXY_HANDSHAKE
    if refused and way.entry.forwards and way.targets.plain:
        await plain_page(way, attempt)
