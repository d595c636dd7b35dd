"""From observations to a verdict. Pure: no clock, no network. The rules are explained in docs/verdicts.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from client.model import Content, Control, Failure, LineState, Message, Proof, Protection, Status, Step
from client.targets import against
from client.way import Attempt
from transports.registry import REGISTRY
from transports.sharelink import unencrypted
from transports.types import N_, Endpoint, Note, Observation

SLOW: Final = 8.0  # KiB/s: below this a page takes minutes
_SURELY_FAST: Final = 64.0  # KiB/s: above that no control figure makes a result degraded
MOVES: Final = 32  # separate reads and writes: censors are known that let 25 packets pass
FORGERIES: Final = (Failure.SSL_AUTHORITY, Failure.SSL_HOSTNAME)
_ANSWERED: Final = 15  # percent from which a first server has completed a handshake (control-spec 5.5)
_CIRCUITS: Final = 90  # percent from which tor knows the network and only needs circuits (control-spec 5.5)
_SILENCE: Final = 2.0  # seconds without a byte: frozen rather than slow
_TOO_LITTLE: Final = N_("too little could be moved to be sure: give a larger file with --bulk-target")
NO_NETWORK: Final = N_("this machine has no network now")
NO_IPV6: Final = N_("this machine has no IPv6 here, which this address needs: try it on another network")
# What systems say of an IPv6 address when they have no route, no address of their own, or no IPv6 at all.
_NO_WAY: Final = (Failure.NETWORK_UNREACHABLE, Failure.ADDRESS_NOT_AVAILABLE, Failure.ADDRESS_FAMILY)
_NO_NETWORKS_FAULT: Final = (*_NO_WAY, Failure.NETWORK_DOWN, Failure.HOST_UNREACHABLE, Failure.TIMEOUT)
_BREAKS: Final = (Failure.CONNECTION_RESET, Failure.CONNECTION_ABORTED, Failure.EOF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A status with its reason, and where the way ended."""

    status: Status
    reason: Message
    failure: Failure | None = None
    step: Step | None = None


def wants_retry(attempt: Attempt) -> bool:
    """Say whether a second, spaced try is due: the first one ended in a reset or a close."""
    return attempt.failed is not None and attempt.failed.failure in _BREAKS


def wants_patience(attempt: Attempt) -> bool:
    """Say whether longer deadlines might change the result: the first try ended in silence."""
    return attempt.failed is not None and attempt.failed.failure is Failure.TIMEOUT


def needs_control(attempt: Attempt) -> bool:
    """Say whether the judgement must wait for what the line itself can do: only unclear ones and slow ones."""
    if attempt.plain_page is not None:
        return True
    if attempt.failed is not None:
        return attempt.failed.step is Step.TLS_HANDSHAKE and attempt.failed.failure in FORGERIES
    return attempt.proof.bulk_done and (attempt.proof.kib_per_s or 0.0) < _SURELY_FAST


def protection_of(transport: str, endpoint: Endpoint, *, trusted: bool) -> Protection:
    """Return the class of what `endpoint` protects; `trusted` lifts an encrypted one from C to B."""
    entry = REGISTRY.get(transport)
    found = entry.protection if entry else Protection.UNKNOWN
    if entry and entry.engine and unencrypted(endpoint):
        found = Protection.OPEN
    return Protection.TRUSTED if found is Protection.UNKNOWN and trusted else found


def settled(attempt: Attempt, reference: bytes | None) -> Attempt:
    """Compare a plain page whose content was not known with what the control got, where it got it."""
    if attempt.plain_page is None or reference is None:
        return attempt
    plain = against(attempt.plain_page, reference)
    return replace(attempt, plain_page=None, proof=replace(attempt.proof, plain=plain))


