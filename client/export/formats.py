"""Every format, one line each. Keep it sorted; a new format is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.export import (
    bridges,
    clash,
    curl,
    env,
    links,
    pac,
    proxychains,
    qr,
    singbox,
    sip008,
    telegram,
    torbrowser,
    torrc,
)
from client.export.common import Exported, Here, Writer
from client.model import Candidate, Message, Protection, Status
from client.options import Option
from transports.types import N_, Endpoint

LOCAL: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: how it is written, what it is for, the kinds that it can hold (none named: many), what to do then.

    `use` has places for the {file}, and for the {port} on which the program that reads it listens.
    `single` formats hold one entry. `local` says how many sides of the local connection it takes
    (SOCKS5, HTTP): 0 where that makes no sense. A `binary` one is no text.
    """

    write: Writer
    what: str
    use: str
    kinds: Sequence[str] = ()
    single: bool = False
    local: int = 0
    binary: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "bridges": Format(
        write=bridges.write,
        use=N_(
            "Paste its lines as custom bridges, in Orbot, Onion Browser or Tails: `sanylau guide --app orbot`"
        ),
        what=N_("bridge lines, one a line"),
        kinds=torrc.KINDS,
    ),
    "clash": Format(
        write=clash.write,
        use=N_("Import {file} as a profile in mihomo (Clash)."),
        what=N_("a configuration for mihomo (Clash)"),
        kinds=clash.KINDS,
    ),
    "curl": Format(
        write=curl.write,
        use=N_("Use it: `curl -K {file} URL`"),
        what=N_("a configuration for curl -K"),
        kinds=curl.KINDS,
        single=True,
        local=1,
    ),
    "env": Format(
        write=env.write,
        use=N_("Use it, in every terminal anew: `. {file}`"),
        what=N_("variables for a shell (sh, bash, zsh)"),
        kinds=env.KINDS,
        single=True,
        local=2,
    ),
    "env-cmd": Format(
        write=env.write_cmd,
        use=N_("Use it, in every window anew (its name must end in .cmd): `call {file}`"),
        what=N_("variables for cmd on Windows"),
        kinds=env.KINDS,
        single=True,
        local=2,
    ),
    "env-powershell": Format(
        write=env.write_powershell,
        use=N_("Use it, in every window anew (its name must end in .ps1): `. {file}`"),
        what=N_("variables for PowerShell"),
        kinds=env.KINDS,
        single=True,
        local=2,
    ),
    "links": Format(
        write=links.write,
        use=N_(
            "Copy a line of it, and import it from the clipboard in v2rayNG, Hiddify or Streisand: `sanylau guide --app hiddify`"
        ),
        what=N_("share links, one a line"),
        kinds=links.KINDS,
        local=2,
    ),
    "pac": Format(
        write=pac.write,
        use=N_("Give {file} to Firefox: Settings, Network Settings, Automatic proxy configuration URL."),
        what=N_("a proxy file (PAC) for browsers"),
        kinds=pac.KINDS,
        local=2,
    ),
    "pac-url": Format(
        write=pac.write_url,
        use=N_('Use it: `chromium --proxy-pac-url="$(cat {file})"`'),
        what=N_("the same as an address, for Chromium's --proxy-pac-url"),
        kinds=pac.KINDS,
        local=2,
    ),
    "proxychains": Format(
        write=proxychains.write,
        use=N_("Use it: `proxychains4 -f {file} COMMAND`"),
        what=N_("a configuration for proxychains4"),
        kinds=proxychains.KINDS,
        local=1,
    ),
    "qr": Format(
        write=qr.write,
        use=N_("Show it with `cat {file}`, and scan it with the other device."),
        what=N_("QR codes for a dark terminal"),
        kinds=qr.KINDS,
    ),
    "qr-light": Format(
        write=qr.write_light,
        use=N_("Show it with `cat {file}`, and scan it with the other device."),
        what=N_("QR codes for a light terminal"),
        kinds=qr.KINDS,
    ),
    "qr-png": Format(
        write=qr.write_png,
        use=N_("Open {file}, and scan it with the other device."),
        what=N_("a QR code as a PNG picture"),
        kinds=qr.KINDS,
        single=True,
        binary=True,
    ),
    "qr-svg": Format(
        write=qr.write_svg,
        use=N_("Open {file}, and scan it with the other device."),
        what=N_("a QR code as an SVG picture"),
        kinds=qr.KINDS,
        single=True,
    ),
    "singbox": Format(
        write=singbox.write,
        use=N_("Use it: `sing-box run -c {file}`, then SOCKS or HTTP on 127.0.0.1, port {port}."),
        what=N_("a configuration for sing-box"),
        kinds=singbox.KINDS,
    ),
    "sip008": Format(
        write=sip008.write,
        use=N_("Import {file} in a program for Shadowsocks."),
        what=N_("Shadowsocks servers (SIP008)"),
        kinds=sip008.KINDS,
    ),
    "telegram": Format(
        write=telegram.write,
        use=N_("Open a link of it on the device with Telegram: `sanylau guide --app telegram`"),
        what=N_("links for Telegram"),
        kinds=telegram.KINDS,
        local=1,
    ),
    "torbrowser": Format(
        write=torbrowser.write,
        use=N_(
            "Paste its lines into Tor Browser: Settings, Connection, Add new bridges. `sanylau guide --app tor-browser` shows the steps."
        ),
        what=N_("bridge lines for Tor Browser's field"),
        kinds=torrc.KINDS,
    ),
    "torbrowser-prefs": Format(
        write=torbrowser.write_prefs,
        use=N_("Put it under the name user.js into the profile folder of Tor Browser, and start it."),
        what=N_("a user.js for Tor Browser's profile"),
        kinds=torrc.KINDS,
    ),
    "torrc": Format(
        write=torrc.write,
        use=N_("Use it: `tor -f {file}`, then SOCKS5 on 127.0.0.1, port 9050."),
        what=N_("settings for tor"),
        kinds=torrc.KINDS,
    ),
}


def export(name: str, options: Sequence[Option], here: Here) -> Exported:
    """Return `options`, the best first, in the format `name`."""
    return FORMATS[name].write(options, here)


def local_options(port: int) -> tuple[Option, ...]:
    """Return the local connection of this machine as options: SOCKS5 and HTTP on one port."""
    return tuple(
        Option(
            candidate=Candidate(Endpoint(transport=kind, host=LOCAL, port=port), "", 0),
            transport=kind,
            protection=Protection.UNKNOWN,
            status=Status.UNTESTED,
        )
        for kind in ("socks5", "http")
    )


def why(left_out: Sequence[tuple[Option, Message]]) -> list[tuple[int, Message]]:
    """Return how many were left out for each reason, the most frequent first."""
    counts: dict[str, tuple[int, Message]] = {}
    for _, reason in left_out:
        key = repr((reason.id, sorted(reason.values.items())))
        counts[key] = (counts.get(key, (0, reason))[0] + 1, reason)
    return sorted(counts.values(), key=lambda pair: -pair[0])
