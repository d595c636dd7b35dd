"""Programs that save a vault, to be run in processes of their own: `python savers.py WHAT FOLDER …`."""

from __future__ import annotations

import sys
from pathlib import Path

from client.vault import content
from client.vault.store import Vault
from tests.client.vault.conftest import PASSPHRASE
from transports.types import Rejected


def opened(folder: Path) -> Vault:
    return Vault.open(folder, bytearray(PASSPHRASE.encode()))


def add(vault: Vault, line: str) -> None:
    vault.change(lambda told: content.with_list(told, "main", [line]))


def many(folder: Path, name: str, count: str) -> None:
    """Add lines one by one, and name each one that was saved."""
    vault = opened(folder)
    for number in range(int(count)):
        add(vault, f"{name}{number}")
        print(f"{name}{number}", flush=True)


def limited(folder: Path, size: str) -> None:
    """Save more than the system lets this process write into one file."""
    import resource

    vault = opened(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    large(vault)


def filled(folder: Path) -> None:
    """Save more than there is room for."""
    large(opened(folder))


def large(vault: Vault) -> None:
    from secrets import token_hex

    lines = [token_hex(2000) for _ in range(200)]
    try:
        vault.change(lambda told: content.with_list(told, "large", lines))
    except Rejected as rejected:
        print(rejected.reason, "|", rejected.values.get("why"))
    assert "large" not in vault.content.lists
    add(vault, "small")  # there is room for that
    print("and went on")


def made(folder: Path) -> None:
    """Make a vault where there is no room for it."""
    try:
        Vault.create(folder, bytearray(PASSPHRASE.encode()))
    except Rejected as rejected:
        print(rejected.reason, "|", rejected.values.get("why"))


def unwritable(folder: Path) -> None:
    """Open a vault and try to save."""
    vault = opened(folder)
    print(vault.content.lists)
    try:
        add(vault, "another")
    except Rejected as rejected:
        print(rejected.reason, "|", rejected.values.get("why"))


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
