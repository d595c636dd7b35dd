"""Colours, and the words and symbols that only the screen needs. States themselves: client.render.words."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

from client.model import N_, Content, LineState
from client.render.words import Look

THEME: Final = Theme(
    name="sanylau",  # a chink of warm light in a dark room
    primary="#e8b65a",
    secondary="#7fb2d9",
    accent="#e8b65a",
    foreground="#d6dbe1",
    background="#12161c",
    surface="#181e26",
    panel="#222a35",
    success="#7fc98f",
    warning="#e8b65a",
    error="#e8756b",
    dark=True,
    variables={
        "footer-key-foreground": "#e8b65a",
        "border": "#e8b65a",
        "border-blurred": "#394553",
        "input-selection-background": "#7fb2d9 35%",
    },
)

LINES: Final = {  # how the person's own line looks; its sentence comes from client.advise
    LineState.HEALTHY: Look("✔", "+", "", "bold green"),
    LineState.SLOW: Look("◐", "~", "", "yellow"),
    LineState.IMPAIRED: Look("◐", "~", "", "yellow"),
    LineState.TAMPERED: Look("☠", "!", "", "bold red"),
    LineState.NO_ANSWER: Look("✘", "x", "", "red"),
    LineState.NO_NETWORK: Look("✘", "x", "", "red"),
    LineState.UNKNOWN: Look("…", ".", "", "dim"),
}

CHECKS: Final = {
    Content.INTACT: N_("unaltered"),
    Content.ALTERED: N_("altered"),
    Content.NO_ANSWER: N_("no answer"),
    Content.REFUSED: N_("refused"),
}

PROFILES: Final = {  # name -> (label, what it means)
    "quiet": (
        N_("quiet"),
        N_("At most 4 new connections a second: slow, and the least noticed."),
    ),
    "normal": (
        N_("normal"),
        N_("About 20 new connections a second: quicker, and easier to notice."),
    ),
    "fast": (
        N_("fast"),
        N_("Thousands of connections at once look like an attack and can get this line blocked."),
    ),
}
