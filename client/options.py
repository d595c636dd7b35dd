"""Ways out that a person can use, and what was seen of each: what `guide`, `export` and `connect` choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from client.model import Candidate, Content, Protection, Status, Verdict, kinds_of
from transports.types import Endpoint

_USABLE: Final = (Status.WORKING, Status.DEGRADED, Status.UNTESTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A candidate that may be used.

    `status` is UNTESTED where nothing was tested: then nothing may be promised. `transport` is what is really
    spoken. `kib_per_s` and `first_byte` (seconds) are None where they were not measured. `seen` is the Unix time
    when the verdict was reached, None where that is not known. `udp` says that the proxy granted UDP.
    """

    candidate: Candidate
    transport: str
    protection: Protection
    status: Status
    id: str = ""
    kib_per_s: float | None = None
    first_byte: float | None = None
    seen: float | None = None
    udp: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """Return where it is, under the transport that was found to be spoken there."""
        given = self.candidate.endpoint
        return given if given.transport == self.transport else replace(given, transport=self.transport)

    @property
    def kind(self) -> str:
        """Return what is spoken, as people name it: of a bridge its transport ("vanilla" for none)."""
        return kinds_of(self.endpoint)[0]


def of(verdict: Verdict, *, name: str = "", seen: float | None = None) -> Option:
    """Return what can be used of a verdict; `name` is its short id in this run."""
    return Option(
        candidate=verdict.candidate,
        transport=verdict.transport,
        protection=verdict.protection,
        status=verdict.status,
        id=name,
        kib_per_s=verdict.kib_per_s,
        first_byte=verdict.proof.first_byte,
        seen=seen,
        udp=verdict.proof.udp is Content.INTACT,
    )


def rank(option: Option) -> tuple[str, int, float]:
    """Return a sort key: the protection class, then whether it works fully, then speed."""
    return option.protection.value, _USABLE.index(option.status), -(option.kib_per_s or 0.0)


def ranked(options: Iterable[Option]) -> list[Option]:
    """Return those that can be used, the best first."""
    return sorted((option for option in options if option.status in _USABLE), key=rank)
