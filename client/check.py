"""One check from its wishes to its exit status: what the command line and the TUI share."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client import consent, parse, plan, roots, settings, sources, targets
from client.engine import Run, Stop, running
from client.engines import engine_opener
from client.events import Event, Finished
from client.exits import Exit, of_run
from client.model import Candidate, Reading
from client.platform import fitting, memory_folder, on_interrupt, raise_descriptor_limit
from client.render import Renderer
from client.vault import opened
from transports.registry import REGISTRY
from transports.tor_bridge import TRANSPORTS
from transports.types import N_, Endpoint, Rejected

if TYPE_CHECKING:
    from client.diagnosis.kinds import Diagnosis

_LARGEST_TORRC: Final = 64 * 1024
# What describes a private network (tor(1)). It writes nothing, runs nothing and listens nowhere.
_OF_A_NETWORK: Final = re.compile(
    r"testing\w+|dirauthority|alternate(dir|bridge)authority|fallbackdir|usedefaultfallbackdirs"
    r"|v3auth(votinginterval|votedelay|distdelay|nintervalsvalid)|assumereachable(ipv6)?"
    r"|pathsneededtobuildcircuits|enforcedistinctsubnets|clientuseipv[46]|clientpreferipv6(or|dir)port",
    re.ASCII | re.IGNORECASE,
)
_OPTION: Final = re.compile(r"[%+/]{0,2}[A-Za-z_]\w{0,36}", re.ASCII)
_NOT_ALLOWED: Final = N_(
    "--torrc, line {line}: {option} is not allowed. Only what describes a private network is: TestingTorNetwork, Testing…, DirAuthority, Alternate…Authority, FallbackDir, V3Auth…, AssumeReachable, PathsNeededToBuildCircuits, EnforceDistinctSubnets, ClientUseIPv4, ClientUseIPv6"
)
_NOT_PLAIN: Final = N_(
    "--torrc, line {line}: only plain ASCII letters may stand there, and no backslash: one option a line"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for, as given. `lists` are file names or "-"; none means the built-in list."""

    lists: tuple[str, ...] = ()
    target: str | None = None
    bulk_target: str | None = None
    plain_target: str | None = None
    target_ca: str | None = None
    only: tuple[str, ...] = ()
    profile: str = "quiet"
    concurrency: int | None = None
    connect_timeout: float | None = None
    timeout: float | None = None
    first: int = 0
    budget_mib: float | None = None
    trusted: bool = False
    torrc: str | None = None
    disk: bool = False
    diagnosis: str | None = None


class BadList(Exception):  # noqa: N818 - carries a Rejected to the face, with the source's name
    """A list that cannot be taken in."""

    def __init__(self, source: str, rejected: Rejected) -> None:
        super().__init__(rejected.reason)
        self.source = source
        self.rejected = rejected


def take_in(names: Sequence[str]) -> Reading:
    """Read every list, or the built-in one if none is named. Raises BadList for the first that cannot be read.

    Raises Rejected where a vault is wanted that cannot be opened.
    """
    if opened.wanted() or any(map(opened.is_named, names)):
        opened.opened()  # first: the passphrase may be the first line of what else is read
    if not names:
        return sources.builtin()
    texts = []
    for name in names:
        try:
            texts.append(sources.load(name))
        except Rejected as rejected:
            raise BadList(name, rejected) from None
    return parse.read(texts)


def prepare(wishes: Wishes, reading: Reading) -> Run:
    """Return the run that the wishes describe. Raises Rejected."""
    unknown = sorted(set(wishes.only) - REGISTRY.keys() - TRANSPORTS - {"vanilla"})
    if unknown:
        known = ", ".join(name for name, entry in REGISTRY.items() if entry.parse)
        raise Rejected(
            N_("--only: {name} is no kind of entry; known are: {known}"), name=unknown[0], known=known
        )
    extra = roots.read_extra(wishes.target_ca) if wishes.target_ca else ""
    profile = settings.tuned(
        settings.PROFILES[wishes.profile],
        concurrency=wishes.concurrency,
        connect=wishes.connect_timeout,
        total=wishes.timeout,
    )
    limit = raise_descriptor_limit()
    profile = settings.tuned(
        profile, concurrency=fitting(profile.concurrency, limit), connect=None, total=None
    )
    run = Run(
        reading=reading,
        targets=targets.chosen(wishes.target, wishes.bulk_target, wishes.plain_target),
        profile=profile,
        roots=roots.loader(extra),
        engines=engine_opener(extra, profile.short.connect, read_torrc(wishes.torrc), disk=wishes.disk),
        first=wishes.first,
        budget_kib=round(wishes.budget_mib * 1024) if wishes.budget_mib else 0,
        trusted=wishes.trusted,
        only=frozenset(wishes.only),
        disk=wishes.disk,
        rank=_ranking(wishes.diagnosis) if wishes.diagnosis is not None else None,
    )
    return opened.remembering(run)


