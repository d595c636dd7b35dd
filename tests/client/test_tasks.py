import ast
import asyncio
from pathlib import Path

import pytest

from client.tasks import Crew, in_slices, together

ROOT = Path(__file__).parents[2]


async def for_ever() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise ConnectionResetError("told")


async def test_leaving_a_crew_ends_all_of_it() -> None:
    async with Crew() as crew:
        tasks = [crew.start(for_ever(), "one") for _ in range(5)]
        await asyncio.sleep(0)
    assert all(task.cancelled() for task in tasks)


async def test_an_error_of_the_block_leaves_a_crew_as_it_is() -> None:
    async def work() -> None:
        async with Crew() as crew:
            crew.start(for_ever(), "one")
            await asyncio.sleep(0)
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await work()


async def test_an_error_of_a_member_ends_the_crew_and_is_told_by_its_own_class() -> None:
    async def work() -> None:
        async with Crew() as crew:
            crew.start(for_ever(), "one")
            crew.start(failing(), "two")
            await for_ever()

    with pytest.raises(ConnectionResetError):
        await work()
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_from_outside_cancels_the_crew() -> None:
    inside: list[asyncio.Task[None]] = []

    async def work() -> None:
        async with Crew() as crew:
            inside.append(crew.start(for_ever(), "one"))
            await for_ever()

    task = asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inside[0].cancelled()


async def test_what_runs_together_ends_together() -> None:
    done = []

    async def part(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    await together(part(1), part(2))
    assert sorted(done) == [1, 2]
    with pytest.raises(ConnectionResetError):
        await together(for_ever(), failing())
    assert len(asyncio.all_tasks()) == 1


async def test_a_burst_is_started_in_slices() -> None:
    started = passes = 0
    running = True

    async def count_passes() -> None:
        nonlocal passes
        while running:
            passes += 1
            await asyncio.sleep(0)

    def start() -> None:
        nonlocal started
        started += 1

    async with Crew() as crew:
        crew.start(count_passes(), "counter")
        await in_slices(320, start)
        running = False
    assert started == 320
    assert passes >= 9


def test_tasks_are_started_in_one_place_of_the_client_only() -> None:
    starters = {"create_task", "ensure_future", "run_coroutine_threadsafe"}
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "client").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in starters
    }
    assert {path for path in found if not path.startswith("client/drill/")} <= {"client/tasks.py"}
