"""All ports of a host led to one: nftables rules that end by themselves, and what takes them down.

The rules stand in a table of their own. They match only while an element of a set lives, and the kernel lets it die
after the time that was asked for, whatever becomes of this program. A small shell holds a pipe to us and removes the
table as soon as we are gone. Taken up are only first packets of new connections, to this host itself, for which
no socket is there: a service that starts later keeps its port too.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from transports.guard import own_group
from transports.types import N_, CannotMeasure

TABLE: Final = "sanylau_beacon"
_PATIENCE: Final = 10.0  # seconds for a command
_FOLDERS: Final = "/usr/sbin:/sbin:/usr/bin:/bin"
_NET: Final = Path("/proc/net")
_LISTENS: Final = "0A"  # TCP_LISTEN of include/net/tcp_states.h
_ROOT: Final = N_("all ports need root: take a list instead (--port), or have an administrator set the rules")
_NO_NFT: Final = N_("all ports need nftables (the program nft): take a list instead (--port)")
_THERE: Final = N_(
    "the rules of a beacon are in force here already: stop it, or remove them: nft delete table inet sanylau_beacon"
)
_REFUSED: Final = N_("nft did not take the rules: {why}")

_RULES: Final = """\
table inet {table} {{
    set lives {{ type inet_proto; flags timeout; elements = {{ tcp timeout {seconds}s, udp timeout {seconds}s }}; }}
    set used {{ type inet_proto . inet_service;{used} }}
    chain came {{
        type nat hook prerouting priority -90; policy accept;
        iifname "lo" accept
        fib daddr type != local accept
{sockets}        meta l4proto . th dport @used accept
        meta l4proto @lives tcp flags & (fin | syn | rst | ack) == syn redirect to :{port}
        meta l4proto @lives udp dport 1-65535 ct state new redirect to :{port}
    }}
}}
"""
# Not every kernel can look for the socket; the set of used ports is there in any case.
_SOCKETS: Final = """\
        socket wildcard 0 accept
        socket wildcard 1 accept
"""
# `sh` waits for the end of the pipe, which is ours; no signal of the terminal reaches it.
_GUARD: Final = 'trap "" HUP INT TERM QUIT; cat >/dev/null; exec "$0" delete table inet {table}'


def rules(
    port: int,
    seconds: int,
    used: Mapping[str, Iterable[int]],
    *,
    table: str = TABLE,
    sockets: bool = True,
) -> str:
    """Return what `nft -f` reads: redirect all ports but those in use to `port` for so many seconds. Pure.

    `sockets`: have the kernel look for a socket at each new connection, so that a service which starts later is
    safe too.
    """
    pairs = sorted({(protocol, number) for protocol, numbers in used.items() for number in numbers})
    listed = ", ".join(f"{protocol} . {number}" for protocol, number in pairs)
    elements = f" elements = {{ {listed} }};" if listed else ""
    return _RULES.format(
        table=table, port=port, seconds=seconds, used=elements, sockets=_SOCKETS if sockets else ""
    )


def ports_in_use(folder: Path = _NET) -> dict[str, set[int]]:
    """Return the TCP ports on which this host listens, and all UDP ports for which it has a socket.

    TCP connections that stand need no care: only the first packet of a new one is redirected.
    """
    found: dict[str, set[int]] = {"tcp": {22}, "udp": set()}  # SSH: also where the table cannot be read
    for protocol, ports in found.items():
        for file in (protocol, f"{protocol}6"):
            with suppress(OSError):
                text = (folder / file).read_text("ascii", "replace")
                ports |= parsed(text, _LISTENS if protocol == "tcp" else "")
    return found


def parsed(text: str, state: str = "") -> set[int]:
    """Return the local ports of a table as /proc/net/tcp and its like have them, those in a state if given. Pure."""
    ports = set()
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 3 and state in ("", words[3]):
            with suppress(ValueError):
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports - {0}


def program() -> str:
    """Return where nft is. Raises CannotMeasure."""
    found = shutil.which("nft") or shutil.which("nft", path=_FOLDERS)
    if found is None:
        raise CannotMeasure(_NO_NFT)
    return found


@contextmanager
def redirected(port: int, seconds: int, table: str = TABLE) -> Iterator[None]:
    """Have the rules in force for the length of the block. Raises CannotMeasure."""
    nft = program()
    if _run([nft, "list", "table", "inet", table]).returncode == 0:
        raise CannotMeasure(_THERE)
    with _guarding(nft, table) as guard:
        used = ports_in_use()
        for sockets in (True, False):
            done = _run([nft, "-f", "-"], rules(port, seconds, used, table=table, sockets=sockets))
            if not done.returncode:
                break
        else:
            denied = "not permitted" in done.stderr
            why = " ".join(done.stderr.split())[:200]
            raise CannotMeasure(_ROOT) if denied else CannotMeasure(_REFUSED, why=why)
        try:
            yield
        finally:
            if guard.poll() is not None:  # somebody has ended it, so nobody else takes them down
                _run([nft, "delete", "table", "inet", table])


def in_force(table: str = TABLE) -> bool:
    """Say whether a table stands. Raises CannotMeasure."""
    return _run([program(), "list", "table", "inet", table]).returncode == 0


@contextmanager
def _guarding(nft: str, table: str) -> Iterator[subprocess.Popen[bytes]]:
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD.format(table=table), nft],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **own_group(),
    )
    assert guard.stdin is not None
    try:
        yield guard
    finally:
        guard.stdin.close()
        try:
            guard.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()


def _run(command: list[str], feed: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=feed, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotMeasure(_REFUSED, why=type(error).__name__) from error
