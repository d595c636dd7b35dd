"""A vault of 10,000 bridges, each with a result: how soon it is open beside the passphrase's own cost, and saved."""

from __future__ import annotations

import base64
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.farm import ROOT, Farm
from benchmarks.measure import Row, Size
from client import parse
from client.model import Protection, Status
from client.vault.content import Content, Kept, with_list, with_results, with_setting
from client.vault.keys import Key
from client.vault.store import Vault

_ENTRIES: Final = 10_000
_OPEN: Final = 1.5  # seconds
_SAVE: Final = 0.3
_MEMORY: Final = 256  # MiB
_TIMES: Final = 5
_WORDS: Final = "six words that nobody would guess"
_OPENER: Final = """
import sys
from pathlib import Path
from client.vault.keys import Key
Key.unsealed(Path(sys.argv[1]).read_bytes(), bytearray(sys.argv[2].encode()))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def vault(_farm: Farm, size: Size) -> list[Row]:
    """Opening, reading its candidates, saving, and the memory that the passphrase takes."""
    count = size.of(_ENTRIES)
    with tempfile.TemporaryDirectory(prefix="sanylau-bench-") as folder:
        place = Path(folder, "vault")
        made = Vault.create(place, bytearray(_WORDS.encode()))
        made.change(partial(_filled, lines=[_line(number) for number in range(count)]))
        key, opened, read = (
            statistics.median(times) for times in zip(*map(_opening, [place] * _TIMES), strict=True)
        )
        saved = statistics.median(_saving(made, number) for number in range(_TIMES))
        rows = [
            Row(what="vault: the passphrase's own cost", value=f"{key:.2f} s"),
            Row(
                what=f"vault of {count}: open, beside that",
                value=f"{opened:.2f} s",
                target=f"below {_OPEN} s",
                met=opened < _OPEN,
            ),
            Row(what=f"vault of {count}: its lines made candidates", value=f"{read:.2f} s"),
            Row(
                what=f"vault of {count}: saved",
                value=f"{saved:.2f} s",
                target=f"below {_SAVE} s",
                met=saved < _SAVE,
            ),
        ]
        if sys.platform == "linux":
            rows.append(_memory(place / "key.age"))
        return rows


def _line(number: int) -> str:
    cert = base64.b64encode(secrets.token_bytes(52)).decode().rstrip("=")
    host = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return f"obfs4 {host}:443 {secrets.token_hex(20).upper()} cert={cert} iat-mode=0"


def _filled(content: Content, lines: list[str]) -> Content:
    kept = (
        Kept(
            line=line,
            transport="tor_bridge",
            status=Status.WORKING,
            seen=1.7e9 + number,
            protection=Protection.TOR,
            kib_per_s=123.4,
            first_byte=0.5,
            source="vault:main",
        )
        for number, line in enumerate(lines)
    )
    return with_results(with_list(content, "main", lines), "home", kept)


def _opening(place: Path) -> tuple[float, float, float]:
    """Return the seconds that the passphrase takes, the rest of opening, and the reading of the candidates."""
    words = bytearray(_WORDS.encode())
    began = time.perf_counter()
    Key.unsealed((place / "key.age").read_bytes(), words)
    key = time.perf_counter() - began
    began = time.perf_counter()
    opened = Vault.open(place, words)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    parse.read([("vault:", "\n".join(opened.content.lists["main"]))])
    return key, whole - key, time.perf_counter() - began


def _saving(made: Vault, number: int) -> float:
    began = time.perf_counter()
    made.change(partial(with_setting, name="number", value=number))
    return time.perf_counter() - began


def _memory(key: Path) -> Row:
    command = [sys.executable, "-c", _OPENER, str(key), _WORDS]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    mib = int(ran.stdout) / 1024
    return Row(
        what="vault: memory to open key.age, the interpreter included",
        value=f"{mib:.0f} MiB",
        target=f"below {_MEMORY} MiB",
        met=mib < _MEMORY,
    )
