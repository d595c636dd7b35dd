"""A question before it is asked. The plan makes them, `ask` puts them to the line and brings back sights."""

from __future__ import annotations

from dataclasses import dataclass

from client.diagnosis.sights import Name, Place, Test


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ask:
    """One question. `who`, `place`, `port`, `way` and `name` go into the sight as they are.

    `host` is the IP literal to connect to; only where an anchor has no address it is a name. `value` is the name in
    the question (SNI, or what is to be resolved), `path` a page or a DoH path, `data` what else is needed (a bridge
    line, a fingerprint, the expected body). `limit` is the deadline in seconds; `beside` is how many handshakes go
    at once (PARALLEL). `cost` is what it may move at most, in bytes both ways, for the budget.
    """

    test: Test
    place: Place
    who: str
    host: str = ""
    port: int = 0
    way: str = ""
    name: Name = Name.NONE
    value: str = ""
    path: str = ""
    data: str = ""
    status: int = 0
    body: bytes | None = None
    limit: float = 4.0
    beside: int = 1
    round: int = 1
    cost: int = 4096

    def __repr__(self) -> str:
        """Keep addresses out of logs and tracebacks."""
        return f"Ask({self.test}, {self.place}, {self.who}, port={self.port}, {self.way} {self.name})"
