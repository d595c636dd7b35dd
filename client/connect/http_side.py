"""HTTP towards programs: CONNECT, and one plain request with a whole URL."""

from __future__ import annotations

from typing import Final

from client.connect.desk import Desk, more, turn_away
from client.connect.legs import Leg, NotOpened, Refusal
from client.connect.password import matches
from client.connect.pump import reset
from client.i18n import _
from transports.stream import SocketStream
from transports.types import N_, CannotMeasure
from transports.wire.proxy_request import (
    GRANTED,
    AnswerHead,
    BadRequest,
    Body,
    ProxyRequest,
    RequestReader,
    refusal,
)

_PASSWORD: Final = N_("This proxy wants its password.")
_WORDS: Final = {
    Refusal.HELD: (503, N_("Traffic is stopped: no way out may be used at the moment.")),
    Refusal.NOT_ALLOWED: (502, N_("The way out does not allow this destination.")),
    Refusal.NETWORK_UNREACHABLE: (502, N_("The way out has no route to this destination.")),
    Refusal.HOST_UNREACHABLE: (502, N_("The way out does not reach this destination.")),
    Refusal.REFUSED: (502, N_("The destination refused the connection.")),
    Refusal.TIMEOUT: (504, N_("The destination did not answer in time.")),
    Refusal.UNSUPPORTED: (502, N_("The way out cannot do this.")),
    Refusal.FAILED: (502, N_("The connection through the way out failed.")),
}


async def asked(program: SocketStream, desk: Desk) -> ProxyRequest | None:
    """Return what the program wants; None if it was turned away. Raises EOFError, OSError."""
    reader = RequestReader()
    request = None
    try:
        while request is None:
            request = reader.feed(await more(program))
    except BadRequest as bad:
        if not bad.status:
            reset(program)
            return None
        await turn_away(program, refusal(bad.status, ""))  # whoever asks so strangely learns nothing
        return None
    if desk.password is not None and not matches(request.password or b"", desk.password):
        if request.password is not None:
            await desk.hold_up(program)
        await turn_away(program, refusal(407, _(_PASSWORD)))
        return None
    if reader.rest:
        program.unread(reader.rest)
    return request


async def serve(program: SocketStream, request: ProxyRequest, desk: Desk) -> None:
    """Do it, until the program or the other side ends it."""
    try:
        leg = await desk.open(request.host, request.port, page=bool(request.head))
    except NotOpened as refused:
        await _refuse(program, refused.refusal)
        return
    try:
        if request.head:
            await _forward(program, request, leg, desk)
        else:
            await program.send(GRANTED)
            await desk.belt.move(program, leg)
    finally:
        leg.close()


async def _forward(program: SocketStream, request: ProxyRequest, leg: Leg, desk: Desk) -> None:
    head = leg.asking(request.head)
    try:
        await leg.stream.send(head)
    except (OSError, EOFError, CannotMeasure):
        leg.broke()
        await _refuse(program, Refusal.FAILED)
        return
    leg.sent(len(head))
    await desk.belt.move(program, leg, Body(request.length), AnswerHead())


async def _refuse(program: SocketStream, why: Refusal) -> None:
    status, words = _WORDS[why]
    await turn_away(program, refusal(status, _(words)))
