"""Pages and transfers: known pages without TLS, and 64 KiB down and up over TLS until they end, flow on or stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from client.diagnosis.around import Around, failed, sight
from client.diagnosis.ask_tls import shown_certificate
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Name, Sight
from client.model import Content, Failure, Step
from client.targets import Page, against
from client.tasks import together
from client.way import READ, read_page
from transports.failure import StepFailed, WireError, classify
from transports.http_connect import read_head
from transports.stream import SocketStream, TlsStream
from transports.types import Note
from transports.wire.http1 import BodyReader, authority, get_request, post_head

VOLUME: Final = 64 * 1024
_NO_MORE: Final = (
    f"Range: bytes=0-{VOLUME - 1}"  # else the server sends on until it hears that we have closed
)
_STILL: Final = 3.0  # seconds without a byte: then it has stopped
_LOOK: Final = 0.05  # seconds between two looks at what was acknowledged
_PIECE: Final = 1400
_HEADER: Final = 54  # bytes of Ethernet, IP and TCP headers of one segment
_PORTAL: Final = 511  # RFC 6585 section 6


def _host(ask: Ask, default: int) -> str:
    name = (
        ask.data or ask.value or ask.host
    )  # `data`: where the name of the page is not the name that is shown
    return name if ask.port == default else authority(name, ask.port)


async def known_page(ask: Ask, around: Around) -> Sequence[Sight]:
    """Fetch a plain page of known status and content; another one is FALSE, redirects are not followed."""
    began = around.now()
    net = around.net(ask)
    page, got = Page(), 0
    try:
        stream = await around.connected(ask, net)
        try:
            async with net.trace.step(Step.HTTP_ROUND_TRIP, ask.limit):
                await stream.send(get_request(ask.path, _host(ask, 80), agent=around.agent))
                await read_page(stream, page)
        finally:
            got = stream.received
            around.moved += got + 300
            stream.close()
    except StepFailed as error:
        known = ask.body is None or ask.body.startswith(page.body)
        if not page.status or (page.status == (ask.status or 200) and known):  # cut, but not another page
            after = "syn" if error.step is Step.CONNECT else "request"
            came = Came.FALSE if error.note in (Note.PAGE, Note.GARBAGE) else None
            return (failed(ask, error, began, around, after, came, received=got),)
    came, detail = _judged(ask, page), str(page.status)
    return (sight(ask, came, began, around, after="request", detail=detail, received=got),)


def _judged(ask: Ask, page: Page) -> Came:
    """Say whether this is the known page, another one, or the server's own trouble."""
    if page.status == (ask.status or 200) and (ask.body is None or against(page, ask.body) is Content.INTACT):
        return Came.RIGHT
    return Came.OTHER if page.status >= 500 and page.status != _PORTAL else Came.FALSE


async def download(ask: Ask, around: Around) -> Sequence[Sight]:
    """Fetch 64 KiB over TLS."""
    return (await _transfer(ask, around, up=False),)


async def upload(ask: Ask, around: Around) -> Sequence[Sight]:
    """Send 64 KiB over TLS; RIGHT when the server says that it has them."""
    return (await _transfer(ask, around, up=True),)


async def _transfer(ask: Ask, around: Around, *, up: bool) -> Sight:
    began = around.now()
    net = around.net(ask)
    try:
        stream = await around.connected(ask, net)
        # A server cannot have a certificate for another's name: it is the shown name that is in question.
        trusted = around.any_name if ask.name is Name.FORBIDDEN else around.tls
        tls = await around.secured(stream, ask.value or ask.host, net, trusted)
    except StepFailed as error:
        after = "syn" if error.step is Step.CONNECT else "client_hello"
        if error.failure in (Failure.SSL_AUTHORITY, Failure.SSL_HOSTNAME, Failure.SSL_CERTIFICATE):
            shown = await shown_certificate(ask, error.failure, around)
            return failed(ask, error, began, around, after, Came.FALSE, certificate=shown)
        return failed(ask, error, began, around, after)
    flow = _Flow(ask, around, stream, tls)
    try:
        return await flow.run(up=up)
    finally:
        around.moved += stream.received + flow.sent + 1200 + sum(stream.segments() or ()) * _HEADER
        tls.close()


