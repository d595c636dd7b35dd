"""What a transport needs from the run it is part of: limits, pace, names, roots and engine doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from transports.failure import Failure
    from transports.trace import Trace
    from transports.types import CannotMeasure, Note, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Deadlines in seconds. `connect` is one TCP connection, `total` the whole try."""

    connect: float = 5.0
    handshake: float = 8.0
    exchange: float = 10.0
    bulk: float = 20.0
    total: float = 45.0


@dataclass(slots=True, kw_only=True, repr=False)
class Door:
    """A loopback SOCKS5 listener of an engine that leads to one endpoint and nowhere else.

    `trouble` is what the engine last reported about this endpoint: the engine sees the real connection,
    we only see its loopback side.
    """

    port: int
    username: str
    password: str
    trouble: tuple[Step, Failure, Note | None] | None = None


async def _at_once() -> None:
    return None


async def _no_context() -> ssl.SSLContext:
    raise RuntimeError("this run has no TLS roots")


def _nothing_known(host: str) -> tuple[str, ...]:
    return ()


async def _no_resolver(host: str) -> tuple[str, ...]:
    raise RuntimeError("this run has no resolver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The surroundings of one try.

    `pace` is awaited before every new connection; `tls_slot` holds a place among the parallel TLS
    handshakes to this endpoint's network; `tls` gives the context with the run's roots; `resolve` turns
    an endpoint's own name into addresses and `known` gives those found before; `doors` maps endpoint keys to what engines have opened for
    them, or to the reason why they could not; `spoken` remembers which protocol `auto` has found.
    """

    trace: Trace
    limits: Limits = field(default_factory=Limits)
    pace: Callable[[], Awaitable[None]] = _at_once
    tls_slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    tls: Callable[[], Awaitable[ssl.SSLContext]] = _no_context
    resolve: Callable[[str], Awaitable[tuple[str, ...]]] = _no_resolver
    known: Callable[[str], tuple[str, ...]] = _nothing_known
    doors: Mapping[str, Door | CannotMeasure] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)
