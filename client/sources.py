"""Where lists come from: files, standard input and the vault, each with a limit; and the list that is built in."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from client import parse
from client.model import Reading
from client.vault import opened
from transports.types import N_, Rejected

STDIN = "-"
BUILTIN = "built-in"


def load(name: str) -> tuple[str, str]:
    """Return the (name, text) of a list. Raises Rejected with what to do."""
    if opened.is_named(name):
        return name, opened.text(name)
    if name == STDIN:
        return STDIN, parse.decode(sys.stdin.buffer.read(parse.LARGEST + 1))
    path = Path(name)
    try:
        with path.open("rb") as file:
            data = file.read(parse.LARGEST + 1)
    except IsADirectoryError:
        raise Rejected(N_("this is a folder: name the file in it")) from None
    except FileNotFoundError:
        raise Rejected(N_("there is no such file")) from None
    except OSError as error:
        raise Rejected(N_("cannot be read ({why})"), why=error.strerror or "?") from None
    if not data.strip():
        raise Rejected(N_("this list is empty"))
    return name, parse.decode(data)


def builtin() -> Reading:
    """Return the bridges that are built in, and Tor without any; the notice says how old the list is."""
    from client import bridges  # here, because most checks have a list of their own

    known = bridges.builtin()
    reading = parse.read([(BUILTIN, "\n".join(["tor", *(line.text for line in known.lines())]))])
    date = known.date.isoformat()
    return replace(reading, notices=(bridges.public(date),), builtin=date)
