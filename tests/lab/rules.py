"""A border as nftables rules: pure, from the data of a scenario to the text that `nft -f` reads.

Packets that a judge has to see are marked in prerouting and routed into a TUN device (the kernel here lacks nft's
`queue`); what the judge lets through comes back in by that device, unmarked, and is filtered like all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.lab import places
from tests.lab.scenarios import Border, Judge, Lie, Link, Middle, Toll

PERSON, HOUSE, WORLD, HELP, TUN = "person0", "home0", "abroad0", "helper0", "judge0"
MARK: Final = 1
_ABROAD: Final = f'{{ "{WORLD}", "{HELP}" }}'

# Counts what the person sends and gets, each connection once however often its first packet is repeated.
COUNTS: Final = f"""\
table ip counts {{
    set tcp_flows {{ type inet_service . ipv4_addr . inet_service; flags dynamic; size 65535; }}
    set udp_flows {{ type inet_service . ipv4_addr . inet_service; flags dynamic; size 65535; }}
    counter sent {{ }}
    counter got {{ }}
    counter echo {{ }}
    chain came {{
        type filter hook prerouting priority -310;
        iifname "{PERSON}" counter name sent
        iifname "{PERSON}" icmp type {{ echo-request, timestamp-request }} counter name echo
        iifname "{PERSON}" tcp flags & (syn | ack) == syn add @tcp_flows {{ tcp sport . ip daddr . tcp dport }}
        iifname "{PERSON}" meta l4proto udp add @udp_flows {{ udp sport . ip daddr . udp dport }}
    }}
    chain went {{
        type filter hook postrouting priority 310;
        oifname "{PERSON}" counter name got
    }}
}}
"""


def _ports(ports: tuple[int, ...]) -> str:
    return "{ " + ", ".join(map(str, ports)) + " }"


def _marks(border: Border) -> Iterator[str]:
    if border.judge is Judge.NONE:
        return
    to_judge = f"meta l4proto {{ tcp, udp }} meta mark set {MARK} notrack"
    yield f'iifname "{PERSON}" ip daddr {places.ABROAD} {to_judge}'
    yield f"iifname {_ABROAD} ip daddr {places.PERSON} {to_judge}"
    if border.judge is Judge.DOUBLE_DNS:  # who recurses gets the forged answers too
        yield f'iifname "{HOUSE}" ip daddr {places.ABROAD} udp dport 53 {to_judge}'
    yield f'iifname "{TUN}" notrack'


def _redirections(border: Border) -> Iterator[str]:
    if border.lie is not Lie.NONE:
        port = places.LIE_PORTS[border.lie]
        for protocol in ("udp", "tcp"):
            yield (
                f'iifname "{PERSON}" ip daddr {places.PROVIDER_DNS} {protocol} dport 53 '
                f"dnat to {places.PROVIDER_DNS}:{port}"
            )
    if border.middle in (Middle.PORTAL, Middle.SLOW_PORTAL):
        more = places.SLOWLY if border.middle is Middle.SLOW_PORTAL else 0
        for protocol in ("udp", "tcp"):
            yield f'iifname "{PERSON}" {protocol} dport 53 redirect to :{places.PORTAL_DNS_PORT + more}'
        yield f'iifname "{PERSON}" tcp dport 80 redirect to :{places.PORTAL_PORT + more}'
        yield f'iifname "{PERSON}" tcp dport 443 redirect to :{places.PORTAL_TLS_PORT + more}'
    elif border.middle is not Middle.NONE:
        # What runs on the person's machine or in a company sees everything, the state what crosses the border.
        what = f"ip daddr {places.ABROAD}" if border.middle is Middle.NATIONAL else "ip daddr != 10.0.0.0/8"
        port = places.INTERCEPT_PORT + list(Middle).index(border.middle)
        ports = _ports((*places.TLS_PORTS, *places.MORE_TLS_PORTS))
        yield f'iifname "{PERSON}" {what} tcp dport {ports} redirect to :{port}'


def _losses(border: Border) -> Iterator[str]:
    if border.loss:
        yield f"numgen random mod 100 < {border.loss} drop"


def _filters(border: Border) -> Iterator[str]:
    if border.middle in (Middle.PORTAL, Middle.SLOW_PORTAL):
        yield f'iifname "{PERSON}" drop'
    if border.home is Toll.DROP:
        yield f'iifname "{PERSON}" oifname "{HOUSE}" drop'
    if not border.recursion or border.abroad is not Toll.PASS:
        yield f'iifname "{HOUSE}" ip daddr {places.RECURSION_DNS} {"accept" if border.recursion else "drop"}'
    # The last hop counts: a packet on its way to a judge is not yet at the border.
    yield f'oifname "{TUN}" accept'
    yield f"oifname != {_ABROAD} accept"
    yield f'iifname "{HOUSE}" accept'
    if border.dead:
        yield f"ip daddr {{ {', '.join(border.dead)} }} drop"
    if border.alive:
        yield f"ip daddr {{ {', '.join(border.alive)} }} accept"
    if border.no_tcp:
        yield f"tcp dport {_ports(border.no_tcp)} drop"
    if border.only_tcp:
        yield f"tcp dport != {_ports(border.only_tcp)} drop"
    if border.tcp:
        yield f"tcp dport {_ports(border.tcp)} accept"
    if border.udp:
        yield f"udp dport {_ports(border.udp)} accept"
    if not border.all_udp:
        yield "meta l4proto udp drop"
    if border.abroad is Toll.RESET:
        yield "meta l4proto tcp reject with tcp reset"
    if border.abroad is not Toll.PASS:
        yield "drop"


def _chain(name: str, hook: str, rules: Iterator[str]) -> str:
    lines = "\n".join(f"        {rule}" for rule in rules)
    return f"    chain {name} {{\n        type {hook};\n{lines}\n    }}\n"


def _own(border: Border) -> Iterator[str]:
    """What the border's own programs may not reach either (they speak for the servers)."""
    if border.dead:
        yield f"ip daddr {{ {', '.join(border.dead)} }} drop"


