"""What reaches people: the wheel holds the code, its data, the compiled catalogs and the screens' styles."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


def test_the_wheel_has_the_compiled_catalogs_of_every_language(names: set[str]) -> None:
    for language in ("fr", "kk", "ru"):
        assert f"client/locale/{language}/LC_MESSAGES/sanylau.mo" in names


def test_the_wheel_has_every_style_and_data_file_of_the_tree(names: set[str]) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("client", "transports", "tui")
        for pattern in ("*.tcss", "*.toml", "*.py", "py.typed")
        for path in (ROOT / package).rglob(pattern)
    }
    assert any(name.endswith(".tcss") for name in wanted)
    assert wanted <= names


def test_the_wheel_has_no_tests_no_tools_and_no_caches(names: set[str]) -> None:
    roots = {name.split("/")[0] for name in names}
    assert roots == {"client", "transports", "tui", "sanylau-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name]
