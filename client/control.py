"""The direct control: the same ladder without a proxy, so that a verdict has something to stand beside."""

from __future__ import annotations

import socket
from typing import Final

from client.judge import FORGERIES, SLOW
from client.model import Content, Control, Failure, LineState, Message, Step
from client.way import Attempt
from transports.stream import is_literal
from transports.tor_told import WRONG, in_hours
from transports.types import N_, Note, Observation

_FAST: Final = N_(
    "your clock is {hours} h {minutes} min fast by the clock of the test page: set it, or good bridges will look dead (obfs4 from an hour on)"
)
_SLOW: Final = N_(
    "your clock is {hours} h {minutes} min slow by the clock of the test page: set it, or good bridges will look dead (obfs4 from an hour on)"
)
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
        note=failed.note if failed else None,
        code=failed.code if failed else 0,
        forged=forged,
        altered=altered,
        ahead=attempt.ahead,
        upload=attempt.proof.upload,
    )


def is_targets_fault(failed: Observation | None) -> bool:
    """Say whether the target itself answered otherwise than it should, over an authentic connection."""
    if failed is None or failed.step not in (Step.HTTP_ROUND_TRIP, Step.BULK_TRANSFER):
        return False
    return failed.note in (Note.OTHER_CONTENT, Note.REDIRECT, Note.TOO_SMALL, Note.ENDLESS)


def _state(attempt: Attempt, *, route: bool, tampered: bool) -> LineState:
    failed = attempt.failed
    if tampered or (failed and failed.note is Note.PAGE):
        return LineState.TAMPERED
    if failed is None:
        if not attempt.proof.bulk_done:
            return LineState.UNKNOWN if is_targets_fault(attempt.bulk_failed) else LineState.IMPAIRED
        speed = attempt.proof.kib_per_s
        return LineState.SLOW if speed is not None and speed < 2 * SLOW else LineState.HEALTHY
    if is_targets_fault(failed):
        return LineState.UNKNOWN
    if not route or failed.failure in _NO_WAY_OUT:
        return LineState.NO_NETWORK
    if failed.step in (Step.RESOLVE, Step.CONNECT):
        return LineState.NO_ANSWER
    return LineState.IMPAIRED


def about_clock(found: Control) -> Message | None:
    """Return what an authentic answer says about a clock that is wrong enough to matter, or None."""
    if found.ahead is None or abs(found.ahead) < WRONG:
        return None
    text = _FAST if found.ahead > 0 else _SLOW
    return Message(text, in_hours(found.ahead))


def about_target(found: Control) -> Message | None:
    """Return what the control says about a target that the person named, or None where it did its part."""
    if found.step is Step.RESOLVE:
        return Message(N_("the name of the target has no address here: check --target, or the line is cut"))
    if found.step is Step.TLS_HANDSHAKE and found.failure in FORGERIES:
        text = N_(
            "the certificate of the target is from nobody known: give its root with --target-ca, or the line forges it"
        )
        return Message(text)
    if found.step is Step.HTTP_ROUND_TRIP and found.code and found.note is not Note.ENDLESS:
        return Message(
            N_("the target answers {code}, not the page that you named: check --target"), {"code": found.code}
        )
    if found.step is Step.HTTP_ROUND_TRIP and found.note is Note.ENDLESS:
        return Message(
            N_("the page of --target is larger than 64 KiB: name a small one, and this one as --bulk-target")
        )
    if found.step is Step.BULK_TRANSFER and found.note is Note.TOO_SMALL:
        return Message(
            N_("the target hangs up before 64 KiB have come: give a larger file with --bulk-target")
        )
    if found.step is Step.BULK_TRANSFER and found.note is Note.OTHER_CONTENT:
        return Message(N_("the target answers {code} to --bulk-target: check it"), {"code": found.code})
    return None
