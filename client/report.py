"""A report of a check for researchers: one OONI-compatible measurement, without what could name a person or a bridge.

Source: OONI's spec (https://github.com/ooni/spec), df-000 (envelope), df-005 (tcp_connect), df-007 (failures), ts-023 (the
shape of `targets`, and its rule that private bridges are `[scrubbed]`). The test has a name of its own, so that nobody
takes it for one of OONI's. Everything that is not one of our constants, a number, or a public built-in bridge is
left out: no file name, no sentence, no short id. Pure but for `load`; nothing here sends.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from client.model import Content, LineState, Status, kinds_of
from transports.failure import Failure
from transports.registry import REGISTRY
from transports.types import N_, Endpoint, Protection, Rejected, Step

LARGEST: Final = 64 * 1024 * 1024  # bytes of results
LONGEST: Final = 64 * 1024  # bytes of one line of them
MOST: Final = 20_000  # entries of one report
NETWORKS: Final = ("unknown", "mobile", "wifi", "wired")
TEST: Final = "sanylau_check"
VERSION: Final = "0.1.0"
SCRUBBED: Final = "[scrubbed]"
_HOUR: Final = 3600
_SIDES: Final = ("upload", "plain", "impossible", "udp")
_PLUGGED: Final = ("vanilla", "obfs4", "obfs3", "obfs2", "meek_lite", "snowflake", "webtunnel", "conjure")
_SHORT: Final = re.compile(r"[0-9a-f]{8,16}", re.ASCII)

_NO_RESULT: Final = N_("line {line} is no result: give the output of `sanylau check LIST --json > FILE`")
_EMPTY: Final = N_("there is no result in it: give the output of `sanylau check LIST --json > FILE`")
_LARGE: Final = N_("larger than {limit} MiB: split it")
_MANY: Final = N_("more than {limit} results: report a part of them")


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the lines tell, as they stand."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)  # of one entry the last one counts
    at: float | None = None
    line: str = LineState.UNKNOWN.value
    elapsed: float = 0.0


def load(name: str) -> bytes:
    """Return the bytes of a file, or of standard input for "-". Raises Rejected."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise Rejected(N_("this is a folder: name the file in it")) from None
    except FileNotFoundError:
        raise Rejected(N_("there is no such file")) from None
    except OSError as error:
        raise Rejected(N_("cannot be read ({why})"), why=error.strerror or "?") from None
    if len(data) > LARGEST:
        raise Rejected(_LARGE, limit=LARGEST // 1024 // 1024)
    return data


def make(
    data: bytes, *, now: float, version: str, machine: Mapping[str, str], country: str = "", network: str = ""
) -> dict[str, Any]:
    """Return the measurement for the output of `check --json`. Raises Rejected.

    `now` is the Unix time where the results tell none. `machine` are OONI's annotations `platform` and `architecture`.
    `country` (two letters) and `network` (of NETWORKS) are there only if the person says so.
    """
    run = _read(data)
    public = _public()
    targets = {}
    counts: Counter[str] = Counter()
    for number, one in enumerate(run.results.values(), 1):
        name, target = _target(one, public, number)
        targets[name] = target
        counts[target["x_status"]] += 1
    started = _when(run.at if run.at is not None and 0 < run.at <= now else now)
    annotations = {**machine, "engine_name": "sanylau", "engine_version": version}
    if network in NETWORKS[1:]:
        annotations["network_type"] = network
    return {
        "annotations": annotations,
        "data_format_version": "0.2.0",
        "extensions": {"tcpconnect": 0},
        "input": None,
        "measurement_start_time": started,
        "options": [],
        "probe_asn": "AS0",
        "probe_cc": country.upper() or "ZZ",
        "probe_ip": "127.0.0.1",
        "probe_network_name": "",
        "report_id": "",
        "resolver_asn": "AS0",
        "resolver_ip": "127.0.0.2",
        "resolver_network_name": "",
        "software_name": "sanylau",
        "software_version": version,
        "test_helpers": {},
        "test_keys": {
            "targets": targets,
            "x_counts": {status.value: counts[status.value] for status in Status},
            "x_line_state": run.line,
        },
        "test_name": TEST,
        "test_runtime": float(round(run.elapsed)),
        "test_start_time": started,
        "test_version": VERSION,
    }


def scrubbed(measurement: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many entries are in a measurement, and of how many the address is left out."""
    targets = measurement["test_keys"]["targets"].values()
    return len(targets), sum(one["target_address"] == SCRUBBED for one in targets)


def _read(data: bytes) -> _Run:
    run = _Run()
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        one = _object(line, number, last=number == len(lines) and bool(run.results))
        if one.get("type") == "started":
            at = one.get("at")
            run.at = _number(at, 1e11) if run.at is None else run.at
        elif one.get("type") == "summary":
            run.line = _word(one.get("line_state"), LineState) or run.line
            run.elapsed += (_number(one.get("elapsed_ms"), 1e10) or 0.0) / 1000
        elif one.get("type") == "result":
            short = one.get("id")
            known = isinstance(short, str) and _SHORT.fullmatch(short)
            run.results[str(short) if known else f"line {number}"] = one
            if len(run.results) > MOST:
                raise Rejected(_MANY, limit=MOST)
    if not run.results:
        raise Rejected(_EMPTY)
    return run


def _object(line: bytes, number: int, *, last: bool) -> dict[str, Any]:
    """Return the object of a line. A last line without its end was being written when the check was ended."""
    try:
        one = json.loads(line) if len(line) <= LONGEST else None
    except (ValueError, RecursionError):
        one = {} if last else None
    if not isinstance(one, dict):
        raise Rejected(_NO_RESULT, line=number)
    return one


def _target(one: dict[str, Any], public: Mapping[str, Endpoint], number: int) -> tuple[str, dict[str, Any]]:
    """Return a target's name and what is told of it. A private one is named by its place in the list, nothing else."""
    known = public.get(_key(one.get("candidate")))
    address = f"{_bracketed(known.host)}:{known.port}" if known is not None else SCRUBBED
    failure, step = _failure(one.get("failure")), _word(one.get("step"), Step)
    steps = one.get("steps")
    seen = [_step(row) for row in (steps if isinstance(steps, list) else [])[:64] if isinstance(row, dict)]
    target = {
        "failure": failure,
        "network_events": [],
        "queries": [],
        "requests": [],
        "summary": {name: {"failure": broke} for name, _seconds, broke in seen if name},
        "target_address": address,
        "target_name": "",
        "target_protocol": _kind(one.get("transport")),
        "target_source": "built-in" if known is not None else "private",
        "tcp_connect": _connects(seen, known),
        "tls_handshakes": [],
        "x_class": _word(one.get("class"), Protection),
        "x_kib_per_s": _coarse(_number(one.get("kib_per_s"), 1e9)),
        "x_proof": _proof(one.get("proof")),
        "x_status": _word(one.get("status"), Status) or Status.UNTESTED.value,
        "x_step": step,
        "x_steps": [{"name": name, "seconds": seconds, "failure": broke} for name, seconds, broke in seen],
        "x_tries": int(_number(one.get("tries"), 100) or 0),
    }
    if known is None:
        return f"private-{number}", target
    fingerprint = str((known.options or {}).get("fingerprint", ""))
    return hashlib.sha256(f"{address}{fingerprint}".encode()).hexdigest(), target


def _connects(
    seen: list[tuple[str | None, float, str | None]], known: Endpoint | None
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    at = 0.0
    for name, seconds, broke in seen:
        if name == Step.CONNECT.value:
            rows.append(
                {
                    "ip": known.host if known is not None else SCRUBBED,
                    "port": known.port if known is not None else 0,
                    "status": {"failure": broke, "success": broke is None},
                    "t0": round(at, 1),
                    "t": round(at + seconds, 1),
                    "tags": [],
                    "transaction_id": len(rows) + 1,
                }
            )
        at += seconds
    return rows


def _step(row: dict[str, Any]) -> tuple[str | None, float, str | None]:
    seconds = (_number(row.get("ms"), 1e8) or 0.0) / 1000
    return _word(row.get("name"), Step), round(seconds, 1), _failure(row.get("failure"))


def _proof(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    moved = {name: int(_number(value.get(name), 1e12) or 0) for name in ("down_bytes", "up_bytes")}
    return moved | {name: _word(value.get(name), Content) or Content.SKIPPED.value for name in _SIDES}


def _failure(value: object) -> str | None:
    """Return a failure by its name of df-007; what is unknown keeps nothing of its text."""
    if value is None:
        return None
    name = _word(value, Failure)
    return f"unknown_failure: {SCRUBBED}" if name in (None, Failure.UNKNOWN.value) else name


def _kind(value: object) -> str:
    return value if isinstance(value, str) and (value in REGISTRY or value in _PLUGGED) else "other"


def _word(value: object, words: Any) -> str | None:
    known = {word.value for word in words}
    return value if isinstance(value, str) and value in known else None


def _number(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None


def _coarse(speed: float | None) -> float | None:
    return None if speed is None else float(f"{speed:.2g}")


def _when(moment: float) -> str:
    """Return the full hour (UTC) as OONI writes times: no nearer, for a moment and a line can name a person."""
    return time.strftime("%Y-%m-%d %H:00:00", time.gmtime(moment // _HOUR * _HOUR))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _public() -> dict[str, Endpoint]:
    """Return what everybody has: the built-in bridges with an address of their own."""
    from client import bridges, parse

    known = bridges.builtin()
    lines = [line for line in known.lines() if line.transport in ("obfs4", "vanilla")]
    found = parse.read([("", "\n".join(line.text for line in lines))]).candidates
    return {one.endpoint.key(): one.endpoint for one in found if kinds_of(one.endpoint)}


def _key(candidate: object) -> str:
    from client import parse

    if not isinstance(candidate, str) or not candidate.strip():
        return ""
    found = parse.read([("", candidate)]).candidates
    return found[0].endpoint.key() if len(found) == 1 else ""
