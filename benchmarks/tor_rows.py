"""The rows on Tor bridges: real tors and obfs4 programs on loopback, one private network for all of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from benchmarks import tor_farm
from benchmarks.farm import ROOT, Farm
from benchmarks.measure import Row, Size
from benchmarks.runs import PYTHON, Ran, leave, ours, run
from benchmarks.tor_farm import NoNetwork, TorFarm
from client.drill.tornet import missing

_BRIDGES: Final = 50
_EACH: Final = 4  # lines to one bridge: 200 in all
_DEAD: Final = 60
_ONE_BY_ONE: Final = 8  # bridges for the sequential yardstick, two seconds each
_LONGEST: Final = 180.0


def tor(farm: Farm, size: Size) -> list[Row]:
    """Handshakes with link check, the first working one among the dead, and whole paths."""
    if lacking := missing():
        return [Row(what="Tor bridges", value=f"not measured: needs {', '.join(lacking)}")]
    try:
        with tor_farm.running(max(9, round(_BRIDGES * size.part)), _EACH) as net:
            return [*_handshakes(net, size), *_first(farm, net, size), *_whole(farm, net, size)]
    except NoNetwork:
        return [Row(what="Tor bridges", value="not measured: the private network did not start", met=False)]


def _told(*command: str) -> dict[str, Any]:
    """Run a program of ours or a yardstick, and return what it says in its one line."""
    process = subprocess.Popen([PYTHON, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        out, _ = process.communicate(timeout=_LONGEST)
    except BaseException:
        leave(process)
        raise
    told: dict[str, Any] = json.loads(out)
    return told


def _handshakes(net: TorFarm, size: Size) -> list[Row]:
    listed, count, rows = net.write(net.lines, "all.txt"), len(net.lines), []
    peak = 0.0
    for what, most, more in (("alone", 1.0, []), ("with link check", 2.0, ["--link"])):
        mine: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        for number in range(2 * size.runs + 1):
            turns = [(mine, "benchmarks.tor_knock"), (theirs, "benchmarks.bare_pt")]
            for seen, which in turns if number % 2 == 0 else turns[::-1]:
                seen.append(_told(which, listed, *more))
        peak = max(peak, *(told["peak"] / 1024 for told in mine))
        good = min(told["good"] for told in [*mine, *theirs])
        here, there = ([told["seconds"] for told in runs] for runs in (mine, theirs))
        rows.append(
            _beside(f"{count} obfs4 handshakes {what}", here, there, most, "bare client", good == count)
        )
    return [
        *rows,
        Row(
            what=f"our own memory in these (client and guard, {count} at once)",
            value=f"{peak:.1f} MiB",
            target="below 60 MiB",
            met=peak < 60,
        ),
    ]


def _beside(
    what: str, mine: Sequence[float], theirs: Sequence[float], most: float, yardstick: str, right: bool
) -> Row:
    """Return a row for seconds with a target of their own, beside a yardstick's in the same run."""
    here, there = median(mine), median(theirs)
    spread = f"{min(mine):.2f} to {max(mine):.2f}" if len(mine) > 1 else "one run"
    told = f"{here:.2f} s ({spread}; {yardstick} {there:.2f} s: {here / there:.2f} of it)"
    return Row(
        what=what,
        value=told if right else told + "; **not all as they should be**",
        target=f"below {most:g} s",
        met=right and here < most,
    )


def _first(farm: Farm, net: TorFarm, size: Size) -> list[Row]:
    """Seconds from exec to the one good bridge; the yardstick only waits for its descriptor."""
    mine, theirs, right = [], [], True
    for seed in range(2 * size.runs + 1):
        lines = net.among_dead(farm, _DEAD, seed)
        listed = net.write(lines, "few.txt")
        ended = _checked(listed, farm, net, "--first=1")
        right &= _working(ended) == {_good(lines, net)}
        mine.append(ended.first_working or float("inf"))
        told = _told("benchmarks.bare_describe", listed, "1")
        right &= told["good"] == 1
        theirs.append(told["seconds"])
    return [_beside(f"{_DEAD} dead and 1 good: first working", mine, theirs, 5.0, "descriptor", right)]


def _good(lines: Sequence[str], net: TorFarm) -> int:
    known = set(net.lines)
    return next(number for number, line in enumerate(lines, 1) if line in known)


def _checked(listed: str, farm: Farm, net: TorFarm, *more: str) -> Ran:
    """Run the real program, as a person would."""
    return run(ours(listed, farm, "--profile=fast", f"--torrc={net.torrc}", *more))


def _working(ended: Ran) -> set[int]:
    return {row["line"] for row in ended.results if row["status"] == "working"}


def _whole(farm: Farm, net: TorFarm, size: Size) -> list[Row]:
    """Whole verifications, from exec to exit, for each bridge; beside two other ways to ask."""
    lines = [several[0] for several in net.bridges]
    count, listed = len(lines), net.write(lines, "live.txt")
    few = net.write(lines[: _ONE_BY_ONE + 1], "one-by-one.txt")  # the first one is there from tor's start on
    _, target, ca = _targets(farm)
    mine, described, right = [], [], True
    for _ in range(size.runs):
        ended = _checked(listed, farm, net)
        right &= _working(ended) == set(range(1, count + 1))
        mine.append(ended)
        told = _told("benchmarks.bare_describe", listed, str(count))
        right &= told["good"] == count
        described.append(told["seconds"] / count)
    slow = _told("benchmarks.bare_tor", few, target, ca, f"--torrc={net.torrc}")
    right &= slow["good"] == _ONE_BY_ONE
    here = [ended.wall / count for ended in mine]
    peak = max(ended.peak for ended in mine) / 1024
    return [
        _beside(
            f"{count} live bridges fully verified, each",
            here,
            [slow["seconds"] / _ONE_BY_ONE],
            0.5,
            f"one after the other, {_ONE_BY_ONE} of them,",
            right,
        ),
        Row(
            what=f"{count} live bridges, each: beside SETCONF and NEWDESC, which proves less",
            value=f"{median(here):.3f} s against {median(described):.3f} s",
        ),
        Row(what=f"peak memory of `check` in it, {count} bridges in flight", value=f"{peak:.1f} MiB"),
    ]


def _targets(farm: Farm) -> tuple[str, str, str]:
    options = {option.partition("=")[0]: option for option in farm.targets()}
    return options["--bulk-target"], options["--target"], options["--target-ca"]
