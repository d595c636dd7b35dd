"""What a program is told when a connection through an option does not open."""

import pytest

from client.connect.legs import Refusal
from client.connect.line import refusal_of
from transports.failure import Failure, StepFailed
from transports.types import Note, Step

P, R = Step.PROXY_HANDSHAKE, Note.REFUSED


@pytest.mark.parametrize(
    ("failed", "refusal", "by_the_server"),
    [
        (StepFailed(P, Failure.SOCKS_REFUSED, R, 5), Refusal.REFUSED, True),
        (StepFailed(P, Failure.SOCKS_HOST_UNREACHABLE, R, 4), Refusal.HOST_UNREACHABLE, True),
        (StepFailed(P, Failure.SOCKS_NETWORK_UNREACHABLE, R, 3), Refusal.NETWORK_UNREACHABLE, True),
        (StepFailed(P, Failure.SOCKS_NOT_ALLOWED, R, 2), Refusal.NOT_ALLOWED, True),
        (StepFailed(P, Failure.SOCKS_TTL, R, 6), Refusal.TIMEOUT, True),
        (StepFailed(P, Failure.SOCKS_SERVER_FAILURE, R, 1), Refusal.FAILED, True),
        (StepFailed(P, Failure.HTTP_STATUS, R, 403), Refusal.NOT_ALLOWED, True),
        (StepFailed(P, Failure.HTTP_STATUS, R, 502), Refusal.HOST_UNREACHABLE, True),
        (StepFailed(P, Failure.HTTP_STATUS, R, 504), Refusal.TIMEOUT, True),
        (StepFailed(P, Failure.HTTP_STATUS, R, 418), Refusal.FAILED, True),
        (StepFailed(P, Failure.HTTP_STATUS, Note.AUTH_REFUSED, 407), Refusal.FAILED, False),
        (StepFailed(Step.CONNECT, Failure.CONNECTION_REFUSED), Refusal.FAILED, False),
        (StepFailed(Step.CONNECT, Failure.TIMEOUT), Refusal.TIMEOUT, False),
        (StepFailed(Step.TOR_BOOTSTRAP, Failure.TIMEOUT, None, 15), Refusal.TIMEOUT, False),
    ],
)
def test_a_refusal_is_told_as_what_it_is_and_the_rest_is_a_doubt(
    failed: StepFailed, refusal: Refusal, by_the_server: bool
) -> None:
    assert refusal_of(failed) == (refusal, by_the_server)
