"""The cast of the drill: who plays, what it does, and which verdict is right.

A part's `expect` lists the right verdicts as (status, step, failure); more than one where the system's
timing decides. Where both make sense, a part is played over HTTP and over SOCKS5.
"""

from __future__ import annotations

from typing import Final

from client.drill import hostile, proxies
from client.drill.hostile import socks5_granting
from client.drill.parts import (
    CRAWL,
    DELAY,
    FORGED,
    FREEZE,
    FROZEN,
    NOT_TLS,
    NOT_TLS_OR_BROKEN,
    PACKET,
    PACKETS,
    PASSWORD,
    ROUND_TRIP_LIE,
    USERNAME,
    WORKING,
    Part,
    both,
    failed,
    fault,
    guarded,
    http,
    over_tls,
    served,
    socks5,
    wrapped,
)
from client.drill.proxies import Habits
from client.drill.relays import frozen_after, frozen_after_chunks, reset_after, throttled
from client.drill.serving import nobody
from client.model import Failure, Status, Step
from transports.types import N_

_GOOD_STORY: Final = N_("does what a proxy should do")
_RIGHT_STORY: Final = N_("asks for a name and a password, and yours are right")
_WRONG_STORY: Final = N_("asks for a name and a password, and yours are wrong")
_MISSING_STORY: Final = N_("asks for a name and a password, and you have none")
_SILENT_STORY: Final = N_("takes the connection and says nothing")
_TRICKLE_STORY: Final = N_("answers one byte a second, for ever")
_TARPIT_STORY: Final = N_("listens to everything and never answers")
_RESET_STORY: Final = N_("cuts the connection off when it hears what you want")
_CLOSED_STORY: Final = N_("hangs up when it hears what you want")
_GARBAGE_STORY: Final = N_("answers with noise: something else runs on this port")

_GOOD: Final = (
    Part(
        name="good-http",
        transport="http",
        start=http(lambda scene: Habits()),
        expect=WORKING,
        story=_GOOD_STORY,
    ),
    Part(name="good-https", transport="https", start=over_tls, expect=WORKING, story=_GOOD_STORY),
    Part(
        name="good-socks4",
        transport="socks4",
        start=served(lambda scene: proxies.socks4_proxy(scene.world)),
        expect=WORKING,
        story=_GOOD_STORY,
    ),
    Part(
        name="good-socks4a",
        transport="socks4a",
        start=served(lambda scene: proxies.socks4_proxy(scene.world, user=USERNAME)),
        expect=WORKING,
        story=N_("asks for a user id, and yours is right"),
        username=USERNAME,
    ),
    Part(
        name="good-socks5",
        transport="socks5",
        start=socks5(lambda scene: Habits()),
        expect=WORKING,
        story=_GOOD_STORY,
    ),
    Part(
        name="no-udp-socks5",
        transport="socks5",
        start=served(lambda scene: proxies.socks5_proxy(scene.world, udp_granted=False)),
        expect=WORKING,
        story=N_("works, but carries no UDP, so calls will not go through it"),
    ),
    guarded("right-password", "http", PASSWORD, WORKING, _RIGHT_STORY),
    guarded("right-password", "socks5", PASSWORD, WORKING, _RIGHT_STORY),
    *wrapped(
        "slow", lambda good: proxies.slow(good, DELAY), N_("works, but thinks for a second and a half first")
    ),
    *wrapped(
        "first-dropped",
        proxies.first_dropped,
        N_("cuts the first connection off and serves all others: one try is not enough to judge it"),
    ),
)

