"""QR codes read out of photos and screenshots. Needs the extra `scan` (zxing-cpp and Pillow), loaded when it is used.

A picture is hostile: few formats, and limits on its bytes and pixels before it is unpacked.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, Final

from transports.types import N_, CannotMeasure, Rejected

LARGEST: Final = 32 * 1024 * 1024  # bytes
_PIXELS: Final = 64_000_000  # more than a telephone's camera makes by default
_DRAWN: Final = 24_000_000  # of a format that unpacks to four bytes a pixel: a screenshot, 100 MB in memory
_SIDE: Final = 32_000  # pixels; Pillow keeps a pointer for each row, and zxing takes no more than 65535
_SHARPEST: Final = 2400  # pixels a side; a second look at a smaller picture finds what noise hides
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_CODES: Final = 64  # in one picture

MISSING: Final = N_(
    "pictures cannot be read here: install sanylau[scan] (zxing-cpp and Pillow), or read the code with a telephone and paste its text: `sanylau take -`"
)
NO_PICTURE: Final = N_("no picture that can be read: give a photo or screenshot as JPEG or PNG")
TOO_LARGE: Final = N_("this picture is too large: take a smaller photo, or cut it to the code")
NO_CODE: Final = N_(
    "no QR code is seen in this picture: take it again, nearer, straight and sharp, all of the code in it"
)


def available() -> bool:
    """Say whether the extra is installed."""
    from importlib.util import find_spec

    return find_spec("zxingcpp") is not None and find_spec("PIL") is not None


def texts(name: str) -> tuple[str, ...]:
    """Return what the codes in a picture say. Raises Rejected, or CannotMeasure where the extra is missing."""
    if not available():
        raise CannotMeasure(MISSING)
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST + 1)
    except IsADirectoryError:
        raise Rejected(N_("this is a folder: name the file in it")) from None
    except FileNotFoundError:
        raise Rejected(N_("there is no such file")) from None
    except OSError as error:
        raise Rejected(N_("cannot be read ({why})"), why=error.strerror or "?") from None
    return read(data)


def read(data: bytes) -> tuple[str, ...]:
    """Return what the codes in a picture's bytes say. Raises Rejected."""
    if len(data) > LARGEST:
        raise Rejected(TOO_LARGE)
    import zxingcpp
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about strange files; what it cannot read is refused below
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                most = _PIXELS if opened.format == "JPEG" else _DRAWN
                if opened.width * opened.height > most or max(opened.size) > _SIDE:
                    raise Rejected(TOO_LARGE)
                opened.draft("L", opened.size)  # a photo unpacks to grey at once: a third of the memory
                grey = opened.convert("L")
        except Rejected:
            raise
        except Exception:  # noqa: BLE001 - its decoders raise whatever they like
            raise Rejected(NO_PICTURE) from None
    wanted: Any = zxingcpp.BarcodeFormat.QRCode
    for _round in range(2):
        found = zxingcpp.read_barcodes(grey, formats=wanted)
        if said := tuple(one.text for one in found[:_CODES] if one.text):
            return said
        grey.thumbnail((_SHARPEST // 2, _SHARPEST // 2))
    raise Rejected(NO_CODE)
