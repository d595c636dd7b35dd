"""What engines tell of themselves on its way through a run: events, and the data budget."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from client.drill.stage import stage
from client.engines import Opened
from client.events import EngineProgressed, Finished, Noticed
from client.following import Engines
from client.model import Status
from tests.client.runs import events_of, fast, finished_in, make_run, reading, verdicts_in
from tests.client.test_following import Report
from transports.tor_told import Notice, Progress
from transports.types import Endpoint

BRIDGE = Endpoint(transport="tor_bridge", host="127.0.0.1", port=9, options={"pt": "vanilla"})
NOTICE = Notice(reason="your clock is {seconds} seconds fast", values={"seconds": 7200})


@asynccontextmanager
async def loading(endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
    """A tor that is not ready before the run ends, and that has loaded 300 KiB."""
    progress = Progress(percent=50, tag="loading_descriptors", received=300 * 1024)
    await asyncio.sleep(0.7)
    report = Report(progress, received=300 * 1024, rate=20 * 1024.0, notices=[NOTICE])
    yield Opened({}, {"tor": report})


async def test_engines_are_heard_while_a_run_lasts_and_what_they_load_ends_it() -> None:
    async with stage({"silent-http"}) as playing:
        silent = playing.parts[0].endpoint()
        run = make_run(reading(BRIDGE, silent), playing.origin, profile=fast(15.0), budget_kib=200)
        events = await events_of(replace(run, engines=loading))
    (told,) = [event for event in events if isinstance(event, EngineProgressed)]
    assert (told.percent, told.received_kib) == (50, 300)
    assert [event.message.values for event in events if isinstance(event, Noticed)] == [{"seconds": 7200}]
    last = finished_in(events)
    assert (last.stopped, last.moved_kib) == ("budget", 300)
    assert last.elapsed < 5
    spent = [verdict for verdict in verdicts_in(events) if verdict.candidate.endpoint == silent]
    assert [verdict.status for verdict in spent] == [Status.UNTESTED]
    assert "--budget" in spent[0].reason.id
    assert isinstance(events[-1], Finished)