_REFUSING: Final = (
    *(
        Part(
            name=f"refused-{kind}",
            transport=kind,
            start=lambda scene: nobody(),
            expect=failed(Failure.CONNECTION_REFUSED, Step.CONNECT),
            story=N_("is gone: nobody listens there any more"),
        )
        for kind in ("http", "socks5")
    ),
    guarded("no-password", "http", "", failed(Failure.HTTP_STATUS), _MISSING_STORY),
    guarded("no-password", "socks5", "", failed(Failure.SOCKS_ERROR), _MISSING_STORY),
    guarded("wrong-password", "http", "guess", failed(Failure.HTTP_STATUS), _WRONG_STORY),
    guarded("wrong-password", "socks5", "guess", failed(Failure.SOCKS_ERROR), _WRONG_STORY),
    fault(
        "always-407",
        "http",
        hostile.DENIED_407,
        failed(Failure.HTTP_STATUS),
        N_("asks for a password and accepts none"),
    ),
    fault(
        "no-method",
        "socks5",
        hostile.socks5_turned_down,
        failed(Failure.SOCKS_ERROR),
        N_("accepts no way to identify yourself"),
    ),
    fault("reset-http", "http", hostile.reset_on_request, failed(Failure.CONNECTION_RESET), _RESET_STORY),
    fault("reset-socks5", "socks5", hostile.reset_on_request, failed(Failure.CONNECTION_RESET), _RESET_STORY),
    fault(
        "reset-at-once",
        "http",
        hostile.reset_at_once,
        (
            *failed(Failure.CONNECTION_RESET),
            *failed(Failure.CONNECTION_RESET, Step.CONNECT),
        ),
        N_("cuts the connection off as soon as it is there"),
    ),
    fault("closed-http", "http", hostile.closed_on_request, failed(Failure.EOF), _CLOSED_STORY),
    fault("closed-socks5", "socks5", hostile.closed_on_request, failed(Failure.EOF), _CLOSED_STORY),
    Part(
        name="plain-only",
        transport="http",
        start=served(lambda scene: proxies.http_proxy(scene.world, connect=False)),
        expect=failed(Failure.HTTP_STATUS),
        story=N_("fetches unencrypted pages only; there is hardly a site left for that"),
    ),
)

_WAITING: Final = tuple(
    fault(f"{name}-{kind}", kind, handler, failed(Failure.TIMEOUT), story)
    for name, kind, handler, story in (
        ("silent", "http", hostile.silent, _SILENT_STORY),
        ("silent", "socks5", hostile.silent, _SILENT_STORY),
        ("trickle", "http", hostile.TRICKLE_HTTP, _TRICKLE_STORY),
        ("trickle", "socks5", hostile.TRICKLE_SOCKS5, _TRICKLE_STORY),
        ("tarpit", "http", hostile.tarpit, _TARPIT_STORY),
        ("tarpit", "socks5", hostile.tarpit, _TARPIT_STORY),
    )
)

_STRANGE: Final = (
    fault("garbage-http", "http", hostile.GARBAGE, failed(Failure.HTTP_FAILED), _GARBAGE_STORY),
    fault("garbage-socks5", "socks5", hostile.GARBAGE, failed(Failure.SOCKS_ERROR), _GARBAGE_STORY),
    fault(
        "wrong-version",
        "socks5",
        hostile.WRONG_VERSION,
        failed(Failure.SOCKS_ERROR),
        N_("is a SOCKS4 server where SOCKS5 was promised"),
    ),
    fault(
        "endless-headers",
        "http",
        hostile.ENDLESS_HEADERS,
        failed(Failure.HTTP_FAILED),
        N_("sends headers without end, to fill your memory"),
    ),
    fault(
        "interim",
        "http",
        hostile.INTERIM,
        failed(Failure.HTTP_FAILED),
        N_("says “go on” without end"),
    ),
    fault(
        "huge-status",
        "http",
        hostile.HUGE_STATUS,
        failed(Failure.HTTP_FAILED),
        N_("answers with a status number that cannot be"),
    ),
    fault(
        "redirect",
        "http",
        hostile.REDIRECT,
        failed(Failure.HTTP_REDIRECT),
        N_("sends you to its own page instead"),
    ),
    fault(
        "json-liar",
        "http",
        hostile.json_liar,
        failed(Failure.HTTP_STATUS),
        N_("tells simple testers that it works, and opens no tunnel"),
    ),
    fault(
        "escapes-403",
        "http",
        hostile.ESCAPES_403,
        failed(Failure.HTTP_STATUS),
        N_("refuses with control codes that would take over your terminal"),
    ),
    fault(
        "granted-silent",
        "socks5",
        socks5_granting(hostile.tarpit),
        failed(Failure.TIMEOUT, Step.TLS_HANDSHAKE),
        N_("says “connected”, and nothing ever comes"),
    ),
    fault(
        "granted-closed",
        "socks5",
        socks5_granting(hostile.closed_on_request),
        failed(Failure.EOF, Step.TLS_HANDSHAKE),
        N_("says “connected” and hangs up"),
    ),
)

