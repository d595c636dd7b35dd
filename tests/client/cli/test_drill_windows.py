"""`sanylau drill windows` as a person runs it. The whole replay is tested in tests/client/drill/test_windows.py."""

import asyncio
import signal

from tests.client.cli.commands import sanylau, started


async def test_it_tells_what_opens_and_ctrl_c_ends_it_with_what_was_seen() -> None:
    async with started("drill", "windows", "--speed", "5000") as process:
        assert process.stdout is not None
        shown = b""
        async with asyncio.timeout(40):
            while b"It opened" not in shown:
                shown += await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 15)
    text = (shown + out).decode()
    assert (process.returncode, err) == (130, b"")
    assert "05.01. 17:3" in text, "the first window"
    assert "Kazakhstan" in text
    assert "announced" in text


async def test_a_speed_that_cannot_be_is_refused() -> None:
    ended = await sanylau("drill", "windows", "--speed", "1")
    assert (ended.status, ended.out) == (2, "")
    assert "--speed" in ended.err
