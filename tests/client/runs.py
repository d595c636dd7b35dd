"""What the tests of runs share: candidates, targets on the drill's stage, and the events of a whole run."""

import asyncio
import random
import time
from collections.abc import Iterable

from client import roots
from client.drill import origin
from client.drill.origin import Origin
from client.drill.stage import Placed
from client.engine import Run, Stop, running
from client.events import Event, Finished, Judged
from client.model import Candidate, Control, LineState, Reading, RejectedLine, Verdict
from client.settings import PROFILES, Profile, tuned
from client.targets import Target, Targets, digest
from transports.net import Limits
from transports.types import Endpoint

LIMIT = 20.0  # seconds; no run of a test takes that long
HEALTHY = Control(state=LineState.HEALTHY, connect=0.01, kib_per_s=1000.0)


def endpoint(host: str = "127.0.0.1", port: int = 1, transport: str = "http") -> Endpoint:
    return Endpoint(transport=transport, host=host, port=port)


def candidates(*endpoints: Endpoint) -> tuple[Candidate, ...]:
    return tuple(Candidate(one, "list", line) for line, one in enumerate(endpoints, 1))


def reading(*endpoints: Endpoint, rejected: tuple[RejectedLine, ...] = ()) -> Reading:
    return Reading(candidates(*endpoints), rejected, 0)


def of_parts(parts: Iterable[Placed]) -> Reading:
    return reading(*(placed.endpoint() for placed in parts))


def targets_at(at: Origin, host: str = "localhost") -> Targets:
    """Return the drill's pages, known by their content."""
    return Targets(
        small=(
            Target(
                tls=True,
                host=host,
                port=at.https_port,
                path="/small",
                status=200,
                digest=digest(origin.SMALL),
            ),
        ),
        bulk=(Target(tls=True, host=host, port=at.https_port, path="/bulk", upload="/upload"),),
        plain=(
            Target(
                tls=False,
                host=host,
                port=at.http_port,
                path="/plain",
                status=200,
                digest=digest(origin.PLAIN),
            ),
        ),
        own=True,
    )


def fast(total: float = 4.0, concurrency: int | None = None) -> Profile:
    return tuned(PROFILES["fast"], concurrency=concurrency, connect=None, total=total)


def quick(total: float = 0.3) -> Profile:
    """A profile whose silent candidates end soon, and that gives nobody a longer try."""
    limits = Limits(connect=total, handshake=total, exchange=total, bulk=total, total=total)
    return Profile(
        name="fast", concurrency=64, interval=0.0, per_network=0, pause=0.05, short=limits, deep=None
    )


def make_run(
    given: Reading,
    at: Origin,
    *,
    profile: Profile | None = None,
    first: int = 0,
    budget_kib: int = 0,
    only: frozenset[str] = frozenset(),
    targets: Targets | None = None,
    extra_roots: str | None = None,
) -> Run:
    return Run(
        reading=given,
        targets=targets or targets_at(at),
        profile=profile or fast(),
        roots=roots.loader(at.ca_pem if extra_roots is None else extra_roots),
        first=first,
        budget_kib=budget_kib,
        only=only,
        rng=random.Random(7),
    )


async def events_of(run: Run, stop: Stop | None = None) -> list[Event]:
    seen: list[Event] = []
    async with asyncio.timeout(LIMIT), running(run, stop) as events:
        async for event in events:
            seen.append(event)  # noqa: PERF401 - what came before a failure should be seen
    return seen


def verdicts_in(events: Iterable[Event]) -> list[Verdict]:
    return [event.verdict for event in events if isinstance(event, Judged)]


def finished_in(events: Iterable[Event]) -> Finished:
    (last,) = [event for event in events if isinstance(event, Finished)]
    return last


def processor_seconds(work: object) -> float:
    """Return the CPU time of the best of three runs of `work`, a function without arguments."""
    assert callable(work)
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)
