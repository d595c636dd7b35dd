import hashlib
import os
import shutil
from pathlib import Path

import pytest

from client.share import program
from tools.bundle_wheels import sums
from transports.types import Rejected


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small folder of the shape that tools.bundle makes, with the checksums that it writes."""
    folder = tmp_path / "made" / "linux-x86_64"
    (folder / "wheels").mkdir(parents=True)
    (folder / "lists").mkdir()
    (folder / "start.sh").write_text("#!/bin/sh\n")
    (folder / "start.sh").chmod(0o755)
    (folder / "README.txt").write_text("Саңылау\n")
    (folder / "wheels" / "sanylau-0.1.0-py3-none-any.whl").write_bytes(os.urandom(3 << 20))
    (folder / "lists" / "linux-x86_64-cp311.txt").write_text("click==8\n")
    (folder / "SHA256SUMS").write_text(sums(folder))
    return folder


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_every_file_arrives_with_its_checksum_and_nothing_that_lay_beside(bundle: Path, stick: Path) -> None:
    (bundle / "installed").mkdir()
    (bundle / "installed" / "mine.txt").write_text("private")
    (found,) = program.found(str(bundle.parent))
    done: list[int] = []
    final = program.copy(found, str(stick), done.append)
    assert final == stick / "linux-x86_64"
    assert sums(final) == (bundle / "SHA256SUMS").read_text()
    assert not (final / "installed").exists()
    assert os.access(final / "start.sh", os.X_OK)
    assert done[-1] == found.size
    assert found.fingerprint == hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest()
    assert program.found(str(final))[0].fingerprint == found.fingerprint


def test_a_changed_file_is_named_and_nothing_stays_on_the_stick(bundle: Path, stick: Path) -> None:
    (wheel,) = (bundle / "wheels").iterdir()
    data = bytearray(wheel.read_bytes())
    data[1000] ^= 1
    wheel.write_bytes(data)
    with pytest.raises(Rejected) as refused:
        program.copy(program.found(str(bundle))[0], str(stick))
    assert refused.value.values == {"file": f"wheels/{wheel.name}"}
    assert os.listdir(stick) == []


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "README.txt").unlink()
    with pytest.raises(Rejected) as refused:
        program.found(str(bundle))
    assert refused.value.values == {"file": "README.txt"}


@pytest.mark.parametrize(
    "row", ["../evil.sh", "/etc/passwd", "a/../../b", ".hidden", "wheels/.x", "a b", "wheels\\x"]
)
def test_a_list_that_names_files_elsewhere_is_no_bundle(bundle: Path, row: str) -> None:
    with (bundle / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {row}\n")
    with pytest.raises(Rejected) as refused:
        program.found(str(bundle))
    assert refused.value.reason == program.NOT_THIS


def test_a_list_that_was_changed_after_it_was_read_is_not_handed_on(bundle: Path, stick: Path) -> None:
    (found,) = program.found(str(bundle))
    (bundle / "start.sh").write_text("#!/bin/sh\nrm -rf ~\n")
    (bundle / "SHA256SUMS").write_text(sums(bundle))
    with pytest.raises(Rejected):
        program.copy(found, str(stick))
    assert os.listdir(stick) == []


def test_a_folder_that_has_one_already_keeps_it(bundle: Path, stick: Path) -> None:
    (stick / "linux-x86_64").mkdir()
    with pytest.raises(Rejected) as refused:
        program.copy(program.found(str(bundle))[0], str(stick))
    assert refused.value.reason == program.THERE


def test_a_stick_that_is_pulled_out_is_said(bundle: Path, stick: Path) -> None:
    with pytest.raises(Rejected) as refused:
        program.copy(program.found(str(bundle))[0], str(stick), lambda _done: shutil.rmtree(stick))
    assert refused.value.reason == program.NOT_COPIED
    with pytest.raises(Rejected) as refused:
        program.copy(program.found(str(bundle))[0], str(stick))
    assert refused.value.reason == program.NO_FOLDER


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as refused:
        program.found(str(tmp_path))
    assert refused.value.reason == program.NOT_THIS
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff" * 100)
    with pytest.raises(Rejected):
        program.found(str(tmp_path))
