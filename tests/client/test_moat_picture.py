"""The file of a captcha's picture."""

from pathlib import Path

import pytest

from client.moat_picture import showing
from transports.types import CannotMeasure


async def test_a_file_that_has_come_meanwhile_is_neither_written_over_nor_erased(tmp_path: Path) -> None:
    mine = tmp_path / "picture.jpg"
    mine.write_text("mine")
    with showing(mine) as read, pytest.raises(CannotMeasure):
        await read(b"theirs")
    assert mine.read_text() == "mine"


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with showing(tmp_path / "no" / "picture.jpg") as read, pytest.raises(CannotMeasure) as cannot:
        await read(b"theirs")
    assert cannot.value.values["why"] == "No such file or directory"
