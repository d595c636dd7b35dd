import errno
import socket

import pytest

from client.control import about_clock, about_target, conclude, has_route
from client.model import Content, Control, Failure, LineState, Observation, Proof, Step
from client.probe import Attempt
from transports.types import Note

DONE = Proof(
    content=True, down=65536, bulk_seconds=0.5, bulk_done=True, wire_down=66000, upload=Content.INTACT
)


def failing(step: Step, failure: Failure, note: Note | None = None) -> Attempt:
    return Attempt(failed=Observation(step=step, started=0.0, elapsed=0.1, failure=failure, note=note))


def test_a_line_that_carries_everything_is_healthy_and_measured() -> None:
    attempt = Attempt(proof=DONE)
    attempt.observations = [
        Observation(step=Step.CONNECT, started=0.0, elapsed=0.9, failure=Failure.TIMEOUT),
        Observation(step=Step.CONNECT, started=1.0, elapsed=0.25),
    ]
    found = conclude(attempt, route=True)
    assert (found.state, found.connect, found.kib_per_s) == (LineState.HEALTHY, 0.25, 128.0)
    assert found.upload is DONE.upload


def test_a_healthy_line_without_a_default_route_is_still_healthy() -> None:
    assert conclude(Attempt(proof=DONE), route=False).state is LineState.HEALTHY


def test_a_line_below_twice_the_usable_speed_is_slow() -> None:
    slow = Proof(content=True, down=65536, bulk_seconds=5.0, bulk_done=True)
    assert conclude(Attempt(proof=slow), route=True).state is LineState.SLOW


def test_a_page_without_the_larger_file_is_impaired_and_has_no_speed() -> None:
    attempt = Attempt(proof=Proof(content=True, wire_down=16384, bulk_seconds=0.1))
    attempt.bulk_failed = Observation(
        step=Step.BULK_TRANSFER, started=0.0, elapsed=9.0, failure=Failure.TIMEOUT
    )
    found = conclude(attempt, route=True)
    assert (found.state, found.kib_per_s) == (LineState.IMPAIRED, None)
    assert (found.step, found.failure) == (Step.BULK_TRANSFER, Failure.TIMEOUT)


@pytest.mark.parametrize(
    ("attempt", "route", "state"),
    [
        (failing(Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY), True, LineState.TAMPERED),
        (failing(Step.TLS_HANDSHAKE, Failure.SSL_HOSTNAME), True, LineState.TAMPERED),
        (failing(Step.TLS_HANDSHAKE, Failure.SSL_HANDSHAKE, Note.PAGE), True, LineState.TAMPERED),
        (failing(Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY), False, LineState.TAMPERED),
        (failing(Step.CONNECT, Failure.NETWORK_UNREACHABLE), True, LineState.NO_NETWORK),
        (failing(Step.RESOLVE, Failure.DNS_TEMPORARY), False, LineState.NO_NETWORK),
        (failing(Step.RESOLVE, Failure.DNS_TEMPORARY), True, LineState.NO_ANSWER),
        (failing(Step.CONNECT, Failure.TIMEOUT), True, LineState.NO_ANSWER),
        (failing(Step.TLS_HANDSHAKE, Failure.CONNECTION_RESET), True, LineState.IMPAIRED),
        (failing(Step.TLS_HANDSHAKE, Failure.SSL_CERTIFICATE), True, LineState.IMPAIRED),
        (failing(Step.HTTP_ROUND_TRIP, Failure.TIMEOUT), True, LineState.IMPAIRED),
        (Attempt(proof=Proof(content=True, bulk_done=True, plain=Content.ALTERED)), True, LineState.TAMPERED),
    ],
)
def test_every_end_of_the_direct_try_says_what_the_line_is(
    attempt: Attempt, route: bool, state: LineState
) -> None:
    assert conclude(attempt, route=route).state is state


def test_the_route_is_asked_of_the_system_without_a_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoWay(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

        def send(self, *arguments: object) -> int:
            raise AssertionError("a packet")

        sendto = send

    monkeypatch.setattr("client.control.socket.socket", NoWay)
    assert not has_route()


@pytest.mark.parametrize(
    ("step", "failure", "note", "word"),
    [
        (Step.RESOLVE, Failure.DNS_NXDOMAIN, None, "no address"),
        (Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY, None, "--target-ca"),
        (Step.HTTP_ROUND_TRIP, Failure.HTTP_STATUS, Note.OTHER_CONTENT, "404"),
        (Step.HTTP_ROUND_TRIP, Failure.HTTP_FAILED, Note.ENDLESS, "--bulk-target"),
        (Step.BULK_TRANSFER, Failure.HTTP_FAILED, Note.TOO_SMALL, "larger file"),
        (Step.BULK_TRANSFER, Failure.HTTP_STATUS, Note.OTHER_CONTENT, "404"),
    ],
)
def test_a_fault_of_the_named_target_is_told_as_such(
    step: Step, failure: Failure, note: Note | None, word: str
) -> None:
    said = about_target(Control(step=step, failure=failure, note=note, code=404))
    assert said is not None
    assert word in said.id.format_map(said.values)


def test_a_dead_line_is_no_fault_of_the_target() -> None:
    assert about_target(Control(step=Step.CONNECT, failure=Failure.TIMEOUT)) is None
    assert about_target(Control()) is None


def test_a_target_that_answers_wrongly_says_nothing_bad_about_the_line() -> None:
    wrong = failing(Step.HTTP_ROUND_TRIP, Failure.HTTP_STATUS, Note.OTHER_CONTENT)
    assert conclude(wrong, route=True).state is LineState.UNKNOWN


@pytest.mark.parametrize(("ahead", "word"), [(7200, "fast"), (-7200, "slow")])
def test_a_clock_that_is_two_hours_wrong_is_told_in_hours_and_minutes(ahead: int, word: str) -> None:
    said = about_clock(Control(ahead=ahead))
    assert said is not None
    assert word in said.id
    assert said.values == {"hours": 2, "minutes": 0}


@pytest.mark.parametrize("ahead", [None, 0, 1799, -1799])
def test_a_clock_that_is_right_enough_or_unknown_is_not_spoken_of(ahead: int | None) -> None:
    assert about_clock(Control(ahead=ahead)) is None