def judge(attempt: Attempt, control: Control, *, quota: int, host: str = "") -> Judgement:
    """Conclude about one candidate, at the address `host`, from its last attempt and the direct control."""
    if attempt.failed is not None:
        if ":" in host and attempt.failed.step is Step.CONNECT and attempt.failed.failure in _NO_WAY:
            return _without_ipv6(attempt.failed, control)
        if _is_offline(attempt.failed, control):
            return _untested(attempt.failed)
        if _is_knocking(attempt):
            return _knocked(attempt.failed, attempt.kind)
        if attempt.engine == "tor" and _ended_at_the_exit(attempt.failed):
            return _without_target(attempt.failed)
        return _without_content(_with_plain(attempt, attempt.failed), control)
    proof = attempt.proof
    if proof.impossible is Content.ALTERED:
        return Judgement(
            status=Status.HOSTILE,
            step=Step.HTTP_ROUND_TRIP,
            reason=Message(N_("answers even for an address that cannot exist: it makes pages up")),
        )
    if proof.plain is Content.ALTERED and not control.altered:
        return Judgement(
            status=Status.HOSTILE,
            step=Step.HTTP_ROUND_TRIP,
            reason=Message(N_("alters pages that are not encrypted")),
        )
    if not proof.bulk_done:
        return _stalled(attempt, proof, quota)
    if proof.upload is Content.REFUSED and control.upload is Content.INTACT:
        return Judgement(
            status=Status.DEGRADED,
            step=Step.BULK_TRANSFER,
            failure=Failure.HTTP_STATUS,
            reason=Message(N_("carries downloads, but the upload was refused on the way")),
        )
    if moves(proof) < MOVES or proof.down < quota:
        return Judgement(
            status=Status.DEGRADED,
            step=Step.BULK_TRANSFER,
            reason=Message(_TOO_LITTLE),
        )
    return _by_speed(proof, control)


def _without_ipv6(failed: Observation, control: Control) -> Judgement:
    """Say that it is this machine's lack, and no word about the candidate."""
    if control.state is LineState.NO_NETWORK:
        return _untested(failed)
    return Judgement(status=Status.FAILED, failure=failed.failure, step=failed.step, reason=Message(NO_IPV6))


def explain(failed: Observation, kind: str, *, offline: bool) -> Message:
    """Say in plain words why a connection outside of a test came to nothing; `kind` as in `Attempt`."""
    if _is_offline(failed, Control(state=LineState.NO_NETWORK if offline else LineState.UNKNOWN)):
        return Message(NO_NETWORK)
    if failed.step in (Step.PT_HANDSHAKE, Step.TOR_BOOTSTRAP):
        return _knocked(failed, kind).reason
    return _without_content(failed, Control()).reason


def _is_offline(failed: Observation, control: Control) -> bool:
    """Say whether it ended because this machine has no network; a refusal means that somebody was reached."""
    if control.state is not LineState.NO_NETWORK:
        return False
    return failed.step is Step.RESOLVE or (
        failed.step is Step.CONNECT and failed.failure in _NO_NETWORKS_FAULT
    )


def _untested(failed: Observation) -> Judgement:
    return Judgement(
        status=Status.UNTESTED, failure=failed.failure, step=failed.step, reason=Message(NO_NETWORK)
    )


def _is_knocking(attempt: Attempt) -> bool:
    """Say whether a bridge failed before tor had a circuit through it: then no step was about the target yet."""
    steps = {seen.step for seen in attempt.observations if not seen.failure}
    return attempt.engine == "tor" and Step.TOR_BOOTSTRAP not in steps


_NO_BRIDGE: Final = N_("something answers there, but it is no bridge")
_KNOCKING: Final = {
    Note.OPEN_PORT: N_(
        "the port is open, but no such bridge answers: wrong cert=, or this clock is an hour off"
    ),
    Note.OTHER_IDENTITY: N_(
        "another relay answers than the line names: the line is wrong, or somebody stands between"
    ),
    Note.PAGE: N_("a web site answers there, no bridge"),
    Note.REFUSED: N_("a web site answers there, no bridge"),
    Note.GARBAGE: _NO_BRIDGE,
    Note.ECHO: _NO_BRIDGE,
}


_SILENT: Final = {  # nothing of these has been seen before tor has completed a handshake through them
    "snowflake": N_("no way to the broker, or to a volunteer's proxy (tor at {percent} %)"),
    "meek_lite": N_("no answer from the front, or from the server behind it (tor at {percent} %)"),
    "tor": N_("tor could not reach its first server ({percent} %)"),
}
_SOMEWHERE: Final = N_("tor could not reach its first server through this bridge ({percent} %)")
_IN_THE_NETWORK: Final = N_("tor reached a first server, but came only to {percent} %")
_VANILLA: Final = {
    Failure.TIMEOUT: N_("takes the connection and stays silent: no bridge there, or cut on the way"),
    Failure.EOF: N_("takes the connection and hangs up: no bridge there, or cut on the way"),
    Failure.CONNECTION_RESET: N_(
        "takes the connection and tears it down: no bridge there, or cut on the way"
    ),
    Failure.SSL_HANDSHAKE: _NO_BRIDGE,
}


