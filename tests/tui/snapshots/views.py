"""In which languages and sizes the screens are pictured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

SMALL: Final = (80, 24)
LARGE: Final = (160, 50)


@dataclass(frozen=True, slots=True)
class View:
    """A language and a size in columns and lines."""

    language: str
    size: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.language}-{self.size[0]}x{self.size[1]}"


VIEWS: Final = tuple(View(language, size) for size in (SMALL, LARGE) for language in ("en", "ru", "kk"))

each_view = pytest.mark.parametrize("view", VIEWS, ids=str)
"""For a screen as such."""

in_small = pytest.mark.parametrize("view", VIEWS[:3], ids=str)
"""For a screen that has the same on it in any size."""

in_english = pytest.mark.parametrize("view", VIEWS[:1], ids=str)
"""For one more state of a screen: its words are in other pictures already."""
