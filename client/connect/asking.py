"""The two questions of `connect`: before the first packet, and before a lower protection class."""

from __future__ import annotations

import asyncio
import os
import select
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from client import advise, consent
from client.i18n import _, say
from client.model import Message, Protection
from client.platform import forget_typed
from client.render.words import CLASSES
from client.text import printable, wrapped
from transports.types import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

_BEAT: Final = 0.2  # seconds after which a question that nobody wants answered any more is noticed
_LONGEST: Final = 64


def opening(*, address: str, port: int, loopback: bool, command: bool) -> list[Message]:
    """Return what the person agrees to besides the check."""
    lines = [
        _about_port(address, port, loopback=loopback, command=command),
        Message(
            N_(
                "All that programs send to it goes through the best entry that works, and nothing goes past it. Who can see what depends on its class, which is shown: A nobody sees both you and where you go; B and C whoever runs the server sees where you go; D your operator sees it too."
            )
        ),
        Message(
            N_(
                "While programs use it, a small test page is fetched through the entry now and then, to see whether it is alive. If it dies, the next one of the same class or a better one is used; for a lower class you are asked."
            )
        ),
    ]
    if command:
        lines.append(Message(N_("The command is started as soon as an entry works, and ends it all.")))
        lines.append(
            Message(
                N_(
                    "Only programs that read the proxy from their environment (HTTP_PROXY, ALL_PROXY) use it: curl, git over https, pip. All others connect directly, past Sanylau, and nothing stops them: ssh, git over ssh, dig, nc, ping, telnet, ftp, most browsers."
                )
            )
        )
    return lines


def _about_port(address: str, port: int, *, loopback: bool, command: bool) -> Message:
    if command:
        return Message(
            N_(
                "Then a port is opened on this machine for the command alone: it gets a password that no other program knows."
            )
        )
    where = {"address": address, "port": port}
    if loopback:
        return Message(
            N_(
                "Then a port is opened on this machine for its programs: {address}, port {port} or the next free one."
            ),
            where,
        )
    return Message(
        N_(
            "Then a port is opened at {address}, port {port}: other machines can use it too, with the password."
        ),
        where,
    )


def about_direct(program: str) -> Message:
    """Return what is told of a command that is known to go directly."""
    return Message(
        N_(
            "{program} does not use the proxy in its environment, or does not pass it on: it goes directly, past Sanylau, and your operator sees where to"
        ),
        {"program": printable(program, 80)},
    )


def about_lower(there: Protection, before: Protection | None) -> list[str]:
    """Return the question before traffic goes through a lower class."""
    lines = [
        _(
            "Traffic is stopped. Only entries that protect less are left: class {kind}. Whether they work is tried after your yes.",
            kind=_(CLASSES[there]),
        ),
    ]
    if before is not None:
        lines.append("• " + _("Until now: class {kind}.", kind=_(CLASSES[before])))
    lines.append("• " + _("With it: {exposes}.", exposes=say(advise.exposure(there))))
    lines.append(_("May traffic go on through it?"))
    return lines


async def lower(there: Protection, before: Protection | None) -> bool | None:
    """Ask for a lower class. None: there is no terminal to ask on. Cancelling it takes the question back."""
    return await asked(about_lower(there, before))


async def asked(lines: Sequence[str]) -> bool | None:
    """Ask in a daemon thread: a person may take long, and everything else goes on meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool | None] = loop.create_future()
    over = threading.Event()

    def settle(given: bool | None) -> None:
        if not answer.done():
            answer.set_result(given)

    def work() -> None:
        given = _ask(lines, over)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, given)

    threading.Thread(target=work, name="question", daemon=True).start()
    try:
        return await answer
    finally:
        over.set()


def _ask(lines: Sequence[str], over: threading.Event) -> bool | None:
    if sys.platform == "win32":  # a console cannot be waited for: a question taken back stays open
        return consent.ask(list(lines))
    terminal = consent.open_terminal()
    if terminal is None:
        return None
    with terminal:
        handle = terminal.fileno()
        forget_typed(handle)
        if over.is_set():
            return None
        os.write(
            handle, ("\n".join(["", *wrapped(list(lines)), _("Go on? [y/N] ")])).encode("utf-8", "replace")
        )
        while not over.is_set():
            if select.select([handle], [], [], _BEAT)[0]:
                typed = os.read(handle, _LONGEST).decode("utf-8", "replace").strip().lower()
                return typed in {"y", "yes", *(_("y yes").split())}
        os.write(handle, b"\n")
    return None