def _knocked(failed: Observation, kind: str) -> Judgement:
    """Say how far a bridge came: its own handshakes, then tor's way through it (`code` is tor's percent)."""
    text = _KNOCKING.get(failed.note) if failed.note else None
    if text is None and failed.step is Step.TOR_BOOTSTRAP:
        text = _bootstrapped(failed.code, kind)
    elif text is None and kind == "vanilla" and failed.step is Step.TLS_HANDSHAKE:
        text = _VANILLA.get(failed.failure) if failed.failure else None
    if text is None and failed.step in (Step.PT_HANDSHAKE, Step.TLS_HANDSHAKE):
        text = N_("the bridge did not complete its own handshake")
    if text is None:
        return _without_content(failed, Control())
    reason = Message(text, {"percent": failed.code} if "{percent}" in text else {})
    return Judgement(status=Status.FAILED, failure=failed.failure, step=failed.step, reason=reason)


def _bootstrapped(percent: int, kind: str) -> str:
    """Return the text for where tor stopped; only a completed handshake proves that anybody answered."""
    if percent < _ANSWERED:
        return _SILENT.get(kind, _SOMEWHERE)
    if kind == "tor":
        return _IN_THE_NETWORK
    if percent >= _CIRCUITS:
        return N_("the bridge answers, but has lost its own way out")
    return N_("the bridge answers, but tor came only to {percent} % through it")


def _ended_at_the_exit(failed: Observation) -> bool:
    over = failed.note is Note.REFUSED or failed.failure is Failure.TIMEOUT
    return failed.step is Step.PROXY_HANDSHAKE and over


def _without_target(failed: Observation) -> Judgement:
    """Say that Tor carried as far as it goes: its last relay could not, or would not, reach the test page."""
    text = N_(
        "the circuit through Tor stands, but its last relay cannot reach the test page; --target names another page"
    )
    return Judgement(status=Status.FAILED, failure=failed.failure, step=failed.step, reason=Message(text))


def _with_plain(attempt: Attempt, failed: Observation) -> Observation:
    """Note it where a proxy that opens no tunnel did fetch a plain page, whole and unaltered."""
    if failed.note is Note.REFUSED and attempt.proof.plain is Content.INTACT:
        return replace(failed, note=Note.PLAIN_ONLY)
    return failed


def moves(proof: Proof) -> int:
    """Return the separate reads and writes of the bulk transfer, or the segments if there were more."""
    segments = (proof.segments_in or 0) + (proof.segments_out or 0)
    return max(proof.reads + proof.writes, segments)


def _by_speed(proof: Proof, control: Control) -> Judgement:
    speed = proof.kib_per_s
    line = control.kib_per_s
    if speed is not None and line is not None:
        floor = SLOW if line > SLOW else line / 2
        if speed < floor:
            return Judgement(
                status=Status.DEGRADED,
                step=Step.BULK_TRANSFER,
                reason=Message(N_("authentic, but slower than {floor} KiB/s"), {"floor": f"{floor:.0f}"}),
            )
    return Judgement(status=Status.WORKING, reason=Message(N_("authentic content came through")))


def _stalled(attempt: Attempt, proof: Proof, quota: int) -> Judgement:
    failed = attempt.bulk_failed
    kib = {"kib": round(proof.wire_down / 1024)}
    if failed is None:
        reason = Message(N_("a page came through, the larger file did not"))
    elif failed.step is not Step.BULK_TRANSFER:
        reason = Message(N_("a page came through, but the next connection failed"))
    elif failed.note is Note.TOO_SMALL:
        reason = Message(_TOO_LITTLE)
    elif failed.note is Note.OTHER_CONTENT:
        reason = Message(N_("a page came through, but the test file was not given out"))
    elif failed.failure is not Failure.TIMEOUT:
        reason = Message(N_("broke off after {kib} KiB"), kib)
    elif proof.down >= quota:
        reason = Message(N_("downloads pass, but what you send stops on the way"))
    elif proof.silence < min(_SILENCE, proof.bulk_seconds):
        speed = proof.kib_per_s or 0.0
        reason = Message(N_("authentic, but far too slow: {speed} KiB/s"), {"speed": f"{speed:.1f}"})
    else:
        reason = Message(N_("froze after {kib} KiB"), kib)
    return Judgement(
        status=Status.DEGRADED,
        failure=failed.failure if failed else None,
        step=failed.step if failed else Step.BULK_TRANSFER,
        reason=reason,
    )


