"""The real programs of the laboratory: how nginx, dnsmasq, tor with obfs4proxy, and microsocks are told to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab import places
from tests.lab.papers import root

NEEDED: Final = (
    "dnsmasq",
    "ip",
    "microsocks",
    "nft",
    "nginx",
    "nsenter",
    "obfs4proxy",
    "ss",
    "tc",
    "tor",
    "unshare",
)
FOLDERS: Final = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/sbin", os.environ.get("PATH", "")])


def found(program: str) -> str:
    """Return where a program is. Raises FileNotFoundError."""
    path = shutil.which(program, path=FOLDERS)
    if path is None:
        raise FileNotFoundError(program)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A program to start in a namespace. `ready` is an address and TCP port that answers when it runs."""

    where: str
    command: Sequence[str]
    ready: tuple[str, int] | None = None


def _dnsmasq(
    where: str, names: Mapping[str, str], addresses: Sequence[str], port: int, *more: str, folder: Path
) -> Run:
    command = [
        found("dnsmasq"),
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        "--cache-size=0",
        "--bind-interfaces",
        f"--log-facility={folder / f'dnsmasq-{where}-{port}.log'}",
        f"--port={port}",
        *(f"--listen-address={address}" for address in addresses),
        *(f"--host-record={name},{address}" for name, address in names.items()),
        *more,
    ]
    return Run(where=where, command=command, ready=(addresses[0], port))


def resolvers(folder: Path) -> Iterator[Run]:
    """Return the resolvers: one abroad that knows all, the provider's that asks it, and the lying ones."""
    large = ",".join(["--txt-record=large.example", *("x" * 240 for _ in range(4))])
    addresses = [places.RECURSION_DNS, *places.ABROAD_DNS.values()]
    yield _dnsmasq(
        "abroad",
        {**places.KNOWN_NAMES, **places.FORBIDDEN_SERVERS},
        addresses,
        53,
        "--address=/#/",
        large,
        folder=folder,
    )
    ask = f"--server={places.RECURSION_DNS}"
    lies = {
        "bogon": (f"--address=/#/{places.BOGON}",),
        "block_page": (f"--address=/#/{places.BLOCK_HOST}",),
        "no_name": ("--address=/#/",),
        "forbidden_only": (ask, *(f"--address=/{name}/{places.BOGON}" for name in places.FORBIDDEN)),
    }
    yield _dnsmasq("home", places.HOME_SERVERS, [places.PROVIDER_DNS], 53, ask, folder=folder)
    for lie, more in lies.items():
        port = places.LIE_PORTS[lie]
        yield _dnsmasq("home", places.HOME_SERVERS, [places.PROVIDER_DNS], port, *more, folder=folder)


def _site(folder: Path, name: str, address: str, ports: Sequence[int]) -> str:
    pem = folder / f"{name}.pem"
    pem.write_text(root(folder, "ca").leaf([name, address]))
    common = f"""
        location = / {{ default_type text/plain; root {folder}; try_files /page =404; }}
        location = /success.txt {{ default_type text/plain; alias {folder}/success; }}
        location = /generate_204 {{ return 204; }}
        location = /bulk {{ default_type application/octet-stream; alias {folder}/bulk; }}
        location = /upload {{ client_max_body_size 1m; proxy_pass http://127.0.0.1:7082; }}
    """
    listen = " ".join(f"listen {address}:{port} ssl;" for port in ports)
    return f"""
    server {{ {listen} server_name {name}; ssl_certificate {pem}; ssl_certificate_key {pem}; {common} }}
    server {{ listen {address}:80; server_name {name}; {common} }}
    """


def _nginx(folder: Path, where: str, sites: str, ready: tuple[str, int]) -> Run:
    own = folder / f"nginx-{where}"
    own.mkdir()
    temporary = "\n".join(
        f"    {kind}_temp_path {own}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (own / "conf").write_text(
        f"""
daemon off; user root; worker_processes 1; pid {own}/pid; error_log {own}/error.log;
events {{ worker_connections 512; }}
http {{
{temporary}
    access_log off; server_tokens off; ssl_buffer_size 1400; ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:7082; location / {{ return 204; }} }}
    {sites}
}}
"""
    )
    command = [found("nginx"), "-p", str(own), "-e", f"{own}/error.log", "-c", f"{own}/conf"]
    return Run(where=where, command=command, ready=ready)


