"""`host:port` without a word on the protocol: HTTP is tried first, then SOCKS5.

In that order because a SOCKS5 server hangs up at once on the letter C of CONNECT, while an HTTP proxy
waits for more behind a SOCKS greeting. Ports that are SOCKS by custom are asked the other way round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from transports.failure import Failure, StepFailed
from transports.http_connect import HttpConnect
from transports.net import Net
from transports.socks5 import Socks5Proxy
from transports.types import Endpoint, Note, Step, Stream

_SOCKS_BY_CUSTOM: Final = frozenset({1080, 1081, 1085, 4145, 7891, 9050, 9150, 10808})
_NOT_THIS_PROTOCOL: Final = frozenset(
    {Failure.EOF, Failure.CONNECTION_RESET, Failure.CONNECTION_ABORTED, Failure.TIMEOUT}
)


class Auto:
    """Finds out which of HTTP and SOCKS5 a server speaks, one connection for each guess."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel by whichever protocol works. Raises the first protocol's StepFailed otherwise."""
        order = ["socks5", "http"] if endpoint.port in _SOCKS_BY_CUSTOM else ["http", "socks5"]
        if "auto" in net.spoken:
            order = [net.spoken["auto"]]
        first = await self._try(order[0], endpoint, host, port, net)
        if not isinstance(first, StepFailed):
            return first
        if len(order) == 1 or not _is_another_protocol(first):
            raise first
        second = await self._try(order[1], endpoint, host, port, net)
        if isinstance(second, StepFailed):
            raise second if second.note in (Note.AUTH_REQUIRED, Note.AUTH_REFUSED, Note.REFUSED) else first
        return second

    async def _try(
        self, spoken: str, endpoint: Endpoint, host: str, port: int, net: Net
    ) -> Stream | StepFailed:
        transport = HttpConnect() if spoken == "http" else Socks5Proxy()
        try:
            stream = await transport.dial(replace(endpoint, transport=spoken), host, port, net)
        except StepFailed as failed:
            return failed
        net.spoken["auto"] = spoken
        return stream


def _is_another_protocol(failed: StepFailed) -> bool:
    if failed.step is not Step.PROXY_HANDSHAKE:
        return False
    return failed.note in (Note.GARBAGE, Note.PAGE) or failed.failure in _NOT_THIS_PROTOCOL
