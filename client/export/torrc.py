"""torrc: bridges for tor itself.

Source: tor(1) for 0.4.9 (`Bridge`, `ClientTransportPlugin`, `UseBridges`). tor splits the plugin's line at blanks and
knows no quotes in it, so a program's path with a blank cannot be given: a comment stands in for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from client.export.common import Exported, Here, each, exported
from client.model import Message
from client.options import Option
from transports.pt_engine import KNOWN
from transports.types import N_, Rejected
from transports.wire import pt

KINDS: Final = ("tor_bridge",)
_PATH: Final = re.compile(r"[\w./\\:@+,~-]+\Z", re.ASCII)
_TO_FILL_IN: Final = "/path/to/"
_MODERN: Final = "lyrebird"

NO_BRIDGE: Final = N_("this format holds Tor bridges only")
NEEDS_NONE: Final = N_("Tor without a bridge needs no settings")
SAME_PLACE: Final = N_("another bridge at the same address is in it already, and Tor keeps one of them")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return a torrc with the bridges and the programs that their transports need."""
    made, left = each(options, line)
    made, left = _one_a_place(made, left)
    lines = ["UseBridges 1"]
    lines += _plugins((option.kind for option, _ in made), here)
    lines += [f"Bridge {_for_program(option, text, here)}" for option, text in made]
    return exported("\n".join(lines) + "\n", made, left)


def line(option: Option) -> str:
    """Return the bridge line. Raises Rejected for what is no bridge.

    The parser has turned down what tor would misread: quotes, backslashes, control characters, comments.
    """
    endpoint = option.endpoint
    if endpoint.transport == "tor":
        raise Rejected(NEEDS_NONE)
    if endpoint.transport != "tor_bridge" or not endpoint.text.isascii():
        raise Rejected(NO_BRIDGE)
    return endpoint.text


def _for_program(option: Option, text: str, here: Here) -> str:
    """Return the line as the program that is here understands it: without its front, snowflake would go directly."""
    program = here.programs.get(option.kind, "")
    if not program or PurePath(program).stem == _MODERN:
        return text
    args = (option.endpoint.options or {}).get("args", {})
    words = [word for word in text.split() if word.partition("=")[0] not in args]
    return " ".join([*words, *(f"{name}={value}" for name, value in pt.adapted(option.kind, args).items())])


def _one_a_place(
    made: list[tuple[Option, str]], left: tuple[tuple[Option, Message], ...]
) -> tuple[list[tuple[Option, str]], tuple[tuple[Option, Message], ...]]:
    seen: set[tuple[str, int]] = set()
    kept = []
    for option, text in made:
        place = (option.endpoint.host, option.endpoint.port)
        if place in seen:
            left += ((option, Message(SAME_PLACE)),)
        else:
            seen.add(place)
            kept.append((option, text))
    return kept, left


def _plugins(kinds: Iterable[str], here: Here) -> list[str]:
    by_program: dict[str, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        if kind != "vanilla":
            by_program.setdefault(here.programs.get(kind, ""), []).append(kind)
    lines = []
    for program, names in by_program.items():
        if _PATH.match(program):
            lines.append(f"ClientTransportPlugin {','.join(names)} exec {program}")
            continue
        for name in names:
            wanted = next((known for known, able in KNOWN.items() if name in able), f"{name}-client")
            lines.append(f"# ClientTransportPlugin {name} exec {_TO_FILL_IN}{wanted}")
    return lines
