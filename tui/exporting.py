"""Writes one option as another program wants it. Blocking: call it in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client import commands
from client.export import writing
from client.export.formats import FORMATS, export, local_options
from client.export.here import here
from client.i18n import _
from client.model import N_, Rejected
from client.options import Option

_NAMES: Final[Mapping[str, str]] = {  # customary names; none of them tells what wrote the file
    "bridges": "bridges.txt",
    "clash": "config.yaml",
    "curl": "curl.conf",
    "env": "env.sh",
    "env-cmd": "env.cmd",
    "env-powershell": "env.ps1",
    "pac": "proxy.pac",
    "proxychains": "proxychains.conf",
    "qr-png": "code.png",
    "qr-svg": "code.svg",
    "singbox": "config.json",
    "sip008": "servers.json",
    "torbrowser-prefs": "user.js",
    "torrc": "torrc",
}
_ON_TERMINALS: Final = ("qr", "qr-light")  # drawn for a terminal, and the screen draws them itself


@dataclass(frozen=True, slots=True)
class Offer:
    """A format that can hold the option; `port` is that of the local connection where it is that which is written."""

    name: str
    port: int = 0

    @property
    def what(self) -> str:
        """What it is, in words."""
        said = _(FORMATS[self.name].what)
        if not self.port:
            return said
        return said + ": " + _("the local connection, port {port}", port=self.port)

    def use(self, path: str) -> str:
        """Say what to do with it now that it is in the file `path`."""
        said = _(FORMATS[self.name].use, file=commands.file(path), port=here().port)
        return commands.typed(said)

    def options(self, option: Option) -> Sequence[Option]:
        """What is to be written."""
        return local_options(self.port)[: FORMATS[self.name].local] if self.port else (option,)


def offers(option: Option, *, port: int = 0, first: str = "") -> list[Offer]:
    """Return what the option can be written as, `first` before all; with a `port`, the local connection as well."""
    machine = here()
    own = [
        Offer(name) for name in FORMATS if name not in _ON_TERMINALS and export(name, (option,), machine).held
    ]
    local = [Offer(name, port) for name, form in FORMATS.items() if port and form.local]
    return sorted(own, key=lambda offer: offer.name != first) + local


def suggested(offer: Offer) -> str:
    """Return a name for the file."""
    return _NAMES.get(offer.name, f"{offer.name}.txt")


def write(offer: Offer, option: Option, name: str) -> str:
    """Write it to a new file that only its owner may read; return where. Raises Rejected."""
    if not name.strip():
        raise Rejected(N_("give the file a name"))
    path = Path(name.strip()).expanduser().absolute()
    made = export(offer.name, offer.options(option), here())
    if not made.held:
        raise Rejected(made.left_out[0][1].id, **made.left_out[0][1].values)
    writing.write(str(path), made.content)
    return str(path)
