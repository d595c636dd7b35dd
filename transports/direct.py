"""No proxy at all: the control measurement that every verdict is compared with."""

from __future__ import annotations

from transports.net import Net
from transports.stream import connect
from transports.types import Endpoint, Stream


class Direct:
    """Opens TCP straight to the target."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open `host`:`port` from here. Raises StepFailed at `resolve` or `connect`."""
        return await connect(host, port, net)
