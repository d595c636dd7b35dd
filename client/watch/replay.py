"""Past windows from a data file, for the drill and the tests: what was open when. Pure but for `load`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from client.watch.calendar import Mark
from transports.types import N_, Rejected

FOLDER: Final = Path(__file__).parent.parent / "data" / "windows"
KAZAKHSTAN: Final = FOLDER / "kz-2022.toml"
_LARGEST: Final = 64 * 1024
_BAD: Final = N_("{file}: this is not a table of windows: see client/data/windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Open from `start` to before `end` (Unix seconds); `mark` says how."""

    start: float
    end: float
    mark: Mark = Mark.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The windows from `start` to `end`, in order; between them all was shut."""

    place: str
    date: date
    source: str
    start: float
    end: float
    windows: tuple[Window, ...]

    def at(self, when: float) -> Mark:
        """Return what was open at a Unix time."""
        return next((one.mark for one in self.windows if one.start <= when < one.end), Mark.SHUT)

    def next_change(self, when: float) -> float:
        """Return when it changes next; the table's end where nothing more does."""
        edges = (edge for one in self.windows for edge in (one.start, one.end) if edge > when)
        return min(edges, default=self.end)


def load(path: Path = KAZAKHSTAN) -> Table:
    """Read a table. Raises Rejected."""
    with path.open("rb") as file:
        text = file.read(_LARGEST)
    try:
        return _table(tomllib.loads(text.decode("utf-8")))
    except (ValueError, KeyError, TypeError):
        raise Rejected(_BAD, file=path.name) from None


def _table(data: dict[str, Any]) -> Table:
    start, end = _time(data["from"]), _time(data["to"])
    windows = tuple(
        Window(
            start=_time(one["from"]),
            end=_time(one["to"]) if "to" in one else end,
            mark=Mark.PARTLY if one.get("partly") else Mark.OPEN,
        )
        for one in data["window"]
    )
    edges = [start, *(edge for one in windows for edge in (one.start, one.end)), end]
    if edges != sorted(edges) or not isinstance(data["date"], date):
        raise ValueError
    return Table(
        place=str(data["place"]),
        date=data["date"],
        source=str(data["source"]),
        start=start,
        end=end,
        windows=windows,
    )


def _time(value: object) -> float:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError
    return value.astimezone(UTC).timestamp()
