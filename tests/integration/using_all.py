"""All the programs that people use, at once, through one `connect`: what each of them must get."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.integration import programs
from tests.integration.far_sites import SAYS

TALK: Final = 1.5  # seconds that the messenger talks
NOT_SUPPORTED: Final = 7  # SOCKS5's code for a command that is not there (RFC 1928, section 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the destinations are, `host` as the programs say it. `ca` is the file with the pages' root."""

    host: str
    http: int
    https: int
    messenger: int
    ca: Path

    @property
    def page(self) -> str:
        """The page by plain HTTP."""
        return f"http://{self.host}:{self.http}/page"

    @property
    def secure(self) -> str:
        """The page by HTTPS."""
        return f"https://{self.host}:{self.https}/page"


async def use_all(before: list[str], port: int, places: Places, folder: Path, browse: str = "socks5") -> None:
    """Use curl in each way, git, Chromium (which takes the proxy as `browse`) and a messenger; all must work."""
    local = f"127.0.0.1:{port}"
    pages = {
        "socks5h": (f"socks5h://{local}", places.page),
        "socks5h, https": (f"socks5h://{local}", places.secure),
        "socks4a": (f"socks4a://{local}", places.page),
        "http": (f"http://{local}", places.page),
        "http, https": (f"http://{local}", places.secure),
    }

    async def curl(how: str) -> None:
        proxy, url = pages[how]
        done = await programs.run(before, *programs.curl(proxy, url, "--cacert", str(places.ca)))
        assert (done.status, SAYS[7:] in done.out) == (0, True), (how, done)

    async def git(scheme: str) -> None:
        to = folder / f"clone-{scheme}"
        url = f"http://{places.host}:{places.http}/git/one.git"
        done = await programs.run(before, *programs.clone(f"{scheme}://{local}", url, to), home=folder)
        assert (done.status, (to / "README").read_text()) == (0, SAYS + "\n"), done

    async def browser() -> None:
        command = programs.chromium(f"{browse}://{local}", places.page, folder / "profile")
        done = await programs.run(before, *command, home=folder)
        assert f"</script>{SAYS}</body>" in done.out, (done.status, done.out, done.err[-1500:])

    async def messenger() -> None:
        told = await talk(before, port, places)
        assert told["code"] == 0, told
        assert told["frames"] >= 12, told

    async with asyncio.TaskGroup() as group:
        for how in pages:
            group.create_task(curl(how))
        for part in (git("socks5h"), git("http"), browser(), messenger()):
            group.create_task(part)


async def talk(
    before: list[str], port: int, places: Places, seconds: float = TALK, who: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Have the messenger talk; returns its report."""
    command = programs.raw("messenger", str(port), places.host, str(places.messenger), str(seconds), *who)
    return programs.report(await programs.run(before, *command))


async def ask_name(before: list[str], port: int, resolver: str, name: str) -> dict[str, Any]:
    """Ask a resolver for a name by UDP through the SOCKS5 port; returns the report."""
    return programs.report(await programs.run(before, *programs.raw("dns", str(port), resolver, "53", name)))
