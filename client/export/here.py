"""What the formats may know of this machine: programs that are found here, and the dated data file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from client.export.common import Here
from transports import pt_engine

DATA: Final = Path(__file__).parent.parent / "data" / "exports.toml"


def here() -> Here:
    """Return it. Looks for programs, starts none."""
    data = tomllib.loads(DATA.read_text("utf-8"))
    programs: dict[str, str] = {}
    for path in pt_engine.find():
        for transport in pt_engine.KNOWN.get(path.name.removesuffix(".exe"), ()):
            programs.setdefault(transport, str(path))
    return Here(programs=programs, port=data["port"], test_url=data["test_url"], resolver=data["resolver"])
