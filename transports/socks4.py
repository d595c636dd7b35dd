"""SOCKS4 and 4a proxies. Plain SOCKS4 knows IPv4 addresses only, so a name goes by the 4a extension."""

from __future__ import annotations

from transports.net import Net
from transports.socks5 import converse
from transports.stream import connect
from transports.types import Endpoint, Step, Stream
from transports.wire.socks import Socks4


class Socks4Proxy:
    """Opens tunnels through a SOCKS4 or 4a server."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. Raises StepFailed.

        For `socks4` a name is sent as an address if the direct control has resolved it anyway; otherwise,
        and always for `socks4a`, the proxy resolves it.
        """
        where = host
        if endpoint.transport == "socks4":
            where = next((a for a in net.known(host) if ":" not in a), host)
        stream = await connect(endpoint.host, endpoint.port, net)
        try:
            async with net.trace.step(Step.PROXY_HANDSHAKE, net.limits.handshake):
                await converse(Socks4(where, port, endpoint.username), stream)
        except BaseException:
            stream.close()
            raise
        return stream
