"""One candidate's way up, what it brings, and the tunnel that every rung needs."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from client.model import Content, Proof
from client.targets import Page, Target, Targets
from transports.failure import Failure, StepFailed, WireError
from transports.http_connect import read_head
from transports.net import Net
from transports.registry import REGISTRY, Entry
from transports.singbox import blame
from transports.stream import secure
from transports.types import Endpoint, Note, Observation, Stream
from transports.wire.http1 import BodyReader

READ: Final = 1400  # about one segment, so that a bulk transfer is many separate reads
_BODY_LIMIT: Final = 64 * 1024  # of a small page; more is not the page that was asked for


@dataclass(slots=True)
class Attempt:
    """What one try has brought: the observations of its main path, and the proof so far."""

    observations: list[Observation] = field(default_factory=list)
    proof: Proof = field(default_factory=Proof)
    failed: Observation | None = None  # the main path ended here
    bulk_failed: Observation | None = None
    spoken: str = ""
    engine: str = ""
    kind: str = ""  # what carries it: of a bridge its transport, for Tor without one "tor"
    plain_page: Page | None = None  # what plain HTTP brought where the content is not known
    ahead: int | None = None  # seconds that our clock is ahead of the target's, by its authentic answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One candidate's way up. `side_checks` is False for the control, which has no proxy to doubt."""

    endpoint: Endpoint
    net: Net
    hurry: Callable[[], Awaitable[None]]  # the pace with precedence
    targets: Targets
    rng: random.Random
    upload: Callable[[], Content]  # what the control has found: INTACT, REFUSED, or not known
    agent: str
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


async def tunnel(way: Climb, target: Target, net: Net) -> Stream:
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


async def read_page(stream: Stream, page: Page) -> None:
    """Read an answer of at most 64 KiB into `page`, which keeps what came when the reading fails.

    Raises WireError, EOFError, OSError.
    """
    head = await read_head(stream)
    page.status, page.headers = head.status, head.headers
    reader = BodyReader(head)
    while not reader.done:
        data = await stream.recv(READ)
        if not data:
            if reader.length is not None:
                raise EOFError
            break
        page.body += reader.feed(data)
        if len(page.body) > _BODY_LIMIT:
            raise WireError(Failure.HTTP_FAILED, Note.ENDLESS, head.status)
    page.whole = True
