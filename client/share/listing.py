"""A capsule as a text that people can read: what lies in the encrypted file for a stick, and its plain twin. Pure.

One entry a line, as every list has them, so that the text serves without this program too; above each a comment with
the proof: `#: working 1 mobile` (what was seen, the step of its age, from what kind of line).
"""

from __future__ import annotations

import re
from typing import Final

from client import parse
from client.share.capsule import AGES, Capsule, Entry, Line, Seen, What
from client.share.codecs import text_of
from transports.types import Rejected

HEAD: Final = "# Sanylau list 1"
_PROOF: Final = re.compile(r"#: ([a-z]{1,12}) ([0-9]) ([a-z]{1,12})", re.ASCII)


def write(capsule: Capsule) -> tuple[str, int]:
    """Return the text, and how many entries no line can say."""
    lines, lost = [HEAD], 0
    for entry in capsule.entries:
        try:
            line = text_of(entry.endpoint)
        except Rejected:
            lost += 1
            continue
        seen = entry.seen
        lines += [f"#: {seen.what.value} {seen.age} {seen.line.value}", line]
    return "\n".join(lines) + "\n", lost


def read(text: str) -> tuple[Entry, ...]:
    """Return the entries of a text from anybody; proof only where the text is of ours."""
    entries = []
    lines = text.split("\n") if text.startswith(HEAD) else []
    for found in parse.read([("", text)]).candidates:
        if found.endpoint.transport == "unsupported":  # any link at all, in a text from anybody
            continue
        above = lines[found.line - 2] if 2 <= found.line <= len(lines) else ""
        entries.append(Entry(endpoint=found.endpoint, seen=_seen(above.strip())))
    return tuple(entries)


def _seen(comment: str) -> Seen:
    found = _PROOF.fullmatch(comment)
    if found is None or found[1] not in set(What) or found[3] not in set(Line):
        return Seen()
    age = int(found[2])
    return Seen(what=What(found[1]), age=age, line=Line(found[3])) if age < len(AGES) else Seen()
