"""Where everything is in the laboratory: addresses, names, ports, and the pages that its servers show.

The namespaces have no way out, so no packet to these addresses leaves the machine. They are taken from ranges that
nobody uses any more (192.88.99.0/24, RFC 7526) or that only routers use (192.31.196.0/24, RFC 7535): documentation
ranges would be what a bogon check, ours too, calls impossible for a public name.
"""

from __future__ import annotations

from typing import Final

PERSON: Final = "10.77.0.2"
GATEWAY: Final = "10.77.0.1"
HOME: Final = "192.31.196.0/24"
ABROAD: Final = "192.88.99.0/24"
HELPER: Final = "192.88.99.130"

# Links of the border: interface -> its own address there.
PERSON6: Final = "2001:db8:77::2"
GATEWAY6: Final = "2001:db8:77::1"
HOME_ROUTER: Final = "192.31.196.254"
ABROAD_ROUTER: Final = "192.88.99.254"

PROVIDER_DNS: Final = "192.31.196.53"
RECURSION_DNS: Final = "192.88.99.153"  # whom the provider's resolver asks
ABROAD_DNS: Final = {"dns-one.example": "192.88.99.8", "dns-two.example": "192.88.99.9"}
NOBODY: Final = ("192.88.99.200", "192.88.99.201")

HOME_SERVERS: Final = {
    "www.home-one.example": "192.31.196.11",
    "www.home-two.example": "192.31.196.12",
    "www.home-three.example": "192.31.196.13",
}
ABROAD_SERVERS: Final = {
    "www.abroad-one.example": "192.88.99.11",
    "www.abroad-two.example": "192.88.99.12",
    "www.abroad-three.example": "192.88.99.13",
    "www.abroad-four.example": "192.88.99.14",
}
LISTED_SERVERS: Final = {
    "www.listed-one.example": "192.88.99.81",
    "www.listed-two.example": "192.88.99.82",
    "www.listed-three.example": "192.88.99.83",
}
ALL_PORTS: Final = {"ports.example": "192.88.99.50", "more-ports.example": "192.88.99.51"}
# Not one of them may be on the wire without consent. The servers abroad answer under any name, with their own papers.
FORBIDDEN_SERVERS: Final = {
    "www.forbidden-news.example": "192.88.99.31",
    "www.forbidden-chat.example": "192.88.99.32",
}
FORBIDDEN: Final = tuple(FORBIDDEN_SERVERS)
KNOWN_NAMES: Final = {**HOME_SERVERS, **ABROAD_SERVERS, **LISTED_SERVERS, **ALL_PORTS, **ABROAD_DNS}

TLS_PORTS: Final = (443, 8443)
MORE_TLS_PORTS: Final = (853, 993, 2053)  # further ports on which the servers abroad answer TLS
RELAYS: Final = (("192.88.99.91", 9001), ("192.88.99.92", 443), ("192.88.99.93", 9101))
BRIDGE: Final = "192.88.99.60"
BRIDGE_PORTS: Final = (443, 3785, 9443)
PROXY: Final = "192.88.99.70"
PROXY_PORTS: Final = (443, 1080, 3785)

PAGE: Final = b"The laboratory's page: plain words, always the same.\n"
SUCCESS: Final = b"success\n"
BULK: Final = 96 * 1024  # bytes of the large page
BLOCK_PAGE: Final = b"<html><title>Blocked</title>This page is blocked by order.</html>\n"
LOGIN_PAGE: Final = b"<html><title>Wi-Fi</title>Please log in to use the network.</html>\n"

# Where the programs listen behind the redirections of their namespace.
ANY_PORT: Final = 7070
SOCKS_PORT: Final = 7080
PT_PORT: Final = 7090
INTERCEPT_PORT: Final = 7500  # and the next ones, by the place of `Middle`
PORTAL_PORT: Final = 7081
PORTAL_TLS_PORT: Final = 7444
PORTAL_DNS_PORT: Final = 7053
LIE_PORTS: Final = {"bogon": 7153, "block_page": 7154, "no_name": 7155, "forbidden_only": 7156}
SLOWLY: Final = 10  # added to the portal's ports: there it thinks before it answers
BLOCK_HOST: Final = "192.31.196.66"
BOGON: Final = "10.10.34.36"
