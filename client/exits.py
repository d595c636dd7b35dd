"""Exit statuses. Scripts depend on them; they are part of the command line's contract."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from client.model import LineState, Status


class Exit(IntEnum):
    """What the process ends with."""

    WORKING = 0
    NOTHING = 1
    USAGE = 2
    NOT_MEASURED = 3
    INTERRUPTED = 130
    NOT_READ = 141  # whoever read our output has closed it: 128 and SIGPIPE, as programs of the shell end


def of_run(counts: Mapping[str, int], stopped: str, line: LineState) -> Exit:
    """Return the exit status of a finished run. Pure."""
    if stopped == "interrupted":
        return Exit.INTERRUPTED
    if counts.get(Status.WORKING):
        return Exit.WORKING
    measured = sum(number for status, number in counts.items() if status != Status.UNTESTED)
    degraded = counts.get(Status.DEGRADED, 0)
    if not measured or (line is LineState.NO_NETWORK and not degraded):
        return Exit.NOT_MEASURED
    return Exit.NOTHING
