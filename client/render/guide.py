"""A guide for people, as text, and for scripts, as one object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from client.guide import steps
from client.guide.apps import App
from client.guide.page import Block, Part
from client.guide.steps import Steps
from client.guide.way import Recommendation, Way
from client.i18n import _, say
from client.model import Message
from client.text import printable, wrapped
from transports.types import N_

VERSION: Final = 1
_RISK: Final = N_("Risk: {text}")
_SEE: Final = N_("You see: {text}")


def lines(blocks: Sequence[Block]) -> list[str]:
    """Return the text, broken to the terminal's width; what is to be copied stays in one line."""
    shown: list[str] = []
    for block in blocks:
        if block.part is Part.HEADING and shown:
            shown.append("")
        shown += [block.text] if block.part is Part.COPY else wrapped([_line(block)])
    return shown


def _line(block: Block) -> str:
    begin = "    " if block.number else ""
    if block.part is Part.STEP:
        return f"{block.number:>2}. {block.text}"
    if block.part is Part.SEE:
        return begin + _(_SEE, text=block.text)
    if block.part is Part.RISK:
        return begin + _(_RISK, text=block.text)
    marks = {Part.POINT: "• ", Part.NEXT: "→ "}
    return marks.get(block.part, "") + block.text


def as_json(
    found: Recommendation, told: Steps | None, *, now: float, rest: Sequence[Block] = ()
) -> dict[str, Any]:
    """Return the object for scripts; its keys are a contract (docs/json.md)."""
    best = found.best
    return {
        "v": VERSION,
        "type": "guide",
        "recommended": _way(best, now),
        "better": _way(found.better, now),
        "reserve": _way(found.reserve, now),
        "why": _texts(found.why),
        "risks": _texts(found.risks),
        "steps": _steps(told) if told is not None else [],
        "app": best.app.id if best else None,
        "os": best.system if best else None,
        "checked": _checked(best.app) if best else None,
        "others": [{"app": other.app.id, "by": other.by} for other in found.others],
        "next": list(dict.fromkeys(block.text for block in rest if block.part is Part.NEXT)),
        "without": [block.text for block in rest if block.part not in (Part.NEXT, Part.HEADING)],
    }


def app_json(app: App, system: str) -> dict[str, Any]:
    """Return the object for a program without any option: every way of it."""
    ways = [{"for": list(kinds), "steps": _steps(told)} for kinds, told in steps.of_app(app)]
    return as_json(Recommendation(), None, now=0.0) | {
        "app": app.id,
        "os": system,
        "checked": _checked(app),
        "ways": ways,
    }


def apps_json(apps: Iterable[App], served: Iterable[Way] | None) -> dict[str, Any]:
    """Return the object for `--list`: the programs of a system, or those that an option goes into."""
    by = None if served is None else {way.app.id: way.by for way in served}
    return {
        "v": VERSION,
        "type": "apps",
        "apps": [
            {
                "app": app.id,
                "name": app.name,
                "os": list(app.systems),
                "takes": sorted(app.takes),
                "local": app.local,
                "for": list(app.purposes),
                "checked": _checked(app),
            }
            | ({} if by is None else {"by": by[app.id]})
            for app in apps
            if by is None or app.id in by
        ],
    }


def _way(way: Way | None, now: float) -> dict[str, Any] | None:
    if way is None:
        return None
    option = way.option
    return {
        "id": option.id,
        "transport": option.kind,
        "class": option.protection.value,
        "status": option.status.value,
        "advised": way.advised,
        "age_s": None if option.seen is None else max(0, round(now - option.seen)),
        "kib_per_s": None if option.kib_per_s is None else round(option.kib_per_s, 1),
        "app": way.app.id,
        "os": way.system,
        "by": way.by,
    }


def _steps(told: Steps) -> list[dict[str, Any]]:
    return [
        {"n": one.number, "do": one.do, "see": one.see or None, "risk": one.risk or None}
        | ({"copy": one.copy} if one.copy else {})
        for one in told.steps
    ]


def _checked(app: App) -> str:
    return "not yet" if app.walked is None else f"run-here {app.walked.version} {app.walked.date}"


def _texts(messages: Iterable[Message]) -> list[str]:
    return [printable(say(message), 700) for message in messages]
