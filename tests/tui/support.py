"""What the screen's tests share: reading the screen, waiting for it, and made-up events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from client import check, parse
from client.check import Wishes
from client.drill.origin import Origin
from client.drill.stage import Stage, stage
from client.engine import Run
from client.events import EngineProgressed, Finished, Judged
from client.model import Candidate, LineState, Message, Proof, Protection, Status, Verdict
from transports.types import Endpoint
from tui.app import SanylauApp
from tui.screens.home import HomeScreen
from tui.screens.importing import ImportScreen

SIZE = (80, 24)
REASON = Message("authentic content came through")


def text_of(app: App[Any]) -> str:
    """Return what stands on the screen."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], ready: Callable[[], object], limit: float = 20.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(limit):
        while not ready():
            await pilot.pause(0.02)


async def until_shown(pilot: Pilot[Any], text: str, limit: float = 20.0) -> None:
    """Wait for a text to stand on the screen."""
    try:
        await until(pilot, lambda: text in text_of(pilot.app), limit)
    except TimeoutError:
        raise AssertionError(f"{text!r} is not on the screen:\n{text_of(pilot.app)}") from None


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Paste as a terminal does."""
    from textual import events

    focused = pilot.app.focused
    assert focused is not None
    focused.post_message(events.Paste(text))
    await pilot.pause()


@asynccontextmanager
async def playing(names: Collection[str], folder: Path, **wanted: Any) -> AsyncIterator[tuple[Stage, Wishes]]:
    """Play parts of the drill; give the stage and wishes that lead to its origin."""
    async with stage(names) as played:
        authority = folder / "ca.pem"
        authority.write_text(played.origin.ca_pem)
        yield played, wishes_for(played.origin, authority, **wanted)


def wishes_for(origin: Origin, authority: Path, **wanted: Any) -> Wishes:
    """Return wishes that lead to an origin of the drill."""
    https = f"https://127.0.0.1:{origin.https_port}"
    values: dict[str, Any] = {
        "target": f"{https}/small",
        "bulk_target": f"{https}/bulk",
        "plain_target": f"http://127.0.0.1:{origin.http_port}/plain",
        "target_ca": str(authority),
        "profile": "fast",
        "timeout": 8.0,
    }
    return Wishes(**(values | wanted))


def listed(played: Stage) -> str:
    """Return the parts as a list to paste."""
    return "\n".join(placed.endpoint().reveal() for placed in played.parts)


@asynccontextmanager
async def at_home(
    wishes: Wishes | None = None, *, size: tuple[int, int] = SIZE, **more: Any
) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Open the app, with toasts: they are where markup would crash."""
    app = SanylauApp(wishes, **more)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and app.focused is not None)
        yield app, pilot


@asynccontextmanager
async def opened(wishes: Wishes | None = None) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Open the app where the person puts in a list."""
    async with at_home(wishes) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ImportScreen) and app.focused is not None)
        yield app, pilot


def judged(
    number: int,
    status: Status = Status.FAILED,
    *,
    kib_per_s: float | None = None,
    protection: Protection = Protection.OPEN,
    reason: Message = REASON,
    source: str = "pasted",
    text: str = "",
) -> Judged:
    """Return a made-up verdict event."""
    proof = Proof()
    if kib_per_s is not None:
        proof = Proof(content=True, down=65536, bulk_done=True, bulk_seconds=64 / kib_per_s, reads=40)
    endpoint = Endpoint(transport="socks5", host="127.0.0.1", port=1 + number % 65000, text=text)
    verdict = Verdict(
        candidate=Candidate(endpoint, source, number),
        transport="socks5",
        protection=protection,
        status=status,
        reason=reason,
        proof=proof,
        tries=1,
    )
    return Judged(f"{number:08x}", verdict)


def finished(stopped: str = "", **counts: int) -> Finished:
    """Return the last event of a made-up run."""
    total = sum(counts.values())
    return Finished(
        given=total,
        candidates=total,
        duplicates=0,
        rejected=0,
        counts={status.value: 0 for status in Status} | counts,
        stopped=stopped,
        elapsed=3.0,
        first_working=0.5 if counts.get("working") else None,
        line_state=LineState.NO_ANSWER,
    )


def engine(percent: int) -> EngineProgressed:
    """Return news of a tor that is getting ready."""
    return EngineProgressed(
        engine="tor",
        percent=percent,
        stage=Message("it loads the list of relays"),
        received_kib=1200,
        kib_per_s=20.4,
        elapsed=9.0,
    )


def made_run(text: str = "socks5://127.0.0.1:1") -> Run:
    """Return a run over `text`; it is for showing, nobody starts it."""
    return check.prepare(Wishes(), parse.read([("pasted", text)]))
