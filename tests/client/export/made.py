"""Options to write, machines to write them for, and values that want to be more than values."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from client import parse
from client.export.common import Exported, Here
from client.export.formats import export
from client.judge import protection_of
from client.model import Candidate, Status
from client.options import Option
from transports.types import Endpoint

HERE: Final = Here(
    programs={"obfs4": "/usr/bin/obfs4proxy", "meek_lite": "/usr/bin/obfs4proxy"},
    port=2080,
    test_url="https://far.test/none",
    resolver="9.9.9.9",
)
HOSTILE: Final = (
    "$(touch gone)",
    "`touch gone`",
    "'; touch gone; '",
    '"; touch gone; "',
    "a'b\"c\\d",
    "%PATH%!x!^&|<>",
    "#comment",
    "@here:too/and?more",
    "back\\",
    "two words",
    "юзер",
    "</script>${x}",
    "- [yes]: {no}",
)
BROKEN: Final = ("line\nfeed", "return\r", "zero\0", "esc\x1b[2J", "tab\t")


def option(endpoint: Endpoint, *, status: Status = Status.WORKING) -> Option:
    return Option(
        candidate=Candidate(endpoint, "list", 1),
        transport=endpoint.transport,
        protection=protection_of(endpoint.transport, endpoint, trusted=False),
        status=status,
    )


def options(*lines: str) -> list[Option]:
    """Return what the lines name; each must be read."""
    reading = parse.read([("list", "\n".join(lines))])
    assert not reading.rejected
    return [option(candidate.endpoint) for candidate in reading.candidates]


def proxy(kind: str, port: int = 1080, user: str = "", password: str = "", host: str = "192.0.2.1") -> Option:
    return option(Endpoint(transport=kind, host=host, port=port, username=user, password=password))


def written(name: str, given: list[Option], **here: object) -> Exported:
    return export(name, given, replace(HERE, **here))  # type: ignore[arg-type]


def text(name: str, given: list[Option], **here: object) -> str:
    content = written(name, given, **here).content
    assert isinstance(content, str)
    return content


def reasons(made: Exported) -> list[str]:
    return [reason.id for _, reason in made.left_out]
