"""`python -m benchmarks [--quick] [--write] [NAME…]`"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import farm, paint, relay, screen, tor_rows, vault, watch, words
from benchmarks.measure import ROWS, Row, Size

KNOWN: Final = {
    **ROWS,
    "paint": paint.paint,
    "screen": screen.screen,
    "relay": relay.relay,
    "tor": tor_rows.tor,
    "watch": watch.watch,
    "vault": vault.vault,
    "words": words.words,
}
PAGE: Final = farm.ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- figures begin -->", "<!-- figures end -->"


def main() -> int:
    """Measure and print; returns 1 if a target was missed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks")
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(KNOWN))
    options.add_argument(
        "--quick", action="store_true", help="a tenth of the lists, fewer runs: to try things out"
    )
    options.add_argument(
        "--write", action="store_true", help=f"put the table into {PAGE.relative_to(farm.ROOT)}"
    )
    asked = options.parse_args()
    if unknown := set(asked.names) - KNOWN.keys():
        options.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(KNOWN)}")
    size = Size(part=0.1, runs=1) if asked.quick else Size(part=1.0, runs=3)
    rows: list[Row] = []
    for name in asked.names or KNOWN:
        with farm.running() as running:
            for row in KNOWN[name](running, size):
                print(_line(row), flush=True)
                rows.append(row)
    if asked.write:
        _write(PAGE, rows)
    return 1 if any(row.met is False for row in rows) else 0


def _line(row: Row) -> str:
    sign = {True: "yes", False: "**no**", None: ""}[row.met]
    return f"| {row.what} | {row.value} | {row.target or ''} | {sign} |"


def _write(page: Path, rows: Sequence[Row]) -> None:
    """Put the table between the page's markers."""
    before, _, rest = page.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    told = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    table = "\n".join(["| What | Measured | Target | Met |", "| --- | --- | --- | --- |", *map(_line, rows)])
    page.write_text(f"{before}{_BEGIN}\n\n{told}\n\n{table}\n\n{_END}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
