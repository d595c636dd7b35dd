"""QR codes, read by a real decoder."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import pytest

from client.export import qr
from tests.client.export.far import run
from tests.client.export.made import options, reasons, text, written
from tests.client.export.test_pac import SHELL, needs_chromium
from tests.client.export.test_torrc import OBFS4, SNOWFLAKE
from tests.transports.links import TESTABLE

needs_zbar = pytest.mark.skipif(shutil.which("zbarimg") is None, reason="needs zbarimg")
SAID = [*TESTABLE, OBFS4, SNOWFLAKE]


async def decoded(picture: Path) -> list[str]:
    said = await run("zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture)
    return said.out.decode("utf-8").splitlines()


@needs_zbar
@pytest.mark.parametrize("line", SAID)
async def test_the_png_says_the_link_or_the_line(line: str, tmp_path: Path) -> None:
    given = options(line)
    content = written("qr-png", given).content
    assert isinstance(content, bytes)
    picture = tmp_path / "code.png"
    picture.write_bytes(content)
    assert await decoded(picture) == [qr.text(given[0])]
    assert qr.text(given[0]) == line.partition("#")[0]


def _png(rows: list[list[bool]], scale: int = 4) -> bytes:
    """Return a grey picture; True is black."""
    lines = b"".join(
        b"\0" + bytes(0 if dark else 255 for dark in row for _ in range(scale))
        for row in rows
        for _ in range(scale)
    )

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", len(rows[0]) * scale, len(rows) * scale, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    )


LIT = {"\u2588": (True, True), "\u2580": (True, False), "\u2584": (False, True), " ": (False, False)}


def seen(drawing: list[str], *, light_text: bool) -> list[list[bool]]:
    """Return what a camera sees of half blocks on a terminal, with some of the window around them; True is dark."""
    rows = [[LIT[char][half] != light_text for char in line] for line in drawing for half in (0, 1)]
    edge = [light_text] * (len(rows[0]) + 8)
    side = [light_text] * 4
    return [edge] * 4 + [side + row + side for row in rows] + [edge] * 4


@needs_zbar
@pytest.mark.parametrize(("name", "light_text"), [("qr", True), ("qr-light", False)])
async def test_every_code_on_the_terminal_is_read_and_has_its_number(
    name: str, light_text: bool, tmp_path: Path
) -> None:
    given = options(*SAID)
    blocks = text(name, given).strip("\n").split("\n\n")
    assert len(blocks) == len(given)
    for number, (block, one) in enumerate(zip(blocks, given, strict=True), 1):
        head, *drawing = block.split("\n")
        assert head == str(number)
        assert len({len(line) for line in drawing}) == 1
        picture = tmp_path / "code.png"
        picture.write_bytes(_png(seen(drawing, light_text=light_text)))
        assert await decoded(picture) == [qr.text(one)]


def test_a_bridge_line_fits_a_terminal_of_thirty_lines() -> None:
    assert text("qr", options(OBFS4)).count("\n") <= 28


@needs_zbar
@needs_chromium
async def test_the_svg_drawn_by_chromium_says_the_line(tmp_path: Path) -> None:
    drawing, picture = tmp_path / "code.svg", tmp_path / "code.png"
    drawing.write_text(text("qr-svg", options(OBFS4)), "ascii")
    shot = f"--screenshot={picture}"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    await run(
        "chromium",
        *SHELL,
        profile,
        shot,
        "--window-size=700,700",
        drawing.as_uri(),
        env={"HOME": str(tmp_path)},
    )
    assert await decoded(picture) == [OBFS4]


def test_pictures_tell_nothing_but_the_code() -> None:
    assert "class" not in text("qr-svg", options(OBFS4))
    content = written("qr-png", options(OBFS4)).content
    assert isinstance(content, bytes)
    assert b"tEXt" not in content


def test_a_link_that_is_too_long_is_left_out() -> None:
    long = "trojan://x@192.0.2.1:443?path=%2F" + "a" * 3000 + "&type=ws"
    made = written("qr", options(long))
    assert made.content == ""
    assert reasons(made) == [qr.TOO_LONG]
