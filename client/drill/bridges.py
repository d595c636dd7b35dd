"""The bridges of the drill: who plays, and which verdict is right; and the network that they stand in.

What is true of each bridge is the matter of `tornet`; its verdict is made by the very same engine as in a check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.drill.parts import WORKING, Expected, failed
from client.drill.tornet import TorNet, missing, playing_tor
from client.model import Failure, Message, Step
from client.platform import disk_folder, memory_folder
from transports.guard import Guard
from transports.types import N_, CannotMeasure

USUAL: Final = 15.0  # seconds that a network takes to come up on an idle machine with two cores
_LONGEST: Final = 90.0  # seconds after which it is given up

_MISSING: Final = N_("Tor bridges cannot be played here; missing: {programs}. To install: {command}")
_BROKEN: Final = N_("the Tor network of the drill did not start ({why})")
_LATE: Final = N_("the Tor network of the drill did not start in {seconds} seconds; try again")


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePart:
    """One bridge in the play. `bridge` is its name in `tornet.BRIDGES`; the rest is as in `Part`."""

    name: str
    bridge: str
    expect: tuple[Expected, ...]
    story: str


BRIDGE_CAST: Final = (
    BridgePart(
        name="bridge-good-vanilla",
        bridge="vanilla-1",
        expect=WORKING,
        story=N_("is a plain bridge that leads into the Tor network"),
    ),
    BridgePart(
        name="bridge-good-obfs4",
        bridge="obfs4-1",
        expect=WORKING,
        story=N_("hides what it is, and leads into the Tor network"),
    ),
    BridgePart(
        name="bridge-zombie",
        bridge="obfs4-zombie",
        expect=(  # tor tells in one way or another that no circuit goes on from there
            *failed(Failure.HOST_UNREACHABLE, Step.TOR_BOOTSTRAP),
            *failed(Failure.CONNECTION_RESET, Step.TOR_BOOTSTRAP),
            *failed(Failure.TIMEOUT, Step.TOR_BOOTSTRAP),
            *failed(Failure.UNKNOWN, Step.TOR_BOOTSTRAP),
        ),
        story=N_("answers and proves who it is, but has lost its own way into the network"),
    ),
    BridgePart(
        name="bridge-no-tor",
        bridge="obfs4-no-tor",
        expect=(
            *failed(Failure.EOF, Step.TLS_HANDSHAKE),
            *failed(Failure.CONNECTION_RESET, Step.TLS_HANDSHAKE),
        ),
        story=N_("answers as it should, but the tor behind it is gone"),
    ),
    BridgePart(
        name="bridge-wrong-key",
        bridge="obfs4-wrong-cert",
        expect=(  # such a server listens for a time drawn by lot, and hangs up
            *failed(Failure.TIMEOUT, Step.PT_HANDSHAKE),
            *failed(Failure.SOCKS_SERVER_FAILURE, Step.PT_HANDSHAKE),
        ),
        story=N_("is a good bridge, but the key in your line is wrong"),
    ),
    BridgePart(
        name="bridge-impostor",
        bridge="vanilla-wrong-fingerprint",
        expect=failed(Failure.SSL_CERTIFICATE, Step.TLS_HANDSHAKE),
        story=N_("answers as a bridge, but is not the one that your line names"),
    ),
    BridgePart(
        name="bridge-website",
        bridge="obfs4-website",
        expect=(
            *failed(Failure.SOCKS_SERVER_FAILURE, Step.PT_HANDSHAKE),
            *failed(Failure.TIMEOUT, Step.PT_HANDSHAKE),
        ),
        story=N_("is no bridge any more: a web site has its address now"),
    ),
    BridgePart(
        name="bridge-dead",
        bridge="obfs4-refused",
        expect=failed(Failure.CONNECTION_REFUSED, Step.CONNECT),
        story=N_("is switched off: nobody listens there"),
    ),
)
"""All bridges of the play; no name is also one of `cast.CAST`."""


def lacking() -> Message | None:
    """Return why bridges cannot be played here, and what mends it; None when they can."""
    from client.doctor import install_command

    programs = missing()
    if not programs:
        return None
    if {"tor", "tor-gencert"} <= set(programs):
        programs.remove("tor-gencert")  # it comes with tor
    packages = dict.fromkeys(name.removesuffix("-gencert") for name in programs)
    command = install_command(" ".join(packages))
    return Message(_MISSING, {"programs": ", ".join(programs), "command": command})


def on_disk() -> Path | None:
    """Return where the network writes to the disk; None where it works in memory."""
    return disk_folder() if memory_folder() is None else None


class Network:
    """A network that comes up while something else plays: it starts at `go`, and is ready or has failed once
    `settled` is set. `began` is when it started, in the loop's time.
    """

    def __init__(self, bridges: Collection[str]) -> None:
        self._bridges = bridges
        self.began = 0.0
        self.go = asyncio.Event()
        self.settled = asyncio.Event()
        self.net: TorNet | None = None
        self.failure: CannotMeasure | None = None

    async def stand(self) -> None:
        """Run it until cancelled; its end leaves nothing."""
        await self.go.wait()
        self.began = asyncio.get_running_loop().time()
        try:
            async with (
                asyncio.timeout(_LONGEST) as limit,
                Guard.running() as guard,
                playing_tor(bridges=self._bridges, guard=guard) as self.net,
            ):
                limit.reschedule(None)
                self.settled.set()
                await asyncio.Event().wait()
        except CannotMeasure as failure:
            self.failure = failure
        except TimeoutError:
            self.failure = CannotMeasure(_LATE, seconds=round(_LONGEST))
        except OSError as error:  # no room, or no more processes
            self.failure = CannotMeasure(_BROKEN, why=error.strerror or type(error).__name__)
        finally:
            self.settled.set()
