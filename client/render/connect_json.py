"""The events of `connect` as JSON Lines, for scripts."""

from __future__ import annotations

import json
import sys
from typing import Any, Final, TextIO

from client import events
from client.connect.events import (
    Checked,
    Event,
    Held,
    Listening,
    Lost,
    Noticed,
    Status,
    Summary,
    Using,
)
from client.i18n import say
from client.options import Option
from client.render import plain
from client.render.connect import Found, kind
from client.render.jsonl import VERSION
from client.text import printable

_MESSAGE: Final = 400


class JsonLines:
    """One object a line. What is for people goes to standard error. The keys are a contract: docs/connect.md."""

    beat = 5.0

    def __init__(self, *, reveal: bool, out: TextIO | None = None) -> None:
        self._reveal, self._out = reveal, out or sys.stdout
        self._found = Found()
        utf8 = (self._out.encoding or "").lower().replace("-", "") == "utf8"
        self._encode = json.JSONEncoder(ensure_ascii=not utf8).encode

    def show(self, event: Event) -> None:
        """Write the line for `event`."""
        if isinstance(event, Checked):
            self._checked(event.event)
        elif isinstance(event, Noticed):
            self._aside(say(event.message))
        else:
            self._out.write(self._encode(as_json(event, reveal=self._reveal)) + "\n")
            self._out.flush()

    def close(self) -> None:
        """Nothing is on the screen."""

    def _checked(self, event: events.Event) -> None:
        self._found.take(event)
        if isinstance(event, events.Noticed):
            self._aside(say(event.message))
        elif isinstance(event, events.EngineProgressed):
            self._aside(self._found.engines.take(event))
        elif isinstance(event, events.LineRejected):
            self._aside(plain.rejected(event))
        elif isinstance(event, events.Finished):
            for text in self._found.advice(event):
                self._aside(text)

    def _aside(self, text: str) -> None:
        if text:
            sys.stderr.write(printable(text, _MESSAGE) + "\n")


def as_json(event: Listening | Using | Lost | Held | Status | Summary, *, reveal: bool) -> dict[str, Any]:
    """Return the object for `event`."""
    if isinstance(event, Listening):
        where = _object("listening", address=event.address, port=event.port, password=event.password)
        return where | {"taken": event.instead or None}
    if isinstance(event, Using):
        return _object("using", **_option(event.id, event.option, reveal=reveal)) | {
            "why": event.why.value,
            "age_s": None if event.age is None else round(event.age, 1),
            "first_byte_ms": _ms(event.option.first_byte),
            "kib_per_s": None if event.option.kib_per_s is None else round(event.option.kib_per_s, 1),
        }
    if isinstance(event, Lost):
        return _object("lost", **_option(event.id, event.option, reveal=reveal)) | {
            "step": event.step,
            "failure": event.failure,
            "reason": printable(say(event.reason), _MESSAGE),
            "cut": event.cut,
        }
    if isinstance(event, Held):
        return _object("held", why=event.why.value, lowest=event.lowest and event.lowest.value)
    if isinstance(event, Status):
        return _object(
            "status",
            id=event.id or None,
            up_bytes=event.up,
            down_bytes=event.down,
            connections=event.connections,
            latency_ms=_ms(event.latency),
            uptime_s=round(event.uptime, 1),
            age_s=None if event.age is None else round(event.age, 1),
            held=event.held and event.held.value,
            below=event.below,
            quiet_s=None if event.quiet is None else round(event.quiet, 1),
        )
    return _object(
        "summary",
        up_bytes=event.up,
        down_bytes=event.down,
        connections=event.connections,
        used=event.used,
        lost=event.lost,
        uptime_s=round(event.uptime, 1),
        status=event.status,
    )


def _object(kind: str, **values: Any) -> dict[str, Any]:
    return {"v": VERSION, "type": kind, **values}


def _option(name: str, option: Option, *, reveal: bool) -> dict[str, Any]:
    known: dict[str, Any] = {"id": name, "transport": kind(option), "class": option.protection.value}
    if reveal:
        known["candidate"] = printable(option.candidate.endpoint.reveal(), 8192)
    return known


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
