"""What running engines tell of themselves, as events: how far they have come, what they have loaded, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, Protocol

from client.events import EngineProgressed, Event, Noticed
from client.model import Message
from client.text import printable
from transports.net import Door
from transports.types import N_, CannotMeasure, Endpoint

if TYPE_CHECKING:
    from transports.tor_told import Notice, Progress

ENOUGH: Final = 75  # per cent: from here on what is loaded is the tests' own traffic, and no news
_CONNECTING: Final = N_("it connects to the first server")
_LOADING: Final = N_("it loads the list of relays")
_STAGES: Final = {  # tor's tags (control-spec 5.5), as far as a person can make use of them
    "starting": N_("it starts"),
    "conn": _CONNECTING,
    "handshake": _CONNECTING,
    "onehop": _LOADING,
    "requesting": _LOADING,
    "loading": _LOADING,
    "enough": N_("it has the list of relays"),
    "ap": N_("it connects to its first relay"),
    "circuit": N_("it builds circuits"),
    "done": N_("it is ready"),
}
_AGAIN: Final = N_("it starts again")
_LONGEST: Final = 120


class Report(Protocol):
    """An engine that needs time, and the person's data, to get ready (`transports.tor_engine.TorEngine`)."""

    @property
    def progress(self) -> Progress:
        """How far it has come."""

    @property
    def received(self) -> int:
        """Bytes received so far, the tests' own included."""

    @property
    def rate(self) -> float:
        """Bytes a second that come in now."""

    @property
    def notices(self) -> Sequence[Notice]:
        """What a person should know besides; it only grows."""


def stage(tag: str, summary: str) -> Message:
    """Return in words what tor is doing. What it says itself is shown, cleaned, where its tag is not known."""
    known = _STAGES.get(tag.partition("_")[0])
    return Message(known) if known else Message("{summary}", {"summary": printable(summary or tag, _LONGEST)})


class Engines(Protocol):
    """Outside programs that opened doors for some endpoints."""

    @property
    def doors(self) -> Mapping[str, Door | CannotMeasure]:
        """Endpoint keys to doors, or to why there is none."""

    @property
    def reports(self) -> Mapping[str, Report]:
        """Names of engines to what they tell of themselves."""


OpenEngines = Callable[[Sequence[Endpoint]], AbstractAsyncContextManager[Engines]]


class Follower:
    """Looks at the reports of a run's engines (`reports`: name to report) and tells what is new."""

    def __init__(self) -> None:
        self.reports: Mapping[str, Report] = {}
        self._last: dict[str, tuple[int, str, int]] = {}
        self._told: dict[str, int] = {}

    def received(self) -> dict[str, int]:
        """Return the bytes that each engine has received."""
        return {name: report.received for name, report in self.reports.items()}

    def news(self, elapsed: float) -> list[Event]:
        """Return the events for what has changed since the last call; `elapsed` is seconds since the begin."""
        events: list[Event] = []
        for name, report in self.reports.items():
            told = self._told.get(name, 0)
            notices = list(report.notices[told:])
            self._told[name] = told + len(notices)
            events += [Noticed(Message(notice.reason, notice.values)) for notice in notices]
            events += self._progress(name, report, elapsed)
        return events

    def _progress(self, name: str, report: Report, elapsed: float) -> list[Event]:
        now = report.progress
        seen = (now.percent, now.tag, now.received if now.percent < ENOUGH else 0)
        if seen == self._last.get(name, (0, "", 0)):
            return []
        doing = stage(now.tag, now.summary)
        if not now.tag:  # one that has died is being replaced, and the other has not said anything yet
            doing = Message(_AGAIN if name in self._last else _STAGES["starting"])
        self._last[name] = seen
        told = EngineProgressed(
            engine=name,
            percent=now.percent,
            stage=doing,
            received_kib=report.received // 1024,
            kib_per_s=report.rate / 1024,
            elapsed=elapsed,
        )
        return [told]
