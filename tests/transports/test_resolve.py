import _socket
import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from transports.failure import Failure, classify
from transports.resolve import Resolver


class FakeSystem:
    """Stands in for the system's resolver, which must not be asked in a test: a real one sends packets."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running = self.most = 0
        self.go = threading.Event()
        self.go.set()
        self.result: Callable[[str], list[str]] = lambda host: ["127.0.0.1"]
        self._lock = threading.Lock()

    def getaddrinfo(self, host: str, port: None, **how: Any) -> list[Any]:
        assert how == {"type": socket.SOCK_STREAM}
        with self._lock:
            self.asked.append(host)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.go.wait(10)
            return [(0, 0, 0, "", (address, 0)) for address in self.result(host)]
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSystem]:
    fake = FakeSystem()
    monkeypatch.setattr(socket, "getaddrinfo", fake.getaddrinfo)
    yield fake
    fake.go.set()


async def test_a_name_that_the_system_knows_by_itself_is_resolved_for_real() -> None:
    assert "127.0.0.1" in await Resolver()("localhost")


async def test_each_name_is_asked_for_once_a_run(system: FakeSystem) -> None:
    resolver = Resolver()
    answers = await asyncio.gather(*(resolver("a.test") for _ in range(5)), resolver("b.test"))
    assert answers == [("127.0.0.1",)] * 6
    assert await resolver("a.test") == ("127.0.0.1",)
    assert sorted(system.asked) == ["a.test", "b.test"]


async def test_addresses_come_once_each_and_ipv4_first(system: FakeSystem) -> None:
    system.result = lambda host: ["::1", "127.0.0.2", "::1", "127.0.0.1", "127.0.0.2"]
    assert await Resolver()("a.test") == ("127.0.0.2", "127.0.0.1", "::1")


async def test_what_is_known_is_told_without_asking(system: FakeSystem) -> None:
    resolver = Resolver()
    assert resolver.known("a.test") == ()
    system.go.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(resolver("a.test"))
        await asyncio.sleep(0.02)
        assert resolver.known("a.test") == ()
        system.go.set()
    assert resolver.known("a.test") == ("127.0.0.1",)
    assert system.asked == ["a.test"]


async def test_a_failure_is_not_kept_so_that_a_later_try_asks_again(system: FakeSystem) -> None:
    def fail(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    system.result = fail
    resolver = Resolver()
    for _ in range(2):
        with pytest.raises(socket.gaierror) as caught:
            await resolver("a.test")
        assert classify(caught.value) is Failure.DNS_NXDOMAIN
    assert resolver.known("a.test") == ()
    assert system.asked == ["a.test", "a.test"]


async def test_a_name_that_idna_cannot_write_fails_as_a_name_without_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # IDNA fails before anybody could be asked, so the guard of conftest is not wanted here.
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    with pytest.raises(UnicodeError) as caught:
        await Resolver()("a" * 64 + ".localhost")
    assert classify(caught.value) is Failure.DNS_NXDOMAIN


async def test_one_that_gives_up_does_not_take_the_answer_from_the_others(system: FakeSystem) -> None:
    system.go.clear()
    resolver = Resolver()
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(resolver("a.test")) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        await asyncio.wait({first})
        system.go.set()
    assert first.cancelled()
    assert second.result() == ("127.0.0.1",)
    assert await resolver("a.test") == ("127.0.0.1",)
    assert system.asked == ["a.test"]


async def test_a_failure_that_nobody_waits_for_is_no_late_warning(system: FakeSystem) -> None:
    def fail(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    system.result = fail
    system.go.clear()
    resolver = Resolver()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resolver("a.test"), 0.02)
    system.go.set()
    await asyncio.sleep(0.05)
    del resolver
    assert complaints == []


async def test_only_so_many_questions_are_asked_at_once(system: FakeSystem) -> None:
    system.go.clear()
    resolver = Resolver()
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(resolver(f"{number}.test"))
        await asyncio.sleep(0.1)
        assert len(system.asked) == 16
        system.go.set()
    assert len(system.asked) == 50
    assert system.most <= 16


async def test_one_that_gives_up_in_the_queue_leaves_a_question_that_is_still_answered(
    system: FakeSystem,
) -> None:
    system.go.clear()
    resolver = Resolver()
    async with asyncio.TaskGroup() as group:
        for number in range(16):
            group.create_task(resolver(f"{number}.test"))
        last = group.create_task(resolver("last.test"))
        await asyncio.sleep(0.05)
        last.cancel()
        await asyncio.wait({last})
        system.go.set()
    assert await asyncio.wait_for(resolver("last.test"), 5) == ("127.0.0.1",)


def test_a_dead_resolver_does_not_hold_up_the_end_of_the_run(system: FakeSystem) -> None:
    system.go.clear()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Resolver()("a.test"), 0.05)

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 1.0
    threads = [thread for thread in threading.enumerate() if thread.name == "resolve"]
    assert threads
    assert all(thread.daemon for thread in threads)
    system.go.set()  # the answer comes when there is no loop any more: nothing may be raised in the thread
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


async def test_an_answer_that_is_let_go_is_asked_for_anew() -> None:
    resolver = Resolver()
    assert await resolver("localhost")
    assert resolver.known("localhost")
    resolver.forget("localhost")
    resolver.forget("never asked")
    assert resolver.known("localhost") == ()
    assert await resolver("localhost")
