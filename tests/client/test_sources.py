import io
from pathlib import Path

import pytest

from client import bridges, parse, sources
from client.i18n import say
from transports.types import Rejected


def test_a_file_is_named_and_decoded(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("Прокси 192.0.2.7:80\n".encode("utf-16"))
    assert sources.load(str(path)) == (str(path), "Прокси 192.0.2.7:80\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b" \r\n\t", "empty"), (b"\x00\x01", "binary"), (b"#" * (parse.LARGEST + 1), "MiB")],
)
def test_what_is_no_list_is_refused_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(Rejected, match=words):
        sources.load(str(path))


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="folder"):
        sources.load(str(tmp_path))
    with pytest.raises(Rejected, match="no such file"):
        sources.load(str(tmp_path / "none"))


def test_standard_input_is_read_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, into: object) -> int:
            assert isinstance(into, memoryview)
            into[:] = b"#" * len(into)
            return len(into)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Endless())))
    with pytest.raises(Rejected, match="MiB"):
        sources.load("-")


def test_the_built_in_list_is_tor_itself_and_every_built_in_bridge() -> None:
    reading = sources.builtin()
    known = bridges.builtin()
    assert {one.source for one in reading.candidates} == {"built-in"}
    assert [one.endpoint.transport for one in reading.candidates][:2] == ["tor", "tor_bridge"]
    assert {one.endpoint.reveal() for one in reading.candidates} == {
        "tor",
        *(line.text for line in known.lines()),
    }
    assert (reading.rejected, reading.given) == ((), 1 + len(known.lines()))
    assert reading.builtin == known.date.isoformat()
    assert [known.date.isoformat() in say(notice) for notice in reading.notices] == [True]
