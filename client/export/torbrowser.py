"""Tor Browser: the lines that its field takes (Settings, Connection, Add new bridges), and its preferences.

Sources: tor-browser, toolkit/modules/TorSettings.sys.mjs (`validateBridgeLines`, `TorSettingsPrefs`,
`TorBridgeSource.UserProvided` is 2) and browser/app/profile/000-tor-browser.js; tor-browser-build, pt_config.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from client.export import torrc
from client.export.common import Exported, Here, each, exported
from client.options import Option
from transports.types import N_, Rejected

_BRINGS: Final = frozenset(
    {"vanilla", "obfs4", "meek_lite", "snowflake", "webtunnel", "conjure", "scramblesuit", "obfs3", "obfs2"}
)
_PREFIX: Final = "torbrowser.settings.bridges."
_USER_PROVIDED: Final = 2

NOT_BROUGHT: Final = N_("Tor Browser does not bring this transport: {transport}")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the lines to paste into the field."""
    made, left = each(options, _line)
    return exported("".join(f"{text}\n" for _, text in made), made, left)


def write_prefs(options: Sequence[Option], here: Here) -> Exported:
    """Return a user.js for the folder of its profile."""
    made, left = each(options, _line)
    settings: list[tuple[str, bool | int | str]] = [("enabled", True), ("source", _USER_PROVIDED)]
    settings += [(f"bridge_strings.{number}", text) for number, (_, text) in enumerate(made)]
    lines = (f"user_pref({json.dumps(_PREFIX + name)}, {json.dumps(value)});\n" for name, value in settings)
    return exported("".join(lines), made, left)


def _line(option: Option) -> str:
    text = torrc.line(option)
    if option.kind not in _BRINGS:
        raise Rejected(NOT_BROUGHT, transport=option.kind)
    return text
