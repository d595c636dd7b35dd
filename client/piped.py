"""A list on standard input and keys from the terminal: `cat list | sanylau`."""

from __future__ import annotations

import os
import sys
from typing import Final

from client import parse
from client.i18n import N_
from transports.types import Rejected

_TERMINAL: Final = "/dev/tty"  # the controlling terminal, where the system has such a thing


def is_piped() -> bool:
    """Say whether standard input is no terminal, but the screen can be shown and keys can be had."""
    return not sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty() and _has_terminal()


def take() -> str:
    """Return what standard input holds, then read keys from the terminal in its place. Raises Rejected."""
    data = sys.stdin.buffer.read(parse.LARGEST + 1)
    text = parse.decode(data) if data else ""
    _keys_from_terminal()
    return text


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR))
    except OSError:
        return False
    return True


def _keys_from_terminal() -> None:
    try:
        opened = os.open(_TERMINAL, os.O_RDWR)
    except OSError as error:
        raise Rejected(
            N_("no keys can be read from this terminal ({why})"), why=error.strerror or "?"
        ) from None
    os.dup2(opened, 0)
    os.close(opened)
