"""Where the vault is, and its files: read and written so that nothing else is touched, whatever lies there.

A file is replaced as a whole or not at all: a new one, of ciphertext only, is written beside it, brought to the storage
and renamed. Nothing is followed out of the folder, and what is no plain file is refused.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from client.platform import onto_storage
from transports.types import N_, Rejected

KEY: Final = "key.age"
DATA: Final = "vault.age"
LOCK: Final = "lock"  # only where a folder itself cannot be locked
NEW: Final = ".new"  # behind the name of a file that is being written
ASIDE: Final = "vault.refused-{n}.age"
MOST_ASIDE: Final = 20

_PATIENCE: Final = 2.0  # seconds
_BETWEEN: Final = 0.02

_LINKED: Final = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_READ: Final = os.O_RDONLY | _LINKED | _BINARY | getattr(os, "O_NONBLOCK", 0)
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _LINKED | _BINARY
_NO_FOLDER: Final = N_(
    "the vault's place is no folder of its own (a link, or a file): remove it or name another"
)
_NOT_OURS: Final = N_("the vault's folder belongs to another user of this machine")
_NO_FILE: Final = N_("{name} in the vault's folder is no plain file (a link, or a device): it is not opened")
_UNREADABLE: Final = N_("the vault cannot be read ({why})")
_NOT_SAVED: Final = N_("the vault was not saved ({why}); what was in it before is still there")


def folder() -> Path:
    """Return the folder of the vault: $SANYLAU_VAULT, else one among the person's application data."""
    named = os.environ.get("SANYLAU_VAULT")
    if named:
        return Path(os.path.abspath(os.path.expanduser(named)))
    from platformdirs import user_data_path

    return user_data_path("sanylau", appauthor=False) / "vault"


def check(place: Path) -> bool:
    """Return whether there is a folder. Raises Rejected for one that is not ours, or something else."""
    try:
        seen = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    if not stat.S_ISDIR(seen.st_mode):
        raise Rejected(_NO_FOLDER)
    if sys.platform != "win32" and seen.st_uid != os.geteuid():
        raise Rejected(_NOT_OURS)
    return True


def make(place: Path) -> None:
    """Make the folder, for its owner only. Raises Rejected."""
    if check(place):
        return
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700)
    except OSError as error:
        raise Rejected(_NOT_SAVED, why=error.strerror or "?") from None


def read(path: Path, limit: int) -> bytes | None:
    """Return a file's bytes, of a larger one `limit` and one more; None where there is none. Raises Rejected.

    What others may read or write is closed to them.
    """
    try:
        descriptor = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise Rejected(_NO_FILE, name=path.name) from None
        raise _unreadable(error) from None
    try:
        return _plain(descriptor, path.name, limit)
    except OSError as error:
        raise _unreadable(error) from None
    finally:
        os.close(descriptor)


def _plain(descriptor: int, name: str, limit: int) -> bytes:
    """Return what is in a plain file, and close it to others."""
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode):
        raise Rejected(_NO_FILE, name=name)
    if stat.S_IMODE(seen.st_mode) & 0o077 and hasattr(os, "fchmod"):
        with suppress(OSError):  # a stick may know no rights
            os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(limit + 1)


def write(path: Path, data: bytes) -> None:
    """Put `data`, which is ciphertext, in the place of a file, wholly or not at all. Raises Rejected.

    Only one may do that at a time: the caller holds the lock.
    """
    new = path.with_name(path.name + NEW)
    try:
        with suppress(FileNotFoundError):
            new.unlink()  # of a save that was torn off
        descriptor = os.open(new, _WRITE, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                onto_storage(descriptor)
            _replace(new, path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
    except OSError as error:
        raise Rejected(_NOT_SAVED, why=error.strerror or "?") from None
    settle(path.parent)


def _replace(new: Path, path: Path) -> None:
    """Rename over the old file. On Windows that fails as long as another process reads it, which takes a moment."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            os.replace(new, path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > until:
                raise
        time.sleep(_BETWEEN)


def settle(place: Path) -> None:
    """Bring the names in a folder to its storage, where the system can."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def set_aside(path: Path) -> str:
    """Give a file another name, over no other file, and return that. Raises Rejected."""
    for n in range(1, MOST_ASIDE + 1):
        other = path.with_name(ASIDE.format(n=n))
        if not os.path.lexists(other):
            try:
                os.rename(path, other)
            except OSError as error:
                raise _unreadable(error) from None
            settle(path.parent)
            return other.name
    raise Rejected(N_("too many refused files are kept in the vault's folder: look at them, and remove them"))


def files(place: Path) -> list[Path]:
    """Return every file of the vault that is there, the key first: without it the others are worth nothing."""
    names = [KEY, KEY + NEW, DATA, DATA + NEW]
    names += [ASIDE.format(n=n) for n in range(1, MOST_ASIDE + 1)]
    found = [place / name for name in names if os.path.lexists(place / name)]
    return [*found, *([place / LOCK] if _is_empty(place / LOCK) else [])]


def _is_empty(path: Path) -> bool:
    """Say whether it is a plain file with nothing in it, as ours is: `lock` is a name that others use too."""
    with suppress(OSError):
        seen = path.lstat()
        return stat.S_ISREG(seen.st_mode) and not seen.st_size
    return False


def _unreadable(error: OSError | ValueError) -> Rejected:
    return Rejected(_UNREADABLE, why=getattr(error, "strerror", None) or "?")
