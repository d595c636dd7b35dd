"""The program itself, handed on: the bundle that `make bundle` made, copied with every checksum looked at.

What is copied is what SHA256SUMS lists, and that list: nothing that was installed or added beside it. The copy is read
back from where it was written, for sticks lie. It gets its name when all of it is right.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transports.types import N_, Rejected

_LIST: Final = "SHA256SUMS"
_LARGEST_LIST: Final = 1024 * 1024  # bytes
_MOST: Final = 2000  # files
_ROW: Final = re.compile(r"([0-9a-f]{64})  ([\w.@+-]+(?:/[\w.@+-]+){0,3})", re.ASCII)
_STARTS: Final = ("start.sh", "start.cmd")
_CHUNK: Final = 1024 * 1024
_UNFINISHED: Final = ".unfinished"

NO_BUNDLE: Final = N_(
    "there is no bundle to hand on: make one with `make bundle` in the source folder (online), or name its folder with --bundle DIR"
)
NOT_THIS: Final = N_("this folder is no bundle: it holds no SHA256SUMS of one, or one that cannot be read")
CHANGED: Final = N_(
    "{file} was changed or is damaged: do not hand this bundle on, get it again from the helper"
)
THERE: Final = N_("{name} is in that folder already: take it away first, or name another folder")
NOT_COPIED: Final = N_(
    "copying did not work ({why}): nothing was left half copied; is the stick still in, with room on it?"
)
NO_FOLDER: Final = N_("{name} is no folder: name the stick's folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle: where it lies, its platform's name, its files with their SHA-256, and their size in bytes.

    `fingerprint` is the SHA-256 of the list, which people compare over another way.
    """

    folder: Path
    name: str
    files: tuple[tuple[str, str], ...]
    size: int
    fingerprint: str


def found(folder: str = "") -> tuple[Bundle, ...]:
    """Return the bundles in a folder, or else those that are known: this program's own, and dist/bundle. Raises Rejected."""
    if folder:
        return _in(Path(folder), strict=True)
    package = Path(__file__).resolve().parent.parent
    for above in list(package.parents)[:5]:  # the bundle that this runs from
        if (above / _LIST).is_file():
            return _in(above, strict=True)
    made = _in(package.parent / "dist" / "bundle", strict=False)
    if not made:
        raise Rejected(NO_BUNDLE)
    return made


def copy(bundle: Bundle, target: str, tell: Callable[[int], None] = lambda _done: None) -> Path:
    """Copy a bundle into the folder `target`, under its own name. `tell` is given the bytes done. Raises Rejected."""
    place = Path(target)
    if not place.is_dir():
        raise Rejected(NO_FOLDER, name=place.name or target)
    final, unfinished = place / bundle.name, place / (bundle.name + _UNFINISHED)
    if os.path.lexists(final) or os.path.lexists(unfinished):
        raise Rejected(THERE, name=bundle.name if os.path.lexists(final) else unfinished.name)
    try:
        unfinished.mkdir()
        _fill(bundle, unfinished, tell)
        unfinished.rename(final)
    except BaseException as error:
        with suppress(OSError):
            shutil.rmtree(unfinished)
        if isinstance(error, OSError):
            raise Rejected(NOT_COPIED, why=error.strerror or "?") from None
        raise
    return final


def _in(folder: Path, *, strict: bool) -> tuple[Bundle, ...]:
    if (folder / _LIST).is_file():
        return (_read(folder),)
    try:
        inside = sorted(one for one in folder.iterdir() if (one / _LIST).is_file())
    except OSError:
        inside = []
    if not inside and strict:
        raise Rejected(NOT_THIS)
    return tuple(map(_read, inside))


def _read(folder: Path) -> Bundle:
    try:
        with (folder / _LIST).open("rb") as file:
            data = file.read(_LARGEST_LIST + 1)
        rows = [_ROW.fullmatch(line) for line in data.decode("ascii").splitlines()]
        files = tuple((row[2], row[1]) for row in rows if row is not None)
        fits = len(files) == len(rows) <= _MOST and all(map(_is_inside, files))
        if len(data) > _LARGEST_LIST or not fits or not {name for name, _sum in files} & set(_STARTS):
            raise Rejected(NOT_THIS)
        size = sum((folder / name).stat().st_size for name, _sum in files)
    except FileNotFoundError as error:
        raise Rejected(CHANGED, file=Path(error.filename or "?").name) from None
    except (OSError, ValueError):
        raise Rejected(NOT_THIS) from None
    fingerprint = hashlib.sha256(data).hexdigest()
    return Bundle(folder=folder, name=folder.resolve().name, files=files, size=size, fingerprint=fingerprint)


def _is_inside(row: tuple[str, str]) -> bool:
    return not any(part.startswith(".") for part in row[0].split("/"))


def _fill(bundle: Bundle, folder: Path, tell: Callable[[int], None]) -> None:
    done = 0
    listing = "".join(f"{digest}  {name}\n" for name, digest in bundle.files).encode("ascii")
    if hashlib.sha256(listing).hexdigest() != bundle.fingerprint:
        raise Rejected(NOT_THIS)
    for name, digest in bundle.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with (bundle.folder / name).open("rb") as source, target.open("xb") as file:
            while chunk := source.read(_CHUNK):
                file.write(chunk)
                tell(done := done + len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if _digest(target) != digest:
            raise Rejected(CHANGED, file=name)
        if name.endswith(".sh"):
            target.chmod(0o755)
    (folder / _LIST).write_bytes(listing)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names(bundles: Sequence[Bundle]) -> str:
    """Return the bundles' names for a sentence."""
    return ", ".join(bundle.name for bundle in bundles)
