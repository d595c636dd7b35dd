"""Which way out is recommended, which is kept in reserve, and why. Pure: no clock, no disk, no network.

The protection class comes first, then speed. Nothing is promised that was not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from client import ranking
from client.advise import exposure
from client.diagnosis import advice
from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.guide import apps as guides
from client.guide.apps import App
from client.model import LineState, Message, Protection, Status, counted
from client.options import Option
from client.plan import network_of
from transports.types import N_

if TYPE_CHECKING:
    from client.diagnosis.code import Told

_OLD: Final = 3600.0  # seconds: public entries die within hours
_SPARED: Final = 4  # points of `ranking.rank` from which on a kind of cut stops a kind of entry
_NO_CUT: Final = frozenset({Kind.OPEN, Kind.UNCLEAR, Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL, Kind.OUTAGE})
_WEAK_HIDING: Final = frozenset({"tor", "vanilla"})
_PLAIN_HTTP: Final = "http"
_DNS_TUNNEL: Final = "dnstt"

_CERTIFICATE: Final = N_(
    "Do not install a certificate that anybody offers you, not even the state: it would open all that you send."
)
_PUBLIC_ONLY: Final = N_(
    "For reading public pages only. Never log in and never write messages this way: your operator and whoever runs the proxy see where you go."
)
_SEES_ALL: Final = N_(
    "A plain HTTP proxy reads and can change everything on pages without https. Open only addresses that begin with https."
)
_TOR_SEEN: Final = N_(
    "Without a bridge that disguises it, your operator sees that you use Tor. Where that is dangerous, get a bridge first: `sanylau bridges`."
)
_NOT_COVERT: Final = N_(
    "A tunnel over plain DNS is not covert: whoever watches sees that there is one, and whose it is."
)
_NOT_FOR_MESSAGES: Final = N_(
    "Not recommended for messages: your operator and whoever runs the proxy see that you use this program, and when. Only where nothing better works, and only if it cannot wait."
)
_OWNER_SEES: Final = N_(
    "Whoever runs a Telegram proxy sees your address, and that you use Telegram. It may be anybody."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An option and the program to use it in. `by` is LOCAL (over `sanylau connect`), or the kind it is given as."""

    option: Option
    app: App
    system: str
    by: str

    @property
    def advised(self) -> bool:
        """Say whether it can be recommended: a program for messages over an option of class D never is."""
        return _advised(self.app, self.option)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One way, another one in reserve, why, and the risks. `best` None: nothing that fits.

    `others` are further ways to use the same option in another program. `better` is what to do first: another program
    of the same device that does what the one that was asked for is wanted for, with an option that protects.
    """

    best: Way | None = None
    reserve: Way | None = None
    reserve_why: tuple[Message, ...] = ()
    why: tuple[Message, ...] = ()
    risks: tuple[Message, ...] = ()
    others: tuple[Way, ...] = ()
    better: Way | None = None
    better_why: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when: the system that the program runs on, whether that is this machine, what is known of the line."""

    system: str
    near: bool = True
    told: Told | None = None
    line: LineState = LineState.UNKNOWN
    now: float = 0.0


def recommend(
    options: Iterable[Option], apps: Sequence[App], place: Place, *, app: App | None = None
) -> Recommendation:
    """Return what is recommended among `options`, with `app` if one is named, else with what is most needed."""
    ordered = order(options, place)
    ways = [way for option in ordered if (way := _way(option, apps, place, app)) is not None]
    if not ways:
        return Recommendation(risks=risks(None, place))
    best = ways[0]
    reserve = _reserve(best, ways[1:])
    better = _better(best, ordered, apps, place)
    return Recommendation(
        best=best,
        reserve=reserve,
        reserve_why=worth(reserve.option, place) if reserve else (),
        why=why(best, [way.option for way in ways], place),
        risks=risks(best.option, place, app=best.app),
        others=tuple(others(best.option, apps, place, but=best.app)),
        better=better,
        better_why=worth(better.option, place) if better else (),
    )


def _better(best: Way, ordered: Sequence[Option], apps: Sequence[App], place: Place) -> Way | None:
    """Return what serves the same purpose and protects, where the best that the program itself can be given does not."""
    if best.option.protection is not Protection.OPEN:
        return None
    fitting = [app for app in apps if app is not best.app and _serves(app, best.app)]
    for option in ordered:
        seen_as_well = option.status in (Status.WORKING, best.option.status)
        if option.protection is not Protection.OPEN and seen_as_well:
            way = _way(option, fitting, place, None)
            if way is not None:
                return way
    return None


