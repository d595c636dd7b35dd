"""Where a beacon's code comes from: a file or standard input, and never the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from client import sources
from client.beacon import invite
from client.beacon.invite import Invite
from transports.types import N_, Rejected

_TYPED: Final = N_(
    "that is a beacon's code, not a file: the command line is seen by others here and kept in the shell's history. Ask for a new code, and give it with - or in a file"
)


def load(name: str) -> tuple[Invite, ...]:
    """Return the codes in a file, or on standard input for "-". Raises Rejected."""
    if name != "-" and not Path(name).exists() and _is_code(name):
        raise Rejected(_TYPED)
    return invite.read(sources.load(name)[1])


def _is_code(text: str) -> bool:
    try:
        invite.read(text)
    except Rejected:
        return False
    return True