class _Flow:
    """One transfer under way: what has moved, when it moved last, and how it ended."""

    def __init__(self, ask: Ask, around: Around, stream: SocketStream, tls: TlsStream) -> None:
        self.ask, self.around, self.stream, self.tls = ask, around, stream, tls
        self.began = self.last = around.now()
        self.moved = self.sent = 0
        self.status = 0
        self.answered = False
        self._before = stream.acknowledged() or 0

    async def run(self, *, up: bool) -> Sight:
        """Carry it to its end, past its deadline while it flows, or to where nothing more comes."""
        failure: Failure | None = None
        try:
            if up:
                await together(self._up(), self._watch())
            else:
                await self._down()
        except TimeoutError:
            failure = Failure.TIMEOUT
        except (OSError, EOFError, WireError) as error:
            failure = classify(error)
        return self._sight(self._came(failure), failure)

    def _came(self, failure: Failure | None) -> Came:
        if failure is None:
            return Came.RIGHT if 200 <= self.status < 300 else Came.OTHER
        if failure is Failure.TIMEOUT:
            flows = self.moved > 0 and self.around.now() - self.last < _STILL
            return Came.RIGHT if flows else Came.STOPPED if self.moved else Came.SILENCE
        if failure is Failure.HTTP_FAILED:  # over a checked connection: the server's own trouble
            return Came.OTHER
        return Came.RESET if failure is Failure.CONNECTION_RESET else Came.CLOSED

    def _sight(self, came: Came, failure: Failure | None = None) -> Sight:
        took = max(self.last - self.began, 0.001)
        counts = self.stream.segments() or (0, 0)
        return sight(
            self.ask,
            came,
            self.began,
            self.around,
            failure=failure,
            after="first_bytes" if self.moved else "request",
            received=self.stream.received,
            sent=self.sent,
            packets=sum(counts),
            kib_per_s=self.moved / 1024 / took if self.moved else None,
            detail=str(self.status) if self.status else "",
        )

    def _tick(self, count: int) -> None:
        self.moved += count
        self.last = self.around.now()

    def _late(self) -> bool:
        return self.around.now() - self.began > self.ask.limit

    async def _down(self) -> None:
        async with asyncio.timeout(self.ask.limit):
            host, agent = _host(self.ask, 443), self.around.agent
            await self.tls.send(get_request(self.ask.path, host, extra=(_NO_MORE,), agent=agent))
            head = await read_head(self.tls)
        self.status = head.status
        if not 200 <= head.status < 300:
            return
        reader = BodyReader(head)
        while self.moved < VOLUME and not reader.done:
            if self._late():  # it flows, slowly
                raise TimeoutError
            async with asyncio.timeout(_STILL):
                data = await self.tls.recv(READ)
            if not data:
                if reader.length is None:
                    return
                raise EOFError
            reader.feed(data)
            self._tick(len(data))

    async def _up(self) -> None:
        head = post_head(self.ask.path, _host(self.ask, 443), VOLUME, agent=self.around.agent)
        await self.tls.send(head)
        written = 0
        while written < VOLUME:
            piece = min(_PIECE, VOLUME - written)
            await self.tls.send(bytes(piece))
            written += piece
            if self.stream.acknowledged() is None:
                self._has(written)
        answer = await read_head(self.tls)
        self.status, self.answered = answer.status, True
        if 200 <= answer.status < 300:
            self._has(VOLUME)
            self.last = self.around.now()

    def _has(self, sent: int) -> None:
        if sent > self.sent:
            self._tick(sent - self.sent)
            self.sent = sent

    async def _watch(self) -> None:
        """Follow what the other side acknowledges: what only waits in our own system has not moved."""
        while not self.answered:
            await asyncio.sleep(_LOOK)
            came = self.stream.acknowledged()
            if came is not None:
                self._has(min(VOLUME, came - self._before))
            if self._late() or (self.moved and self.around.now() - self.last >= _STILL):
                raise TimeoutError