def _serves(app: App, wanted: App) -> bool:
    """Say whether an app does what another one is for: messages of any program take one for the whole device."""
    enough = set(wanted.purposes) <= set(app.purposes)
    return enough and ("vpn" in app.purposes or "message" not in wanted.purposes)


def order(options: Iterable[Option], place: Place) -> list[Option]:
    """Return the options, what is to be recommended first: what was seen to work and protects, then class, then speed.

    An option of class D comes behind what works in part and protects: nobody may log in or write over it.
    """
    return sorted(options, key=lambda option: _key(option, place))


def _key(option: Option, place: Place) -> tuple[int, str, int, float]:
    exposed = option.protection is Protection.OPEN
    group = {Status.WORKING: 0, Status.DEGRADED: 1}.get(option.status, 4) + 2 * exposed
    if option.status is Status.UNTESTED:
        group = 4 + exposed
    points = 0 if option.status is Status.WORKING else _points(option, place.told)
    return group, option.protection.value, points, -(option.kib_per_s or 0.0)


def _points(option: Option, told: Told | None) -> int:
    if told is None:
        return 0
    return ranking.rank(replace(option.candidate, endpoint=option.endpoint), told)


def _way(option: Option, apps: Sequence[App], place: Place, app: App | None) -> Way | None:
    """Return how to use an option: in the app that was asked for, else in the first one that it goes into."""
    wanted = [app] if app is not None else _by_need(option, apps, place)
    for one in wanted:
        if place.system in one.systems and (by := guides.way(one, option, near=place.near)):
            return Way(option=option, app=one, system=place.system, by=by)
    return None


def _by_need(option: Option, apps: Sequence[App], place: Place) -> list[App]:
    """Return the apps of the system, what a person most needs first: a browser, Tor Browser for a bridge."""
    fitting = guides.for_system(apps, place.system)
    return sorted(fitting, key=lambda app: _distance(app, option, place))


def _distance(app: App, option: Option, place: Place) -> tuple[bool, bool, int]:
    """Return a sort key: what may be advised, a browser, what is made for Tor, what needs nothing more here."""
    given = guides.way(app, option, near=place.near)
    made_for = option.protection is Protection.TOR and given == option.kind
    nearest = 0 if made_for else 1 if given == guides.LOCAL else 2
    return not _advised(app, option), "browse" not in app.purposes, nearest


def _advised(app: App, option: Option) -> bool:
    return option.protection is not Protection.OPEN or "message" not in app.purposes


def _reserve(best: Way, rest: Sequence[Way]) -> Way | None:
    """Return the next best of another kind and network, else of another kind or network, else just the next.

    What was tested is not passed over for what was not.
    """
    alike = [way for way in rest if way.option.status is best.option.status] or list(rest)
    for wanted in (2, 1, 0):
        for way in alike:
            if _differs(way.option, best.option) >= wanted:
                return way
    return None


def _differs(one: Option, other: Option) -> int:
    near = network_of(one.endpoint.host) == network_of(other.endpoint.host)
    return (one.kind != other.kind) + (not near)


def others(option: Option, apps: Sequence[App], place: Place, *, but: App | None = None) -> list[Way]:
    """Return every way to use one option on this system that may be advised, without the app `but`."""
    return [
        Way(option=option, app=app, system=place.system, by=by)
        for app in guides.for_system(apps, place.system)
        if app is not but and _advised(app, option) and (by := guides.way(app, option, near=place.near))
    ]


# why


def why(best: Way, options: Sequence[Option], place: Place) -> tuple[Message, ...]:
    """Return why this one: what was seen and when, whom it protects from, and what the diagnosis lets hope."""
    option = best.option
    reasons = [*seen(option, place.now), _exposed(option)]
    reasons += _among(option, options)
    reasons += _diagnosed(option, place.told)
    if best.by == guides.LOCAL:
        reasons.append(
            Message(
                N_(
                    "`sanylau connect` carries the programs of this machine through it, and goes over to another one when it dies."
                )
            )
        )
    return tuple(reasons)


def worth(option: Option, place: Place) -> tuple[Message, ...]:
    """Return in short what was seen of an option, and whom it protects from."""
    return (*seen(option, place.now), _exposed(option))


