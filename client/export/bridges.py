"""Bridge lines as they are, one a line: what people pass on, and what Orbot, Onion Browser and Tails take."""

from __future__ import annotations

from collections.abc import Sequence

from client.export import torrc
from client.export.common import Exported, Here, each, exported
from client.options import Option


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the bridge lines."""
    made, left = each(options, torrc.line)
    return exported("".join(f"{text}\n" for _, text in made), made, left)
