"""One search for holes from its wishes to its end: what the command line shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from client.beacon import codes
from client.beacon.invite import Invite
from client.beacon.wire import Protocol
from client.control import has_route, has_route_to
from client.diagnosis import anchors
from client.diagnosis.anchors import AllPorts, Anchors, KnownName
from client.diagnosis.ask_dns import is_bogon, nameservers
from client.diagnosis.sights import Place
from client.exits import Exit
from client.holes import extras, judge, plan
from client.holes.doors import LIMIT, Host
from client.holes.events import Event, Finished, Listed, Started
from client.holes.names import Recursing, Resolver
from client.holes.plan import Ports, Seen, State
from client.holes.sweep import Order, Sweep, Swept
from client.model import Message
from client.platform import fitting, on_interrupt, raise_descriptor_limit
from client.tasks import Crew
from transports.resolve import Resolver as SystemResolver
from transports.stream import is_literal
from transports.types import N_, Rejected

_RESOLVERS: Final = 6  # of the anchors, beside the system's own
_AT_ONCE: Final = 8000
_NO_BEACON: Final = N_(
    "--all goes only with a helper's beacon: --beacon FILE, or --beacon - to type its code"
)
_NO_ADDRESS: Final = N_("{host} has no address here: it cannot be asked.")
_FALSE: Final = N_("The address that your resolver tells for {host} cannot be true: it is not asked.")
_NO_WAY: Final = N_("This machine has no way out: no network, or no route. Nothing was sent.")
_NO_HOST: Final = N_("There is nobody to ask on many ports: get a beacon's code from a helper (--beacon).")

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for, as given."""

    beacon: str = ""
    everything: bool = False
    profile: str = "quiet"
    first: int = 0
    start: str = ""
    protocol: str = ""
    listed: str = ""
    ports_only: bool = False
    country: str = ""
    anchors: str = ""
    timeout: float = LIMIT


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """What will be done."""

    wishes: Wishes
    ports: Ports
    anchors: Anchors
    likely: Mapping[Protocol, Sequence[int]]
    starts: Mapping[Protocol, int]
    spacing: float
    beacons: tuple[Invite, ...] = ()
    public: tuple[AllPorts, ...] = ()
    resolvers: tuple[Resolver, ...] = ()
    names: tuple[KnownName, ...] = ()
    listed: tuple[extras.Target, ...] = field(default=())


def prepare(wishes: Wishes) -> Plan:
    """Return what the wishes mean. Raises Rejected."""
    if wishes.everything and not wishes.beacon:
        raise Rejected(_NO_BEACON)
    if wishes.country and wishes.anchors:
        raise Rejected(N_("give --country or --anchors, not both"))
    ports = plan.load()
    known = anchors.load(wishes.country, wishes.anchors)
    beacons = codes.load(wishes.beacon) if wishes.beacon else ()
    chosen = [Protocol(wishes.protocol)] if wishes.protocol else list(Protocol)
    if not beacons:
        chosen = [one for one in chosen if one is Protocol.TCP]
    spacing = plan.SPACING[wishes.profile]
    right = sorted(
        (one for one in known.names if one.place is Place.ABROAD), key=lambda one: not one.addresses
    )
    more = not wishes.ports_only
    return Plan(
        wishes=wishes,
        ports=ports,
        anchors=known,
        likely={one: ports.likely[one] if beacons else _few(ports, wishes) for one in chosen},
        starts=plan.starts(wishes.start),
        spacing=spacing if beacons else max(spacing, ports.public_pause),
        beacons=beacons,
        public=() if beacons else known.all_ports,
        resolvers=_resolvers(known) if more and right else (),
        names=tuple(right) if more else (),
        listed=extras.read_list(wishes.listed, known) if more or wishes.listed else (),
    )


