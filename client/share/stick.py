"""Files for a stick: written whole or not at all, though the stick be full or pulled out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from client.export import writing
from transports.types import N_, Rejected

LARGEST: Final = 16 * 1024 * 1024  # bytes of one file that is taken in
_UNFINISHED: Final = ".unfinished"
_FLAGS: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

NOT_WRITTEN: Final = N_(
    "cannot be written ({why}): nothing was left half written; is the stick still in, with room on it?"
)
LEFT: Final = N_("{name} of a copy that was broken off lies there: erase it, then try again")
ALTERED: Final = N_("what was written does not read back the same: this stick is damaged, use another one")
TOO_LARGE: Final = N_("larger than {limit} MiB: this is no capsule")


def write(path: str, data: bytes | Iterable[bytes]) -> None:
    """Write a new file of mode 0600 that appears whole or never. Raises Rejected.

    What lies on the stick meanwhile has the same bytes under another name, so `data` is ciphertext unless the person
    asked for a plain file.
    """
    writing.check(path)
    chunks = (data,) if isinstance(data, bytes) else data
    unfinished = path + _UNFINISHED
    made = False
    try:
        descriptor = os.open(unfinished, _FLAGS, 0o600)
        made = True
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(path):  # rename would replace what has come meanwhile
            writing.check(path)
        os.rename(unfinished, path)
        _settle(os.path.dirname(path) or os.curdir)
    except BaseException as error:
        if made:
            with suppress(OSError):
                os.unlink(unfinished)
        if isinstance(error, FileExistsError) and not made:
            raise Rejected(LEFT, name=os.path.basename(unfinished)) from None
        if isinstance(error, OSError):
            raise Rejected(NOT_WRITTEN, why=error.strerror or "?") from None
        raise
    _read_back(path, data if isinstance(data, bytes) else None)


def load(name: str) -> bytes:
    """Return the bytes of a file, never more than LARGEST. Raises Rejected."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise Rejected(N_("this is a folder: name the file in it")) from None
    except FileNotFoundError:
        raise Rejected(N_("there is no such file")) from None
    except (OSError, ValueError) as error:
        raise Rejected(N_("cannot be read ({why})"), why=getattr(error, "strerror", None) or "?") from None
    if len(data) > LARGEST:
        raise Rejected(TOO_LARGE, limit=LARGEST // 1024 // 1024)
    return data


def _settle(folder: str) -> None:
    """Have the new name on the stick too, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):  # some file systems cannot; the bytes are there already
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_back(path: str, data: bytes | None) -> None:
    try:
        same = data is None or Path(path).read_bytes() == data
    except OSError as error:
        raise Rejected(NOT_WRITTEN, why=error.strerror or "?") from None
    if not same:
        raise Rejected(ALTERED)
