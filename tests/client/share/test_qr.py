import io
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from client.export.qr import write_png
from client.share import parts, qr, scan
from tests.client.export.made import HERE, options
from transports.types import Rejected

ROOT = Path(__file__).parents[3]
FULL = "\u2588"


def photographed(drawn: str, *, light: bool) -> bytes:
    """Return a picture of a terminal that shows `drawn`, 10 pixels a module."""
    rows = drawn.split("\n")
    ink, ground = (0, 255) if light else (255, 0)
    picture = Image.new("L", (10 * len(rows[0]) + 80, 20 * len(rows) + 80), ground)
    pen = ImageDraw.Draw(picture)
    for row, text in enumerate(rows):
        for column, char in enumerate(text):
            for half, lit in enumerate({FULL: "11", "\u2580": "10", "\u2584": "01", " ": "00"}[char]):
                if lit == "1":
                    x, y = 40 + 10 * column, 40 + 20 * row + 10 * half
                    pen.rectangle((x, y, x + 9, y + 9), fill=ink)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def joined(texts: tuple[str, ...]) -> bytes:
    (heap,) = parts.collect(texts)
    return heap.data()


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("size", [59, 110, 400])
def test_what_a_terminal_shows_is_read_back_from_a_photo(size: int, light: bool) -> None:
    data = secrets.token_bytes(size)
    drawn = qr.on_terminal(data, rows=23, light=light)
    assert {len(code.split("\n")) <= 23 for code in drawn} == {True}
    texts = [text for code in drawn for text in scan.read(photographed(code, light=light))]
    assert joined(tuple(texts)) == data
    assert len(drawn) == (1 if size <= 110 else 4)


def test_a_sealed_bridge_fits_a_terminal_of_24_rows_in_one_code() -> None:
    (drawn,) = qr.on_terminal(secrets.token_bytes(110), rows=23, columns=80)
    assert max(map(len, drawn.split("\n"))) <= 80


def test_a_window_that_is_too_small_is_said() -> None:
    with pytest.raises(Rejected) as refused:
        qr.on_terminal(bytes(59), rows=12)
    assert refused.value.reason == qr.NO_ROOM
    with pytest.raises(Rejected):
        qr.on_terminal(bytes(59), rows=60, columns=30)


def test_a_picture_that_was_photographed_badly_is_read_back() -> None:
    data = secrets.token_bytes(183)
    (made,) = qr.as_png(data)
    with Image.open(io.BytesIO(made)) as opened:
        worn = (
            opened.convert("RGB")
            .rotate(11, expand=True, fillcolor="white")
            .filter(ImageFilter.GaussianBlur(2))
        )
    out = io.BytesIO()
    worn.resize((worn.width * 2 // 3, worn.height * 2 // 3)).save(out, "JPEG", quality=40)
    assert joined(scan.read(out.getvalue())) == data


def test_a_long_list_takes_several_pictures_in_any_order() -> None:
    data = secrets.token_bytes(1500)
    pictures = qr.as_png(data)
    assert len(pictures) == 3
    texts = [text for picture in reversed(pictures) for text in scan.read(picture)]
    assert joined(tuple(texts)) == data


def test_a_vector_picture_is_made_of_the_same_codes() -> None:
    (svg,) = qr.as_svg(secrets.token_bytes(59))
    assert svg.startswith(b"<?xml")
    assert b"<svg" in svg


def test_the_code_of_another_program_is_read_as_what_it_says() -> None:
    made = options("socks5://198.51.100.7:1080")
    content = write_png(made, HERE).content
    assert isinstance(content, bytes)
    assert scan.read(content) == ("socks5://198.51.100.7:1080",)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n\x1a\nrubbish", b"\xff\xd8\xff\xe0" + bytes(400), b"GIF89a" + bytes(20), b"x" * 99],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        scan.read(data)
    assert refused.value.reason == scan.NO_PICTURE


def test_a_picture_without_a_code_says_how_to_take_a_better_one() -> None:
    out = io.BytesIO()
    Image.new("L", (300, 300), 200).save(out, "PNG")
    with pytest.raises(Rejected) as refused:
        scan.read(out.getvalue())
    assert refused.value.reason == scan.NO_CODE


def test_a_picture_that_would_unpack_to_gigabytes_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    started = time.process_time()
    with pytest.raises(Rejected) as refused:
        scan.read(out.getvalue())
    assert refused.value.reason in (scan.TOO_LARGE, scan.NO_PICTURE)
    out = io.BytesIO()
    Image.new("1", (8000, 7000)).save(out, "PNG")  # as a photo it would do: a drawing unpacks to more
    with pytest.raises(Rejected) as refused:
        scan.read(out.getvalue())
    assert refused.value.reason == scan.TOO_LARGE
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (70_000, 4)])
def test_a_picture_of_a_strange_shape_is_refused(size: tuple[int, int]) -> None:
    out = io.BytesIO()
    Image.new("1", size).save(out, "PNG")
    with pytest.raises(Rejected) as refused:
        scan.read(out.getvalue())
    assert refused.value.reason == scan.TOO_LARGE


def test_files_that_are_none_are_refused_and_a_good_one_is_read(tmp_path: Path) -> None:
    for name in ("none.png", "."):
        with pytest.raises(Rejected):
            scan.texts(str(tmp_path / name))
    (tmp_path / "code.png").write_bytes(qr.as_png(b"some bytes")[0])
    assert joined(scan.texts(str(tmp_path / "code.png"))) == b"some bytes"
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Rejected) as refused:
        scan.texts(str(tmp_path / "huge.png"))
    assert refused.value.reason == scan.TOO_LARGE


def test_without_the_extra_it_is_said_what_to_do_instead(tmp_path: Path) -> None:
    asked = (
        "import sys; sys.modules['zxingcpp'] = None; from client.share import scan; scan.texts(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert "CannotMeasure" in done.stderr
    assert "sanylau[scan]" in done.stderr
