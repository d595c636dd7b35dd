"""How soon the first screen stands on the terminal: from exec to its last choice, on a pseudo terminal of 80x24."""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import time
from typing import Final

from benchmarks.farm import ROOT, Farm
from benchmarks.measure import Row, Size

_WANTED: Final = 0.5  # seconds
_TIMES: Final = 7
_LIMIT: Final = 20.0
_LAST: Final = b"Practise"


def paint(_farm: Farm, size: Size) -> list[Row]:
    """The median time to the first screen."""
    if sys.platform == "win32":
        return []
    taken = [_once() for _ in range(_TIMES if size.runs > 1 else 3)]
    median = statistics.median(taken)
    return [
        Row(
            what="first screen painted",
            value=f"{median:.2f} s",
            target=f"below {_WANTED} s",
            met=median < _WANTED,
        )
    ]


def _once() -> float:
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "client"], stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT
    )
    os.close(slave)
    seen = b""
    try:
        while _LAST not in seen:
            if not select.select([master], [], [], _LIMIT)[0]:
                raise RuntimeError("the first screen was not painted")
            seen += os.read(master, 65536)
        return time.monotonic() - began
    finally:
        process.kill()
        process.wait()
        os.close(master)
