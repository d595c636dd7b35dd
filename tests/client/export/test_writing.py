"""The file that an export makes."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from client.export import writing
from transports.types import Rejected

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


@posix
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        writing.write(str(tmp_path / "new"), "text\r\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert (tmp_path / "new").read_bytes() == b"text\r\n"


def test_nothing_is_ever_written_over(tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.write_text("mine", "ascii")
    with pytest.raises(Rejected):
        writing.check(str(file))
    with pytest.raises(Rejected):
        writing.write(str(file), "new")
    assert file.read_text("ascii") == "mine"


@posix
def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(Rejected):
        writing.check(str(tmp_path / "link"))
    with pytest.raises(Rejected):
        writing.write(str(tmp_path / "link"), "new")
    assert not (tmp_path / "target").exists()


def test_a_folder_that_is_not_there_is_named_as_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        writing.write(str(tmp_path / "none" / "file"), "x")
    assert "why" in caught.value.values


@pytest.mark.parametrize("name", ["none/file", "file/name", "", "x" * 5000, "a\0b"])
def test_what_cannot_be_written_is_known_before_anything_is_done(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "ascii")
    with pytest.raises(Rejected) as caught:
        writing.check(name and os.path.join(tmp_path, name))
    assert "why" in caught.value.values


@posix
def test_a_folder_that_takes_no_file_is_known_before_anything_is_done(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:  # may write everywhere, but not there
        closed = Path("/proc/sys")
    with pytest.raises(Rejected):
        writing.check(str(closed / "file"))


def test_a_new_name_in_a_folder_is_fine_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("new", "./new", str(tmp_path / "new")):
        writing.check(name)
    assert list(tmp_path.iterdir()) == []


@posix
def test_half_a_file_is_taken_away(tmp_path: Path) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(Rejected):
            writing.write(str(tmp_path / "large"), b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert list(tmp_path.iterdir()) == []
