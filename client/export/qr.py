"""QR codes of links and bridge lines: on the terminal, as SVG and as PNG.

Error correction L: the smallest code for a line. The quiet zone is 4 modules in pictures (ISO/IEC 18004) and 2 on the
terminal, where the window's own background goes on.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from client.export import links, torrc
from client.export.common import Exported, Here, each, exported, one
from client.options import Option
from transports.types import N_, Rejected

if TYPE_CHECKING:
    import segno

KINDS: Final = (*links.KINDS, *torrc.KINDS)
_ON_TERMINAL: Final = 2  # modules
_ON_PAPER: Final = 4
_SCALE: Final = 8  # pixels of a module
_HALVES: Final = {
    (0, 0): "\u2588",
    (0, 1): "\u2580",
    (1, 0): "\u2584",
    (1, 1): " ",
}  # lit where the code is light

TOO_LONG: Final = N_("too long for a QR code")


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the codes as half blocks for a light text on a dark ground, each with its number."""
    return _drawn(options, lit=0)


def write_light(options: Sequence[Option], here: Here) -> Exported:
    """Return the same for a dark text on a light ground."""
    return _drawn(options, lit=1)


def write_svg(options: Sequence[Option], here: Here) -> Exported:
    """Return a picture of the best one."""
    made, left = one(*each(options, _code))
    out = io.BytesIO()
    for _, code in made:
        code.save(
            out, kind="svg", scale=_SCALE, border=_ON_PAPER, light="white", svgclass=None, lineclass=None
        )
    return exported(out.getvalue().decode("ascii"), made, left)


def write_png(options: Sequence[Option], here: Here) -> Exported:
    """Return a picture of the best one."""
    made, left = one(*each(options, _code))
    out = io.BytesIO()
    for _, code in made:
        code.save(out, kind="png", scale=_SCALE, border=_ON_PAPER)
    return exported(out.getvalue(), made, left)


def text(option: Option) -> str:
    """Return what the code of an option says: its link or its bridge line. Raises Rejected."""
    return torrc.line(option) if option.endpoint.transport == "tor_bridge" else links.link(option)


def _code(option: Option) -> segno.QRCode:
    import segno

    try:
        return segno.make(text(option), error="L", boost_error=False, micro=False)
    except segno.DataOverflowError:
        raise Rejected(TOO_LONG) from None


def _drawn(options: Sequence[Option], *, lit: int) -> Exported:
    made, left = each(options, _code)
    pictures = (f"{number}\n{picture(code, lit)}\n" for number, (_, code) in enumerate(made, 1))
    return exported("\n".join(pictures), made, left)


def picture(code: segno.QRCode, lit: int) -> str:
    """Return a code as half blocks; `lit` is 0 for light letters on a dark ground, else 1."""
    rows = [[module ^ lit for module in row] for row in code.matrix_iter(border=_ON_TERMINAL)]
    light = [lit] * len(rows[0])
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=light)
    return "\n".join("".join(_HALVES[pair] for pair in zip(*both, strict=True)) for both in pairs)