def at_pace(profile: settings.Profile, name: str) -> settings.Profile:
    """Return the profile `name` for a run that goes on, with what the person has set for it beforehand."""
    limit = raise_descriptor_limit()
    return settings.at_pace(profile, name, lambda concurrency: fitting(concurrency, limit))


def _ranking(text: str) -> Callable[[Candidate], int]:
    """Return the order that the result code of a diagnosis suggests. Raises Rejected."""
    from client.diagnosis import code  # only for those who give one
    from client.ranking import rank

    return functools.partial(rank, told=code.decode(text))


def ranking_by(found: Diagnosis) -> Callable[[Candidate], int]:
    """Return the order that a diagnosis suggests."""
    from client.diagnosis import code

    return _ranking(code.of(found))


def read_torrc(path: str | None) -> str:
    """Return the options of `--torrc`; others than those of a private network are not for us. Raises Rejected."""
    if path is None:
        return ""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LARGEST_TORRC).decode("utf-8-sig", "replace")
    except OSError as error:
        raise Rejected(N_("--torrc: cannot be read ({why})"), why=error.strerror or "?") from None
    lines = enumerate(map(str.strip, text.split("\n")), 1)
    return "\n".join(_of_a_network(line, number) for number, line in lines if line and line[0] != "#")


def _of_a_network(line: str, number: int) -> str:
    """Return a line with an option that is allowed, as tor reads it: case does not count. Raises Rejected."""
    name = re.split(r"[\s#]", line, maxsplit=1)[0]
    if not _OF_A_NETWORK.fullmatch(name):
        shown = name if _OPTION.fullmatch(name) else "?"  # it may be a bridge, in the wrong file
        raise Rejected(_NOT_ALLOWED, line=number, option=shown)
    plain = line.replace("\t", " ")
    if not (plain.isascii() and plain.isprintable()) or "\\" in plain:
        raise Rejected(_NOT_PLAIN, line=number)
    return plain


def to_be_tested(run: Run) -> list[Candidate]:
    """Return the candidates that will really be contacted."""
    return [
        candidate
        for candidate in run.reading.candidates
        if plan.is_testable(candidate) and plan.is_wanted(candidate, run.only)
    ]


def for_tor(run: Run) -> list[Endpoint]:
    """Return the endpoints that tor will be started for."""
    wanted = (candidate.endpoint for candidate in to_be_tested(run))
    return [endpoint for endpoint in wanted if REGISTRY[endpoint.transport].engine == "tor"]


def must_ask_for_disk(run: Run) -> bool:
    """Say whether tor has no folder to work in but one on the disk, and the person has not allowed that yet."""
    return not run.disk and memory_folder() is None and bool(for_tor(run))


def contacted(run: Run, wishes: Wishes) -> tuple[str, ...]:
    """Return all that is contacted, and how: what a remembered consent is for. Raises Rejected."""
    entries = (candidate.endpoint.reveal() for candidate in to_be_tested(run))
    return (*entries, repr(astuple(run.targets)), repr(astuple(run.profile)), read_torrc(wishes.torrc))


def consent_text(run: Run) -> list[str]:
    """Return the lines of the question before the first packet."""
    wanted, tor = to_be_tested(run), for_tor(run)
    return consent.text(
        candidates=len(wanted),
        named=sum(
            1 for candidate in wanted if any(map(str.isalpha, candidate.endpoint.host.rpartition(".")[2]))
        ),
        targets=run.targets,
        profile=run.profile,
        budget=plan.budget(wanted, run.targets, run.profile),
        engine=any(REGISTRY[candidate.endpoint.transport].engine == "sing-box" for candidate in wanted),
        tor=tor,
        disk=run.disk if tor and memory_folder() is None else None,
        builtin=run.reading.builtin,
        vault=opened.current() is not None,
        near=all(map(_is_here, {*run.targets.hosts(), *(one.endpoint.host for one in wanted)})),
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def carry_out(run: Run, renderer: Renderer) -> Exit:
    """Run the check to its end, or to Ctrl-C, and return the exit status."""
    stop = Stop()
    last: Event | None = None
    with on_interrupt(lambda: stop.ring("interrupted")):
        try:
            async with running(run, stop) as events:
                async for event in events:
                    renderer.show(event)
                    last = event
        finally:
            renderer.close()
    if not isinstance(last, Finished):
        return Exit.INTERRUPTED
    return of_run(last.counts, last.stopped, last.line_state)
