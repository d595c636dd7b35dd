"""The screen's own process, in a terminal that nobody looks at: the real app over a real run, or over made-up results.

    python -m benchmarks.screen_main check RESULT LIST TARGET BULK PLAIN CA CONCURRENCY CONNECT TOTAL
    python -m benchmarks.screen_main lag RESULT ROWS RATE SECONDS

RESULT is the file that the figures go to as JSON: standard output is the terminal.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from textual import work

from client import check, parse
from client.check import Wishes
from client.engine import Run
from client.events import Event, Judged, Started
from client.model import (
    Candidate,
    Failure,
    Message,
    Observation,
    Proof,
    Protection,
    Reading,
    Status,
    Step,
    Verdict,
)
from transports.types import Endpoint
from tui.app import SanylauApp
from tui.screens.results import ResultsScreen
from tui.session import Session

_BEAT: Final = 0.005  # seconds between two looks at how late the loop is
_KEYS: Final = ("down", "2", "1", "o", "n", "pagedown", "4", "down", "1", "o", "o", "o", "o", "end", "home")
_KEY_EVERY: Final = 0.5  # seconds: a person who looks around


class Measured(SanylauApp):
    """Shows what it is told to, notes figures, and leaves."""

    def __init__(self, result: str) -> None:
        super().__init__()
        self.result = Path(result)

    def report(self, **figures: Any) -> None:
        """Write the figures and leave."""
        self.result.write_text(json.dumps(figures), "ascii")
        self.exit(0)


class Checking(Measured):
    """Runs a whole check under the screen."""

    def __init__(self, result: str, run: Run) -> None:
        super().__init__(result)
        self.run_ = run

    def on_mount(self) -> None:
        """Begin."""
        self.follow_run()

    @work
    async def follow_run(self) -> None:
        """Show the run from its begin to its end."""
        await asyncio.sleep(1.0)  # the screen is up and has loaded what it loads behind the first picture
        self.begin(self.run_)
        session = self.session
        assert session is not None
        assert self._runner is not None
        await self._runner.wait()
        last = session.state.finished
        self.report(seconds=last.elapsed if last is not None else None, results=session.state.done)


class Lagging(Measured):
    """Shows made-up results at a steady rate, with a person who looks around, and notes how late the loop is."""

    def __init__(self, result: str, rows: int, rate: float, seconds: float) -> None:
        super().__init__(result)
        self.rows, self.rate, self.seconds = rows, rate, seconds

    def on_mount(self) -> None:
        """Begin."""
        self.show_rows()

    @work
    async def show_rows(self) -> None:
        """Feed, look around and measure, all at once."""
        session, events = made_up(self.rows)
        self.session = session
        first = list(itertools.islice(events, 1 + self.rows - round(self.rate * self.seconds)))
        feed(session, first)
        await self.push_screen(ResultsScreen(session))
        await asyncio.sleep(1.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed(session, events))
            group.create_task(self._look_around())
            beat = group.create_task(lags(self.seconds))
        late = sorted(beat.result())
        self.report(
            p50=late[len(late) // 2], p99=late[len(late) * 99 // 100], worst=late[-1], rows=session.state.done
        )

    async def _feed(self, session: Session, events: Iterator[Event]) -> None:
        for event in events:
            feed(session, [event])
            await asyncio.sleep(1 / self.rate)

    async def _look_around(self) -> None:
        end = time.monotonic() + self.seconds
        for key in itertools.cycle(_KEYS):
            if time.monotonic() >= end:
                return
            self.simulate_key(key)
            await asyncio.sleep(_KEY_EVERY)


def feed(session: Session, events: list[Event]) -> None:
    """Take in events as `Session.follow` does."""
    for event in events:
        session.changed |= session.state.apply(event)


async def lags(seconds: float) -> list[float]:
    """Return in milliseconds how much later than asked a sleeping task was woken, again and again."""
    late = []
    end = time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        await asyncio.sleep(_BEAT)
        late.append(1000 * max(0.0, time.perf_counter() - before - _BEAT))
    return late


def made_up(rows: int) -> tuple[Session, Iterator[Event]]:
    """Return a session that waits for `rows` results, and these: every tenth works."""
    candidates = tuple(
        Candidate(Endpoint(transport="socks5", host=f"127.0.{n // 250}.{1 + n % 250}", port=1080), "list", n)
        for n in range(rows)
    )
    session = Session(check.prepare(Wishes(), parse.read([])))
    object.__setattr__(session.run, "reading", Reading(candidates, (), 0))
    session.changed |= session.state.expect(candidates)
    counts = {"given": rows, "candidates": rows, "duplicates": 0, "rejected": 0}
    started = Started(**counts, profile="fast", budget_connections=9 * rows, budget_kib=180 * rows)
    return session, itertools.chain([started], map(_judged, range(rows), candidates))


def _judged(number: int, candidate: Candidate) -> Judged:
    works = number % 10 == 0
    steps = [Observation(step=Step.CONNECT, started=0.0, elapsed=0.012)]
    if not works:
        late = Observation(step=Step.PROXY_HANDSHAKE, started=0.012, elapsed=4.0, failure=Failure.TIMEOUT)
        steps.append(late)
    proof = Proof(content=True, down=65536, bulk_done=True, bulk_seconds=0.1 + number % 97 / 50, reads=40)
    reason = (
        "authentic content came through" if works else "accepts the connection, but gives no answer in time"
    )
    return Judged(
        f"{number:08x}",
        Verdict(
            candidate=candidate,
            transport="socks5",
            protection=Protection.OPEN,
            status=Status.WORKING if works else Status.FAILED,
            reason=Message(reason),
            failure=None if works else Failure.TIMEOUT,
            step=None if works else Step.PROXY_HANDSHAKE,
            observations=tuple(steps),
            proof=proof if works else Proof(),
            tries=1,
        ),
    )


def main() -> None:
    """Do what the arguments say."""
    kind, result, *rest = sys.argv[1:]
    app: Measured
    if kind == "lag":
        app = Lagging(result, int(rest[0]), float(rest[1]), float(rest[2]))
    else:
        listed, target, bulk, plain, authority, at_once, connect, total = rest
        wishes = Wishes(
            lists=(listed,),
            target=target,
            bulk_target=bulk,
            plain_target=plain,
            target_ca=authority,
            profile="fast",
            concurrency=int(at_once),
            connect_timeout=float(connect),
            timeout=float(total),
        )
        app = Checking(result, check.prepare(wishes, check.take_in(wishes.lists)))
    asyncio.run(app.run_async())


if __name__ == "__main__":
    main()
