"""Events of an invented run, to be shown by every face."""

import io

from client.events import (
    ControlFinished,
    EngineProgressed,
    Event,
    Finished,
    Judged,
    LineRejected,
    Noticed,
    PaceChanged,
    Progressed,
    Started,
)
from client.model import (
    Candidate,
    Content,
    Control,
    Failure,
    LineState,
    Message,
    Observation,
    Proof,
    Protection,
    RejectedLine,
    Status,
    Step,
    Verdict,
)
from transports.types import Endpoint

HOST, USER, SECRET = "192.0.2.77", "ann", "s3cret"
ENDPOINT = Endpoint(transport="socks5", host=HOST, port=10877, username=USER, password=SECRET)
PROOF = Proof(
    content=True,
    down=65536,
    up=32768,
    reads=50,
    writes=40,
    bulk_seconds=0.5,
    bulk_done=True,
    upload=Content.INTACT,
    plain=Content.INTACT,
    first_byte=0.25,
)


def judged(
    status: Status = Status.WORKING,
    *,
    name: str = "0a1b2c3d",
    source: str = "list.txt",
    line: int = 7,
    protection: Protection = Protection.OPEN,
    proof: Proof = PROOF,
    reason: str = "authentic content came through",
) -> Judged:
    broken = status in (Status.FAILED, Status.DEGRADED)
    return Judged(
        name,
        Verdict(
            candidate=Candidate(ENDPOINT, source, line),
            transport="socks5",
            protection=protection,
            status=status,
            reason=Message(reason),
            failure=Failure.TIMEOUT if broken else None,
            step=Step.BULK_TRANSFER if broken else None,
            observations=(
                Observation(step=Step.CONNECT, started=0.0, elapsed=0.0123),
                Observation(step=Step.PROXY_HANDSHAKE, started=0.1, elapsed=0.2, failure=Failure.TIMEOUT),
            ),
            proof=proof if status in (Status.WORKING, Status.DEGRADED) else Proof(),
            elapsed=1.5,
            tries=2,
            finished=2.0,
        ),
    )


def started(candidates: int = 3) -> Started:
    return Started(
        given=candidates + 2,
        candidates=candidates,
        duplicates=1,
        rejected=1,
        profile="quiet",
        budget_connections=21,
        budget_kib=480,
    )


def finished(stopped: str = "", line: LineState = LineState.HEALTHY, **counts: int) -> Finished:
    return Finished(
        given=5,
        candidates=3,
        duplicates=1,
        rejected=1,
        counts={status.value: counts.get(status.value, 0) for status in Status},
        stopped=stopped,
        elapsed=4.5,
        first_working=1.25 if counts.get("working") else None,
        line_state=line,
    )


def engine(
    percent: int = 45, stage: str = "it loads the list of relays", elapsed: float = 1.0
) -> EngineProgressed:
    return EngineProgressed(
        engine="tor",
        percent=percent,
        stage=Message(stage),
        received_kib=1200,
        kib_per_s=20.4,
        elapsed=elapsed,
    )


def a_run() -> list[Event]:
    """Return a run with one event of every kind and a verdict of every status."""
    refused = RejectedLine("list.txt", 3, Message("longer than {limit} characters", {"limit": 8192}))
    verdicts = [judged(status, name=f"0000000{place}") for place, status in enumerate(Status)]
    return [
        started(len(verdicts)),
        Noticed(Message("{source}: only the first {limit} of {lines} lines are read", {"source": "list.txt", "limit": 3, "lines": 5})),
        LineRejected(refused),
        ControlFinished(Control(state=LineState.HEALTHY, connect=0.1, kib_per_s=100.0)),
        *verdicts[:3],
        engine(),
        PaceChanged(profile="quiet", paused=True, elapsed=0.5),
        Progressed(3, len(verdicts), 1, 12, 1.0),
        *verdicts[3:],
        finished(working=1, degraded=1, hostile=1, blocked=1, failed=1, untested=1),
    ]  # fmt: skip


class Paper(io.StringIO):
    """Text with an encoding, as a stream of a process has one."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding
        self.flushed = 0

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def write(self, text: str) -> int:
        text.encode(self._encoding)  # a real stream would raise
        return super().write(text)

    def flush(self) -> None:
        self.flushed += 1
        super().flush()
