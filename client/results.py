"""Results of `sanylau check --json --reveal`, read back: what was found stays usable without a second test.

The file may come from anybody. Nothing in it is believed that the candidate itself contradicts: its kind and its
protection class are worked out anew. That a server is trusted only the person can say, and now. Pure but for `load`.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from client import parse
from client.judge import protection_of
from client.model import Candidate, Content, LineState, Status, kinds_of
from client.options import Option
from client.sources import STDIN
from client.vault import opened
from transports.types import N_, Endpoint, Rejected

if TYPE_CHECKING:
    from client.diagnosis.code import Told

LARGEST: Final = 64 * 1024 * 1024  # bytes of one file
LONGEST: Final = 64 * 1024  # bytes of one line
_VERSION: Final = 1
_NAME: Final = re.compile(r"[0-9a-f]{8,16}", re.ASCII)
_KEPT: Final = (Status.WORKING, Status.DEGRADED, Status.UNTESTED)
_AUTO: Final = ("http", "socks5")  # what a line without a kind can turn out to be
_FASTEST: Final = 1e9  # KiB/s
_SLOWEST: Final = 86_400_000.0  # ms
_CUT: Final = ("…", "\ufffd")  # what stands where a candidate was too long, or not fit to be printed

_NO_JSON: Final = N_(
    "line {line} is no result: give the output of `sanylau check LIST --json --reveal > FILE`"
)
_MASKED: Final = N_(
    "these results hold no addresses: run the check again with --reveal (`sanylau check LIST --json --reveal > FILE`)"
)
_NEWER: Final = N_("line {line} is from another version of Sanylau: run the check again with this one")
_LONG: Final = N_("line {line} is longer than {limit} KiB: it is no result of a check")
_LARGE: Final = N_("larger than {limit} MiB: split it")
_EMPTY: Final = N_("there is no result in it: give the output of `sanylau check LIST --json --reveal > FILE`")
_UNREADABLE: Final = N_("none of the results can be read back: give the list itself instead of the results")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was read. `options` are those that can be used or were not tested, as they stood.

    `given` counts all results, `unreadable` those whose candidate could not be read back. `line` is what the check
    found about the person's own line, `told` what a diagnosis before it found.
    """

    options: tuple[Option, ...] = ()
    given: int = 0
    unreadable: int = 0
    line: LineState = LineState.UNKNOWN
    told: Told | None = None


def load(name: str) -> Results:
    """Read a file, standard input for "-", the vault for "vault:". Raises Rejected with what to do.

    Results that do not tell when they were seen are as old as the file.
    """
    if name == opened.PREFIX:
        return opened.results()
    seen: float | None = None
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            path = Path(name)
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            seen = path.stat().st_mtime
    except IsADirectoryError:
        raise Rejected(N_("this is a folder: name the file in it")) from None
    except FileNotFoundError:
        raise Rejected(N_("there is no such file")) from None
    except OSError as error:
        raise Rejected(N_("cannot be read ({why})"), why=error.strerror or "?") from None
    if len(data) > LARGEST:
        raise Rejected(_LARGE, limit=LARGEST // 1024 // 1024)
    return read(data, seen=seen if seen is not None and seen <= time.time() else None)


def read(data: bytes, *, seen: float | None = None) -> Results:
    """Return the results in JSON Lines; `seen` is the Unix time of those that do not tell. Raises Rejected."""
    found: dict[str, Option] = {}
    state, told = LineState.UNKNOWN, None
    given = unreadable = 0
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        one = _object(line, number, last=number == len(lines) and given > 0)
        kind = one.get("type")
        if kind == "started":
            seen = _moment(one.get("at"), seen)
        elif kind == "summary":
            state = _state(one.get("line_state"))
        elif kind == "diagnosis":
            told = _told(one.get("code"))
        elif kind == "result":
            given += 1
            if "candidate" not in one:
                raise Rejected(_MASKED)
            option = _option(one, seen)
            if option is None:
                unreadable += 1
            else:  # of several runs in one file the last one counts
                found[option.candidate.endpoint.key()] = option
    if not given:
        raise Rejected(_EMPTY)
    if unreadable == given:
        raise Rejected(_UNREADABLE)
    kept = tuple(option for option in found.values() if option.status in _KEPT)
    return Results(options=kept, given=given, unreadable=unreadable, line=state, told=told)


def _moment(told: object, known: float | None) -> float | None:
    """Return the earlier of what a run tells of its time and what is known of the file; the future is nobody's word."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 < told <= time.time():
        return known
    return float(told) if known is None else min(float(told), known)


def _object(line: bytes, number: int, *, last: bool) -> dict[str, Any]:
    """Return the object of a line. A last line without its end was being written when the check was ended."""
    if len(line) > LONGEST:
        raise Rejected(_LONG, line=number, limit=LONGEST // 1024)
    try:
        one = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        if last:
            return {}
        raise Rejected(_NO_JSON, line=number) from None
    if not isinstance(one, dict) or not isinstance(one.get("type"), str):
        raise Rejected(_NO_JSON, line=number)
    if one.get("v") != _VERSION:
        raise Rejected(_NEWER, line=number)
    return one


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _option(one: dict[str, Any], seen: float | None) -> Option | None:
    """Return what a result says of its candidate, None where the candidate cannot be read or is another kind."""
    endpoint = _endpoint(one["candidate"])
    status = _status(one.get("status"))
    if endpoint is None or status is None:
        return None
    spoken = _spoken(endpoint, one.get("transport"))
    if spoken is None:
        return None
    proof = one.get("proof")
    return Option(
        candidate=Candidate(
            endpoint,
            _text(one.get("source"), 2000),
            _count(one.get("line")),
            _count(one.get("item")),
        ),
        transport=spoken,
        protection=protection_of(spoken, endpoint, trusted=False),
        status=status,
        id=name if _NAME.fullmatch(name := _text(one.get("id"), 16)) else "",
        kib_per_s=_measured(one.get("kib_per_s"), _FASTEST),
        first_byte=None if (ms := _measured(one.get("first_byte_ms"), _SLOWEST)) is None else ms / 1000,
        seen=None if status is Status.UNTESTED else seen,
        udp=isinstance(proof, dict) and proof.get("udp") == Content.INTACT.value,
    )


def _endpoint(text: object) -> Endpoint | None:
    if not isinstance(text, str) or not text.strip() or text.endswith(_CUT[0]):
        return None
    if any(mark in text.partition("#")[0] for mark in _CUT):
        return None
    found = parse.read([("", text)]).candidates
    return found[0].endpoint if len(found) == 1 else None


def _spoken(endpoint: Endpoint, kind: object) -> str | None:
    """Return the transport that was spoken, None where the result tells of another kind of entry."""
    if endpoint.transport == "auto":
        return kind if isinstance(kind, str) and kind in _AUTO else "auto"
    return endpoint.transport if kind in kinds_of(endpoint) else None


def _status(value: object) -> Status | None:
    return Status(value) if isinstance(value, str) and value in {one.value for one in Status} else None


def _state(value: object) -> LineState:
    if isinstance(value, str) and value in {one.value for one in LineState}:
        return LineState(value)
    return LineState.UNKNOWN


def _told(value: object) -> Told | None:
    from client.diagnosis import code

    try:
        return code.decode(value) if isinstance(value, str) else None
    except Rejected:
        return None


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0


def _measured(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None  # infinity is out of it too
