"""The words of this package: candidate, verdict, proof, control, message. All frozen, no logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from transports.failure import Failure
from transports.types import N_, CannotMeasure, Endpoint, Note, Observation, Protection, Rejected, Step

__all__ = [
    "N_",
    "Candidate",
    "CannotMeasure",
    "Content",
    "Control",
    "Failure",
    "LineState",
    "Message",
    "Observation",
    "Proof",
    "Protection",
    "Reading",
    "Rejected",
    "RejectedLine",
    "Status",
    "Step",
    "Verdict",
    "counted",
    "kinds_of",
]


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person, not yet in their language.

    `id` is the English text as the catalogs know it, `values` fill its {braces}; with `plural` and `n` the
    catalog chooses the form.
    """

    id: str
    values: Mapping[str, object] = field(default_factory=dict)
    plural: str = ""
    n: int = 0


def counted(one: str, many: str, n: int, **values: object) -> Message:
    """Return a message whose form depends on the number `n`; the gettext marker for both forms."""
    return Message(one, {"n": n, **values}, plural=many, n=n)


class Status(StrEnum):
    """What is concluded about a candidate."""

    WORKING = "working"
    DEGRADED = "degraded"
    HOSTILE = "hostile"
    BLOCKED = "blocked"
    FAILED = "failed"
    UNTESTED = "untested"


class LineState(StrEnum):
    """What the direct control found about the person's own line."""

    HEALTHY = "healthy"  # authentic content and the bulk transfer came through without any proxy
    SLOW = "slow"  # the same, but below the speed that counts as usable
    IMPAIRED = "impaired"  # something authentic came through, but not all
    TAMPERED = "tampered"  # forged certificates or altered content without any proxy
    NO_ANSWER = "no_answer"  # nothing authentic came, and nothing says why
    NO_NETWORK = "no_network"  # this machine has no way out at all
    UNKNOWN = "unknown"  # not measured, or not yet


class Content(StrEnum):
    """What a side check brought back."""

    INTACT = "intact"
    ALTERED = "altered"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # something came, and there was nothing to compare it with
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint plus where it was learned: the source's name and the 1-based line in it.

    `item` counts the entries of one line, where it holds several; else it is 0.
    """

    endpoint: Endpoint
    source: str
    line: int
    item: int = 0


def kinds_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names that `--only` knows an entry by; a bridge goes by its transport's name too."""
    if endpoint.transport != "tor_bridge":
        return (endpoint.transport,)
    return (str((endpoint.options or {}).get("pt", endpoint.transport)), endpoint.transport)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that is no candidate, and how to mend it."""

    source: str
    line: int
    reason: Message


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken in. given = candidates + duplicates + rejected, always.

    `builtin` is the date of the built-in list if that is what was taken in, else "".
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[RejectedLine, ...]
    duplicates: int
    notices: tuple[Message, ...] = ()
    builtin: str = ""

    @property
    def given(self) -> int:
        """Return how many lines or nodes were offered."""
        return len(self.candidates) + self.duplicates + len(self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was moved and seen. Bytes are decrypted content; reads and writes are separate system calls."""

    content: bool = False  # authenticated content with the expected status and body came through
    down: int = 0
    up: int = 0
    reads: int = 0
    writes: int = 0
    segments_in: int | None = None
    segments_out: int | None = None
    bulk_seconds: float = 0.0
    bulk_done: bool = False
    wire_down: int = 0  # bytes that came during the bulk transfer, encrypted as they were
    silence: float = 0.0  # seconds between the last of them and the end of the transfer
    upload: Content = Content.SKIPPED
    plain: Content = Content.SKIPPED
    impossible: Content = Content.SKIPPED  # ALTERED: content came from an address that cannot exist
    udp: Content = Content.SKIPPED  # SOCKS5 UDP ASSOCIATE: INTACT means granted
    first_byte: float | None = None  # seconds from the begin of the try

    @property
    def kib_per_s(self) -> float | None:
        """Return the bulk transfer's download speed in KiB/s, None where there was none."""
        came = self.down if self.bulk_done else self.wire_down
        return came / 1024 / self.bulk_seconds if self.bulk_seconds > 0 and came else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is concluded about one candidate, and why."""

    candidate: Candidate
    transport: str
    protection: Protection
    status: Status
    reason: Message
    failure: Failure | None = None
    step: Step | None = None
    observations: tuple[Observation, ...] = ()
    proof: Proof = Proof()
    elapsed: float = 0.0
    tries: int = 0
    finished: float = 0.0  # seconds since the run began

    @property
    def kib_per_s(self) -> float | None:
        """Return the measured speed in KiB/s."""
        return self.proof.kib_per_s

    @property
    def kind(self) -> str:
        """Return what was spoken, as people name it: of a bridge its transport ("vanilla" for none)."""
        return kinds_of(self.candidate.endpoint)[0] if self.transport == "tor_bridge" else self.transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What this line can do without a proxy. Seconds and KiB/s; None where it was not measured."""

    state: LineState = LineState.UNKNOWN
    connect: float | None = None
    kib_per_s: float | None = None
    failure: Failure | None = None
    step: Step | None = None
    note: Note | None = None
    code: int = 0  # the HTTP status, where the target gave one that it should not
    forged: bool = False  # a forged certificate showed without any proxy
    altered: bool = False  # plain HTTP came back altered without any proxy
    own: bool = False  # only the person's own test page was asked: it may stand inside the country
    ahead: int | None = None  # seconds that our clock is ahead of the target's
    upload: Content = Content.SKIPPED
