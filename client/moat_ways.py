"""Ways to Moat: directly, through a candidate, or through meek's reflector; each request on its own stream.

However the stream was opened, TLS against the run's roots and HTTP go inside it, so nobody on the way can read or
write. A meek server ends the connection after one answer, so no stream is used twice (docs/adr/0005).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client import moat, plan
from client.model import Candidate, Message, kinds_of
from client.platform import disk_folder, memory_folder
from client.targets import Target, parse_url
from transports import tor_bridge
from transports.failure import Failure, StepFailed, WireError
from transports.http_connect import read_head
from transports.net import Door, Limits, Net
from transports.registry import REGISTRY
from transports.resolve import Resolver
from transports.singbox import blame
from transports.stream import secure
from transports.trace import Trace
from transports.types import N_, CannotMeasure, Endpoint, Note, Rejected, Step, Stream
from transports.wire.http1 import BodyReader, get_request, post_head

if TYPE_CHECKING:
    from client.following import OpenEngines
    from transports.pt_engine import Plugins

MOST_WAYS: Final = 10
_READ: Final = 16 * 1024
_DIRECT: Final = Endpoint(transport="direct", host="", port=1)
_PLAIN: Final = Limits(connect=10.0, handshake=15.0, exchange=20.0, total=45.0)
_FRONTED: Final = Limits(connect=10.0, handshake=60.0, exchange=60.0, total=90.0)
NO_PAGE: Final = N_("{way}: the server's answer is no list of bridges (status {status})")
FORGED: Final = N_(
    "{way}: somebody stands between with a false certificate, so nothing was asked there. Do not trust this way."
)
_NO_MEMORY: Final = N_(
    "there is no folder in memory here, and the program that speaks meek was not allowed to write to the disk: allow it with --disk"
)
_WHY: Final = N_("{way}: {why}")
_BEHIND: Final = N_("no answer from the front, or from the server behind it")
_NO_TLS: Final = N_(
    "the server is reached, but no encrypted connection comes about: it may be cut by its name"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way. `endpoint` is opened by its transport or, with `plugins`, by its program."""

    endpoint: Endpoint
    label: Message
    limits: Limits = _PLAIN
    plugins: Plugins | None = None
    doors: Mapping[str, Door | CannotMeasure] = field(default_factory=dict)


class NoWay(Exception):  # noqa: N818 - a result: no way led to the server
    """None of the ways led there. `measured` tells whether at least one could be tried at all."""

    def __init__(self, measured: bool) -> None:
        super().__init__("no way")
        self.measured: Final = measured


def server_of(url: str) -> Target:
    """Return the server that a Moat URL names. Raises Rejected."""
    found = parse_url(url if url.endswith("/") else url + "/", tls=True, option="--moat")
    if "?" in found.path:
        raise Rejected(N_("{option}: this is not a URL"), option="--moat")
    return found


def front_of(endpoint: Endpoint) -> str:
    """Return the host that an eavesdropper sees where this line is used, "" for one that is not meek's."""
    options = endpoint.options or {}
    if options.get("pt") != "meek_lite":
        return ""
    from urllib.parse import urlsplit

    args: Mapping[str, str] = options["args"]
    return args.get("front") or str(urlsplit(args.get("url", "")).hostname or "")


def fronts(lines: Sequence[str]) -> tuple[Endpoint, ...]:
    """Return the endpoints of meek lines. Raises Rejected for another line."""
    found = tuple(tor_bridge.parse(line) for line in lines)
    if not found or not all(map(front_of, found)):
        raise Rejected(N_("--fronts: only meek_lite lines with url= can stand there"))
    return found


