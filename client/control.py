"""The direct control: the same ladder without a proxy, so that a verdict has something to stand beside."""

from __future__ import annotations

import socket
from typing import Final

from client.judge import FORGERIES, SLOW
from client.model import Content, Control, Failure, LineState, Step
from client.way import Attempt
from transports.stream import is_literal
from transports.types import Note

_NO_WAY_OUT: Final = (Failure.NETWORK_UNREACHABLE, Failure.NETWORK_DOWN)
# Documentation addresses (RFC 5737, RFC 3849): they only ask the routing table, a UDP connect sends nothing.
_ELSEWHERE: Final = ("198.51.100.1", "2001:db8::1")


def has_route() -> bool:
    """Say whether the system knows any way out of this machine. Sends no packet."""
    return any(has_route_to(address) for address in _ELSEWHERE)


def has_route_to(host: str) -> bool:
    """Say whether the system knows a way to the IP address `host`. Sends no packet; False for a name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not is_literal(host):
        return False
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            return True
    except OSError:
        return False


def conclude(attempt: Attempt, *, route: bool) -> Control:
    """Return what the direct attempt says about the line. Pure."""
    failed = attempt.failed or attempt.bulk_failed
    forged = bool(failed and failed.step is Step.TLS_HANDSHAKE and failed.failure in FORGERIES)
    altered = attempt.proof.plain is Content.ALTERED
    return Control(
        state=_state(attempt, route=route, tampered=forged or altered),
        connect=next(
            (seen.elapsed for seen in attempt.observations if seen.step is Step.CONNECT and not seen.failure),
            None,
        ),
        kib_per_s=attempt.proof.kib_per_s if attempt.proof.bulk_done else None,
        failure=failed.failure if failed else None,
        step=failed.step if failed else None,
        forged=forged,
        altered=altered,
        upload=attempt.proof.upload,
    )


def _state(attempt: Attempt, *, route: bool, tampered: bool) -> LineState:
    failed = attempt.failed
    if tampered or (failed and failed.note is Note.PAGE):
        return LineState.TAMPERED
    if failed is None:
        if not attempt.proof.bulk_done:
            return LineState.IMPAIRED
        speed = attempt.proof.kib_per_s
        return LineState.SLOW if speed is not None and speed < 2 * SLOW else LineState.HEALTHY
    if not route or failed.failure in _NO_WAY_OUT:
        return LineState.NO_NETWORK
    if failed.step in (Step.RESOLVE, Step.CONNECT):
        return LineState.NO_ANSWER
    return LineState.IMPAIRED
