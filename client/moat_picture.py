"""The picture of a captcha: a file where the person wants it, and the answer typed on the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from client import consent
from client.i18n import _
from client.moat import LONGEST_SOLUTION
from client.text import printable
from transports.types import N_, CannotMeasure


@contextmanager
def showing(path: Path) -> Iterator[Callable[[bytes], Awaitable[str]]]:
    """Give what writes a picture to `path` and returns what is typed then; the file is erased in the end.

    The file must be new: nothing of the person's is ever written over. Raises CannotMeasure.
    """
    made = False

    async def read(picture: bytes) -> str:
        nonlocal made
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if made else os.O_EXCL) | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                made = True
                file.write(picture)
        except OSError as error:
            why = error.strerror or "?"
            raise CannotMeasure(N_("the picture cannot be written ({why})"), why=why) from error
        return await _typed(
            _("Look at the picture {file} and type what it shows: ", file=printable(str(path), 200))
        )

    try:
        yield read
    finally:
        if made:
            with suppress(OSError):
                path.unlink()


async def _typed(question: str) -> str:
    """Ask on the controlling terminal, in a daemon thread: a Ctrl-C must not have to wait for a line."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def settle(text: str) -> None:
        if not answer.done():
            answer.set_result(text)

    def work() -> None:
        text = _asked(question)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, text)

    threading.Thread(target=work, name="captcha", daemon=True).start()
    return await answer


def _asked(question: str) -> str:
    terminal = consent.open_terminal()
    if terminal is None:
        return ""
    with terminal:
        if sys.platform == "win32":
            sys.stderr.write(question)
            sys.stderr.flush()
        else:
            os.write(terminal.fileno(), question.encode("utf-8", "replace"))
        return terminal.readline(LONGEST_SOLUTION + 1).strip()
