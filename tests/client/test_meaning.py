from dataclasses import replace

import pytest

from client.meaning import meaning, what_to_do
from client.model import Failure, Observation, Status, Step
from tests.tui.support import judged
from transports.types import Note

VERDICT = judged(1).verdict


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_a_meaning_and_a_next_step(failure: Failure) -> None:
    verdict = replace(VERDICT, failure=failure, step=Step.CONNECT)
    means = meaning(verdict)
    assert means is not None
    assert means.id.endswith(".")
    assert what_to_do(verdict).id.endswith(".")


def test_answer_refusal_and_silence_mean_three_different_things() -> None:
    said = {
        str(meaning(replace(VERDICT, failure=failure)))
        for failure in (Failure.SOCKS_NOT_ALLOWED, Failure.CONNECTION_REFUSED, Failure.TIMEOUT)
    }
    assert len(said) == 3


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_next_step_and_no_failure_needs_no_meaning(status: Status) -> None:
    verdict = replace(VERDICT, status=status)
    assert meaning(verdict) is None
    assert what_to_do(verdict).id


def test_a_hostile_one_is_never_to_be_tested_again_whatever_it_failed_with() -> None:
    verdict = replace(VERDICT, status=Status.HOSTILE, failure=Failure.TIMEOUT, step=Step.TLS_HANDSHAKE)
    assert "Delete it" in what_to_do(verdict).id


def test_a_missing_password_is_asked_for_and_a_wrong_clock_is_set() -> None:
    seen = Observation(
        step=Step.PROXY_HANDSHAKE,
        started=0.0,
        elapsed=0.1,
        failure=Failure.SOCKS_NOT_ALLOWED,
        note=Note.AUTH_REQUIRED,
    )
    locked = replace(VERDICT, failure=Failure.SOCKS_NOT_ALLOWED, observations=(seen,))
    assert "user name and password" in what_to_do(locked).id
    assert "clock" in what_to_do(replace(VERDICT, failure=Failure.SSL_CERTIFICATE)).id
