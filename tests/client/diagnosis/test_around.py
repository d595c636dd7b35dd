import asyncio

import pytest
import trustme

from client.diagnosis.around import came_of, failed, fault, sight
from client.diagnosis.sights import Came, Test
from client.model import Failure, Step
from tests.client.diagnosis.loopback import make_around, one, question
from transports.failure import StepFailed

CA = trustme.CA()


@pytest.mark.parametrize(
    ("failure", "came"),
    [
        (Failure.CONNECTION_REFUSED, Came.REFUSED),
        (Failure.CONNECTION_RESET, Came.RESET),
        (Failure.CONNECTION_ABORTED, Came.RESET),
        (Failure.EOF, Came.CLOSED),
        (Failure.TIMEOUT, Came.SILENCE),
        (Failure.NETWORK_UNREACHABLE, Came.NO_ROUTE),
        (Failure.NETWORK_DOWN, Came.NO_ROUTE),
        (Failure.HOST_UNREACHABLE, Came.REFUSED),
        (Failure.SSL_HANDSHAKE, Came.OTHER),
        (Failure.HTTP_FAILED, Came.OTHER),
        (Failure.DNS_TEMPORARY, Came.FAULT),
        (Failure.ADDRESS_FAMILY, Came.FAULT),
        (Failure.PERMISSION_DENIED, Came.FAULT),
        (Failure.UNKNOWN, Came.FAULT),
    ],
)
def test_every_failure_is_one_result(failure: Failure, came: Came) -> None:
    assert came_of(failure) is came


def test_no_failure_is_without_a_result() -> None:
    assert all(isinstance(came_of(failure), Came) for failure in Failure)


def test_silence_after_some_bytes_is_a_stop() -> None:
    assert came_of(Failure.TIMEOUT, received=1) is Came.STOPPED


def test_our_own_system_takes_its_time_to_find_a_host_unreachable() -> None:
    assert came_of(Failure.HOST_UNREACHABLE, elapsed=0.2) is Came.REFUSED  # a router said so
    assert came_of(Failure.HOST_UNREACHABLE, elapsed=3.0) is Came.NO_ROUTE  # nobody answered ARP


async def test_sights_take_what_the_question_says() -> None:
    around = make_around(CA)
    asked = question(Test.TLS, 8443, way="listed", round=3)
    error = StepFailed(Step.TLS_HANDSHAKE, Failure.TIMEOUT)
    seen = failed(asked, error, 0.0, around, "client_hello", received=7)
    assert (seen.test, seen.port, seen.way, seen.round, seen.who) == (Test.TLS, 8443, "listed", 3, "abroad-1")
    assert (seen.came, seen.failure, seen.after) == (Came.STOPPED, Failure.TIMEOUT, "client_hello")
    assert sight(asked, Came.RIGHT, 0.0, around).came is Came.RIGHT
    assert fault(asked, 0.0, around, "why").detail == "why"
    assert failed(asked, error, 0.0, around, "x", Came.FALSE).came is Came.FALSE


async def test_time_counts_from_the_begin_of_the_diagnosis() -> None:
    around = make_around(CA)
    await asyncio.sleep(0.05)
    assert 0.04 < around.now() < 2


async def test_an_unknown_question_is_a_fault() -> None:
    seen = await one(question(Test.UDP, 53), make_around(CA))
    assert (seen.came, seen.detail) == (Came.FAULT, "unknown")


async def test_no_address_shows_in_a_repr() -> None:
    around = make_around(CA)
    asked = question(Test.TLS, 443)
    seen = sight(asked, Came.RIGHT, 0.0, around, addresses=("198.51.100.7",))
    around.told["198.51.100.7"] = {"site.test"}
    assert not {"127.0.0.1", "198.51.100.7", "site.test"} & set(f"{around!r} {asked!r} {seen!r}".split("'"))
    assert "198.51.100.7" not in f"{around!r} {asked!r} {seen!r}"
