"""Questions and answers on the controlling terminal, line by line: nothing on it moves, so that it can be read aloud."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from client import consent
from client.i18n import _
from client.platform import forget_typed
from client.text import wrapped

_LONGEST: Final = 8192  # characters of one answer
_PRESSED: Final = str.maketrans("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm")


def letter(answer: str) -> str:
    """Return a letter that was pressed as the Latin one on its key: who types Cyrillic words need not change the layout."""
    low = answer.lower()
    return low.translate(_PRESSED) if len(low) == 1 else low


class Left(Exception):  # noqa: N818 - it is what the person did
    """The person has left: end of file on the terminal."""


class Desk:
    """The person on the other side of the terminal."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def say(self, *lines: str) -> None:
        """Show lines, broken to the width of the terminal."""
        self._write("\n".join(wrapped(list(lines))) + "\n")

    def show(self, text: str) -> None:
        """Show a text as it stands."""
        self._write(text + "\n")

    def ask(self, prompt: str) -> str:
        """Return a line as it was typed or pasted. Raises Left."""
        self._write(prompt.rstrip() + " ")
        answer = self._terminal.readline(_LONGEST)
        if not answer:
            raise Left
        return answer.strip()

    def forget(self) -> None:
        """Throw away what was typed or pasted so far: it is no answer to a question that nobody has seen yet."""
        forget_typed(self._terminal.fileno())

    def agrees(self, *lines: str) -> bool:
        """Ask a question that only a yes answers. What was typed before it was seen does not count."""
        self.forget()
        self.say(*lines)
        return self.ask(_("Go on? [y/N] ")).lower() in {"y", "yes", *_("y yes").split()}

    def _write(self, text: str) -> None:
        if sys.platform == "win32":
            sys.stderr.write(text)
            sys.stderr.flush()
        else:
            data = text.encode("utf-8", "replace")
            while data:
                data = data[os.write(self._terminal.fileno(), data) :]


@contextmanager
def at_desk() -> Iterator[Desk | None]:
    """Give the controlling terminal, None where there is none.

    What was pasted into it and not read by the end is thrown away: behind a message of somebody's it would be
    commands for the shell.
    """
    terminal = consent.open_terminal()
    if terminal is None:
        yield None
        return
    with terminal:
        desk = Desk(terminal)
        try:
            yield desk
        finally:
            desk.forget()
