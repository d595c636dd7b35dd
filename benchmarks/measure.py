"""The rows: what is measured, how, and what would be good enough."""

from __future__ import annotations

import heapq
import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks import syns
from benchmarks.farm import GOOD, ROOT, Entry, Farm, false_verdicts
from benchmarks.runs import PYTHON, Ran, fast, ladder, ours, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `target` None: told for information only."""

    what: str
    value: str
    target: str | None = None
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: `part` of the lists (1.0 whole), and how many runs a median has."""

    part: float
    runs: int

    def of(self, count: int) -> int:
        """Return `count`, scaled."""
        return max(100, round(count * self.part))


def _turns(
    runs: int, first: Sequence[str], second: Sequence[str], *, until_working: bool = False
) -> list[list[Ran]]:
    """Run both commands `runs` times, in an order that changes, so that noise meets both alike."""
    both: list[list[Ran]] = [[], []]
    for number in range(runs):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            both[which].append(run((first, second)[which], until_working=until_working))
    return both


def ratio(
    what: str, mine: Sequence[float], theirs: Sequence[float], limit: float, unit: str, *, most: bool
) -> Row:
    """Return a row for the medians of two sets of figures; `most` says that the ratio may be `limit` at most."""
    here, there = median(mine), median(theirs)
    ratio = here / there
    return Row(
        what=what,
        value=f"{ratio:.2f} ({here:.3g} against {there:.3g} {unit}, {len(mine)} runs each)",
        target=f"{'at most' if most else 'at least'} {limit}",
        met=ratio <= limit if most else ratio >= limit,
    )


def first_working(farm: Farm, size: Size) -> list[Row]:
    """Seconds from exec to the first working entry, as it stands on standard output."""
    rows = []
    few = farm.few(10, size.of(10000))
    cases = {
        "blackout, 2,000 entries": (farm.mix("blackout", 2000), 500),
        f"10 working of {len(few):,}": (few, 2000),
    }
    for name, (entries, at_once) in cases.items():
        listed, options = farm.write(entries), fast(at_once, 1.0, 5.0)
        mine, theirs = _turns(
            2 * size.runs + 1,
            ours(listed, farm, "--profile=fast", *options),
            ladder(listed, farm, *options),
            until_working=True,
        )
        here, there = ([seen.first_working or float("inf") for seen in runs] for runs in (mine, theirs))
        rows.append(ratio(f"first working option ({name}) / bare ladder", here, there, 1.3, "s", most=True))
    return rows


_CONNECT, _TOTAL = 1.0, 2.0
_DEADLINES: Final[Mapping[str, float]] = {"hole": _CONNECT, "tarpit": _TOTAL}  # all others answer at once


def whole_list(farm: Farm, size: Size) -> list[Row]:
    """Wall time against what the deadlines alone cost, spread evenly over all places; and against a simulation of
    places that take the next entry when they are free, which has the uneven end that no real run can avoid.
    """
    at_once = 250
    entries = farm.mix("blackout", size.of(10000))
    command = ours(farm.write(entries), farm, "--profile=fast", *fast(at_once, _CONNECT, _TOTAL))
    walls = [run(command).wall for _ in range(size.runs)]
    even = sum(_DEADLINES.get(entry.kind, 0.0) for entry in entries) / at_once
    greedy = median(_simulated(entries, at_once, seed) for seed in range(9))
    what = f"whole list (blackout, {len(entries):,} entries, {at_once} at once) /"
    return [
        ratio(f"{what} its deadlines spread evenly", walls, [even], 1.05, "s", most=True),
        ratio(f"{what} its deadlines in random order", walls, [greedy], 1.05, "s", most=True),
    ]


def _simulated(entries: Sequence[Entry], at_once: int, seed: int) -> float:
    places = [0.0] * at_once
    for entry in random.Random(seed).sample(entries, len(entries)):
        heapq.heapreplace(places, places[0] + _DEADLINES.get(entry.kind, 0.0))
    return max(places)


def _per_cpu(runs: Sequence[Ran]) -> list[float]:
    return [len(seen.results) / seen.cpu for seen in runs]


def verified(farm: Farm, size: Size) -> list[Row]:
    """Verified entries per CPU-second of the whole process, start and imports included."""
    listed, options = farm.write(farm.mix("working", size.of(1000))), fast(100, 5.0, 30.0)
    mine, theirs = _turns(
        size.runs, ours(listed, farm, "--profile=fast", *options), ladder(listed, farm, *options)
    )
    what = "verified per CPU-second / bare ladder"
    return [ratio(what, _per_cpu(mine), _per_cpu(theirs), 0.8, "a CPU-second", most=False)]