def _lost_in(border: Border) -> Iterator[str]:
    return (f'iifname "{PERSON}" {rule}' for rule in _losses(border))


def _lost_out(border: Border) -> Iterator[str]:
    return (f'oifname "{PERSON}" {rule}' for rule in _losses(border))


def ruleset(border: Border) -> str:
    """Return the rules of a border; they take the place of those of the last one."""
    return (
        "table ip border\ndelete table ip border\ntable ip counts\ndelete table ip counts\n"
        + COUNTS
        + "table ip border {\n"
        + _chain("lost_in", "filter hook prerouting priority -305", _lost_in(border))
        + _chain("lost_out", "filter hook postrouting priority 305", _lost_out(border))
        + _chain("marks", "filter hook prerouting priority -300", _marks(border))
        + _chain("turns", "nat hook prerouting priority -100", _redirections(border))
        + _chain("passing", "filter hook forward priority 0", _filters(border))
        + _chain("mine", "filter hook output priority 0", _own(border))
        + "}\n"
    )


def person_commands(border: Border) -> list[str]:
    """Return the commands, for the person's namespace, that bring its side into the state that is wanted."""
    commands = ["ip link set eth0 up", "ip -4 address replace {0}/24 dev eth0", "ip neighbour flush dev eth0"]
    commands.append("ip -4 route replace default via {1}")
    match border.link:
        case Link.DOWN:
            commands = ["ip link set eth0 down"]
        case Link.NO_ADDRESS:
            commands = ["ip -4 address flush dev eth0", "ip link set eth0 up"]
        case Link.DEAD_GATEWAY:
            commands[-1] = "ip -4 route replace default via 10.77.0.99"
        case Link.ONLY_IPV6:
            commands = [
                "ip -4 address flush dev eth0",
                "ip link set eth0 up",
                "sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=0",
                f"ip -6 address replace {places.PERSON6}/64 dev eth0 nodad",
                f"ip -6 route replace default via {places.GATEWAY6}",
            ]
    if border.link is not Link.ONLY_IPV6:
        commands.insert(0, "sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1")
    return [command.format(places.PERSON, places.GATEWAY) for command in commands]
