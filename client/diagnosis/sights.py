"""What was seen on the line: one sight for each question asked. Data; nothing here acts or concludes.

Two sights with the same `who` were asked of the same server, so that a pair which differs in one thing only (name,
port, way, shape of the bytes) can be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client.model import Failure


class Test(StrEnum):
    """What was asked. The values are the names that OONI's data and the field use, where there are any."""

    __test__ = False  # not a test class of pytest's
    ROUTE = "route"  # has the system any way out, a gateway, an address, a resolver
    RESOLVE = "resolve"  # a name; `way` says how
    CONNECT = "connect"  # a TCP connection to `port`
    TLS = "tls_handshake"  # a handshake with `name` as SNI, checked against the bundled roots
    PAGE = "http_round_trip"  # a plain HTTP page of known content, redirects not followed
    DOWNLOAD = "download"  # 64 KiB and more, over TLS
    UPLOAD = "upload"
    BYTES = "first_bytes"  # a first packet of a certain shape (`way`), to see whether anything comes back
    QUIC = "quic_version"  # the version probe over UDP; the answer proves UDP and the shape of QUIC
    UDP = "udp"  # a datagram to a beacon or to another service that answers
    PARALLEL = "parallel_tls"  # handshakes at once, one beside
    TOR_LINK = "tor_link"  # the link handshake with a public relay, by its fingerprint
    PT = "pt_handshake"  # obfs4 with a built-in bridge


class Place(StrEnum):
    """Where the other side is."""

    HERE = "here"  # this machine, its gateway
    HOME = "home"  # inside the country, the provider's own resolver included
    ABROAD = "abroad"
    LISTED = "listed"  # abroad, but known from allow-lists elsewhere
    NOBODY = "nobody"  # an address abroad where no such service runs: any answer is made on the way


class Name(StrEnum):
    """What the name in the question is like."""

    NONE = ""  # no name in it
    HARMLESS = "harmless"
    FORBIDDEN = "forbidden"  # asked only after its own consent
    RANDOM = "random"  # cannot exist


class Came(StrEnum):
    """What came back. Answer, refusal and silence are three different results."""

    RIGHT = "right"  # what was asked for, authentic where that can be checked
    OTHER = "other"  # something else that shows that the question arrived (a TLS alert to noise, HTTP 400)
    FALSE = "false"  # something that cannot be true: a forged certificate, a bogon, another page
    REFUSED = "refused"  # a RST to the SYN, ICMP unreachable, DNS REFUSED
    RESET = "reset"  # cut with RST after a message of ours (`after`)
    CLOSED = "closed"  # ended in order, without an answer
    STOPPED = "stopped"  # it began, and then nothing more came (`received`, `packets`)
    SILENCE = "silence"  # nothing until the deadline
    NO_ROUTE = "no_route"  # the system would not even send it
    FAULT = "fault"  # our own side could not ask (no such library, no IPv6); says nothing about the line


class Forgery(StrEnum):
    """Why an answer cannot be true (the strongest first)."""

    NOBODY = "nobody"  # an answer from an address where no resolver runs
    TWICE = "twice"  # two different answers to one query
    BOGON = "bogon"  # a private, loopback or reserved address for a public name
    RANDOM_NAME = "random_name"  # an address for a name that cannot exist
    SAME_FOR_ALL = "same_for_all"  # one address for names that have nothing in common
    NO_NAME = "no_name"  # "no such name" for one that exists
    CERTIFICATE = "certificate"  # the host at the answered address has no certificate for the name


class Issuer(StrEnum):
    """Who stands behind a certificate that was shown."""

    PUBLIC = "public"  # the bundled roots accept it
    NATIONAL = "national"  # its chain holds a known interception root, by fingerprint
    PRODUCT = "product"  # an antivirus or company proxy, by its name, and the system's store accepts it
    STORE = "store"  # the bundled roots reject it, the system's store accepts it
    UNKNOWN = "unknown"  # nobody vouches for it
    WRONG_NAME = "wrong_name"  # vouched for, but for another name


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Certificate:
    """A certificate that was shown. `names` are its subject names, `by` the issuer's common name: hostile text."""

    issuer: Issuer
    fingerprint: str = ""  # SHA-256 of the chain's listed certificate, else of the leaf; hex
    by: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sight:
    """One question and what came of it. Times are seconds, `started` counted from the begin of the diagnosis.

    `who` names the server asked by its place in the anchors ("abroad-2"); never an address. `way`: for RESOLVE
    "system", "udp", "tcp", "doh" or "dot"; for BYTES "random", "zeros", "http" or "tls". `after` is the message of
    ours that was answered so ("syn", "client_hello", "request", "query", "bytes"). `received` and `packets` count
    what came until it stopped. `addresses` are the answer of RESOLVE; they are masked in every output.
    """

    test: Test
    place: Place
    who: str
    came: Came
    port: int = 0
    way: str = ""
    name: Name = Name.NONE
    after: str = ""
    failure: Failure | None = None
    detail: str = ""  # DNS rcode, HTTP status, gateway state: short and ours
    started: float = 0.0
    elapsed: float = 0.0
    received: int = 0
    sent: int = 0
    packets: int = 0
    kib_per_s: float | None = None
    forgery: Forgery | None = None
    certificate: Certificate | None = None
    addresses: tuple[str, ...] = ()
    round: int = 1  # how often this very question had been asked, this time included

    @property
    def crossed(self) -> bool:
        """Whether anything true came back: then packets of this kind get there and back."""
        return self.came in (Came.RIGHT, Came.OTHER)

    @property
    def answered(self) -> bool:
        """Whether anything came back at all, a refusal too."""
        return self.came in (
            Came.RIGHT,
            Came.OTHER,
            Came.FALSE,
            Came.REFUSED,
            Came.RESET,
            Came.CLOSED,
            Came.STOPPED,
        )

    def __repr__(self) -> str:
        """Keep addresses out of logs and tracebacks."""
        return f"Sight({self.test}, {self.place}, {self.who}, {self.came}, port={self.port}, {self.way} {self.name})"
