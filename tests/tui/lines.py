"""Made-up diagnoses and verdicts, for what is shown of the line."""

from __future__ import annotations

from collections.abc import Collection

from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.diagnosis.sights import Sight
from client.model import Candidate, Message, Proof, Protection, Status, Verdict
from transports.tor_bridge import TRANSPORTS
from transports.types import Endpoint


def found(
    *kinds: Kind,
    certainty: Certainty = Certainty.CERTAIN,
    tcp: tuple[int, ...] = (),
    passes: Collection[str] = (),
    sights: tuple[Sight, ...] = (),
) -> Diagnosis:
    """Return a diagnosis of these kinds, the main one first."""
    findings = tuple(
        Finding(
            kind=kind,
            certainty=certainty,
            evidence=(Message("{n} servers abroad give no answer on port 443.", {"n": 4}),),
            against=(Message("Not an outage: servers in this country answer."),),
        )
        for kind in kinds
    )
    return Diagnosis(
        findings=findings,
        tcp=tcp,
        passes=frozenset(passes),
        sights=sights,
        elapsed=8.2,
        connections=31,
        kib=212,
    )


def verdict(kind: str, status: Status, kib_per_s: float | None = None) -> Verdict:
    """Return a verdict on an entry of this kind; a bridge is named by its transport."""
    bridge = kind in TRANSPORTS or kind == "vanilla"
    endpoint = Endpoint(
        transport="tor_bridge" if bridge else kind,
        host="127.0.0.1",
        port=1,
        options={"pt": kind} if bridge else None,
    )
    proof = Proof()
    if status is Status.WORKING and kib_per_s:
        proof = Proof(content=True, down=65536, bulk_done=True, bulk_seconds=64 / kib_per_s, reads=40)
    reason = "its program is missing" if status is Status.UNTESTED else "it came to an end"
    return Verdict(
        candidate=Candidate(endpoint, "pasted", 1),
        transport=endpoint.transport,
        protection=Protection.OPEN,
        status=status,
        reason=Message(reason),
        proof=proof,
        tries=1,
    )
