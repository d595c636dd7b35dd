import asyncio
import itertools

from client.pace import Pacer, Slots
from tests.virtual import run_virtual


def test_quiet_pacing_lets_at_most_four_pass_in_any_second() -> None:
    async def paced() -> list[float]:
        loop, pacer = asyncio.get_running_loop(), Pacer(0.25)
        times: list[float] = []

        async def one(number: int) -> None:
            await asyncio.sleep(0.37 * (number % 5))
            await pacer.wait(number % 2)
            times.append(loop.time())

        await asyncio.gather(*(one(number) for number in range(40)))
        assert pacer.passed == 40
        return times

    times = run_virtual(paced())
    for at in times:
        assert sum(1 for other in times if at <= other < at + 0.999) <= 4
    assert max(times) - min(times) <= 40 * 0.25 + 0.01


def test_a_pause_earns_no_burst() -> None:
    async def paced() -> list[float]:
        loop, pacer = asyncio.get_running_loop(), Pacer(0.25)
        times = []
        for pause in (0.0, 30.0, 0.0, 0.0):
            await asyncio.sleep(pause)
            await pacer.wait()
            times.append(loop.time())
        return times

    _first, second, third, fourth = run_virtual(paced())
    assert third - second >= 0.249
    assert fourth - third >= 0.249


def test_whoever_has_answered_goes_before_whoever_has_not() -> None:
    async def paced() -> list[str]:
        pacer, order = Pacer(0.25), list[str]()

        async def one(name: str, rank: int) -> None:
            await pacer.wait(rank)
            order.append(name)

        await pacer.wait()
        async with asyncio.TaskGroup() as group:
            for name, rank in (("new", 1), ("newer", 1), ("known", 0), ("known too", 0)):
                group.create_task(one(name, rank))
        return order

    assert run_virtual(paced()) == ["known", "known too", "new", "newer"]


def test_who_gives_up_waiting_costs_the_others_nothing() -> None:
    async def paced() -> float:
        loop, pacer = asyncio.get_running_loop(), Pacer(0.25)
        await pacer.wait()
        async with asyncio.TaskGroup() as group:
            impatient = [group.create_task(pacer.wait()) for _ in range(20)]
            await asyncio.sleep(0)
            for task in impatient:
                task.cancel()
        await pacer.wait()
        return loop.time()

    assert run_virtual(paced()) <= 0.51


def test_without_an_interval_a_burst_is_cut_into_slices_of_the_loop() -> None:
    async def paced() -> list[int]:
        pacer, passed = Pacer(0.0), list[int]()
        async with asyncio.TaskGroup() as group:
            for _ in range(500):
                group.create_task(pacer.wait())
            while pacer.passed < 500:
                passed.append(pacer.passed)
                await asyncio.sleep(0)
        return passed

    passed = [*run_virtual(paced()), 500]
    assert max(b - a for a, b in itertools.pairwise(passed)) <= 2 * 32


