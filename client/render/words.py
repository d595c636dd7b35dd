"""Words, symbols and numbers that every human face shares: a state is symbol + word + colour, never colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from client.events import EngineProgressed
from client.following import ENOUGH
from client.i18n import _, ngettext, say
from client.model import Content, Proof, Protection, Status, Step, Verdict
from transports.types import N_

_OFTEN: Final = 10.0  # seconds between two lines about one engine that is at the same stage
_CRAWL: Final = 16.0  # KiB/s: what is slower is shown even where the transfer was not completed


@dataclass(frozen=True, slots=True)
class Look:
    """How a status looks: a symbol that differs in shape, an ASCII stand-in, a word, a rich style."""

    symbol: str
    ascii: str
    word: str
    style: str


LOOKS: Final = {
    Status.WORKING: Look("✔", "+", N_("working"), "bold green"),
    Status.DEGRADED: Look("◐", "~", N_("degraded"), "yellow"),
    Status.HOSTILE: Look("☠", "!", N_("hostile"), "bold red"),
    Status.BLOCKED: Look("⊘", "#", N_("blocked"), "red"),
    Status.FAILED: Look("✘", "x", N_("failed"), "dim"),
    Status.UNTESTED: Look("?", "?", N_("untested"), "cyan"),
}
ORDER: Final = (
    Status.WORKING,
    Status.DEGRADED,
    Status.HOSTILE,
    Status.BLOCKED,
    Status.FAILED,
    Status.UNTESTED,
)
STEPS: Final = {  # short: a way of four or five of them stands in one line
    Step.RESOLVE: N_("name"),
    Step.CONNECT: N_("connect"),
    Step.PROXY_HANDSHAKE: N_("proxy"),
    Step.PT_HANDSHAKE: N_("bridge"),
    Step.TOR_BOOTSTRAP: N_("Tor"),
    Step.TLS_HANDSHAKE: N_("TLS"),
    Step.HTTP_ROUND_TRIP: N_("page"),
    Step.BULK_TRANSFER: N_("file"),
}
CLASSES: Final = {
    Protection.TOR: N_("A, Tor"),
    Protection.TRUSTED: N_("B, encrypted to a server you trust"),
    Protection.UNKNOWN: N_("C, encrypted to an unknown server"),
    Protection.OPEN: N_("D, not encrypted to the proxy"),
}


def word(status: Status) -> str:
    """Return the status in the person's language."""
    return _(LOOKS[status].word)


def speed(verdict: Verdict) -> str:
    """Return the download speed with its unit, or a dash: a speed until it froze is no speed."""
    rate = verdict.kib_per_s
    if rate is None or (not verdict.proof.bulk_done and rate > _CRAWL):
        return "–"
    return (
        _("{rate} MiB/s", rate=f"{rate / 1024:.1f}")
        if rate >= 1024
        else _("{rate} KiB/s", rate=f"{rate:.0f}")
    )


def figures(verdict: Verdict, now: float) -> str:
    """Return the numbers with what they measure: speed, first page, tries, and how old they are."""
    parts = [
        _("{speed} down", speed=speed(verdict)),
        _("first page {seconds}", seconds=seconds(verdict.proof.first_byte)),
        ngettext("{n} try", "{n} tries", verdict.tries),
        _("{seconds} ago", seconds=seconds(max(0.0, now - verdict.finished))),
    ]
    return ", ".join(parts)


def seconds(value: float | None) -> str:
    """Return a duration with its unit, or a dash."""
    return "–" if value is None else _("{seconds} s", seconds=f"{value:.1f}")


def moved(proof: Proof) -> str:
    """Return in words what was moved and how often, or nothing."""
    if not proof.down:
        return ""
    text = _("{down} KiB down", down=proof.down // 1024)
    if proof.upload is Content.INTACT:
        text += ", " + _("{up} KiB up", up=proof.up // 1024)
    return text


def engine(event: EngineProgressed) -> str:
    """Return how far an engine has come, and what it has loaded, how fast while that is what it waits for."""
    values: dict[str, object] = {
        "engine": event.engine,
        "percent": event.percent,
        "stage": say(event.stage),
        "kib": event.received_kib,
    }
    if event.percent >= ENOUGH or event.kib_per_s < 1:
        return _("{engine} at {percent} %: {stage}, {kib} KiB loaded.", **values)
    rate = f"{event.kib_per_s:.0f}"
    return _("{engine} at {percent} %: {stage}, {kib} KiB loaded, {rate} KiB/s.", **values, rate=rate)


class EngineLines:
    """Picks the moments worth a line of text: a new stage, and now and then while one lasts."""

    def __init__(self) -> None:
        self._last: dict[str, EngineProgressed] = {}

    def take(self, event: EngineProgressed) -> str:
        """Return the line for `event`, "" if it is not the moment."""
        last = self._last.get(event.engine)
        if last and last.stage == event.stage and event.elapsed - last.elapsed < _OFTEN:
            return ""
        self._last[event.engine] = event
        return engine(event)
