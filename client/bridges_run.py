"""One request for bridges from its wishes to its lines: what the command line and other faces share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from client import bridges, contacts, moat_picture, moat_talk, moat_ways, parse, roots, sources
from client.bridges import Builtin, Line, fitting, moat_name
from client.exits import Exit
from client.moat import Group, Refused
from client.moat_ways import Asker, NoWay, Way
from client.model import Candidate, Message, counted
from client.platform import memory_folder
from client.targets import Target
from transports.net import Limits
from transports.stream import is_literal
from transports.types import N_, CannotMeasure, Endpoint, Rejected

Tell = Callable[[Message], None]
_CONNECT: Final = 10.0  # seconds that an engine may take for one connection
_STAND_IN: Final = N_("No list came from the bridge server, so the built-in lines stand in.")
_FRESH: Final = N_("From {host}, {way}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for, as given."""

    country: str = ""
    transport: str = ""
    port: int = 0
    direct: bool = False
    front: bool = False
    through: str = ""
    ask: str = "settings"
    captcha: str = ""
    moat: str = ""
    fronts: str = ""
    ca: str = ""
    timeout: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be done. `programs` are those to choose from for meek; None: what is found.

    With `disk` programs may write to the disk where there is no folder in memory.
    """

    wishes: Wishes
    builtin: Builtin
    server: Target
    country: str = ""
    candidates: tuple[Candidate, ...] = ()
    fronts: tuple[Endpoint, ...] = ()
    extra: str = ""
    programs: tuple[Path, ...] | None = None
    disk: bool = False

    @property
    def sends(self) -> bool:
        """Whether anything leaves this machine."""
        return self.wishes.direct or self.wishes.front or bool(self.wishes.through)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. `words` are other answers than bridge lines, `countries` the same for scripts."""

    status: Exit
    lines: tuple[Line, ...] = ()
    source: str = "builtin"
    date: str = ""
    words: tuple[str, ...] = ()
    countries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def prepare(wishes: Wishes) -> Plan:
    """Return what the wishes mean. Raises Rejected."""
    ways = [wishes.direct, wishes.front, bool(wishes.through)]
    if sum(ways) > 1:
        raise Rejected(N_("choose one way: --direct, --front or --through LIST"))
    needing = (wishes.captcha, wishes.moat, wishes.ask != "settings")
    if not any(ways) and any(needing):
        raise Rejected(N_("name a way to the server: --direct, --front or --through LIST"))
    if wishes.fronts and not wishes.front:
        raise Rejected(N_("--fronts goes with --front"))
    if wishes.captcha and os.path.lexists(wishes.captcha):
        raise Rejected(N_("--captcha: this file is there already: name a new one"))
    builtin = bridges.builtin()
    return Plan(
        wishes=wishes,
        builtin=builtin,
        server=moat_ways.server_of(wishes.moat or builtin.moat),
        country=bridges.country_code(wishes.country) if wishes.country else "",
        candidates=_candidates(wishes.through),
        fronts=moat_ways.fronts(_front_lines(wishes.fronts) or builtin.fronts),
        extra=roots.read_extra(wishes.ca) if wishes.ca else "",
    )


def _candidates(name: str) -> tuple[Candidate, ...]:
    if not name:
        return ()
    usable = moat_ways.usable(parse.read([sources.load(name)]).candidates)
    if not usable:
        raise Rejected(N_("--through: there is no entry in this list that can carry a request"))
    return tuple(usable)


def _front_lines(name: str) -> list[str]:
    lines = sources.load(name)[1].splitlines() if name else []
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def how(plan: Plan) -> list[Message]:
    """Return how to ask without a program."""
    return bridges.how(plan.builtin.ways, plan.wishes.transport, plan.country, plan.wishes.port)


def consent_text(plan: Plan) -> list[Message]:
    """Return what the person agrees to: who is contacted, who can see that, and what is left behind."""
    values: dict[str, object] = {"host": plan.server.host}
    told = [Message(N_("Before the first packet leaves this machine:"))]
    if plan.wishes.direct:
        told.append(
            Message(
                N_(
                    "• {host} will be asked directly. Your resolver and your operator can see this name; it tells them that you look for bridges."
                ),
                values,
            )
        )
    elif plan.wishes.front:
        values["fronts"] = ", ".join(contacts.servers(plan.fronts))
        told.append(
            Message(
                N_(
                    "• {fronts} will be contacted, one after the other. Your resolver and your operator can see these names. {host} is asked inside, encrypted."
                ),
                values,
            )
        )
        told.append(Message(_program_traces()))
    else:
        told += _through_text(plan.candidates, values)
    told.append(Message(N_("• {host} learns the country and the kinds of bridges that you ask for."), values))
    if plan.wishes.captcha:
        told.append(
            Message(
                N_("• A picture is written to the file that you named, and erased when you have answered.")
            )
        )
    return told


def _program_traces() -> str:
    if memory_folder() is not None:
        return N_("• A program that speaks meek is started (obfs4proxy or lyrebird). It leaves no file.")
    return N_(
        "• A program that speaks meek is started (obfs4proxy or lyrebird). This system has no folder in memory: its state goes to the disk and is erased afterwards."
    )