def test_one_network_gets_so_many_slots_and_others_are_not_held_up() -> None:
    async def held() -> tuple[int, bool]:
        slots, inside, most = Slots(2), 0, 0

        async def one() -> None:
            nonlocal inside, most
            async with slots.slot("192.0.2"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(1)
                inside -= 1

        async def other() -> bool:
            async with asyncio.timeout(0.5), slots.slot("198.51.100"):
                return True

        results = await asyncio.gather(other(), *(one() for _ in range(7)))
        assert slots._held == {}
        assert slots._waiting == {}
        return most, bool(results[0])

    assert run_virtual(held()) == (2, True)


def test_a_cancelled_holder_or_waiter_gives_its_slot_back() -> None:
    async def held() -> None:
        slots = Slots(1)

        async def one(seconds: float) -> None:
            async with slots.slot("192.0.2"):
                await asyncio.sleep(seconds)

        async with asyncio.TaskGroup() as group:
            holder, waiter, last = (group.create_task(one(seconds)) for seconds in (99.0, 99.0, 1.0))
            await asyncio.sleep(0.1)
            waiter.cancel()
            await asyncio.sleep(0.1)
            holder.cancel()
            async with asyncio.timeout(2):
                await last
        assert slots._held == {}

    run_virtual(held())


def test_a_waiter_cancelled_just_after_it_was_called_wakes_the_next() -> None:
    async def held() -> None:
        slots = Slots(1)
        gate = asyncio.Event()

        async def hold() -> None:
            async with slots.slot("192.0.2"):
                await gate.wait()

        async def short() -> None:
            async with slots.slot("192.0.2"):
                return

        async with asyncio.TaskGroup() as group:
            group.create_task(hold())
            await asyncio.sleep(0)
            called, next_one = group.create_task(short()), group.create_task(short())
            await asyncio.sleep(0)
            (future, _later) = slots._waiting["192.0.2"]
            gate.set()
            future.add_done_callback(lambda _: called.cancel())
            async with asyncio.timeout(1):
                await next_one

    run_virtual(held())


def test_no_limit_means_no_waiting() -> None:
    async def held() -> None:
        slots = Slots(0)
        async with slots.slot("a"), slots.slot("a"), slots.slot("a"):
            pass

    run_virtual(held())


def test_nobody_passes_while_the_gate_is_held_and_a_pause_earns_no_burst() -> None:
    async def paced() -> list[float]:
        loop, pacer, times = asyncio.get_running_loop(), Pacer(0.25), list[float]()

        async def one() -> None:
            await pacer.wait()
            times.append(loop.time())

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(one())
            await asyncio.sleep(0.3)
            pacer.hold()
            await asyncio.sleep(60)
            group.create_task(one())
            await asyncio.sleep(40)
            pacer.let_go()
        return times

    times = run_virtual(paced())
    assert [at for at in times if 0.3 < at < 100.3] == []
    assert len(times) == 7
    after = [at for at in times if at > 100]
    assert all(later - sooner >= 0.249 for sooner, later in itertools.pairwise(after))


def test_a_gate_that_is_held_without_an_interval_holds_everybody_too() -> None:
    async def paced() -> tuple[int, int]:
        pacer = Pacer(0.0)
        pacer.hold()
        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(pacer.wait())
            await asyncio.sleep(5)
            held = pacer.passed
            pacer.let_go()
        return held, pacer.passed

    assert run_virtual(paced()) == (0, 100)


def test_another_pace_counts_from_the_moment_it_is_taken() -> None:
    async def paced() -> list[float]:
        loop, pacer, times = asyncio.get_running_loop(), Pacer(0.0), list[float]()

        async def one() -> None:
            await pacer.wait()
            times.append(loop.time())

        async with asyncio.TaskGroup() as group:
            pacer.take(0.25)
            for _ in range(8):
                group.create_task(one())
            await asyncio.sleep(1.1)
            pacer.take(0.0)
        return times

    times = run_virtual(paced())
    assert [round(at / 0.25) for at in times[:5]] == [0, 1, 2, 3, 4]
    assert times[-1] <= 1.26  # the rest at once, after the pause that had begun


def test_a_higher_limit_lets_waiting_handshakes_in_and_a_lower_one_keeps_new_ones_out() -> None:
    async def held() -> list[int]:
        slots, inside, seen = Slots(2), 0, list[int]()

        async def one() -> None:
            nonlocal inside
            async with slots.slot("192.0.2"):
                inside += 1
                await asyncio.sleep(1)
                inside -= 1

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(one())
            await asyncio.sleep(0.1)
            seen.append(inside)
            slots.take(4)
            await asyncio.sleep(0.1)
            seen.append(inside)
            slots.take(0)
            await asyncio.sleep(0.1)
            seen.append(inside)
            slots.take(1)
            for _ in range(2):
                group.create_task(one())
            await asyncio.sleep(1.5)
            seen.append(inside)
        assert slots._held == {}
        assert slots._waiting == {}
        return seen

    assert run_virtual(held()) == [2, 4, 6, 1]