def websites(folder: Path) -> Iterator[Run]:
    """Return nginx abroad and at home, with their pages."""
    (folder / "page").write_bytes(places.PAGE)
    (folder / "success").write_bytes(places.SUCCESS)
    (folder / "bulk").write_bytes(os.urandom(places.BULK))
    (folder / "blocked").write_bytes(places.BLOCK_PAGE)
    ports = (*places.TLS_PORTS, *places.MORE_TLS_PORTS)
    foreign = {**places.ABROAD_SERVERS, **places.LISTED_SERVERS, **places.FORBIDDEN_SERVERS}
    sites = "".join(_site(folder, name, address, ports) for name, address in foreign.items())
    yield _nginx(folder, "abroad", sites, (next(iter(foreign.values())), 443))
    sites = "".join(
        _site(folder, name, address, places.TLS_PORTS) for name, address in places.HOME_SERVERS.items()
    )
    pem = folder / "block-host.pem"
    pem.write_text(root(folder, "block_page").leaf(["block.example"]))
    sites += f"""
    server {{ listen {places.BLOCK_HOST}:443 ssl; ssl_certificate {pem}; ssl_certificate_key {pem};
        listen {places.BLOCK_HOST}:80; location / {{ default_type text/html; root {folder}; try_files /blocked =404; }} }}
    """
    yield _nginx(folder, "home", sites, (places.BLOCK_HOST, 443))


def _tor(folder: Path, name: str, lines: Sequence[str], ready: tuple[str, int]) -> Run:
    own = folder / name
    own.mkdir(mode=0o700)
    torrc = [
        f"DataDirectory {own}",
        f"Nickname {name}",
        "SocksPort 0",
        "AssumeReachable 1",
        "PublishServerDescriptor 0",
        "ShutdownWaitLength 0",
        "NumCPUs 1",
        "ExitRelay 0",
        f"GeoIPFile {own}/none",
        f"GeoIPv6File {own}/none",
        # It needs no network: there is nobody at this address.
        f"DirAuthority nobody orport=1 no-v2 v3ident={'A' * 40} {places.NOBODY[0]}:1 {'B' * 40}",
        f"Log notice file {own}/log",
        *lines,
    ]
    (own / "torrc").write_text("\n".join([*torrc, ""]))
    command = [found("tor"), "-f", str(own / "torrc"), "--defaults-torrc", str(own / "none")]
    return Run(where="abroad", command=command, ready=ready)


def relays(folder: Path) -> Iterator[Run]:
    """Return three public relays and a bridge with obfs4. None of them needs a consensus for link handshakes."""
    for number, (address, port) in enumerate(places.RELAYS, 1):
        lines = (f"Address {address}", f"ORPort {address}:{port} IPv4Only", "DirPort 0")
        yield _tor(folder, f"relay{number}", lines, (address, port))
    bridge = (
        f"Address {places.BRIDGE}",
        f"ORPort {places.BRIDGE}:9999 IPv4Only",
        "BridgeRelay 1",
        "BridgeDistribution none",
        "ExtORPort auto",
        f"ServerTransportPlugin obfs4 exec {found('obfs4proxy')}",
        f"ServerTransportListenAddr obfs4 0.0.0.0:{places.PT_PORT}",
        "ServerTransportOptions obfs4 iat-mode=0",
    )
    yield _tor(folder, "bridge", bridge, (places.BRIDGE, places.PT_PORT))
    command = [found("microsocks"), "-i", "0.0.0.0", "-p", str(places.SOCKS_PORT)]
    yield Run(where="abroad", command=command, ready=(places.PROXY, places.SOCKS_PORT))


def redirections() -> str:
    """Return the rules of the namespace abroad: hosts with many ports, and addresses where nobody is."""
    every = ", ".join(places.ALL_PORTS.values())
    return f"""
table ip abroad {{
    chain turns {{
        type nat hook prerouting priority -100;
        ip daddr {{ {every} }} meta l4proto tcp redirect to :{places.ANY_PORT}
        ip daddr {places.BRIDGE} tcp dport {{ {", ".join(map(str, places.BRIDGE_PORTS))} }} redirect to :{places.PT_PORT}
        ip daddr {places.PROXY} tcp dport {{ {", ".join(map(str, places.PROXY_PORTS))} }} redirect to :{places.SOCKS_PORT}
    }}
}}
"""