def seen(option: Option, now: float) -> list[Message]:
    """Return what was seen of an option, how long ago, and what that is worth."""
    if option.status is Status.UNTESTED:
        return [Message(N_("Not tested: nobody knows whether it works."))]
    when = _age(option.seen, now)
    if option.status is Status.DEGRADED:
        told = [Message(N_("It works in part only ({when}): it stalls, or is very slow."), {"when": when})]
        told.append(Message(N_("It carries short text: messages without pictures, plain mail.")))
    elif option.kib_per_s is None:
        told = [Message(N_("It worked when it was tested ({when})."), {"when": when})]
    else:
        values = {"when": when, "speed": _speed(option.kib_per_s)}
        told = [Message(N_("It worked when it was tested ({when}), at {speed}."), values)]
    if option.seen is None or now - option.seen > _OLD:
        told.append(Message(N_("That is no promise for now: test again before you count on it.")))
    return told


def _speed(rate: float) -> Message:
    """Return KiB/s with the unit that the table of a check shows."""
    if rate >= 1024:
        return Message(N_("{rate} MiB/s"), {"rate": f"{rate / 1024:.1f}"})
    return Message(N_("{rate} KiB/s"), {"rate": f"{rate:.0f}"})


def _exposed(option: Option) -> Message:
    return Message(N_("Who sees what: {what}."), {"what": exposure(option.protection)})


def _age(then: float | None, now: float) -> Message:
    if then is None:
        return Message(N_("it is not known when"))
    seconds = max(0.0, now - then)
    if seconds < 60:
        return Message(N_("just now"))
    if seconds < 3600:
        return counted("{n} minute ago or more", "{n} minutes ago or more", int(seconds // 60))
    if seconds < 86400:
        return counted("{n} hour ago or more", "{n} hours ago or more", int(seconds // 3600))
    return counted("{n} day ago or more", "{n} days ago or more", int(seconds // 86400))


def _among(option: Option, options: Sequence[Option]) -> list[Message]:
    """Return how it stands among the others that were tested."""
    tested = [one for one in options if one.status is option.status and one.status is Status.WORKING]
    if len(tested) < 2:
        return []
    if any(one.protection is not option.protection for one in tested):
        return [Message(N_("Among those that work it protects best; speed comes second."))]
    return [Message(N_("Those that work protect alike; this one was the fastest."))]


def _diagnosed(option: Option, told: Told | None) -> list[Message]:
    if told is None or told.certainty is Certainty.CANNOT_TELL or told.kinds[0] in _NO_CUT:
        return []
    spared = _points(option, told) < _SPARED
    certain = told.certainty is Certainty.CERTAIN
    values = {"cut": advice.plain(told.kinds[0])}
    if spared:
        text = (
            N_("The diagnosis is certain: {cut} This kind tends to get through.")
            if certain
            else N_("The diagnosis is likely, not certain: {cut} This kind tends to get through.")
        )
    else:
        text = (
            N_("The diagnosis is certain: {cut} This kind is often stopped: keep another one ready.")
            if certain
            else N_(
                "The diagnosis is likely, not certain: {cut} This kind is often stopped: keep another one ready."
            )
        )
    return [Message(text, values)]


def survives(told: Told | None) -> tuple[Message, ...]:
    """Return what tends to survive the cut that a diagnosis found, most useful first."""
    if told is None:
        return ()
    findings = tuple(Finding(kind=kind, certainty=told.certainty) for kind in told.kinds)
    return advice.survives(Diagnosis(findings=findings, tcp=told.tcp, udp=told.udp, passes=told.passes))


def risks(option: Option | None, place: Place, *, app: App | None = None) -> tuple[Message, ...]:
    """Return the dangers of an option in `app` and of the line; they are always shown."""
    found = []
    if option is not None:
        kind = option.kind
        writes = app is not None and app.purposes == ("message",)
        checks = (
            (option.protection is Protection.OPEN, _NOT_FOR_MESSAGES if writes else _PUBLIC_ONLY),
            (kind == _PLAIN_HTTP, _SEES_ALL),
            (kind in _WEAK_HIDING, _TOR_SEEN),
            (kind == _DNS_TUNNEL, _NOT_COVERT),
            (kind == "telegram", _OWNER_SEES),
        )
        found = [text for holds, text in checks if holds]
    read = place.told is not None and Kind.TLS_INTERCEPTION in place.told.kinds
    if read or place.line is LineState.TAMPERED:
        found.append(_CERTIFICATE)
    return tuple(map(Message, found))
