"""One JSON object a line, flushed as it is known. The keys are a contract: docs/json.md."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO

from client.events import EngineProgressed, Event, Finished, Judged, LineRejected, Noticed, Started
from client.i18n import say
from client.model import Content, Proof, Verdict
from client.render.words import EngineLines
from client.text import printable

VERSION = 1
_LONGEST = 2000
_REASON = 400


class JsonLines:
    """Writes the stream for scripts. `reveal` adds the full candidate."""

    def __init__(self, *, reveal: bool, out: TextIO | None = None) -> None:
        self._reveal = reveal
        self._out = out or sys.stdout
        self._engines = EngineLines()
        utf8 = (self._out.encoding or "").lower().replace("-", "") == "utf8"
        self._encode = json.JSONEncoder(ensure_ascii=not utf8).encode  # json.dumps would make one a line

    def show(self, event: Event) -> None:
        """Write the line for `event`; what is for people goes to standard error, or is left out."""
        said = say(event.message) if isinstance(event, Noticed) else ""
        if isinstance(event, EngineProgressed):
            said = self._engines.take(event)
        if said:
            sys.stderr.write(printable(said, _REASON) + "\n")
        line = as_json(event, reveal=self._reveal)
        if line is not None:
            if isinstance(event, Started):
                line["at"] = round(time.time())
            self._out.write(self._encode(line) + "\n")
            self._out.flush()

    def close(self) -> None:
        """Nothing is on the screen."""


def as_json(event: Event, *, reveal: bool) -> dict[str, Any] | None:
    """Return the object for `event`, or None for an event that has none."""
    if isinstance(event, Judged):
        return {"v": VERSION, "type": "result", **_result(event.id, event.verdict, reveal=reveal)}
    if isinstance(event, LineRejected):
        line = event.line
        return {
            "v": VERSION,
            "type": "rejected",
            "source": printable(line.source, _LONGEST),
            "line": line.line,
            "reason": printable(say(line.reason), _REASON),
        }
    if isinstance(event, Started):
        return {"v": VERSION, "type": "started"} | {
            name: getattr(event, name) for name in Started.__dataclass_fields__
        }
    if isinstance(event, Finished):
        return {"v": VERSION, "type": "summary", **_summary(event)}
    return None


def _summary(event: Finished) -> dict[str, Any]:
    return {
        "given": event.given,
        "candidates": event.candidates,
        "duplicates": event.duplicates,
        "rejected": event.rejected,
        **event.counts,
        "stopped": event.stopped or None,
        "elapsed_ms": _ms(event.elapsed),
        "first_working_ms": _ms(event.first_working),
        "line_state": event.line_state.value,
        "moved_kib": event.moved_kib,
    }


def _result(name: str, verdict: Verdict, *, reveal: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "source": printable(verdict.candidate.source, _LONGEST),
        "line": verdict.candidate.line,
        "id": name,
        "transport": verdict.kind,
        "class": verdict.protection.value,
        "status": verdict.status.value,
        "failure": verdict.failure,
        "step": verdict.step,
        "steps": [
            {"name": seen.step, "ms": _ms(seen.elapsed), "failure": seen.failure}
            for seen in verdict.observations
        ],
        "elapsed_ms": _ms(verdict.elapsed),
        "first_byte_ms": _ms(verdict.proof.first_byte),
        "kib_per_s": _round(verdict.kib_per_s),
        "tries": verdict.tries,
        "proof": _proof(verdict.proof) if verdict.proof.content else None,
        "reason": printable(say(verdict.reason), _REASON),
    }
    if verdict.candidate.item:
        result["item"] = verdict.candidate.item
    if reveal:
        result["candidate"] = printable(verdict.candidate.endpoint.reveal(), 8192)
    return result


def _proof(proof: Proof) -> dict[str, Any]:
    proved: dict[str, Any] = {
        "authenticated": "tls",
        "down_bytes": proof.down,
        "up_bytes": proof.up,
        "reads": proof.reads,
        "writes": proof.writes,
        "segments_in": proof.segments_in,
        "segments_out": proof.segments_out,
    }
    for name in ("upload", "plain", "impossible", "udp"):
        seen: Content = getattr(proof, name)
        proved[name] = seen.value
    return proved


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _round(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