def _few(ports: Ports, wishes: Wishes) -> Sequence[int]:
    """Return the likely ports that a public host may be asked for, from where the person begins."""
    start = plan.starts(wishes.start).get(Protocol.TCP)
    likely, _ = plan.order(ports.likely[Protocol.TCP], start, everything=False)
    return likely[: ports.public_ports]


def _resolvers(known: Anchors) -> tuple[Resolver, ...]:
    own = nameservers(known.resolv_conf)
    system = [
        Resolver(who=f"system {number}", place=Place.HERE, address=address, port=port)
        for number, (address, port) in enumerate(own, 1)
    ]
    others = [one for one in known.resolvers if "udp" in one.ways and (one.address, 53) not in own]
    return (
        *system,
        *(Resolver(who=one.who, place=one.place, address=one.address) for one in others[:_RESOLVERS]),
    )


def consent_text(wanted: Plan) -> list[Message]:
    """Return what the person agrees to: who is contacted, how often, and who can see that."""
    from client.holes.consenting import text

    return text(wanted)


async def carry_out(wanted: Plan, tell: Tell) -> Finished:
    """Search. What was found is told as it is known."""
    limit = raise_descriptor_limit()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    began = loop.time()
    found: list[Recursing] = []
    answering: list[Listed] = []

    def keep(event: Event) -> None:
        if isinstance(event, Recursing):
            found.append(event)
        elif isinstance(event, Listed):
            answering.append(event)
        tell(event)

    tell(_started(wanted))
    if not _any_way(wanted):
        tell(Message(_NO_WAY))
        return _finished(wanted, Swept(), found, answering, 0.0)
    with on_interrupt(stop.set):
        async with Crew() as crew:
            hosts = await _hosts_until(stop, wanted, tell)
            order = Order(
                likely=wanted.likely if hosts else {},
                starts=wanted.starts,
                everything=wanted.wishes.everything,
                first=wanted.wishes.first,
                spacing=wanted.spacing,
                slots=max(8, fitting(_AT_ONCE, limit) // 2),
                limit=wanted.wishes.timeout,
            )
            if not hosts and not stop.is_set():
                tell(Message(_NO_HOST))
            sweep = Sweep(hosts, order, tell)
            beside = [
                crew.start(_ask_resolvers(wanted, sweep, keep), "names"),
                crew.start(_ask_listed(wanted, sweep, keep), "listed"),
            ]
            swept = await sweep.run(stop)
            if not swept.stopped or swept.stopped == "gone":
                over = crew.start(_rung(stop), "end")
                await _all_or(beside, over)
                if stop.is_set():
                    swept.stopped = "interrupted"
    return _finished(wanted, swept, found, answering, loop.time() - began)


def _any_way(wanted: Plan) -> bool:
    """Say whether the system knows a way to whom will be asked. Sends no packet."""
    if not wanted.beacons:
        return has_route() or any(has_route_to(one.host) for one in wanted.public)
    return any(has_route_to(address) for one in wanted.beacons for address in one.addresses)


async def _all_or(tasks: Sequence[asyncio.Task[None]], over: asyncio.Task[None]) -> None:
    """Wait for all of them, or for the end."""
    left = set(tasks)
    while left and not over.done():
        done, _ = await asyncio.wait({*left, over}, return_when=asyncio.FIRST_COMPLETED)
        left -= done


async def _rung(event: asyncio.Event) -> None:
    await event.wait()


def _started(wanted: Plan) -> Started:
    counts = {one: len(wanted.likely.get(one, ())) for one in Protocol}
    if wanted.wishes.everything:
        counts = {one: plan.LAST if one in wanted.likely else 0 for one in Protocol}
    return Started(
        tcp=counts[Protocol.TCP],
        udp=counts[Protocol.UDP],
        beacons=len(wanted.beacons),
        public=len(wanted.public),
        profile=wanted.wishes.profile,
    )


async def _hosts_until(stop: asyncio.Event, wanted: Plan, tell: Tell) -> list[Host]:
    """Return whom to ask. A resolver that is silent must not hold up who wants to stop."""
    hosts: list[Host] = []

    async def find() -> None:
        hosts.extend(await _hosts(wanted, tell))

    async with Crew() as crew:
        await _all_or([crew.start(find(), "hosts")], crew.start(_rung(stop), "end"))
        crew.dismiss()
    return hosts


async def _hosts(wanted: Plan, tell: Tell) -> list[Host]:
    """Return whom to ask, each by one address to which there is a way."""
    hosts = []
    for number, one in enumerate(wanted.beacons, 1):
        address = next((host for host in one.addresses if has_route_to(host)), one.addresses[0])
        hosts.append(Host(name=f"beacon {number}", address=address, key=one.key, offers=one.offers))
    system = SystemResolver()
    for number, public in enumerate(wanted.public, 1):
        address = public.host
        if not is_literal(address):
            try:
                async with asyncio.timeout(8.0):
                    address = (await system(address))[0]
            except (OSError, UnicodeError, TimeoutError, IndexError):
                tell(Message(_NO_ADDRESS, {"host": public.host}))
                continue
            if is_bogon(address):
                tell(Message(_FALSE, {"host": public.host}))
                continue
        most = wanted.ports.public_ports
        hosts.append(Host(name=f"host {number}", address=address, site=public.host, most=most))
    return hosts


async def _ask_resolvers(wanted: Plan, sweep: Sweep, tell: Tell) -> None:
    """Ask them as soon as the likely ports have been asked: those come first."""
    await sweep.likely_asked[Protocol.UDP if Protocol.UDP in wanted.likely else Protocol.TCP].wait()
    pace = sweep.paces[Protocol.UDP].wait
    await extras.resolvers(wanted.resolvers, wanted.names, wanted.ports.large, pace, tell)


async def _ask_listed(wanted: Plan, sweep: Sweep, tell: Tell) -> None:
    await sweep.likely_asked[Protocol.TCP].wait()
    await extras.allow_list(wanted.listed, wanted.anchors, sweep.paces[Protocol.TCP].wait, tell)


def _finished(
    wanted: Plan, swept: Swept, found: Sequence[Recursing], answering: Sequence[Listed], elapsed: float
) -> Finished:
    def number(*states: State) -> int:
        return sum(count for (_, state), count in swept.counts.items() if state in states)

    resume = ",".join(f"{protocol}/{port}" for protocol, port in swept.resume.items())
    return Finished(
        outcome=judge.conclude(_sorted(swept.seen, wanted.ports), found, beacon=bool(wanted.beacons)),
        asked=sum(swept.counts.values()),
        silent=number(State.SILENT),
        refused=number(State.REFUSED),
        unknown=number(State.UNKNOWN, State.FAULT),
        names=sum(one.tunnel != "no" for one in found),
        listed=sum(one.came.value in ("right", "other") for one in answering),
        stopped=swept.stopped,
        resume=resume,
        elapsed=elapsed,
    )


def _sorted(seen: Sequence[Seen], ports: Ports) -> list[Seen]:
    """Return them in the order of the data file, the rest by number."""
    ranks = {
        (protocol, port): rank
        for protocol, likely in ports.likely.items()
        for rank, port in enumerate(likely)
    }
    last = len(ranks)
    return sorted(
        seen,
        key=lambda one: (
            list(Protocol).index(one.protocol),
            ranks.get((one.protocol, one.port), last),
            one.port,
        ),
    )


def status(finished: Finished) -> Exit:
    """Return the exit status. Pure."""
    if finished.stopped == "interrupted":
        return Exit.INTERRUPTED
    if finished.outcome.holes or finished.names:
        return Exit.WORKING
    return Exit.NOTHING if finished.asked > finished.unknown else Exit.NOT_MEASURED


__all__ = ["Plan", "Seen", "Wishes", "carry_out", "consent_text", "prepare", "status"]
