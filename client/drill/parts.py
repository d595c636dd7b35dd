"""What a part of the drill is, and the shorthands that the cast is written in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from client.drill import proxies
from client.drill.ca import Authority
from client.drill.proxies import Habits, World
from client.drill.relays import Interceptor
from client.drill.serving import Handler, serving
from client.model import Failure, Status, Step

Expected = tuple[Status, Step | None, Failure | None]

USERNAME: Final = "drill"
PASSWORD: Final = "open sesame"
DELAY: Final = 1.5  # seconds
FREEZE: Final = 16 * 1024  # bytes
PACKETS: Final = 25
PACKET: Final = 1400  # bytes
CRAWL: Final = 1024  # bytes a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the parts share: the reachable world, the honest authority, the one who reads along."""

    world: World
    honest: Authority
    interceptor: Interceptor


Start = Callable[[Scene], AbstractAsyncContextManager[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One proxy in the play.

    `start` runs it on a port of 127.0.0.1. `username` and `password` are what the person was told, right or
    wrong. `story` is a sentence for the catalogs that tells what this one does.
    """

    name: str
    transport: str
    start: Start
    expect: tuple[Expected, ...]
    story: str
    username: str = ""
    password: str = field(default="", repr=False)


Make = Callable[[Scene], Handler]

HANDSHAKE: Final = Step.PROXY_HANDSHAKE
WORKING: Final[tuple[Expected, ...]] = ((Status.WORKING, None, None),)
ROUND_TRIP_LIE: Final[tuple[Expected, ...]] = ((Status.HOSTILE, Step.HTTP_ROUND_TRIP, None),)
NOT_TLS: Final[tuple[Expected, ...]] = ((Status.HOSTILE, Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE),)
NOT_TLS_OR_BROKEN: Final[tuple[Expected, ...]] = (
    *NOT_TLS,
    (Status.FAILED, Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE),
)
FORGED: Final[tuple[Expected, ...]] = ((Status.HOSTILE, Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY),)
FROZEN: Final[tuple[Expected, ...]] = ((Status.DEGRADED, Step.BULK_TRANSFER, Failure.TIMEOUT),)


def failed(failure: Failure, step: Step = HANDSHAKE) -> tuple[Expected, ...]:
    """Expect a failure at `step`."""
    return ((Status.FAILED, step, failure),)


def served(make: Make) -> Start:
    """Serve the handler that `make` builds for the scene."""
    return lambda scene: serving(make(scene))


def always(handler: Handler) -> Start:
    """Serve a handler that needs nothing of the scene."""
    return lambda scene: serving(handler)


def http(habits: Callable[[Scene], Habits]) -> Start:
    """Serve an HTTP proxy with these habits."""
    return served(lambda scene: proxies.http_proxy(scene.world, habits=habits(scene)))


def socks5(habits: Callable[[Scene], Habits]) -> Start:
    """Serve a SOCKS5 proxy with these habits."""
    return served(lambda scene: proxies.socks5_proxy(scene.world, habits=habits(scene)))


def over_tls(scene: Scene) -> AbstractAsyncContextManager[int]:
    """Serve a good HTTP proxy that is spoken to in TLS."""
    context = scene.honest.server_context("127.0.0.1", "localhost")
    return serving(proxies.http_proxy(scene.world), context=context)


def both(
    name: str, habits: Callable[[Scene], Habits], expect: tuple[Expected, ...], story: str
) -> tuple[Part, Part]:
    """Return one part over HTTP and one over SOCKS5 with the same habits."""
    return (
        Part(name=f"{name}-http", transport="http", start=http(habits), expect=expect, story=story),
        Part(name=f"{name}-socks5", transport="socks5", start=socks5(habits), expect=expect, story=story),
    )


def wrapped(name: str, wrap: Callable[[Handler], Handler], story: str) -> tuple[Part, Part]:
    """Return a good HTTP and a good SOCKS5 proxy inside `wrap`."""
    starts: tuple[tuple[str, Start], ...] = (
        ("http", served(lambda scene: wrap(proxies.http_proxy(scene.world)))),
        ("socks5", served(lambda scene: wrap(proxies.socks5_proxy(scene.world)))),
    )
    first, second = (
        Part(name=f"{name}-{kind}", transport=kind, start=start, expect=WORKING, story=story)
        for kind, start in starts
    )
    return first, second


def fault(name: str, transport: str, handler: Handler, expect: tuple[Expected, ...], story: str) -> Part:
    """Return a part that is no proxy at all."""
    return Part(name=name, transport=transport, start=always(handler), expect=expect, story=story)


def guarded(name: str, transport: str, password: str, expect: tuple[Expected, ...], story: str) -> Part:
    """Return a proxy that wants credentials; the person has `password`, or nothing at all."""
    make = proxies.http_proxy if transport == "http" else proxies.socks5_proxy
    return Part(
        name=f"{name}-{transport}",
        transport=transport,
        start=served(lambda scene: make(scene.world, username=USERNAME, password=PASSWORD)),
        expect=expect,
        story=story,
        username=USERNAME if password else "",
        password=password,
    )
