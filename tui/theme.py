"""Colours, and the words and symbols that only the screen needs. States themselves: client.render.words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

from client.model import N_, Content, LineState
from client.render.words import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme. `name` is what the person writes, `label` what the list of commands says."""

    name: str
    label: str
    dark: bool
    background: str
    surface: str
    panel: str
    foreground: str
    edge: str
    primary: str
    secondary: str
    good: str
    middling: str
    bad: str

    @property
    def theme(self) -> Theme:
        """Return it as Textual wants it."""
        return Theme(
            name=PREFIX + self.name,
            dark=self.dark,
            primary=self.primary,
            secondary=self.secondary,
            accent=self.primary,
            foreground=self.foreground,
            background=self.background,
            surface=self.surface,
            panel=self.panel,
            success=self.good,
            warning=self.middling,
            error=self.bad,
            variables={
                "footer-key-foreground": self.primary,
                "footer-description-foreground": self.foreground,
                "border": self.primary,
                "border-blurred": self.edge,
                "text-success": self.good,
                "text-warning": self.middling,
                "text-error": self.bad,
                "block-cursor-foreground": self.background,
                "block-cursor-background": self.primary,
                "input-selection-background": f"{self.secondary} 35%",
            },
        )

    @property
    def named(self) -> TerminalTheme:
        """Return what "green", "red" and so on mean in a text: this palette's own colours."""
        names = (
            *(self.background, self.bad, self.good, self.middling),
            *(self.secondary, self.primary, self.secondary, self.foreground),
        )
        colours = [Color.parse(name).rgb for name in names]
        return TerminalTheme(colours[0], colours[-1], colours, colours)


PREFIX: Final = "sanylau-"
PALETTES: Final = (
    Palette(
        name="dark",  # a chink of warm light in a dark room
        label=N_("Colours: dark"),
        dark=True,
        background="#12161c",
        surface="#181e26",
        panel="#222a35",
        foreground="#d6dbe1",
        edge="#394553",
        primary="#e8b65a",
        secondary="#7fb2d9",
        good="#7fc98f",
        middling="#e8b65a",
        bad="#e8756b",
    ),
    Palette(
        name="light",
        label=N_("Colours: light"),
        dark=False,
        background="#fbf8f2",
        surface="#f3eee4",
        panel="#e9e1d1",
        foreground="#23201a",
        edge="#b8ad97",
        primary="#7a4b00",
        secondary="#1b5583",
        good="#17602d",
        middling="#7a4b00",
        bad="#9c1f17",
    ),
    Palette(
        name="contrast",
        label=N_("Colours: high contrast"),
        dark=True,
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        foreground="#ffffff",
        edge="#ffffff",
        primary="#ffff00",
        secondary="#00e5ff",
        good="#00ff66",
        middling="#ffff00",
        bad="#ff9d94",
    ),
    Palette(
        name="colour-blind",  # after Okabe and Ito, "Color Universal Design" (2008): blue, yellow and vermilion
        label=N_("Colours: safe for colour-blind eyes"),
        dark=True,
        background="#12161c",
        surface="#181e26",
        panel="#222a35",
        foreground="#e4e8ec",
        edge="#4a5766",
        primary="#f0e442",
        secondary="#cc99b8",
        good="#56b4e9",
        middling="#f0e442",
        bad="#f2762e",
    ),
)
THEMES: Final = tuple(palette.name for palette in PALETTES)


def palette_of(theme: str) -> Palette | None:
    """Return the palette of one of Textual's theme names, None where it is not ours."""
    return next((palette for palette in PALETTES if PREFIX + palette.name == theme), None)


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
