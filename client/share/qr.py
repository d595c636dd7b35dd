"""A capsule as QR codes: on a terminal one after another, small enough for its window; as pictures, larger.

Codes are of letters that the QR alphanumeric mode packs well (ISO/IEC 18004). Error correction L on a terminal, where
rows are dear; M in pictures, which get scratched, bent and photographed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from client.export.qr import picture
from client.share import parts
from transports.types import N_, Rejected

if TYPE_CHECKING:
    import segno

_QUIET: Final = 2  # modules around a code on a terminal, where the window's own ground goes on
_ON_PAPER: Final = 4  # modules, as ISO/IEC 18004 wants it
_SMALLEST, _LARGEST = (
    4,
    20,
)  # versions; a terminal of 24 rows holds version 6, a photo of more than 20 is seldom sharp
_SCALE: Final = 8  # pixels of a module

NO_ROOM: Final = N_("this window is too small for a QR code: make it larger, or the letters smaller")


def on_terminal(data: bytes, *, rows: int, columns: int = 200, light: bool = False) -> tuple[str, ...]:
    """Return codes of half blocks, each within `rows` and `columns`; `light` for dark letters on a light ground.

    Raises Rejected if no code fits, or for what is too long.
    """
    side = min(2 * rows, columns) - 2 * _QUIET
    version = min((side - 17) // 4, _LARGEST)
    if version < _SMALLEST:
        raise Rejected(NO_ROOM)
    return tuple(picture(code, int(light)) for code in _codes(data, version, "L"))


def as_png(data: bytes) -> tuple[bytes, ...]:
    """Return pictures; mostly one. Raises Rejected for what is too long."""
    pictures = []
    for code in _codes(data, _LARGEST, "M"):
        out = io.BytesIO()
        code.save(out, kind="png", scale=_SCALE, border=_ON_PAPER)
        pictures.append(out.getvalue())
    return tuple(pictures)


def as_svg(data: bytes) -> tuple[bytes, ...]:
    """Return pictures; mostly one. Raises Rejected for what is too long."""
    pictures = []
    for code in _codes(data, _LARGEST, "M"):
        out = io.BytesIO()
        code.save(
            out, kind="svg", scale=_SCALE, border=_ON_PAPER, light="white", svgclass=None, lineclass=None
        )
        pictures.append(out.getvalue())
    return tuple(pictures)


def _codes(data: bytes, version: int, error: str) -> list[segno.QRCode]:
    import segno
    from segno import consts

    level = {"L": consts.ERROR_LEVEL_L, "M": consts.ERROR_LEVEL_M}[error]
    bits: Any = consts.SYMBOL_CAPACITY  # its type is left open there
    room = _letters(bits[version][level], version)
    texts = parts.split(data, room, form="SQ")
    return [segno.make(text, error=error, boost_error=False, micro=False) for text in texts]


def _letters(bits: int, version: int) -> int:
    """Return how many letters of the alphanumeric alphabet go into a code: two in 11 bits, after mode and count."""
    left = bits - 4 - (9 if version < 10 else 11)
    return left // 11 * 2 + (left % 11 >= 6)