def usable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the first candidates that can carry a request."""
    return [candidate for candidate in candidates if plan.is_testable(candidate)][:MOST_WAYS]


@asynccontextmanager
async def directly() -> AsyncIterator[tuple[Way, ...]]:
    """Give the way without anything between."""
    yield (Way(endpoint=_DIRECT, label=Message(N_("directly"))),)


@asynccontextmanager
async def through_candidates(
    candidates: Sequence[Candidate], engines: OpenEngines
) -> AsyncIterator[tuple[Way, ...]]:
    """Give one way for each candidate, with the engine running that some of them need."""
    nodes = [one.endpoint for one in candidates if REGISTRY[one.endpoint.transport].engine]
    async with AsyncExitStack() as stack:
        doors: Mapping[str, Door | CannotMeasure] = {}
        if nodes:
            try:
                doors = (await stack.enter_async_context(engines(nodes))).doors
            except CannotMeasure as reason:
                doors = {node.key(): reason for node in nodes}
        yield tuple(
            Way(
                endpoint=one.endpoint,
                label=Message(N_("through the entry in line {line}"), {"line": one.line}),
                doors=doors,
            )
            for one in candidates
        )


@asynccontextmanager
async def fronted(
    endpoints: Sequence[Endpoint], programs: Sequence[Path] | None = None, *, disk: bool = False
) -> AsyncIterator[tuple[Way, ...]]:
    """Give one way for each front, with the program running that speaks meek. Raises CannotMeasure.

    With `disk` the program may write to the disk where there is no folder in memory.
    """
    from transports import pt_engine
    from transports.guard import Guard

    folder = memory_folder() or (disk_folder() if disk else None)
    if folder is None:
        raise CannotMeasure(_NO_MEMORY)
    async with (
        Guard.running() as guard,
        pt_engine.opened(["meek_lite"], guard=guard, folder=folder, programs=programs) as plugins,
    ):
        plugins.of("meek_lite")
        yield tuple(
            Way(
                endpoint=one,
                label=Message(N_("behind {front}"), {"front": front_of(one)}),
                limits=_FRONTED,
                plugins=plugins,
            )
            for one in endpoints[:MOST_WAYS]
        )


class Asker:
    """Asks one server, by the first way that leads to it and from then on only by that one.

    `tell` gets a sentence for each way that did not.
    """

    def __init__(
        self,
        server: Target,
        ways: Sequence[Way],
        roots: Callable[[], Awaitable[ssl.SSLContext]],
        tell: Callable[[Message], None],
        limits: Limits | None = None,
    ) -> None:
        self._server, self._ways, self._roots, self._tell = server, list(ways), roots, tell
        self._limits = limits
        self._resolver = Resolver()
        self._measured = False

    @property
    def way(self) -> Way:
        """The way that is used; it led to the server if anything was answered."""
        return self._ways[0]

    async def ask(self, path: str, body: bytes | None) -> bytes:
        """Return the body of the answer; with `body` None it is a GET. Raises NoWay."""
        while self._ways:
            way = self._ways[0]
            try:
                answer = await exchange(way, self._server, path, body, self._net(way))
            except StepFailed as failed:
                self._measured = True
                self._tell(_why(way, failed))
            except CannotMeasure as reason:
                why = Message(reason.reason, reason.values)
                self._tell(Message(_WHY, {"way": way.label, "why": why}))
            else:
                del self._ways[1:]
                return answer
            del self._ways[0]
        raise NoWay(self._measured)

    def _net(self, way: Way) -> Net:
        now = asyncio.get_running_loop().time()
        limits = self._limits or way.limits
        return Net(
            trace=Trace(zero=now, deadline=now + limits.total),
            limits=limits,
            tls=self._roots,
            resolve=self._resolver,
            known=self._resolver.known,
            doors=way.doors,
        )


def _why(way: Way, failed: StepFailed) -> Message:
    from client.control import has_route
    from client.judge import FORGERIES, NO_NETWORK, explain

    if failed.step is Step.TLS_HANDSHAKE and failed.failure in FORGERIES:
        return Message(FORGED, {"way": way.label})
    if failed.step is Step.HTTP_ROUND_TRIP and failed.code:
        return Message(NO_PAGE, {"way": way.label, "status": failed.code})
    offline = not has_route()
    if way.plugins is not None and failed.step in (Step.PT_HANDSHAKE, Step.TLS_HANDSHAKE):
        why = Message(NO_NETWORK if offline else _BEHIND)
    elif way.endpoint is _DIRECT and failed.step is Step.TLS_HANDSHAKE:
        why = Message(_NO_TLS)
    else:
        why = explain(failed.seen(), kinds_of(way.endpoint)[0], offline=offline)
    return Message(_WHY, {"way": way.label, "why": why})


async def exchange(way: Way, server: Target, path: str, body: bytes | None, net: Net) -> bytes:
    """Open a stream by `way`, put TLS on it, ask once and close it. Raises StepFailed or CannotMeasure."""
    try:
        stream = await _secured(way, server, net)
    except StepFailed as failed:
        raise await blame(way.endpoint, failed, net) from failed
    try:
        async with net.trace.step(Step.HTTP_ROUND_TRIP, net.limits.exchange):
            return await converse(stream, server, path, body)
    finally:
        stream.close()


async def _secured(way: Way, server: Target, net: Net) -> Stream:
    context = await net.tls()
    stream: Stream
    if way.plugins is not None:
        from transports.knock import through

        # Its line leads to the reflector, and that one only to the server.
        stream = await through(way.endpoint, net, way.plugins)
    else:
        transport = REGISTRY[way.endpoint.transport].transport
        assert transport is not None
        stream = await transport.dial(way.endpoint, server.host, server.port, net)
    return await secure(stream, context, server.host, net)


async def converse(stream: Stream, server: Target, path: str, body: bytes | None) -> bytes:
    """Send one request and return the body of the answer, which has status 200 and at most `moat.LARGEST` bytes.

    Redirects are not followed. Raises WireError, EOFError, OSError.
    """
    where = server.path + path
    if body is None:
        request = get_request(where, server.host_header, extra=("Connection: close",))
    else:
        request = post_head(where, server.host_header, len(body), moat.KIND) + body
    await stream.send(request)
    head = await read_head(stream)
    if head.status != 200:
        redirect = 300 <= head.status < 400
        failure = Failure.HTTP_REDIRECT if redirect else Failure.HTTP_STATUS
        raise WireError(failure, Note.REDIRECT if redirect else Note.OTHER_CONTENT, head.status)
    reader = BodyReader(head)
    parts, size = [], 0
    while not reader.done:
        data = await stream.recv(_READ)
        if not data:
            if reader.length is not None:
                raise EOFError
            break
        parts.append(reader.feed(data))
        size += len(parts[-1])
        if size > moat.LARGEST:
            raise WireError(Failure.HTTP_FAILED, Note.ENDLESS)
    return b"".join(parts)
