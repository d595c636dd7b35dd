"""Tor: a public relay's link handshake, and the obfs4 handshake with a bridge that everybody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from client.diagnosis.around import Around, failed, fault, sight
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Sight
from client.model import Failure, Step
from transports.failure import StepFailed
from transports.types import CannotMeasure, Note, Rejected

if TYPE_CHECKING:
    from transports.types import Endpoint

_PADDED = 12 * 1024  # bytes: obfs4 pads both of its messages at random, up to 8 KiB each
_AFTER = {Step.CONNECT: "syn", Step.PT_HANDSHAKE: "bytes", Step.TLS_HANDSHAKE: "client_hello"}


async def link(ask: Ask, around: Around) -> Sequence[Sight]:
    """Do TLS and the opening of Tor's link protocol with a relay; FALSE is somebody else in its place."""
    from transports.tor_link import check_link

    began = around.now()
    net = around.net(ask)
    try:
        stream = await around.connected(ask, net)
        try:
            await check_link(stream, net, ask.data)
        finally:
            around.moved += stream.received + 1500
            stream.close()
    except StepFailed as error:
        return (failed(ask, error, began, around, _AFTER.get(error.step, ""), _came(error)),)
    return (sight(ask, Came.RIGHT, began, around, received=stream.received),)


async def bridge(ask: Ask, around: Around) -> Sequence[Sight]:
    """Do the transport's handshake with a built-in bridge and ask who it is; FAULT without its program."""
    from transports.knock import knock

    began = around.now()
    try:
        endpoint = _endpoint(ask.data)
        plugins = await around.plugins()
    except (CannotMeasure, Rejected):
        return (fault(ask, began, around, "no_program"),)
    began = around.now()  # the program's own start is not the line's time
    around.opened += 1
    net = around.net(ask)
    half = replace(net.limits, connect=ask.limit / 2, handshake=ask.limit / 2)
    try:
        await knock(endpoint, replace(net, limits=half), plugins)
    except CannotMeasure:
        return (fault(ask, began, around, "no_program"),)
    except StepFailed as error:
        around.opened += error.note is Note.OPEN_PORT or error.step is Step.CONNECT  # the closer look
        around.moved += _PADDED
        return (failed(ask, error, began, around, _AFTER.get(error.step, ""), _came(error)),)
    around.moved += _PADDED
    return (sight(ask, Came.RIGHT, began, around),)


def _came(error: StepFailed) -> Came | None:
    """Name what a relay's handshake adds to the common failures."""
    if error.note is Note.OTHER_IDENTITY:
        return Came.FALSE
    if error.failure is Failure.SSL_HANDSHAKE:
        return Came.OTHER if error.note is None else Came.FALSE
    if error.failure is Failure.SOCKS_SERVER_FAILURE:  # the program's word for every end before our deadline
        return Came.CLOSED
    return None


def _endpoint(line: str) -> Endpoint:
    from transports.tor_bridge import parse

    return parse(line)
