"""Writes the laboratory's anchors in the format of client/diagnosis/anchors.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.lab import places
from tests.lab.papers import ROOTS, root

NAME: Final = "anchors.toml"
_DATE: Final = "2022-01-05"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        value = value.decode().rstrip("\n")  # pages end a line, anchors files do not tell it
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _entry(table: str, fields: Mapping[str, Any]) -> str:
    return f"[[{table}]]\n" + "".join(f"{name} = {_value(value)}\n" for name, value in fields.items())


def needs(folder: Path) -> Iterator[Path]:
    """Return the files that the running programs have to write first."""
    for name in (*(f"relay{number}" for number in range(1, len(places.RELAYS) + 1)), "bridge"):
        yield folder / name / "fingerprint"
    yield folder / "bridge" / "pt_state" / "obfs4_bridgeline.txt"


def fingerprint(folder: Path, name: str) -> str:
    """Return a relay's fingerprint, as tor has written it down."""
    return (folder / name / "fingerprint").read_text().split()[1]


def bridge_line(folder: Path, port: int) -> str:
    """Return the line of the laboratory's obfs4 bridge, on one of its ports."""
    text = (folder / "bridge" / "pt_state" / "obfs4_bridgeline.txt").read_text()
    cert = re.search(r"^Bridge obfs4 .*(cert=\S+) ", text, re.MULTILINE)
    assert cert is not None
    return f"obfs4 {places.BRIDGE}:{port} {fingerprint(folder, 'bridge')} {cert[1]} iat-mode=0"


def _servers() -> Iterator[str]:
    groups = (
        ("home", places.HOME_SERVERS),
        ("abroad", places.ABROAD_SERVERS),
        ("listed", places.LISTED_SERVERS),
    )
    quic = [*list(places.ABROAD_SERVERS)[:2], next(iter(places.HOME_SERVERS))]
    for place, servers in groups:
        for number, (name, address) in enumerate(servers.items(), 1):
            ports = places.TLS_PORTS if place == "home" else (*places.TLS_PORTS, *places.MORE_TLS_PORTS)
            yield _entry(
                "server",
                {
                    "place": place,
                    "operator": f"{place} {number}",
                    "name": name,
                    "addresses": [address],
                    "ports": ports,
                    "plain": [80],
                    "quic": 443 if name in quic else 0,
                    "path": "/",
                    "status": 200,
                    "body": places.PAGE,
                    "bulk": "/bulk",
                    "upload": "/upload",
                },
            )


def _rest(folder: Path) -> Iterator[str]:
    for place, servers in (("home", places.HOME_SERVERS), ("abroad", places.ABROAD_SERVERS)):
        for name in list(servers)[:2]:
            page = {
                "place": place,
                "url": f"http://{name}/success.txt",
                "status": 200,
                "body": places.SUCCESS,
            }
            yield _entry("page", page)
        for name, address in list(servers.items())[:3]:
            yield _entry("name", {"place": place, "name": name, "addresses": [address]})
    yield _entry(
        "resolver",
        {"place": "home", "operator": "provider", "address": places.PROVIDER_DNS, "ways": ["udp", "tcp"]},
    )
    for name, address in places.ABROAD_DNS.items():
        ways = ["udp", "tcp", "doh", "dot"]
        yield _entry("resolver", {"operator": name, "address": address, "ways": ways, "name": name})
    for address in places.NOBODY:
        yield _entry("nobody", {"address": address})
    for name, server in zip(places.FORBIDDEN, ("abroad-1", "abroad-2"), strict=True):
        yield _entry("forbidden", {"name": name, "server": server})
    for address in places.ALL_PORTS.values():
        yield _entry("all_ports", {"host": address, "http": True})
    for number, (address, port) in enumerate(places.RELAYS, 1):
        found = fingerprint(folder, f"relay{number}")
        yield _entry("relay", {"address": address, "port": port, "fingerprint": found})
    for port in places.BRIDGE_PORTS:
        yield _entry("bridge", {"line": bridge_line(folder, port)})


def write_anchors(folder: Path) -> Path:
    """Write the file, with the laboratory's own national root among the known ones."""
    begin = f'date = {_DATE}\nsource = "the laboratory"\nca = "ca.pem"\n'
    national = {"country": "XL", "name": ROOTS["national"][0], "sha256": root(folder, "national").fingerprint}
    path = folder / NAME
    path.write_text("\n".join([begin, *_servers(), *_rest(folder), _entry("national_root", national)]))
    return path
