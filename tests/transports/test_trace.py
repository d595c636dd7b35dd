import asyncio
import errno

import pytest

from transports.failure import Failure, StepFailed, WireError
from transports.trace import Trace
from transports.types import CannotMeasure, Note, Step


def trace(total: float = 10.0) -> Trace:
    now = asyncio.get_running_loop().time()
    return Trace(zero=now, deadline=now + total)


async def failing(at: Trace, step: Step, error: BaseException, limit: float = 5.0) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        async with at.step(step, limit):
            raise error
    return caught.value


async def test_a_step_that_succeeds_is_timed() -> None:
    at = trace()
    await asyncio.sleep(0.02)
    async with at.step(Step.CONNECT, 5.0) as step:
        await asyncio.sleep(0.03)
        step.code = 200
    (seen,) = at.observations
    assert (seen.step, seen.failure, seen.note, seen.code) == (Step.CONNECT, None, None, 200)
    assert 0.02 <= seen.started < 0.5
    assert 0.03 <= seen.elapsed < 0.5


async def test_a_step_ends_at_its_own_limit() -> None:
    at = trace()
    with pytest.raises(StepFailed) as caught:
        async with at.step(Step.PROXY_HANDSHAKE, 0.05):
            await asyncio.sleep(5)
    assert (caught.value.step, caught.value.failure) == (Step.PROXY_HANDSHAKE, Failure.TIMEOUT)
    assert 0.04 <= at.observations[0].elapsed < 1.0


async def test_the_step_that_was_running_when_the_time_ended_is_the_one_that_is_named() -> None:
    at = trace(total=0.1)
    async with at.step(Step.CONNECT, 5.0):
        await asyncio.sleep(0.02)
    with pytest.raises(StepFailed) as caught:
        async with at.step(Step.TLS_HANDSHAKE, 5.0):
            await asyncio.sleep(5)
    assert caught.value.step is Step.TLS_HANDSHAKE
    assert [(seen.step, seen.failure) for seen in at.observations] == [
        (Step.CONNECT, None),
        (Step.TLS_HANDSHAKE, Failure.TIMEOUT),
    ]
    assert at.now() < 1.0


async def test_a_step_after_the_deadline_ends_at_its_first_wait() -> None:
    at = trace(total=-1.0)
    with pytest.raises(StepFailed) as caught:
        async with at.step(Step.CONNECT, 5.0):
            await asyncio.sleep(5)
    assert caught.value.failure is Failure.TIMEOUT
    assert at.now() < 1.0


async def test_waiting_for_a_turn_does_not_cost_the_try_its_time() -> None:
    at = trace(total=0.2)
    with at.waiting():
        await asyncio.sleep(0.3)
    async with at.step(Step.CONNECT, 5.0):
        await asyncio.sleep(0.05)
    assert 0.3 <= at.waited < 1.0
    assert at.observations[0].failure is None


async def test_a_wait_that_is_broken_off_counts_too() -> None:
    at = trace()
    deadline = at.deadline

    async def broken_off() -> None:
        with at.waiting():
            await asyncio.sleep(0.02)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken_off()
    assert at.waited >= 0.02
    assert at.deadline == pytest.approx(deadline + at.waited)


async def test_a_branch_shares_the_clock_but_not_the_observations() -> None:
    at = trace()
    async with at.step(Step.CONNECT, 5.0):
        pass
    beside = at.branch()
    assert (beside.zero, beside.deadline, beside.observations) == (at.zero, at.deadline, [])


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OSError(errno.ECONNRESET, "x"), Failure.CONNECTION_RESET),
        (OSError(errno.ETIMEDOUT, "x"), Failure.TIMEOUT),
        (TimeoutError(), Failure.TIMEOUT),
        (EOFError(), Failure.EOF),
        (UnicodeError(), Failure.DNS_NXDOMAIN),
    ],
)
async def test_what_the_network_does_is_a_result(error: BaseException, failure: Failure) -> None:
    at = trace()
    failed = await failing(at, Step.CONNECT, error)
    assert failed.failure is failure
    assert failed.__cause__ is error
    assert at.observations[0].failure is failure


async def test_what_the_other_side_said_is_kept() -> None:
    at = trace()
    failed = await failing(at, Step.PROXY_HANDSHAKE, WireError(Failure.HTTP_STATUS, Note.AUTH_REQUIRED, 407))
    assert (failed.note, failed.code) == (Note.AUTH_REQUIRED, 407)
    assert (at.observations[0].note, at.observations[0].code) == (Note.AUTH_REQUIRED, 407)


@pytest.mark.parametrize("error", [ZeroDivisionError(), ValueError("a bug"), CannotMeasure("no engine")])
async def test_what_is_our_own_fault_is_no_result(error: Exception) -> None:
    at = trace()
    with pytest.raises(type(error)) as caught:
        async with at.step(Step.CONNECT, 5.0):
            raise error
    assert caught.value is error
    assert at.observations == []


async def test_cancellation_travels_on_and_is_no_result() -> None:
    at = trace()

    async def work() -> None:
        async with at.step(Step.CONNECT, 5.0):
            await asyncio.sleep(5)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await asyncio.sleep(0.02)
        task.cancel()
    assert task.cancelled()
    assert at.observations == []


async def test_a_cancellation_at_the_moment_of_the_limit_travels_on() -> None:
    at = trace()

    async def work() -> None:
        async with at.step(Step.CONNECT, 0.05):
            await asyncio.sleep(5)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        # Scheduled for the same moment, so both are due in the same pass of the loop.
        asyncio.get_running_loop().call_later(0.05, task.cancel)
        await asyncio.wait({task})
    assert task.cancelled()
    assert at.observations == []


async def test_an_outer_deadline_goes_out_as_what_it_is() -> None:
    at = trace()

    async def work() -> None:
        async with asyncio.timeout(0.02), at.step(Step.CONNECT, 5.0):
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await work()
    assert at.observations == []


async def test_waiting_for_us_is_not_counted_and_waiting_for_the_other_side_is() -> None:
    at = trace()
    before = at.deadline
    with at.waiting():
        await asyncio.sleep(0.02)
    ours = at.waited
    assert ours >= 0.02
    with at.waiting(ours=False):
        await asyncio.sleep(0.02)
    assert at.waited == ours
    assert at.deadline - before >= 0.04
