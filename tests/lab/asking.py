"""Short words for the tests of the laboratory: whom they ask, and how."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.lab import places
from tests.lab.world import Line

HOME, *_ = places.HOME_SERVERS.items()
ONE, TWO, THREE, FOUR = places.ABROAD_SERVERS.items()
LISTED = next(iter(places.LISTED_SERVERS.items()))
DNS_ONE = places.ABROAD_DNS["dns-one.example"]
PORTS = places.ALL_PORTS["ports.example"]
BAD = places.FORBIDDEN[0]
VAIN = "aeiou-not-there.example"
PAGE = ["200", places.PAGE.decode()]


def asks(line: Line, *questions: list[Any], timeout: float = 40.0) -> list[Any]:
    done = line.person([sys.executable, "-m", "tests.lab.probe"], feed=json.dumps(questions), timeout=timeout)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def hello(server: tuple[str, str], name: str = "", *more: Any) -> list[Any]:
    return ["hello", server[1], name or server[0], *more]
