"""Bell and desktop notice. The words are neutral and the person's own: somebody else may look at the screen."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from client.text import printable
from transports.types import N_, Rejected

OPENED: Final = N_("Reminder: it is time.")
SHUT: Final = N_("Reminder: that was all.")
LONGEST: Final = 80
_PATIENCE: Final = 5.0  # seconds for the program that shows the notice
# Word stems by which a glance at the screen would tell, in the languages of this program.
_TELLING: Final = re.compile(
    r"inter ?net|интернет|ғаламтор|vpn|proxy|прокси|мост|көпір|bridge|\bpont|censor|censure|цензур|\btor\b|blackout"
    r"|блок|бұғат|obfs|sanylau|саңылау|wi-?fi|online|онлайн|en ligne|network|réseau|сеть|желі",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"\d+\.\d+|\w\.\w{2,}|://|:\d|[0-9a-f]*:[0-9a-f]*:|@|[0-9a-f]{12,}", re.IGNORECASE
)
_TOAST: Final = (
    "Add-Type -AssemblyName System.Windows.Forms;"
    "$n = New-Object System.Windows.Forms.NotifyIcon;"
    "$n.Icon = [System.Drawing.SystemIcons]::Information; $n.Visible = $true;"
    "$n.ShowBalloonTip(4000, ' ', $env:NOTICE, 'None'); Start-Sleep 4; $n.Dispose()"
)
_SCRIPT: Final = ("on run argv", "display notification (item 1 of argv)", "end run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The words of a notice; "" for the built-in ones. `desktop` False: bell only."""

    text: str = ""
    desktop: bool = True


def checked(text: str) -> str:
    """Return a person's own words if they give nothing away. Raises Rejected."""
    shown = " ".join(printable(text, LONGEST + 1).split())
    if not shown or len(shown) > LONGEST or "\ufffd" in shown:
        raise Rejected(N_("--notice: give one line of at most {most} letters"), most=LONGEST)
    if _TELLING.search(shown) or _ADDRESS.search(shown):
        raise Rejected(
            N_("--notice: choose words that give nothing away: no address, nothing about networks")
        )
    return shown


def command(
    text: str, *, find: Callable[[str], str | None] = shutil.which
) -> tuple[list[str], Mapping[str, str]]:
    """Return the program that shows a notice on this desktop and what it needs in its environment; [] for none."""
    if sys.platform == "darwin":
        found = find("osascript")
        lines = [part for line in _SCRIPT for part in ("-e", line)]
        return ([found, *lines, text] if found else []), {}
    if sys.platform == "win32":
        found = find("powershell")
        return ([found, "-NoProfile", "-Command", _TOAST] if found else []), {"NOTICE": text}
    if found := find("termux-notification"):
        return [found, "--content", text], {}
    found = find("notify-send") if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") else None
    return ([found, "--", text] if found else []), {}


async def notify(text: str, *, find: Callable[[str], str | None] = shutil.which) -> bool:
    """Show a notice where there is a desktop; returns whether a program took it."""
    arguments, more = command(text, find=find)
    return bool(arguments) and await _run(arguments, more)


async def _run(arguments: Sequence[str], more: Mapping[str, str]) -> bool:
    null = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=null, stdout=null, stderr=null, env={**os.environ, **more}
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
