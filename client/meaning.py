"""What a failure means in plain words, and what can be done about it. Pure: tables only.

Answer, refusal and silence are three different things, and only the first two say anything about the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from client.model import Failure, Message, Status, Step, Verdict
from transports.types import N_

_NO_ROUTE: Final = N_("No route: a router on the way, or this machine, says that nothing leads there.")
_NO_NAME: Final = N_("Its name could not be turned into an address: nothing was sent to the entry itself.")
_FORGED: Final = N_(
    "A certificate came that is not the real site's: whoever shows it can read what you send."
)
_SAYS_NO: Final = N_("The proxy answers, and says itself that it cannot or will not go on to the site.")
_OTHER_PAGE: Final = N_("Something answered, but it is not the page that was asked for.")
_HUNG_UP: Final = N_("Hung up: the connection was closed before the answer had come.")
_MEANS: Final[Mapping[Failure, str]] = {
    Failure.CONNECTION_REFUSED: N_(
        "Refused: your packets arrive and an answer comes back, but nothing takes connections on that port."
    ),
    Failure.CONNECTION_RESET: N_(
        "Torn down: the server, or a filter on the way, ended the connection by force."
    ),
    Failure.CONNECTION_ABORTED: _HUNG_UP,
    Failure.TIMEOUT: N_(
        "Silence: no answer in time. Switched off, overloaded, or cut on the way: from here these look the same."
    ),
    Failure.EOF: _HUNG_UP,
    Failure.HOST_UNREACHABLE: _NO_ROUTE,
    Failure.NETWORK_UNREACHABLE: _NO_ROUTE,
    Failure.NETWORK_DOWN: N_("The network of this machine is down."),
    Failure.ADDRESS_FAMILY: N_("This machine has no address of the kind that this entry needs."),
    Failure.ADDRESS_NOT_AVAILABLE: N_("This machine has no address of the kind that this entry needs."),
    Failure.PERMISSION_DENIED: N_("This system forbids the connection: a firewall or a guard program here."),
    Failure.DNS_NXDOMAIN: _NO_NAME,
    Failure.DNS_TEMPORARY: _NO_NAME,
    Failure.DNS_FATAL: _NO_NAME,
    Failure.DNS_NO_ANSWER: _NO_NAME,
    Failure.SSL_AUTHORITY: _FORGED,
    Failure.SSL_HOSTNAME: _FORGED,
    Failure.SSL_CERTIFICATE: N_("A certificate is out of date, or the clock of this device is wrong."),
    Failure.SSL_HANDSHAKE: N_("What answers does not speak the encryption that was expected of it."),
    Failure.HTTP_FAILED: _OTHER_PAGE,
    Failure.HTTP_STATUS: _OTHER_PAGE,
    Failure.HTTP_REDIRECT: _OTHER_PAGE,
    Failure.INTERRUPTED: N_("The test was stopped before it could end."),
}
_LATER: Final = N_("Keep it. Test it again later, and on another network: mobile data instead of Wi-Fi.")
_OTHER_KIND: Final = N_(
    "Test it again later. If all of this kind end so, take another kind: share links or Tor bridges."
)
_ASK: Final = N_("Ask whoever gave it to you for a new one, or delete it.")
_SPELLING: Final = N_(
    "Check its spelling. If it is right, this network may answer names wrongly: take an entry with an IP address."
)
_NETWORK: Final = N_("Connect this machine to a network, or take another one, and test again.")
_DO: Final[Mapping[Failure, str]] = {
    Failure.CONNECTION_REFUSED: _ASK,
    Failure.CONNECTION_RESET: _OTHER_KIND,
    Failure.CONNECTION_ABORTED: _OTHER_KIND,
    Failure.TIMEOUT: _LATER,
    Failure.EOF: _OTHER_KIND,
    Failure.HOST_UNREACHABLE: _LATER,
    Failure.NETWORK_UNREACHABLE: _NETWORK,
    Failure.NETWORK_DOWN: _NETWORK,
    Failure.ADDRESS_FAMILY: N_("Take entries with IPv4 addresses, or test it on another network."),
    Failure.ADDRESS_NOT_AVAILABLE: N_("Take entries with IPv4 addresses, or test it on another network."),
    Failure.PERMISSION_DENIED: N_("Let this program through the firewall of this device, and test again."),
    Failure.DNS_NXDOMAIN: _SPELLING,
    Failure.DNS_TEMPORARY: _SPELLING,
    Failure.DNS_FATAL: _SPELLING,
    Failure.DNS_NO_ANSWER: _SPELLING,
    Failure.SSL_CERTIFICATE: N_("Set the clock of this device, and test again."),
}
_BY_STATUS: Final[Mapping[Status, str]] = {
    Status.WORKING: N_("Use it for what its class protects, and keep another one for when it stops."),
    Status.DEGRADED: N_("Use it for short texts while nothing better works, and test it again later."),
    Status.HOSTILE: N_("Do not use it. Delete it, and warn whoever gave it to you."),
    Status.BLOCKED: _OTHER_KIND,
    Status.FAILED: _ASK,
    Status.UNTESTED: N_("Nothing is known about it: put right what the reason says, and test it again."),
}
_ABOUT_PASSWORDS: Final = N_("Ask whoever gave it to you for a user name and password that it takes.")


def meaning(verdict: Verdict) -> Message | None:
    """Return what the failure of a verdict means in general; None where it has none."""
    if verdict.failure is None:
        return None
    text = _MEANS.get(verdict.failure)
    if text is None:
        socks = verdict.failure.value.startswith("socks_")
        text = _SAYS_NO if socks else N_("It did not get through, and the system does not say why.")
    return Message(text)


def what_to_do(verdict: Verdict) -> Message:
    """Return the next step with this one entry."""
    by_failure = None
    if verdict.status is Status.FAILED and verdict.failure is not None:
        by_failure = _DO.get(verdict.failure)
        noted = verdict.observations[-1].note if verdict.observations else None
        if noted is not None and noted.name in ("AUTH_REQUIRED", "AUTH_REFUSED"):
            by_failure = _ABOUT_PASSWORDS
        elif verdict.failure is Failure.TIMEOUT and verdict.step not in (Step.CONNECT, None):
            by_failure = _OTHER_KIND
    return Message(by_failure or _BY_STATUS[verdict.status])
