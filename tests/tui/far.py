"""What the tests of *Use it* share: a run with its results on the screen, proxies that can die, and a real curl."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from client.check import Wishes
from client.drill.ca import Authority
from client.drill.origin import NAME, playing_origin
from client.drill.parts import Scene
from client.drill.proxies import World
from client.drill.relays import Interceptor
from client.drill.stage import choose
from tests.tui.support import SIZE, opened, paste, until, until_shown, wishes_for
from transports.types import Endpoint
from tui.app import SanylauApp
from tui.screens.consent import ConsentScreen

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@dataclass(slots=True, kw_only=True)
class Far:
    """The far side: what is listed, and the switches that let a proxy die."""

    wishes: Wishes
    page: str
    ca: str
    scene: Scene
    listed: list[str] = field(default_factory=list)
    _lives: dict[str, AsyncExitStack] = field(default_factory=dict)

    async def add(self, name: str) -> None:
        """Start a part of the drill and list it."""
        (part,) = choose([name])
        life = AsyncExitStack()
        port = await life.enter_async_context(part.start(self.scene))
        self._lives[name] = life
        endpoint = Endpoint(
            transport=part.transport,
            host="127.0.0.1",
            port=port,
            username=part.username,
            password=part.password,
        )
        self.listed.append(endpoint.reveal())

    async def kill(self, name: str) -> None:
        """Let it die, with all its connections."""
        await self._lives.pop(name).aclose()

    async def curl(self, proxy: str) -> tuple[int, str]:
        """Fetch the page through `proxy`; return the exit status and the body."""
        process = await asyncio.create_subprocess_exec(
            *("curl", "-q", "-sS", "-m", "15", "--cacert", self.ca, "-x", proxy, "--noproxy", "", self.page),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode("latin-1")

    async def end(self) -> None:
        for name in list(self._lives):
            await self.kill(name)


def said(app: SanylauApp) -> str:
    """Return the notices that stand on the screen, as they were before they were broken into lines."""
    return "\n".join(notice.message for notice in app._notifications)


async def until_said(pilot: Pilot[int], text: str) -> None:
    """Wait for a notice."""
    app = pilot.app
    assert isinstance(app, SanylauApp)
    try:
        await until(pilot, lambda: text in said(app))
    except TimeoutError:
        raise AssertionError(f"{text!r} was not said, but {said(app)!r}") from None


@asynccontextmanager
async def far_side(folder: Path, names: Sequence[str], **wanted: Any) -> AsyncIterator[Far]:
    """Play an origin and the named proxies, each of which can be killed by itself."""
    honest = Authority("Drill Root")
    scene = Scene(
        world=World(names={NAME: "127.0.0.1"}),
        honest=honest,
        interceptor=Interceptor(Authority("Network Security Gateway")),
    )
    async with playing_origin(honest) as origin:
        authority = folder / "ca.pem"
        authority.write_text(origin.ca_pem)
        wishes = wishes_for(origin, authority, **wanted)
        page = f"https://127.0.0.1:{origin.https_port}/small"
        far = Far(wishes=wishes, page=page, ca=str(authority), scene=scene)
        try:
            for name in names:
                await far.add(name)
            yield far
        finally:
            await far.end()


@asynccontextmanager
async def checked(far: Far, patience: float = 20.0) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Open the app, check what is listed, and wait for the end of it."""
    async with opened(far.wishes) as (app, pilot):
        assert app.size == SIZE
        await paste(pilot, "\n".join(far.listed))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "Done in", patience)
        await pilot.press("home")
        yield app, pilot