def _through_text(candidates: Sequence[Candidate], values: dict[str, object]) -> list[Message]:
    told = [
        counted(
            "• {n} entry of your list will be contacted, to ask {host} through it. Your operator can see the entry, not that name.",
            "• Up to {n} entries of your list will be contacted, one after the other, until one leads to {host}. Your operator can see the entries, not that name.",
            len(candidates),
            **values,
        )
    ]
    if not all(is_literal(one.endpoint.host) for one in candidates):
        told.append(
            Message(N_("• Your resolver will be asked for the addresses of entries that have names."))
        )
    return told


async def carry_out(plan: Plan, tell: Tell) -> Outcome:
    """Get the lines; `tell` gets the sentences on the way. A server that gives none is no error: see `status`."""
    if not plan.sends:
        if plan.country:
            tell(_of_country(plan))
        return _chosen(plan, _own(plan, tell), "builtin", Exit.WORKING, tell)
    status = Exit.NOTHING
    try:
        async with _ways(plan) as ways:
            return await _asked(plan, ways, tell)
    except Refused as refused:
        tell(Message(refused.reason, refused.values))
    except NoWay as none:
        status = Exit.NOTHING if none.measured else Exit.NOT_MEASURED
    except CannotMeasure as cannot:
        tell(Message(cannot.reason, cannot.values))
        status = Exit.NOT_MEASURED
    if plan.wishes.ask in ("countries", "map"):
        return Outcome(status=status, source="none")
    tell(Message(_STAND_IN))
    return _chosen(plan, _own(plan, tell), "builtin", status, tell)


def _of_country(plan: Plan) -> Message:
    """Say what a country's name changes as long as nobody is asked."""
    text = (
        N_("Built-in lines for {country} come first. Newer ones: --direct, --front or --through LIST.")
        if plan.country in plan.builtin.by_country
        else N_(
            "There are no built-in lines for {country}, so these are for anywhere. Lines for a country: --direct, --front or --through LIST."
        )
    )
    return Message(text, {"country": plan.country.upper()})


def _own(plan: Plan, tell: Tell) -> tuple[Line, ...]:
    tell(bridges.public(plan.builtin.date.isoformat()))
    return plan.builtin.lines(plan.country)


def _chosen(plan: Plan, lines: Sequence[Line], source: str, status: Exit, tell: Tell) -> Outcome:
    """Return the lines that fit the wishes; where none does, tell how to ask for one."""
    wishes = plan.wishes
    fits = fitting(lines, wishes.transport, wishes.port)
    date = plan.builtin.date.isoformat() if source == "builtin" else ""
    if fits:
        return Outcome(status=status, lines=fits, source=source, date=date)
    tell(
        Message(N_("No line is on port {port} and of the wanted kind."), {"port": wishes.port})
        if wishes.port
        else Message(N_("No line is of the wanted kind."))
    )
    for line in bridges.desk(plan.builtin.ways, plan.country, wishes.port):
        tell(line)
    return Outcome(status=max(status, Exit.NOTHING), source=source, date=date)


def _ways(plan: Plan) -> AbstractAsyncContextManager[tuple[Way, ...]]:
    if plan.wishes.direct:
        return moat_ways.directly()
    if plan.wishes.front:
        return moat_ways.fronted(plan.fronts, plan.programs, disk=plan.disk)
    from client.engines import engine_opener

    return moat_ways.through_candidates(plan.candidates, engine_opener(plan.extra, _CONNECT, disk=plan.disk))


async def _asked(plan: Plan, ways: tuple[Way, ...], tell: Tell) -> Outcome:
    wishes, builtin = plan.wishes, plan.builtin
    asker = Asker(plan.server, ways, roots.loader(plan.extra), tell, _limits(wishes.timeout))
    if wishes.ask == "countries" and not wishes.captcha:
        codes = await moat_talk.countries(asker)
        return Outcome(status=Exit.WORKING, source="moat", words=codes, countries=dict.fromkeys(codes, ()))
    if wishes.ask == "map" and not wishes.captcha:
        return _mapped(await moat_talk.country_map(asker))
    kinds = (
        [moat_name(wishes.transport)]
        if wishes.transport
        else [moat_name(name) for name in bridges.TRANSPORTS]
    )
    if wishes.captcha:
        with moat_picture.showing(Path(wishes.captcha)) as read:
            lines = await moat_talk.captcha(asker, builtin, wishes.transport or "obfs4", read, tell)
    elif wishes.ask == "builtin":
        lines = await moat_talk.newer_builtin(asker, builtin, tell)
    elif wishes.ask == "defaults":
        lines = await moat_talk.defaults(asker, builtin, kinds, tell)
    else:
        lines = await moat_talk.settings(asker, builtin, kinds, plan.country, tell)
    tell(Message(_FRESH, {"host": plan.server.host, "way": asker.way.label}))
    return _chosen(plan, lines, "moat", Exit.WORKING, tell)


def _mapped(found: Mapping[str, tuple[Group, ...]]) -> Outcome:
    told = {code: tuple(f"{one.type} {one.source}" for one in groups) for code, groups in found.items()}
    words = tuple(f"{code}: {', '.join(kinds)}" for code, kinds in told.items())
    return Outcome(status=Exit.WORKING, source="moat", words=words, countries=told)


def _limits(seconds: float) -> Limits | None:
    if not seconds:
        return None
    return Limits(connect=seconds, handshake=seconds, exchange=seconds, total=seconds)
