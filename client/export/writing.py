"""A new file that only its owner may read."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from transports.types import N_, Rejected

_FLAGS: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_THERE: Final = N_("there is something of this name already: give another name")
_NOT_WRITTEN: Final = N_("cannot be written ({why})")


def check(path: str) -> None:
    """Raise Rejected where no new file of this name can be written, as far as that is known before it is written."""
    folder = os.path.dirname(path) or os.curdir
    try:
        os.stat(os.path.join(folder, ""))  # with a slash at its end only a folder is found
        os.lstat(path)
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError) or not os.path.isdir(folder) or not path:
            raise Rejected(_NOT_WRITTEN, why=getattr(error, "strerror", None) or "?") from None
    else:
        raise Rejected(_THERE)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Rejected(_NOT_WRITTEN, why=os.strerror(errno.EACCES))


def write(path: str, content: str | bytes) -> None:
    """Write `content` to a new file, mode 0600. Raises Rejected, and then leaves no file of its own behind."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    made = False
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
        made = True
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except FileExistsError:
        raise Rejected(_THERE) from None
    except BaseException as error:
        if made:
            with suppress(OSError):
                Path(path).unlink()
        if isinstance(error, OSError):
            raise Rejected(_NOT_WRITTEN, why=error.strerror or "?") from None
        raise