def _without_content(failed: Observation, control: Control) -> Judgement:
    status = Status.FAILED
    forged = failed.step is Step.TLS_HANDSHAKE and failed.failure in FORGERIES
    if (forged and not control.forged) or (failed.step is Step.TLS_HANDSHAKE and failed.note is Note.PAGE):
        status = Status.HOSTILE
    return Judgement(
        status=status, failure=failed.failure, step=failed.step, reason=_why(failed, control, forged)
    )


_BY_NOTE: Final = {
    Note.AUTH_REQUIRED: N_("asks for a user name and password: write scheme://user:password@host:port"),
    Note.AUTH_REFUSED: N_("does not accept this user name and password"),
    Note.PLAIN_ONLY: N_("fetches only unencrypted pages and opens no tunnel: no use for anything private"),
    Note.ENDLESS: N_("its answer never ends"),
    Note.OTHER_CONTENT: N_("the way is authentic, but the target gave another answer than expected"),
}
_BY_STEP_AND_NOTE: Final = {
    (Step.PROXY_HANDSHAKE, Note.REFUSED): N_("answers, but refuses to connect you to other sites"),
    (Step.PROXY_HANDSHAKE, Note.REDIRECT): N_("sends you to another page instead of connecting"),
    (Step.PROXY_HANDSHAKE, Note.PAGE): N_(
        "answers with a web page: this is no proxy, or a portal stands before it"
    ),
    (Step.PROXY_HANDSHAKE, Note.GARBAGE): N_("something answers, but not with this protocol"),
    (Step.TLS_HANDSHAKE, Note.PAGE): N_("puts a page of its own in place of the encrypted answer"),
    (Step.TLS_HANDSHAKE, Note.REFUSED): N_("says connected, then reports an error"),
    (Step.TLS_HANDSHAKE, Note.ECHO): N_("says connected, then only echoes: it carries nothing"),
    (Step.TLS_HANDSHAKE, Note.GARBAGE): N_("says connected, then sends something that is not the target"),
    (Step.HTTP_ROUND_TRIP, Note.REDIRECT): N_("the way is authentic, but the target redirects elsewhere"),
}
_BY_STEP_AND_FAILURE: Final = {
    (Step.RESOLVE, Failure.DNS_NXDOMAIN): N_("its name has no address: check the spelling"),
    (Step.CONNECT, Failure.CONNECTION_REFUSED): N_("nobody listens there: switched off, or another port"),
    (Step.CONNECT, Failure.TIMEOUT): N_("no answer: off, or cut on the way"),
    (Step.CONNECT, Failure.CONNECTION_RESET): N_("the connection was torn down at once"),
    (Step.CONNECT, Failure.NETWORK_UNREACHABLE): N_("this machine has no route there"),
    (Step.CONNECT, Failure.HOST_UNREACHABLE): N_("the network says that this host cannot be reached"),
    (Step.PROXY_HANDSHAKE, Failure.TIMEOUT): N_("accepts the connection, but gives no answer in time"),
    (Step.TLS_HANDSHAKE, Failure.TIMEOUT): N_("says connected, then nothing comes"),
    (Step.TLS_HANDSHAKE, Failure.SSL_CERTIFICATE): N_(
        "the target's certificate is out of date: check the clock of this device"
    ),
    (Step.HTTP_ROUND_TRIP, Failure.TIMEOUT): N_("encrypted connection stands, but no page comes"),
}
_GENERAL: Final = {
    Step.RESOLVE: N_("its name could not be looked up"),
    Step.CONNECT: N_("could not be reached"),
    Step.PROXY_HANDSHAKE: N_("closed the connection during its own handshake"),
    Step.TLS_HANDSHAKE: N_("says connected, then breaks off the encrypted connection"),
    Step.HTTP_ROUND_TRIP: N_("broke off before the page came"),
}


def _why(failed: Observation, control: Control, forged: bool) -> Message:
    if forged and control.forged:
        return Message(
            N_("the same forged certificate shows without any proxy: the line or the target, not this one")
        )
    if forged:
        return Message(N_("shows a forged certificate: it reads what you send"))
    step, note, failure = failed.step, failed.note, failed.failure
    text = _GENERAL.get(step, N_("did not get through"))
    if failure is not None:
        text = _BY_STEP_AND_FAILURE.get((step, failure), text)
    if note is not None:
        text = _BY_STEP_AND_NOTE.get((step, note)) or _BY_NOTE.get(note, text)
    return Message(text)
