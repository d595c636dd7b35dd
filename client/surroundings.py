"""What all tries of a run share: the pace, the slots, the names, the doors of engines, and the line's figures."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from client import plan
from client.model import Content, Control
from client.pace import Pacer, Slots
from client.settings import Profile
from client.targets import Targets
from client.way import Climb
from transports.net import Door, Limits, Net
from transports.resolve import Resolver
from transports.socks5 import ask_udp
from transports.stream import is_literal
from transports.trace import Trace
from transports.types import CannotMeasure, Endpoint

_UDP_QUESTIONS: Final = 16  # a run: it is an extra, and every one costs a connection and a thread
_DIRECT: Final = Endpoint(transport="direct", host="", port=1)


class Surroundings:
    """Made once for a run; gives each try its way up."""

    def __init__(
        self,
        profile: Profile,
        targets: Targets,
        roots: Callable[[], Awaitable[ssl.SSLContext]],
        rng: random.Random,
    ) -> None:
        self.pacer = Pacer(profile.interval)
        self.control = Control()
        self.plain_reference: bytes | None = None
        self.doors: Mapping[str, Door | CannotMeasure] = {}
        self._slots = Slots(profile.per_network)
        self._resolver = Resolver()
        self._targets, self._roots, self._rng = targets, roots, rng
        self._udp_left = _UDP_QUESTIONS

    def heed(self, profile: Profile, *, paused: bool) -> None:
        """Keep the pace of `profile` from now on, or begin nothing while it is paused."""
        self.pacer.take(profile.interval)
        self._slots.take(profile.per_network)
        if paused:
            self.pacer.hold()
        else:
            self.pacer.let_go()

    def way(self, endpoint: Endpoint, limits: Limits) -> Climb:
        """Return the way up for one try of a candidate."""
        return Climb(
            endpoint=endpoint,
            net=self._net(endpoint, limits),
            hurry=self._hurry,
            targets=self._targets,
            rng=self._rng,
            upload=lambda: self.control.upload,
            agent=self._rng.choice(self._targets.agents),
            udp=self._ask_udp,
        )

    def control_way(self, limits: Limits) -> Climb:
        """Return the way up without a proxy. It finds out whether the target takes an upload."""
        return Climb(
            endpoint=_DIRECT,
            net=self._net(_DIRECT, limits),
            hurry=self._hurry,
            targets=self._targets,
            rng=self._rng,
            upload=lambda: Content.SKIPPED,
            agent=self._rng.choice(self._targets.agents),
            side_checks=False,
        )

    def _net(self, endpoint: Endpoint, limits: Limits) -> Net:
        now = asyncio.get_running_loop().time()
        trace = Trace(zero=now, deadline=now + limits.total)

        async def pace() -> None:
            await self.pacer.wait()
            trace.contacted = True

        return Net(
            trace=trace,
            limits=limits,
            pace=pace,
            tls_slot=lambda: self._slots.slot(plan.network_of(endpoint.host)),
            tls=self._roots,
            resolve=self._resolver,
            known=self._resolver.known,
            doors=self.doors,
        )

    async def _hurry(self) -> None:
        """Keep the pace, but before those who have not answered yet."""
        await self.pacer.wait(0)

    async def _ask_udp(self, endpoint: Endpoint) -> Content:
        known = self._resolver.known(endpoint.host)
        address = endpoint.host if is_literal(endpoint.host) else next(iter(known), "")
        if not address or self._udp_left <= 0:
            return Content.SKIPPED
        self._udp_left -= 1
        granted = await ask_udp(endpoint, address)
        if granted is None:
            return Content.NO_ANSWER
        return Content.INTACT if granted else Content.REFUSED
