"""DNS that still reaches abroad: which resolver, whether for names that nobody has asked for before, and how large
an answer may be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.diagnosis.anchors import KnownName
from client.diagnosis.ask_dns import is_bogon, random_names
from client.diagnosis.datagrams import Datagrams, opened
from client.diagnosis.sights import Place

if TYPE_CHECKING:
    import dns.message

_TIMES: Final = 3
_LIMIT: Final = 3.2  # seconds for a question, all its tries together
_PAYLOAD: Final = 4096  # bytes that we would take, by EDNS
_LEAST: Final = 500  # bytes of an answer with which a tunnel is more than a trickle


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Resolver:
    """Whom to ask. `who` names it without its address."""

    who: str
    place: Place
    address: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Recursing:
    """What a resolver does. `right`: it told a true address of a name abroad; `fresh`: it asked abroad for a name
    that nobody has asked for before; `largest` is the largest answer that came, in bytes.
    """

    who: str
    place: Place
    right: bool
    fresh: bool = False
    largest: int = 0
    answered: bool = False

    @property
    def tunnel(self) -> str:
        """Return whether a tunnel can work: "yes", "slow" or "no"."""
        if not (self.right and self.fresh):
            return "no"
        return "yes" if self.largest >= _LEAST else "slow"


async def ask(
    resolver: Resolver,
    names: Sequence[KnownName],
    large: Sequence[tuple[str, str]],
    pace: Callable[[], Awaitable[None]],
) -> Recursing:
    """Ask for a name, for one under it that cannot exist, and for large answers."""
    known = names[0]
    answer = await _exchange(resolver, known.name, "A", pace)
    right = answer is not None and _is_right(answer[0], known)
    if answer is None or not right:
        return Recursing(who=resolver.who, place=resolver.place, right=False, answered=answer is not None)
    label = random_names(1)[0].partition(".")[0]
    fresh = await _exchange(resolver, f"{label}.{known.name}", "A", pace)
    largest = max(answer[1], fresh[1] if fresh else 0)
    for name, kind in large:
        more = await _exchange(resolver, name, kind, pace)
        largest = max(largest, more[1] if more else 0)
    return Recursing(
        who=resolver.who,
        place=resolver.place,
        right=True,
        fresh=fresh is not None and _is_fresh(fresh[0]),
        largest=largest,
        answered=True,
    )


def _is_right(answer: dns.message.Message, known: KnownName) -> bool:
    found = _addresses(answer)
    if not found or any(is_bogon(address) for address in found):
        return known.addresses != () and bool(found & set(known.addresses))
    return not known.addresses or bool(found & set(known.addresses))


def _is_fresh(answer: dns.message.Message) -> bool:
    """Say whether this is what the name's own servers say of a name that is not there."""
    return answer.rcode() in (0, 3) and not _addresses(answer)


def _addresses(answer: dns.message.Message) -> set[str]:
    return {
        str(item.address)
        for records in answer.answer
        if records.rdtype in (1, 28)
        for item in records
        if hasattr(item, "address")
    }


async def _exchange(
    resolver: Resolver, name: str, kind: str, pace: Callable[[], Awaitable[None]]
) -> tuple[dns.message.Message, int] | None:
    """Ask up to three times; return the answer and its size."""
    import dns.message

    query = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD, want_dnssec=kind != "A")
    wire = query.to_wire()
    loop = asyncio.get_running_loop()
    await pace()
    began = loop.time()
    with suppress(OSError):
        async with opened(resolver.address, resolver.port) as way:
            for number in range(1, _TIMES + 1):
                way.send(wire)
                found = await _first(way, query, began + _LIMIT * number / _TIMES)
                if found is not None:
                    return found
    return None


async def _first(
    way: Datagrams, query: dns.message.QueryMessage, until: float
) -> tuple[dns.message.Message, int] | None:
    import dns.exception
    import dns.message

    with suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            while True:
                raw = await way.receive()
                with suppress(dns.exception.DNSException, ValueError):
                    answer = dns.message.from_wire(raw, ignore_trailing=True, raise_on_truncation=False)
                    if query.is_response(answer):
                        return answer, len(raw)
    return None
