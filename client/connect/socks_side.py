"""SOCKS towards programs: what they want, and the code of their protocol for what became of it."""

from __future__ import annotations

from typing import Final

from client.connect import udp_side
from client.connect.desk import Desk, more, turn_away
from client.connect.legs import NotOpened, Refusal
from client.connect.password import matches
from transports.stream import SocketStream
from transports.wire.socks_server import Denied, Reply, SocksServer, Wish, answer

_CODES: Final = {
    Refusal.HELD: Reply.FAILURE,
    Refusal.NOT_ALLOWED: Reply.NOT_ALLOWED,
    Refusal.NETWORK_UNREACHABLE: Reply.NETWORK_UNREACHABLE,
    Refusal.HOST_UNREACHABLE: Reply.HOST_UNREACHABLE,
    Refusal.REFUSED: Reply.REFUSED,
    Refusal.TIMEOUT: Reply.TTL_EXPIRED,
    Refusal.UNSUPPORTED: Reply.NO_SUCH_COMMAND,
    Refusal.FAILED: Reply.FAILURE,
}


async def asked(program: SocketStream, desk: Desk) -> Wish | None:
    """Return what the program wants; None if it was turned away. Raises EOFError, OSError."""
    password = desk.password
    wrong = False

    def check(_: bytes, given: bytes) -> bool:
        nonlocal wrong
        wrong = not matches(given, password or "")
        return not wrong

    server = SocksServer(None if password is None else check)
    try:
        while server.wish is None:
            said = server.feed(await more(program))
            if said:
                await program.send(said)
    except Denied as denied:
        if wrong:
            await desk.hold_up(program)
        await turn_away(program, denied.reply)
        return None
    if server.rest:
        program.unread(server.rest)
    return server.wish


async def serve(program: SocketStream, wish: Wish, desk: Desk) -> None:
    """Do it, until the program or the other side ends it."""
    try:
        if wish.datagrams:
            await udp_side.serve(program, await desk.datagrams(), wish.port)
            return
        leg = await desk.open(wish.host, wish.port)
    except NotOpened as refused:
        await turn_away(program, answer(wish.version, _CODES[refused.refusal]))
        return
    try:
        await program.send(answer(wish.version, Reply.GRANTED))
        await desk.belt.move(program, leg)
    finally:
        leg.close()
