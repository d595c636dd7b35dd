"""A private Tor network with many obfs4 bridges, as the measurements see it."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.farm import ROOT, Farm

_LEAVING: Final = 30.0  # seconds for 250 processes to end on a busy machine


class NoNetwork(Exception):  # noqa: N818 - a state
    """The network has not come up."""


@dataclass(frozen=True, slots=True)
class TorFarm:
    """A running network. `bridges` has, for each tor, the lines that lead to it; `torrc` is a file."""

    bridges: Sequence[Sequence[str]]
    torrc: str
    pids: Sequence[int]
    folder: str

    @property
    def lines(self) -> list[str]:
        """All lines: each has an obfs4 program of its own."""
        return [line for lines in self.bridges for line in lines]

    def write(self, lines: Sequence[str], name: str) -> str:
        """Write a list into our folder and return its path."""
        path = Path(self.folder, name)
        path.write_text("".join(line + "\n" for line in lines), "ascii")
        return str(path)

    def among_dead(self, farm: Farm, dead: int, seed: int) -> list[str]:
        """Return one good line in a random place among `dead`: refused, silent and with a wrong cert by turns."""
        drawn = random.Random(seed)
        good, *others = drawn.sample([lines[0] for lines in self.bridges], len(self.bridges))
        lines = [_dead(number, others[number % len(others)], farm, drawn) for number in range(dead)]
        lines.insert(drawn.randrange(dead + 1), good)
        return lines


def _dead(number: int, real: str, farm: Farm, drawn: random.Random) -> str:
    """Return a line with the looks of the line `real`."""
    name, at, _, _, mode = real.split()
    if number % 3:
        kind = "closed" if number % 3 == 1 else "tarpit"
        at = farm.entry(kind, number).line.partition("://")[2]
    cert = base64.b64encode(drawn.randbytes(52)).decode("ascii").rstrip("=")
    return f"{name} {at} {drawn.randbytes(20).hex().upper()} cert={cert} {mode}"


@contextmanager
def running(bridges: int, each: int) -> Iterator[TorFarm]:
    """Run `bridges` bridges, `each` lines to one, for the length of the block. Raises NoNetwork.

    The process leads a session: Ctrl-C reaches us, and then it ends with its standard input.
    """
    with tempfile.TemporaryDirectory(prefix="sanylau-farm-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tor_farm_main", str(bridges), str(each)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise NoNetwork
            told = json.loads(line)
            torrc = Path(folder, "private.torrc")
            torrc.write_text(told["torrc"], "ascii")
            yield TorFarm(told["bridges"], str(torrc), told["pids"], folder)
        finally:
            process.stdin.close()
            try:
                process.wait(_LEAVING)
            except subprocess.TimeoutExpired:
                process.kill()  # its guard ends the rest
                process.wait()
            process.stdout.close()
