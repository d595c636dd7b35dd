"""The farm as the measurements see it: its ports, lists of a given mix, and the truth about every line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

# Kind of entry -> may it be called working, and the failures and steps that it may be given.
TRUTH: Final[Mapping[str, frozenset[tuple[str, str | None, str | None]]]] = {
    "http": frozenset({("working", None, None)}),
    "socks5": frozenset({("working", None, None)}),
    "slow": frozenset({("working", None, None)}),
    "hole": frozenset({("failed", "generic_timeout_error", "connect")}),
    "closed": frozenset({("failed", "connection_refused", "connect")}),
    "tarpit": frozenset({("failed", "generic_timeout_error", "proxy_handshake")}),
    "auth": frozenset({("failed", "http_unexpected_status_code", "proxy_handshake")}),
    # These answer "200" to CONNECT and a page where TLS is due: hostile, or a failed handshake.
    "page": frozenset({("hostile", "ssl_failed_handshake", "tls_handshake")}),
    "json": frozenset(
        {
            ("hostile", "ssl_failed_handshake", "tls_handshake"),
            ("failed", "ssl_failed_handshake", "tls_handshake"),
        }
    ),
}
GOOD: Final = ("http", "socks5", "slow")

MIXES: Final[Mapping[str, Mapping[str, int]]] = {  # parts of a hundred
    "blackout": {"hole": 60, "closed": 20, "tarpit": 15, "page": 2, "http": 2, "socks5": 1},
    "healthy": {"http": 40, "socks5": 20, "closed": 20, "page": 4, "auth": 3, "json": 3, "slow": 10},
    "working": {"http": 60, "socks5": 40},
    "refused": {"closed": 100},
    "silent": {"hole": 100},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list, and which kind of thing really stands there."""

    line: str
    kind: str


@dataclass(frozen=True, slots=True)
class Farm:
    """A running farm. `ca` is the file with its root certificate."""

    ports: Mapping[str, int]
    ca: str
    pid: int
    folder: str

    def entry(self, kind: str, number: int, net: int = 1) -> Entry:
        """Return the entry with this number; numbers below 2.5 million give distinct addresses.

        What is dead before it says anything is listed as HTTP or SOCKS5 by turns.
        """
        either = kind in ("hole", "closed", "tarpit") and number % 2
        scheme = "socks5" if kind == "socks5" or either else "http"
        host = f"127.{net + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        return Entry(f"{scheme}://{host}:{self.ports[kind]}", kind)

    def mix(self, name: str, count: int, seed: int = 1) -> list[Entry]:
        """Return `count` shuffled entries of a mix; its parts are kept exactly as far as they can be."""
        kinds = [kind for kind, part in MIXES[name].items() for _ in range(part * count // 100)]
        kinds += [next(iter(MIXES[name]))] * (count - len(kinds))
        return self.placed(kinds, seed)

    def few(self, good: int, count: int, seed: int = 1) -> list[Entry]:
        """Return `good` working entries among `count`; the rest as dead as in the blackout."""
        dead = ["hole"] * 65 + ["closed"] * 20 + ["tarpit"] * 15
        kinds = [GOOD[number % 2] for number in range(good)]
        kinds += [dead[number % 100] for number in range(count - good)]
        return self.placed(kinds, seed)

    def placed(self, kinds: Sequence[str], seed: int, net: int = 1) -> list[Entry]:
        """Return one entry for each kind, in an order drawn by `seed`."""
        drawn = list(kinds)
        random.Random(seed).shuffle(drawn)
        return [self.entry(kind, number, net) for number, kind in enumerate(drawn)]

    def write(self, entries: Sequence[Entry], name: str = "list.txt") -> str:
        """Write a list into the farm's folder and return its path."""
        path = Path(self.folder, name)
        path.write_text("".join(entry.line + "\n" for entry in entries), "ascii")
        return str(path)

    def targets(self, host: str = "127.0.0.1") -> list[str]:
        """Return the options that name the farm's own targets; the bare ladder takes the same."""
        return [
            f"--target=https://{host}:{self.ports['https']}/small",
            f"--bulk-target=https://{host}:{self.ports['https']}/bulk",
            f"--plain-target=http://{host}:{self.ports['origin']}/plain",
            f"--target-ca={self.ca}",
        ]


@contextmanager
def running() -> Iterator[Farm]:
    """Run the farm in a process of its own; leaving the block ends it and removes its files."""
    with tempfile.TemporaryDirectory(prefix="sanylau-farm-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.farm_main"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            ca = Path(folder, "ca.pem")
            ca.write_text(told["ca"], "ascii")
            yield Farm(told["ports"], str(ca), told["pid"], folder)
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def false_verdicts(entries: Sequence[Entry], results: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what in `results` (JSON Lines of `check`) is not the truth; a missing or double line is not either."""
    wrong = []
    seen: set[int] = set()
    for result in results:
        line = result["line"]
        assert isinstance(line, int)
        entry = entries[line - 1]
        said = (result["status"], result["failure"], result["step"])
        if line in seen or said not in TRUTH[entry.kind]:
            wrong.append(f"line {line}, {entry.kind}: {said}")
        seen.add(line)
    wrong += [f"line {line}: no verdict" for line in range(1, len(entries) + 1) if line not in seen]
    return wrong
