"""The colours, by numbers: they can be read, and told apart by eyes that see fewer of them."""

from __future__ import annotations

import ast
from itertools import combinations
from pathlib import Path

import pytest
from rich.text import Text
from textual.color import Color

import tui
from client.cli.main import COLOURS
from tests.tui.support import at_home
from tui import theme
from tui.theme import PALETTES, Palette
from tui.widgets.static import Static

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# severity 1.0, on linear RGB.
EYES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
APART = 20.0  # CIE76: far more than the 2.3 that one just notices


def linear(colour: Color) -> tuple[float, ...]:
    return tuple(
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour.rgb)
    )


def luminance(colour: Color) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2."""
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(name: str, eye: str) -> tuple[float, float, float]:
    colour = linear(Color.parse(name))
    rows = [sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in EYES[eye]]
    return lab(*(min(1.0, max(0.0, part)) for part in rows))


def distance(one: str, other: str, eye: str) -> float:
    pairs = zip(seen(one, eye), seen(other, eye), strict=True)
    return float(sum((left - right) ** 2 for left, right in pairs) ** 0.5)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_every_colour_of_text_can_be_read_on_every_ground(palette: Palette) -> None:
    least = 7.0 if palette.name == "contrast" else 4.5
    grounds = (palette.background, palette.surface, palette.panel)
    texts = (
        palette.foreground,
        palette.primary,
        palette.secondary,
        palette.good,
        palette.middling,
        palette.bad,
    )
    for ground in grounds:
        for text in texts:
            assert contrast(text, ground) >= least, (palette.name, text, ground)


@pytest.mark.parametrize("eye", EYES)
def test_the_states_stay_apart_for_eyes_that_see_fewer_colours(eye: str) -> None:
    (palette,) = [palette for palette in PALETTES if palette.name == "colour-blind"]
    for one, other in combinations((palette.good, palette.middling, palette.bad), 2):
        assert distance(one, other, eye) >= APART, (one, other)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
async def test_each_theme_is_put_on_and_the_names_of_colours_mean_its_own(palette: Palette) -> None:
    async with at_home(colours=palette.name) as (app, _pilot):
        assert app.theme == theme.PREFIX + palette.name
        assert app.current_theme.dark == palette.dark
        colours = app.ansi_theme.ansi_colors
        assert tuple(colours[2]) == Color.parse(palette.good).rgb
        assert tuple(colours[1]) == Color.parse(palette.bad).rgb
        background = app.screen.styles.background.rgb
        assert background == Color.parse(palette.background).rgb


def test_the_command_line_knows_the_same_themes() -> None:
    assert COLOURS == theme.THEMES


async def test_a_coloured_text_has_the_colour_of_the_theme() -> None:
    async with at_home(colours="light") as (app, pilot):
        app.screen.query_one("#said", Static).update(Text("all of it", style="bold green"))
        await pilot.pause()
        found = [
            segment.style.color.get_truecolor()
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if "all of it" in segment.text and segment.style and segment.style.color
        ]
        (palette,) = [palette for palette in PALETTES if palette.name == "light"]
        assert [tuple(colour) for colour in found] == [Color.parse(palette.good).rgb]


def test_every_text_on_the_screen_is_of_the_kind_that_follows_the_theme() -> None:
    for path in Path(tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "textual.widgets":
                assert "Static" not in {alias.name for alias in node.names}, path
