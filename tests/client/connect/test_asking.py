"""The question before a lower class, and what is agreed to beforehand."""

import asyncio
import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from client import consent
from client.connect import asking
from client.i18n import say
from client.model import Protection


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give the other end of a terminal on which questions are asked."""
    master, slave = pty.openpty()

    def opened() -> TextIO:
        return os.fdopen(os.dup(slave), "r", encoding="utf-8")

    monkeypatch.setattr(consent, "open_terminal", opened)
    try:
        yield master
    finally:
        os.close(master)
        os.close(slave)


async def shown(master: int, words: str) -> str:
    os.set_blocking(master, False)
    seen = b""
    async with asyncio.timeout(5):
        while words.encode() not in seen:
            await asyncio.sleep(0.02)
            try:
                seen += os.read(master, 4096)
            except BlockingIOError:
                continue
    return seen.decode()


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("n\n", False), ("\n", False), ("yes\n", True)])
async def test_the_answer_is_the_persons(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool) -> None:
    with terminal(monkeypatch) as master:
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(asking.lower(Protection.OPEN, Protection.TOR))
            text = await shown(master, "[y/N]")
            os.write(master, typed.encode())
        assert answer.result() is agreed
    assert "not for logins or messages" in " ".join(text.split())


async def test_what_was_typed_before_the_question_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as master:
        os.write(master, b"y\n")
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(asking.lower(Protection.OPEN, None))
            await shown(master, "[y/N]")
            await asyncio.sleep(0.3)
            assert not answer.done()
            os.write(master, b"n\n")
        assert answer.result() is False


async def test_a_question_that_nobody_wants_answered_any_more_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with terminal(monkeypatch) as master:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asking.lower(Protection.OPEN, Protection.TOR)
        await shown(master, "[y/N]")
        async with asyncio.timeout(2):
            while any(thread.name == "question" for thread in threading.enumerate()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_without_a_terminal_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    assert await asking.lower(Protection.OPEN, Protection.TOR) is None


def test_what_is_agreed_to_names_the_port_and_who_sees_what() -> None:
    lines = [say(one) for one in asking.opening(address="127.0.0.1", port=1080, loopback=True, command=True)]
    text = " ".join(lines)
    assert "for the command alone" in text
    assert "ssh, git over ssh" in text
    assert "connect directly" in text
    assert "D your operator sees it too" in text
    assert "command" in text
    alone = [say(one) for one in asking.opening(address="127.0.0.1", port=1080, loopback=True, command=False)]
    assert "127.0.0.1, port 1080" in alone[0]
    beyond = [
        say(one) for one in asking.opening(address="10.0.0.1", port=1080, loopback=False, command=False)
    ]
    assert "other machines" in beyond[0]


def test_the_question_for_a_lower_class_does_not_claim_that_it_works() -> None:
    text = " ".join(asking.about_lower(Protection.OPEN, Protection.TOR))
    assert "Whether they work is tried after your yes." in text
    assert "What works now" not in text
