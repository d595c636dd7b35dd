"""Profiles: how fast, how many at once, how long. The reasons stand in docs/profiles.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from transports.net import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A way to run. `interval` is the spacing of new connections in seconds (0: as fast as they come),
    `per_network` how many TLS handshakes may run at once to one /24 or /48 (0: no limit), `pause` the
    spacing before a second try. `short` limits apply to everybody first, `deep` ones to those who were
    silent; None: the short try is the only one.
    """

    name: str
    concurrency: int
    interval: float
    per_network: int
    pause: float
    short: Limits
    deep: Limits | None


_CAREFUL: Final = Limits(connect=4.0, handshake=6.0, exchange=8.0, bulk=16.0, total=40.0)
_PATIENT: Final = Limits(connect=12.0, handshake=15.0, exchange=20.0, bulk=40.0, total=90.0)

PROFILES: Final[Mapping[str, Profile]] = {
    "quiet": Profile(
        name="quiet",
        concurrency=48,
        interval=0.255,  # 4 a second with a margin for timers
        per_network=2,
        pause=3.0,
        short=_CAREFUL,
        deep=_PATIENT,
    ),
    "normal": Profile(
        name="normal",
        concurrency=128,
        interval=0.05,
        per_network=2,
        pause=2.0,
        short=_CAREFUL,
        deep=_PATIENT,
    ),
    "fast": Profile(
        name="fast",
        concurrency=1000,
        interval=0.0,
        per_network=0,
        pause=1.0,
        short=Limits(connect=3.0, handshake=5.0, exchange=6.0, bulk=12.0, total=25.0),
        deep=Limits(connect=8.0, handshake=12.0, exchange=12.0, bulk=20.0, total=45.0),
    ),
}


def at_pace(profile: Profile, name: str, fit: Callable[[int], int]) -> Profile:
    """Return the profile `name` with what the person has set in `profile`: own deadlines, own number at once.

    `fit` gives what this system can carry of a number at once.
    """
    wanted, before = PROFILES[name], PROFILES[profile.name]
    if profile.concurrency == fit(before.concurrency):
        wanted = replace(wanted, concurrency=fit(wanted.concurrency))
    else:
        wanted = replace(wanted, concurrency=profile.concurrency)
    if (profile.short, profile.deep) != (before.short, before.deep):
        wanted = replace(wanted, short=profile.short, deep=profile.deep)
    return wanted


def tuned(
    profile: Profile, *, concurrency: int | None, connect: float | None, total: float | None
) -> Profile:
    """Return `profile` with what the person has set. Own deadlines are kept: no second, deeper try."""
    if concurrency is not None:
        profile = replace(profile, concurrency=concurrency)
    if connect is None and total is None:
        return profile
    limits = profile.short
    if total is not None:
        limits = Limits(
            connect=min(limits.connect, total), handshake=total, exchange=total, bulk=total, total=total
        )
    if connect is not None:
        limits = replace(limits, connect=min(connect, limits.total))
    return replace(profile, short=limits, deep=None)
