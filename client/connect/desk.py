"""What the sides that talk with programs share: where wishes go, and how a program is turned away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from client.connect.belt import Belt
from client.connect.legs import Datagrams, Gateway, Leg, NotOpened, Refusal
from client.connect.password import Guesses
from transports.stream import SocketStream

SOME: Final = 4096  # bytes of one read while a program says what it wants
_FAREWELL: Final = 1.0  # seconds for a program to take its refusal
_LAST_WORDS: Final = 256 * 1024  # bytes of it that are read meanwhile


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Desk:
    """Where the wishes of programs go. `opening` is the limit for one, in seconds."""

    gateway: Gateway
    belt: Belt
    password: str | None
    opening: float
    guesses: Guesses = field(default_factory=Guesses)

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        """Open a leg. Raises NotOpened."""
        try:
            async with asyncio.timeout(self.opening):
                return await self.gateway.open(host, port, page=page)
        except TimeoutError:
            raise NotOpened(Refusal.TIMEOUT) from None

    async def datagrams(self) -> Datagrams:
        """Open an association. Raises NotOpened."""
        try:
            async with asyncio.timeout(self.opening):
                return await self.gateway.datagrams()
        except TimeoutError:
            raise NotOpened(Refusal.TIMEOUT) from None

    async def hold_up(self, program: SocketStream) -> None:
        """Have a program that has given a wrong password wait for its answer."""
        with suppress(OSError):  # it has gone
            peer = str(program.raw.getpeername()[0])
            await asyncio.sleep(self.guesses.wrong(peer, asyncio.get_running_loop().time()))


async def more(program: SocketStream) -> bytes:
    """Return what a program says next. Raises EOFError."""
    data = await program.recv(SOME)
    if not data:
        raise EOFError
    return data


async def turn_away(program: SocketStream, words: bytes) -> None:
    """Say `words` and close so that they arrive: closing with something unread would be a reset."""
    with suppress(OSError):
        async with asyncio.timeout(_FAREWELL):
            await program.send(words)
            await program.finish()
            left = _LAST_WORDS
            while left > 0 and (data := await program.recv(SOME)):
                left -= len(data)
    program.close()