def refused(farm: Farm, size: Size) -> list[Row]:
    """Refused entries per CPU-second; the yardstick only connects and prints."""
    listed = farm.write(farm.mix("refused", size.of(10000)))
    bare = [PYTHON, "-m", "benchmarks.bare_connect", listed, "500", "2"]
    mine, theirs = _turns(size.runs, ours(listed, farm, "--profile=fast", *fast(500, 2.0, 8.0)), bare)
    what = "dead (refused) per CPU-second / bare connect"
    return [ratio(what, _per_cpu(mine), _per_cpu(theirs), 0.8, "a CPU-second", most=False)]


def memory(farm: Farm, size: Size) -> list[Row]:
    """Peak memory of a run over silent entries, and what each listed entry adds."""
    silent = farm.write(farm.mix("silent", size.of(10000)))
    peak = run(ours(silent, farm, "--profile=fast", *fast(500, 0.5, 2.0))).peak / 1024
    peaks = []
    for count in (1000, 20000):
        listed = farm.write(farm.mix("refused", count))
        peaks.append(run(ours(listed, farm, "--profile=fast", *fast(500, 2.0, 8.0))).peak)
    each = (peaks[1] - peaks[0]) / 19000
    return [
        Row(
            what=f"peak memory, {size.of(10000):,} silent entries, 500 at once",
            value=f"{peak:.1f} MiB",
            target="below 45 MiB",
            met=peak < 45,
        ),
        Row(
            what="memory for each listed entry (1,000 to 20,000)",
            value=f"{each:.2f} KiB",
            target="below 1 KiB",
            met=each < 1,
        ),
    ]


def truth(farm: Farm, size: Size) -> list[Row]:
    """Verdicts that are not what stands in the farm."""
    mixes = {name: farm.mix(name, size.of(2000)) for name in ("blackout", "healthy", "working")}
    mixes["few"] = farm.few(10, size.of(2000))
    wrong, total = [], 0
    for entries in mixes.values():
        ended = run(ours(farm.write(entries), farm, "--profile=fast", *fast(250, 2.0, 12.0)))
        wrong += false_verdicts(entries, ended.results)
        total += len(entries)
    said = f"{len(wrong)} of {total:,}" + (f", the first: {wrong[0]}" if wrong else "")
    return [Row(what="false verdicts over all mixes", value=said, target="none", met=not wrong)]


def quiet(farm: Farm, size: Size) -> list[Row]:
    """200 entries, 194 of them silent, 3 refused, 3 good, in `orders` orders side by side."""
    orders = max(4, round(20 * size.part))
    nets = range(200, 200 + orders)

    def one(net: int) -> float:
        kinds = ["hole"] * 194 + ["closed"] * 3 + [GOOD[0]] * 2 + [GOOD[1]]
        listed = farm.write(farm.placed(kinds, net, net), f"quiet-{net}.txt")
        command = ours(listed, farm, "--first=1", host=f"127.{net}.0.1")
        return run(command).first_working or float("inf")

    with syns.counting() as seen, ThreadPoolExecutor(orders) as pool:
        found = sorted(pool.map(one, nets))
    rows = [
        Row(
            what=f"quiet: first working, median of {orders} orders",
            value=f"{median(found):.1f} s",
            target="at most 20 s",
            met=median(found) <= 20,
        ),
        Row(
            what=f"quiet: first working, worst of {orders} orders",
            value=f"{found[-1]:.1f} s",
            target="at most 45 s",
            met=found[-1] <= 45,
        ),
    ]
    if seen is None:
        return [*rows, Row(what="quiet: connections in any second", value="not counted: needs CAP_NET_RAW")]
    most = max(seen.most(net) for net in nets)
    return [
        *rows,
        Row(what="quiet: new connections in any second", value=f"{most}", target="at most 4", met=most <= 4),
    ]


def start(farm: Farm, size: Size) -> list[Row]:
    """Milliseconds from exec: `--help` to its end, and `check` to its first line beyond a bare interpreter."""
    listed = farm.write(farm.mix("refused", 100))
    check = ours(listed, farm, "--profile=fast")
    bare, help_, ready = [], [], []
    for _ in range(15):
        bare.append(_timed([PYTHON, "-c", "pass"]))
        help_.append(_timed([PYTHON, "-m", "client", "--help"]))
        ready.append(1000 * (run(check).first_line or float("inf")))
    beyond = median(ready) - median(bare)
    return [
        Row(what="`--help`", value=f"{median(help_):.0f} ms", target="below 80 ms", met=median(help_) < 80),
        Row(
            what="`check` ready, beyond a bare interpreter",
            value=f"{beyond:.0f} ms",
            target="at most 150 ms",
            met=beyond <= 150,
        ),
    ]


def _timed(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - began)


ROWS: Final[Mapping[str, Callable[[Farm, Size], list[Row]]]] = {
    "start": start,
    "refused": refused,
    "verified": verified,
    "memory": memory,
    "first": first_working,
    "whole": whole_list,
    "truth": truth,
    "quiet": quiet,
}
