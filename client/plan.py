"""In which order, how much, and what next: pure decisions about a run."""

from __future__ import annotations

import functools
import heapq
import itertools
import random
import tomllib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.model import Candidate, Control, kinds_of
from client.settings import Profile
from client.targets import Targets
from client.way import Attempt
from transports.net import Limits
from transports.registry import REGISTRY
from transports.tor_engine import SOLO
from transports.trace import Trace

_TOR: Final = Path(__file__).parent / "data" / "tor.toml"
_OVERHEAD_KIB: Final = 24  # handshakes, certificates, small pages and headers of one full verification
_MOST_CONNECTIONS: Final = (
    10  # two each of small pages, files, uploads and plain pages; impossible address, UDP
)
_CONTROL_CONNECTIONS: Final = 3
_SLOW_CONNECT: Final = 0.5  # seconds for one TCP connection: a line above that gets longer deadlines
_LONGEST_BULK: Final = 120.0


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run can cost: connections opened, and KiB moved both ways."""

    connections: int
    kib: int


@functools.cache
def directory_kib() -> int:
    """Return the KiB that a tor loads before it can be used; `client/data/tor.toml` says where that is from."""
    return int(tomllib.loads(_TOR.read_text("utf-8"))["directory_kib"])


def network_of(host: str) -> str:
    """Return the /24 or /48 that `host` belongs to; a name stands for itself."""
    if ":" in host:
        return ":".join(host.split(":")[:3])
    head, _, last = host.rpartition(".")
    return head if last.isdigit() and head.count(".") == 2 else host


def order(
    candidates: Sequence[Candidate], *, rng: random.Random, rank: Callable[[Candidate], int] | None = None
) -> list[Candidate]:
    """Return the candidates shuffled, then dealt round-robin over transports and networks.

    So a list's first thousand dead proxies of one kind or one hoster do not hide the living rest. Those of a lower
    `rank` come first, each rank in that order.
    """
    families: dict[str, dict[str, deque[Candidate]]] = defaultdict(lambda: defaultdict(deque))
    for candidate in rng.sample(candidates, len(candidates)):
        endpoint = candidate.endpoint
        families[endpoint.transport][network_of(endpoint.host)].append(candidate)
    dealt = list(_deal([list(_deal(list(networks.values()))) for networks in families.values()]))
    return sorted(dealt, key=rank) if rank else dealt


def _deal(hands: Sequence[Iterable[Candidate]]) -> Iterable[Candidate]:
    """Spread `hands` evenly over one row: a small hand is not used up at the start."""
    rows = []
    for number, hand in enumerate(hands):
        cards = list(hand)
        rows += [((place + 0.5) / len(cards), number, card) for place, card in enumerate(cards)]
    rows.sort(key=lambda row: row[:2])
    return (card for _, _, card in rows)


def budget(candidates: Sequence[Candidate], targets: Targets, profile: Profile) -> Budget:
    """Return the most that testing `candidates` can cost. Everything working is the dearest case."""
    wanted = [candidate for candidate in candidates if is_testable(candidate)]
    testable = len(wanted)
    tries = 2
    each = (targets.quota + targets.upload) // 1024 + _OVERHEAD_KIB
    return Budget(
        connections=testable * (_MOST_CONNECTIONS + tries - 1) + _CONTROL_CONNECTIONS,
        kib=(testable + 1) * each + directories(wanted) * directory_kib(),
    )


def directories(candidates: Iterable[Candidate]) -> int:
    """Return how many tors will load the list of relays for themselves: one for most bridges together."""
    kinds = [
        str((candidate.endpoint.options or {}).get("pt", ""))
        for candidate in candidates
        if REGISTRY[candidate.endpoint.transport].engine == "tor"
    ]
    alone = sum(1 for kind in kinds if not kind or kind in SOLO)
    return alone + (alone < len(kinds))


def is_testable(candidate: Candidate) -> bool:
    """Say whether there is a transport that could test this candidate."""
    entry = REGISTRY.get(candidate.endpoint.transport)
    return entry is not None and entry.transport is not None and not candidate.endpoint.untested


def is_wanted(candidate: Candidate, only: frozenset[str]) -> bool:
    """Say whether `--only` lets a candidate in; nothing in it lets in all."""
    return not only or not only.isdisjoint(kinds_of(candidate.endpoint))


@dataclass(slots=True)
class Job:
    """A candidate on its way: how often it was tried, how long that took (seconds), and the last attempt."""

    candidate: Candidate
    tries: int = 0
    spent: float = 0.0
    deep: bool = False
    attempt: Attempt | None = None
    trace: Trace | None = None  # of the try that is under way, or was the last


def stretched(limits: Limits, control: Control, targets: Targets) -> Limits:
    """Return `limits` made longer for a slow line, as far as the control has measured it."""
    longer = min(4.0, max(1.0, (control.connect or 0.0) / _SLOW_CONNECT))
    bulk = limits.bulk * longer
    if control.kib_per_s:
        bulk = max(bulk, min(_LONGEST_BULK, 2 * (targets.quota + targets.upload) / 1024 / control.kib_per_s))
    return Limits(
        connect=limits.connect * longer,
        handshake=limits.handshake * longer,
        exchange=limits.exchange * longer,
        bulk=bulk,
        total=limits.total * longer + bulk - limits.bulk * longer,
    )


class Queue:
    """What is to be tried next: due second tries, then fresh candidates, then patient tries.

    Everything gets a short try before anything gets a long one.
    """

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._fresh = deque(candidates)
        self._again: list[tuple[float, int, Job]] = []
        self._deep: deque[Job] = deque()
        self._count = itertools.count()
        self.out = 0

    def take(self, now: float) -> Job | float | None:
        """Return a job; or the seconds to wait for one (inf: until one comes back); or None: all done."""
        job: Job | None = None
        if self._again and self._again[0][0] <= now:
            job = heapq.heappop(self._again)[2]
        elif self._fresh:
            job = Job(self._fresh.popleft())
        elif self._deep and not self._again:
            job = self._deep.popleft()
        if job is not None:
            self.out += 1
            return job
        if self._again:
            return self._again[0][0] - now
        return float("inf") if self.out else None

    def back(self) -> None:
        """Say that a job has come to its verdict."""
        self.out -= 1

    def again(self, job: Job, at: float) -> None:
        """Put a job back for a second try at time `at`."""
        self.out -= 1
        heapq.heappush(self._again, (at, next(self._count), job))

    def later(self, job: Job) -> None:
        """Put a job back for a patient try, after everything else."""
        self.out -= 1
        job.deep = True
        self._deep.append(job)

    def rest(self) -> list[Job]:
        """Take out all that was not finished."""
        jobs = [Job(candidate) for candidate in self._fresh]
        jobs += [job for _, _, job in self._again] + list(self._deep)
        self._fresh.clear()
        self._again.clear()
        self._deep.clear()
        return jobs
