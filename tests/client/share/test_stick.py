import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.share import stick
from transports.types import Rejected

ROOT = Path(__file__).parents[3]
# A file size limit does to a process what a full stick does: the write fails in the middle.
FULL = """
import resource, signal, sys
from client.share import stick
from transports.types import Rejected
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    stick.write(sys.argv[1], bytes(20_000))
except Rejected as rejected:
    print(rejected.reason == stick.NOT_WRITTEN)
"""


def test_a_file_appears_whole_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    stick.write(str(tmp_path / "way.age"), b"sealed")
    assert [path.name for path in tmp_path.iterdir()] == ["way.age"]
    assert stick.load(str(tmp_path / "way.age")) == b"sealed"
    assert stat.S_IMODE((tmp_path / "way.age").stat().st_mode) == 0o600


def test_a_stick_that_is_pulled_out_in_the_middle_is_said_and_leaves_no_half_file(tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        assert os.listdir(place) == ["way.age.unfinished"]
        shutil.rmtree(place)
        yield b"second"

    with pytest.raises(Rejected) as refused:
        stick.write(str(place / "way.age"), chunks())
    assert refused.value.reason == stick.NOT_WRITTEN
    assert not place.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_full_stick_is_said_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "way.age")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "True\n"
    assert os.listdir(tmp_path) == []


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "way.age").write_bytes(b"older")
    with pytest.raises(Rejected):
        stick.write(str(tmp_path / "way.age"), b"newer")
    assert (tmp_path / "way.age").read_bytes() == b"older"


def test_what_came_meanwhile_is_not_replaced_either(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        (tmp_path / "way.age").write_bytes(b"older")
        yield b"newer"

    with pytest.raises(Rejected):
        stick.write(str(tmp_path / "way.age"), chunks())
    assert (tmp_path / "way.age").read_bytes() == b"older"
    assert os.listdir(tmp_path) == ["way.age"]


def test_an_unfinished_file_of_before_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "way.age.unfinished").write_bytes(b"?")
    with pytest.raises(Rejected, match="erase it, then try again") as refused:
        stick.write(str(tmp_path / "way.age"), b"newer")
    assert refused.value.values == {"name": "way.age.unfinished"}
    assert os.listdir(tmp_path) == ["way.age.unfinished"]


def test_a_gigabyte_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Rejected) as refused:
        stick.load(str(tmp_path / "huge"))
    assert refused.value.reason == stick.TOO_LARGE


@pytest.mark.parametrize("name", ["", "none", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected):
        stick.load(str(tmp_path / name))
