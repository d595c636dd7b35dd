"""The ways out by name, what the entries of each have come to, and what the kinds of cuts do to them. Pure data.

What a kind spares or hits is as docs/diagnosis.md tells it; client.ranking orders the entries by the same facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from client.diagnosis.kinds import Kind
from client.model import N_, Message, Status, Verdict
from client.render import words
from client.render.words import Look


class Name(StrEnum):
    """A way out, in the order in which the panel shows them."""

    DIRECT = "direct"
    DNS = "dns"
    WEB_PROXY = "web_proxy"
    SOCKS = "socks"
    SEALED = "sealed"  # Shadowsocks and kin: what sing-box opens
    OBFS4 = "obfs4"
    SNOWFLAKE = "snowflake"
    WEBTUNNEL = "webtunnel"
    MEEK = "meek"
    TOR = "tor"


class State(StrEnum):
    """How a way is. FAILED: it was tried, nothing came, and nothing shows why."""

    OPEN = "open"
    PARTLY = "partly"
    SHUT = "shut"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Way:
    """One row. `bars` are 0 to 4, as of a radio signal."""

    name: Name
    state: State
    why: Message
    bars: int = 0


class Count:
    """What the entries of one way have come to. `best` is the best speed in KiB/s; `why` one reason for "untested"."""

    def __init__(self) -> None:
        self.by: Counter[Status] = Counter()
        self.best = 0.0
        self.why: Message | None = None

    @property
    def tested(self) -> int:
        """Return how many were really tried."""
        return self.by.total() - self.by[Status.UNTESTED]

    def add(self, verdict: Verdict) -> None:
        """Take in one verdict."""
        self.by[verdict.status] += 1
        if verdict.status is Status.WORKING:
            self.best = max(self.best, verdict.kib_per_s or 0.0)
        elif verdict.status is Status.UNTESTED and self.why is None:
            self.why = verdict.reason


@dataclass(frozen=True, slots=True)
class Hit:
    """What a kind of cut does to ways out, and how that was seen."""

    ways: frozenset[Name]
    why: str


class Tally:
    """Counts verdicts by way; adding one costs the same however many there are."""

    def __init__(self, verdicts: Iterable[Verdict] = ()) -> None:
        self._counts = {name: Count() for name in Name}
        for verdict in verdicts:
            self.add(verdict)

    def add(self, verdict: Verdict) -> None:
        """Take in one verdict. Kinds that no row stands for are left out."""
        for name in _WAYS.get(verdict.kind, ()):
            self._counts[name].add(verdict)

    def __getitem__(self, name: Name) -> Count:
        """Return what the entries of a way have come to."""
        return self._counts[name]


_PROXIES: Final = (Name.WEB_PROXY, Name.SOCKS)
_WAYS: Final[Mapping[str, tuple[Name, ...]]] = {  # by Verdict.kind
    "auto": _PROXIES,  # a bare host:port that answered as neither was tried as both
    **dict.fromkeys(("http", "https"), (Name.WEB_PROXY,)),
    **dict.fromkeys(("socks4", "socks4a", "socks5"), (Name.SOCKS,)),
    **dict.fromkeys(
        (
            "anytls",
            "hysteria2",
            "shadowsocks",
            "singbox",
            "trojan",
            "tuic",
            "vless",
            "vmess",
            "wireguard",
        ),
        (Name.SEALED,),
    ),
    **dict.fromkeys(("obfs4", "obfs3", "obfs2", "scramblesuit"), (Name.OBFS4,)),
    "snowflake": (Name.SNOWFLAKE,),
    "webtunnel": (Name.WEBTUNNEL,),
    **dict.fromkeys(("meek", "meek_lite"), (Name.MEEK,)),
    **dict.fromkeys(("vanilla", "tor"), (Name.TOR,)),
}
_NOISE: Final = frozenset({Name.OBFS4})
_LIKE_WEB: Final = frozenset({Name.WEBTUNNEL, Name.MEEK, Name.WEB_PROXY})
_NAMELESS: Final = frozenset({Name.OBFS4, Name.WEBTUNNEL, Name.SEALED})
_OF_PORTS: Final = frozenset({*_PROXIES, Name.SEALED, Name.OBFS4, Name.TOR})

HITS: Final[Mapping[Kind, Hit]] = {
    Kind.PROTOCOL_ALLOW_LIST: Hit(_NOISE | {Name.SOCKS}, N_("Only web traffic was answered.")),
    Kind.RANDOM_TRAFFIC_BLOCK: Hit(_NOISE, N_("What looks like noise got no answer.")),
    Kind.UDP_BLOCK: Hit(frozenset({Name.SNOWFLAKE}), N_("It needs UDP, which got no answer.")),
    Kind.TOR_BLOCK: Hit(frozenset({Name.TOR}), N_("Public relays do not answer, others do.")),
}
SPARES: Final[Mapping[Kind, frozenset[Name]]] = {
    Kind.DNS_TAMPERING: frozenset({Name.OBFS4, Name.TOR}),
    Kind.HTTP_BLOCK_PAGE: frozenset(
        {Name.SEALED, Name.OBFS4, Name.SNOWFLAKE, Name.WEBTUNNEL, Name.MEEK, Name.TOR}
    ),
    Kind.SNI_RESET: _NAMELESS,
    Kind.SNI_DROP: _NAMELESS,
    Kind.NAME_THROTTLE: _NAMELESS,
    Kind.IP_BLOCK: frozenset({Name.SNOWFLAKE}),
    Kind.TLS_INTERCEPTION: frozenset({Name.TOR, Name.OBFS4, Name.WEBTUNNEL}),
    Kind.PROTOCOL_ALLOW_LIST: _LIKE_WEB,
    Kind.RANDOM_TRAFFIC_BLOCK: _LIKE_WEB,
    Kind.UDP_BLOCK: frozenset({*_PROXIES, Name.OBFS4, Name.WEBTUNNEL}),
    Kind.TOR_BLOCK: frozenset({Name.OBFS4, Name.WEBTUNNEL, Name.SNOWFLAKE, Name.SEALED}),
}


UNASKED: Final = N_("It was not asked yet.")
UNTRIED: Final = N_("Nothing of this kind was tested yet.")
SPARED: Final = N_("Tends to survive this kind of cut.")
WITH_TLS: Final = N_("Those with TLS are likelier to pass.")

TITLES: Final[Mapping[Name, str]] = {
    Name.DIRECT: N_("without a proxy"),
    Name.DNS: "DNS",
    Name.WEB_PROXY: N_("web proxy"),
    Name.SOCKS: N_("SOCKS proxy"),
    Name.SEALED: N_("Shadowsocks, kin"),
    Name.OBFS4: "obfs4",
    Name.SNOWFLAKE: "Snowflake",
    Name.WEBTUNNEL: "WebTunnel",
    Name.MEEK: "meek",
    Name.TOR: N_("plain Tor"),
}
LOOKS: Final[Mapping[State, Look]] = {
    State.OPEN: Look("✔", "+", N_("open"), words.LOOKS[Status.WORKING].style),
    State.PARTLY: Look("◐", "~", N_("partly"), words.LOOKS[Status.DEGRADED].style),
    State.SHUT: Look("⊘", "#", N_("shut"), words.LOOKS[Status.BLOCKED].style),
    State.FAILED: words.LOOKS[Status.FAILED],
    State.UNKNOWN: Look("?", "?", N_("not tried"), words.LOOKS[Status.UNTESTED].style),
}


def of_port(name: Name) -> bool:
    """Say whether entries of this way listen on ports of their own choice."""
    return name in _OF_PORTS
