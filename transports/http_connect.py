"""HTTP and HTTPS proxies: a tunnel by CONNECT, or one plain request by the whole URL.

Source: RFC 9110 section 9.3.6 (CONNECT), RFC 9112 section 3.2.2 (absolute form). An HTTPS proxy is spoken to
in TLS; its certificate is checked like any other, and a fault there is a fault of the proxy's handshake.
"""

from __future__ import annotations

from typing import Final

from transports.failure import Failure, WireError
from transports.net import Net
from transports.stream import connect, secure
from transports.types import Endpoint, Note, Step, Stream
from transports.wire.http1 import Head, HeadReader, connect_request

_SOME: Final = 2048
_MOST_INTERIM: Final = 4  # answers 1xx before the real one (RFC 9110 section 15.2)


class HttpConnect:
    """Opens tunnels through a proxy that speaks HTTP, in the clear or (`https`) inside TLS."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. Raises StepFailed; its `code` is the HTTP status where the proxy gave one."""
        stream = await self.forward(endpoint, net)
        try:
            async with net.trace.step(Step.PROXY_HANDSHAKE, net.limits.handshake) as step:
                await stream.send(connect_request(host, port, endpoint.username, endpoint.password))
                head = await read_head(stream)
                step.code = head.status
                _check(head, bool(endpoint.username or endpoint.password))
        except BaseException:
            stream.close()
            raise
        return stream

    async def forward(self, endpoint: Endpoint, net: Net) -> Stream:
        """Connect to the proxy itself, ready for a request with a whole URL."""
        plain = await connect(endpoint.host, endpoint.port, net)
        if endpoint.transport != "https":
            return plain
        try:
            context = await net.tls()
        except BaseException:
            plain.close()
            raise
        return await secure(plain, context, endpoint.host, net, Step.PROXY_HANDSHAKE)


def _check(head: Head, has_credentials: bool) -> None:
    if 200 <= head.status < 300:
        return
    if head.status in (401, 407):  # tinyproxy turns wrong credentials down with 401
        note = Note.AUTH_REFUSED if has_credentials else Note.AUTH_REQUIRED
        raise WireError(Failure.HTTP_STATUS, note, head.status)
    if 300 <= head.status < 400:
        raise WireError(Failure.HTTP_REDIRECT, Note.REDIRECT, head.status)
    raise WireError(Failure.HTTP_STATUS, Note.REFUSED, head.status)


async def read_head(stream: Stream) -> Head:
    """Read an answer's head; what came behind it is put back. Raises WireError, EOFError, OSError."""
    reader = HeadReader()
    interim = 0
    data = b""
    while True:
        head = reader.feed(data) if data else None
        if head is None:
            data = await stream.recv(_SOME)
            if not data:
                raise EOFError
            continue
        if not 100 <= head.status < 200 or head.status == 101:
            if reader.rest:
                stream.unread(reader.rest)
            return head
        interim += 1
        if interim > _MOST_INTERIM:
            raise WireError(Failure.HTTP_FAILED, Note.ENDLESS, head.status)
        data, reader = reader.rest, HeadReader()
