"""A capsule as text messages: numbered, in any order, each complete in itself. Pure.

160 characters of the 7-bit alphabet go into one message, 70 where a telephone is set to another alphabet (3GPP TS
23.038). Each part is a message of its own: what joins long messages is no part of this, and not every gateway does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.model import Message
from client.share import parts
from transports.types import N_, Rejected

ROOM: Final = 160
ROOM_WIDE: Final = 70  # UCS-2

NOTHING: Final = N_("no part of a capsule is in this text: paste whole messages, from SY to the full stop")
INCOMPLETE: Final = N_(
    "capsule {tag}: {missing} of {total} is missing; ask for it and paste all of them again"
)
SEVERAL_MISSING: Final = N_(
    "capsule {tag}: {missing} of {total} are missing; ask for them and paste all of them again"
)
CUT: Final = N_(
    "capsule {tag}: {missing} of {total} came cut off or changed; ask for it again (capital letters matter)"
)


def split(data: bytes, *, wide: bool = False) -> tuple[str, ...]:
    """Return the messages; `wide` for telephones that send 70 characters. Raises Rejected for what is too long."""
    return parts.split(data, ROOM_WIDE if wide else ROOM, form="SY")


def join(texts: Sequence[str]) -> tuple[tuple[bytes, ...], tuple[Message, ...]]:
    """Return the capsules that are complete, and what to say of the others. Raises Rejected if none is complete."""
    heaps = parts.collect(texts)
    if not heaps:
        raise Rejected(NOTHING)
    whole: list[bytes] = []
    wanting: list[Message] = []
    for heap in heaps:
        if heap.missing:
            wanting.append(complaint(heap))
            continue
        try:
            whole.append(heap.data())
        except Rejected as rejected:
            wanting.append(Message(rejected.reason))
    if not whole:
        raise Rejected(wanting[0].id, **wanting[0].values)
    return tuple(whole), tuple(wanting)


def complaint(heap: parts.Heap) -> Message:
    """Return what is missing of a capsule, and what to do about it."""
    missing = ", ".join(map(str, heap.missing))
    text = CUT if heap.damaged else INCOMPLETE if len(heap.missing) == 1 else SEVERAL_MISSING
    if heap.damaged:
        missing = ", ".join(map(str, heap.damaged))
    return Message(text, {"tag": heap.tag, "missing": missing, "total": heap.total})