_LYING: Final = (
    fault(
        "captive",
        "http",
        hostile.CAPTIVE,
        NOT_TLS,
        N_("answers “200 OK” and its own page to everything, as portals do"),
    ),
    fault(
        "wrong-length",
        "http",
        hostile.WRONG_LENGTH,
        NOT_TLS,
        N_("promises a long page, sends a short one and hangs up"),
    ),
    fault(
        "endless-body",
        "http",
        hostile.ENDLESS_BODY,
        NOT_TLS_OR_BROKEN,
        N_("says yes and pours out a page without end"),
    ),
    fault(
        "escapes-200",
        "http",
        hostile.ESCAPES_200,
        NOT_TLS_OR_BROKEN,
        N_("says yes with control codes that would take over your terminal"),
    ),
    fault(
        "granted-echo",
        "socks5",
        socks5_granting(hostile.echo),
        failed(Failure.SSL_HANDSHAKE, Step.TLS_HANDSHAKE),
        N_("says “connected” and sends back your own words"),
    ),
    fault(
        "block-page",
        "socks5",
        socks5_granting(hostile.block_page),
        NOT_TLS,
        N_("leads every address to the same page"),
    ),
    *both(
        "intercepted",
        lambda scene: Habits(interceptor=scene.interceptor),
        FORGED,
        N_("opens your encrypted traffic, reads it, and seals it again under a false certificate"),
    ),
    *both(
        "injected",
        lambda scene: Habits(inject=hostile.ADVERT),
        ROUND_TRIP_LIE,
        N_("leaves encrypted traffic alone and writes its own code into plain pages"),
    ),
    *both(
        "nowhere-page",
        lambda scene: Habits(nowhere=hostile.block_page),
        ROUND_TRIP_LIE,
        N_("shows a page of its own for addresses that cannot exist"),
    ),
)

_STALLING: Final = (
    *both(
        "frozen-16k",
        lambda scene: Habits(down=frozen_after(FREEZE)),
        FROZEN,
        N_("lets the first 16 kB pass and then nothing: small tests do not notice"),
    ),
    *both(
        "frozen-25",
        lambda scene: Habits(down=frozen_after_chunks(PACKETS, PACKET)),
        FROZEN,
        N_("lets 25 packets pass and then nothing: small tests do not notice"),
    ),
    *both(
        "reset-16k",
        lambda scene: Habits(down=reset_after(FREEZE)),
        ((Status.DEGRADED, Step.BULK_TRANSFER, Failure.CONNECTION_RESET),),
        N_("cuts every connection off after 16 kB"),
    ),
    *both(
        "crawl",
        lambda scene: Habits(down=throttled(CRAWL)),
        ((Status.DEGRADED, Step.BULK_TRANSFER, None), *FROZEN),
        N_("works at one kB a second, too slow to be of use"),
    ),
)

CAST: Final[tuple[Part, ...]] = (*_GOOD, *_REFUSING, *_WAITING, *_STRANGE, *_LYING, *_STALLING)
"""All parts; the names are unique."""
