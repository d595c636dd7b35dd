"""What a run is made of. It is begun by `client.engine.running`."""

from __future__ import annotations

import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from client.following import OpenEngines
from client.model import Candidate, Reading
from client.redact import Namer
from client.settings import Profile
from client.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that a run needs to know. `first` 0 tests everything; `budget_kib` 0 sets no limit;
    `trusted` lifts class C to B; `only` empty means every transport; `disk`: tor may write to the disk; a lower
    `rank` is tried first.
    """

    reading: Reading
    targets: Targets
    profile: Profile
    roots: Callable[[], Awaitable[ssl.SSLContext]]
    engines: OpenEngines | None = None
    first: int = 0
    budget_kib: int = 0
    trusted: bool = False
    only: frozenset[str] = frozenset()
    disk: bool = False
    rank: Callable[[Candidate], int] | None = None
    namer: Namer = field(default_factory=Namer)
    rng: random.Random = field(default_factory=lambda: random.Random())
