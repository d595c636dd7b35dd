"""A beacon from its wishes to its end: what the command line shows."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Final

from client.beacon import codes, invite, redirect, server, wire
from client.beacon.invite import Invite
from client.beacon.limits import Limits
from client.beacon.server import Beacon, Counts
from client.model import Message
from client.platform import on_interrupt, raise_descriptor_limit
from transports.types import N_, CannotMeasure, Rejected

LISTEN: Final = 39179  # where all ports lead to, unless said otherwise
MOST_PORTS: Final = 1000  # of a list: each takes up to four sockets
_LONGEST: Final = 7 * 24 * 3600
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Documentation addresses (RFC 5737, RFC 3849): they only ask the routing table, a UDP connect sends nothing.
_ELSEWHERE: Final = ("198.51.100.1", "2001:db8::1")

_IN_USE: Final = N_("Port {port} is in use on this host and is left out.")
_DENIED: Final = N_("Port {port} may not be opened by this user and is left out: ports below 1024 need root.")
_UNABLE: Final = N_("Port {port} cannot be opened and is left out ({why}).")
_NO_PORT: Final = N_("no port could be opened, so there is no beacon: name others with --port")
_NO_UDP: Final = N_("this system cannot run a beacon: it needs Linux, macOS or another Unix")
_HOST: Final = N_(
    "this host does not know its own public address: give the one that it is reached by with --host"
)

Tell = Callable[[Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a helper asked for, as given. `duration` is text such as 2h."""

    ports: str = ""
    everything: bool = False
    hosts: tuple[str, ...] = ()
    duration: str = "2h"
    code: str = ""
    listen: int = LISTEN
    rules_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """What will be done. `fresh`: the key is new, so its code has to be shown."""

    invite: Invite
    seconds: int
    listen: int
    rules_set: bool
    fresh: bool

    @property
    def everything(self) -> bool:
        """Whether all ports are meant."""
        return not self.invite.ports


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ready:
    """The beacon answers now. `code` is "" where it was given."""

    code: str
    invite: Invite
    seconds: int
    port: int


def seconds(text: str) -> int:
    """Read a time such as 90m, 2h or 1d. Raises Rejected."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip().lower())
    count = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= count <= _LONGEST:
        raise Rejected(N_("--for takes a time such as 30m, 2h or 1d, at most 7d"))
    return count


def prepare(wishes: Wishes) -> Plan:
    """Return what the wishes mean. Raises Rejected."""
    given = (bool(wishes.ports), wishes.everything, bool(wishes.code))
    if sum(given) != 1:
        raise Rejected(N_("choose the ports: --port LIST, --all, or --code FILE for those of a code"))
    if wishes.rules_set and not wishes.everything:
        raise Rejected(N_("--rules-set goes with --all"))
    if wishes.code:
        given_codes = codes.load(wishes.code)
        if len(given_codes) > 1:
            raise Rejected(N_("--code: there is more than one code in it"))
        meant = given_codes[0]
    else:
        ports = invite.ranges(wishes.ports) if wishes.ports else ()
        meant = Invite(key=wire.new_key(), addresses=_addresses(wishes.hosts), ports=ports)
        invite.write(meant)  # it must fit into a code
    if sum(last - first + 1 for first, last in meant.ports) > MOST_PORTS:
        raise Rejected(N_("these are too many ports for a list: at most {most}, or --all"), most=MOST_PORTS)
    return Plan(
        invite=meant,
        seconds=seconds(wishes.duration),
        listen=wishes.listen,
        rules_set=wishes.rules_set,
        fresh=not wishes.code,
    )


def _addresses(hosts: Sequence[str]) -> tuple[str, ...]:
    try:
        given = tuple(dict.fromkeys(str(ipaddress.ip_address(host.strip("[]"))) for host in hosts))
    except ValueError:
        raise Rejected(
            N_("--host takes an address, not a name: nobody inside should have to look a name up")
        ) from None
    found = given or own_addresses()
    if not found:
        raise Rejected(_HOST)
    return found


def own_addresses() -> tuple[str, ...]:
    """Return the public addresses that this host sends from, as its routing table tells. Sends no packet."""
    found = []
    for target in _ELSEWHERE:
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            address = ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])
            if address.is_global:
                found.append(str(address))
    return tuple(found)


def rules(wishes: Wishes) -> str:
    """Return the rules for an administrator. Raises Rejected."""
    return redirect.rules(wishes.listen, seconds(wishes.duration), redirect.ports_in_use())


async def serve(
    plan: Plan, ready: Callable[[Ready], None], tell: Tell, limits: Limits | None = None
) -> Counts:
    """Answer until the time is over or Ctrl-C. Raises CannotMeasure."""
    raise_descriptor_limit()
    stop = asyncio.Event()
    with server.opened(Beacon(plan.invite.key, limits, redirected=plan.everything)) as beacon:
        meant = plan.invite
        try:
            if plan.everything:
                await _listen_behind(beacon, plan.listen)
            else:
                meant = replace(meant, ports=await _listen(beacon, meant, tell))
        except NotImplementedError:
            raise CannotMeasure(_NO_UDP) from None
        code = invite.write(meant) if plan.fresh else ""
        with _rules(plan), on_interrupt(stop.set):
            ready(Ready(code=code, invite=meant, seconds=plan.seconds, port=plan.listen))
            with suppress(TimeoutError):
                async with asyncio.timeout(plan.seconds):
                    await stop.wait()
    return beacon.counts


def _rules(plan: Plan) -> AbstractContextManager[None]:
    if not plan.everything or plan.rules_set:
        return nullcontext()
    return redirect.redirected(plan.listen, plan.seconds)


async def _listen_behind(beacon: Beacon, port: int) -> None:
    """Listen where all ports are led to."""
    try:
        await beacon.listen(server.every_family(), port)
    except OSError:
        raise CannotMeasure(
            N_("port {port}, where all others would lead to, cannot be opened: name another with --listen"),
            port=port,
        ) from None


async def _listen(beacon: Beacon, meant: Invite, tell: Tell) -> tuple[tuple[int, int], ...]:
    """Listen on every port of the list that can be opened; return those. Raises CannotMeasure when there is none."""
    hosts = server.every_family()
    opened = []
    for port in (port for first, last in meant.ports for port in range(first, last + 1)):
        why = await _open(beacon, hosts, port)
        if why is None:
            opened.append(port)
        else:
            tell(why)
    if not opened:
        raise CannotMeasure(_NO_PORT)
    return invite.joined(iter(opened))


async def _open(beacon: Beacon, hosts: Sequence[str], port: int) -> Message | None:
    """Listen on a port; return why that cannot be."""
    try:
        await beacon.listen(hosts, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Message(_IN_USE, {"port": port})
        if error.errno in (errno.EACCES, errno.EPERM):
            return Message(_DENIED, {"port": port})
        return Message(_UNABLE, {"port": port, "why": error.strerror or "?"})
    return None
