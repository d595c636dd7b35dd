"""From what a check found to what a vault keeps of it, and back to what a person can use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from client import parse
from client.judge import protection_of
from client.model import Candidate, Status, Verdict
from client.model import Content as Seen
from client.options import Option
from client.redact import Namer
from client.vault.content import Content, Kept

_AS_TRIED: Final = ("http", "socks5")  # what a line without a kind can turn out to be
_USABLE: Final = (Status.WORKING, Status.DEGRADED)
WORKED_HERE, HALF, REST = range(3)


def of(verdict: Verdict, seen: float) -> Kept:
    """Return what is kept of a verdict that was reached at the Unix time `seen`."""
    return Kept(
        line=verdict.candidate.endpoint.reveal(),
        transport=verdict.transport,
        status=verdict.status,
        failure=verdict.failure or "",
        step=verdict.step or "",
        protection=verdict.protection,
        kib_per_s=verdict.kib_per_s,
        first_byte=verdict.proof.first_byte,
        seen=max(0.0, seen),  # a clock may stand before 1970, and a vault takes no such time
        tries=verdict.tries,
        udp=verdict.proof.udp is Seen.INTACT,
        source=verdict.candidate.source,
    )


def option(kept: Kept, namer: Namer) -> Option | None:
    """Return a way out that was kept, None where its line cannot be read by this version.

    How well it protects is worked out anew: whom a person trusts is a question of now.
    """
    found = parse.read([("", kept.line)]).candidates
    if len(found) != 1:
        return None
    endpoint = found[0].endpoint
    spoken = endpoint.transport
    if spoken == "auto" and kept.transport in _AS_TRIED:
        spoken = kept.transport
    return Option(
        candidate=Candidate(endpoint, kept.source, 0),
        transport=spoken,
        protection=protection_of(spoken, endpoint, trusted=False),
        status=kept.status,
        id=namer.id(endpoint),
        kib_per_s=kept.kib_per_s,
        first_byte=kept.first_byte,
        seen=kept.seen,
        udp=kept.udp,
    )


def options(content: Content, network: str) -> list[Option]:
    """Return what worked on `network`, wholly or in part, as it was seen there last."""
    namer = Namer(content.id_key)
    usable = (one for one in content.results.get(network, ()) if one.status in _USABLE)
    return [found for one in usable if (found := option(one, namer)) is not None]


def record(content: Content, network: str) -> Mapping[str, int]:
    """Return by line how much hope the past gives: WORKED_HERE; HALF for half of it, or for another network."""
    hopes: dict[str, int] = {}
    for name, kept in content.results.items():
        for one in kept:
            if one.status in _USABLE:
                here = name == network and one.status is Status.WORKING
                hopes[one.line] = min(hopes.get(one.line, REST), WORKED_HERE if here else HALF)
    return hopes


def ranking(
    hopes: Mapping[str, int], by_diagnosis: Callable[[Candidate], int] | None
) -> Callable[[Candidate], int]:
    """Return the order for a run: what a diagnosis says counts first, what worked before breaks its ties."""

    def rank(candidate: Candidate) -> int:
        first = by_diagnosis(candidate) if by_diagnosis else 0
        return first * (REST + 1) + hopes.get(candidate.endpoint.reveal(), REST)

    return rank
