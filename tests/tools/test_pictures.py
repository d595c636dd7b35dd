"""The pictures in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import pictures


def test_every_screen_that_is_pictured_has_its_picture_and_stands_in_the_documents() -> None:
    page = (pictures.FOLDER.parent / "screen.md").read_text("utf-8")
    for name in pictures._WAYS:
        text = (pictures.FOLDER / f"{name}.txt").read_text("utf-8")
        assert len(text.splitlines()) == 24
        assert (pictures.FOLDER / f"{name}.svg").read_text("utf-8").startswith("<svg")
        assert f"pictures/{name}.svg" in page


def test_a_picture_is_made_as_text_and_as_svg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_WAYS", {"home": ()})
    assert pictures.make(tmp_path) == ["home"]
    assert "Practise" in (tmp_path / "home.txt").read_text("utf-8")
    assert "Practise" in (tmp_path / "home.svg").read_text("utf-8")
