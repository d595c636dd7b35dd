"""The data files of the guide, and their loaders: every field is checked, every language tells the same steps."""

import datetime
from pathlib import Path

import pytest

from client.export.formats import FORMATS
from client.guide import apps, texts, without
from client.guide.apps import FOLDER, LOCAL, OWN
from client.i18n import LANGUAGES
from transports.types import Rejected

APPS = apps.load()
APP = """
[[app]]
id = "one"
name = "One"
os = ["linux"]
takes = ["obfs4", "vless"]
local = false
export = "links"
where = "same"
checked = "run-here 1.2 2026-11-23"
for = ["browse"]
source = "itself"
"""
TEXT = """
intro = "An app."
[[way]]
for = ["obfs4", "vless"]
[[way.step]]
do = "Paste {line}."
see = "It is there."
"""


def app_file(folder: Path, text: str) -> Path:
    path = folder / "apps.toml"
    path.write_text(text, "utf-8")
    return path


def text_file(folder: Path, text: str, language: str = "en", name: str = "one") -> Path:
    path = folder / language / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


# what is in the files


def test_a_program_reads_as_it_stands_in_its_file(tmp_path: Path) -> None:
    (one,) = apps.load(app_file(tmp_path, APP))
    assert (one.id, one.name, one.systems, one.takes) == (
        "one",
        "One",
        ("linux",),
        frozenset({"obfs4", "vless"}),
    )
    assert one.walked == apps.Walked("1.2", datetime.date(2026, 11, 23))
    assert one.ways == {"obfs4", "vless"}
    (one,) = apps.load(app_file(tmp_path, APP.replace("local = false", "local = true")))
    assert one.ways == {"obfs4", "vless", LOCAL}
    (one,) = apps.load(app_file(tmp_path, APP.replace('["obfs4", "vless"]', "[]")))
    assert one.ways == {OWN}
    (one,) = apps.load(app_file(tmp_path, APP.replace("run-here 1.2 2026-11-23", "not yet")))
    assert one.walked is None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('id = "one"', 'id = "One/.."', "id"),
        ('id = "one"', "id = 7", "id"),
        ('name = "One"', 'name = " "', "name"),
        ('name = "One"', 'name = "a\\u001bb"', "name"),
        ('os = ["linux"]', "os = []", "os"),
        ('os = ["linux"]', 'os = ["beos"]', "os"),
        ('os = ["linux"]', 'os = ["linux", "linux"]', "os"),
        ('os = ["linux"]', 'os = "linux"', "os"),
        ('"vless"]', '"carrier-pigeon"]', "takes"),
        ('"vless"]', '"auto"]', "takes"),
        ("local = false", 'local = "no"', "local"),
        ('export = "links"', 'export = "../x"', "export"),
        ('export = "links"', "", "export"),
        ('where = "same"', 'where = "moon"', "where"),
        ("run-here 1.2 2026-11-23", "yes", "checked"),
        ("run-here 1.2 2026-11-23", "run-here 1.2 2026-13-23", "checked"),
        ("run-here 1.2 2026-11-23", "run-here 2026-11-23", "checked"),
        ('for = ["browse"]', "for = []", "for"),
        ('for = ["browse"]', 'for = ["play"]', "for"),
        ('source = "itself"', "", "source"),
        ('source = "itself"', 'source = "itself"\nnew = 1', "new"),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    with pytest.raises(Rejected) as raised:
        apps.load(app_file(tmp_path, APP.replace(old, new)))
    assert raised.value.values == {"file": "apps.toml", "number": 1, "field": field}


@pytest.mark.parametrize("text", ["[[app", "app = 7", "x = 1", "", "app = [7]"])
def test_a_file_that_is_none_is_turned_down(tmp_path: Path, text: str) -> None:
    with pytest.raises(Rejected):
        apps.load(app_file(tmp_path, text))


def test_an_id_stands_there_once(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="twice"):
        apps.load(app_file(tmp_path, APP + APP))


def test_a_guide_reads_as_it_stands_in_its_file(tmp_path: Path) -> None:
    text_file(tmp_path, TEXT)
    text = texts.load("one", "en", tmp_path)
    way = text.way("vless")
    assert way is not None
    assert way.placeholders == {"line"}
    assert way.steps[0] == texts.Step("Paste {line}.", "It is there.", "")
    assert text.way("socks5") is None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('intro = "An app."', "", "intro"),
        ('intro = "An app."', "intro = 7", "intro"),
        ('intro = "An app."', 'intro = "An app."\nextra = 1', "extra"),
        ('for = ["obfs4", "vless"]', "for = []", "way"),
        ('for = ["obfs4", "vless"]', 'for = ["pigeon"]', "for"),
        ('for = ["obfs4", "vless"]', "", "way"),
        ("{line}", "{lines}", "do"),
        ("{line}", "{0.__class__}", "do"),
        ("{line}", "{}", "do"),
        ("{line}", "{{line}}", "do"),
        ("{line}", "}", "do"),
        ("Paste {line}.", "", "do"),
        ("Paste {line}.", "a\\nb", "do"),
        ("Paste {line}.", "x" * 701, "do"),
        ("It is there.", "{path}", "see"),
        ('see = "It is there."', 'saw = "x"', "saw"),
    ],
)
def test_a_sentence_that_is_wrong_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    text_file(tmp_path, TEXT.replace(old, new))
    with pytest.raises(Rejected) as raised:
        texts.load("one", "en", tmp_path)
    assert raised.value.values == {"file": "en/one.toml", "field": field}


@pytest.mark.parametrize("text", ["[[way", "\ufeff\x00"])
def test_a_guide_that_is_no_toml_is_turned_down(tmp_path: Path, text: str) -> None:
    text_file(tmp_path, text)
    with pytest.raises(Rejected, match="TOML"):
        texts.load("one", "en", tmp_path)


def test_a_language_without_a_text_gets_the_english_one(tmp_path: Path) -> None:
    text_file(tmp_path, TEXT)
    text_file(tmp_path, TEXT.replace("An app.", "Бағдарлама."), "kk")
    assert texts.load("one", "kk", tmp_path).language == "kk"
    assert texts.load("one", "ru", tmp_path).language == "en"
    with pytest.raises(Rejected):
        texts.load("two", "en", tmp_path)


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({"LANGUAGE": "kk"}, "kk"),
        ({"LANGUAGE": "de:ru"}, "ru"),
        ({"LANGUAGE": "", "LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LC_ALL": "ru_RU.UTF-8", "LANG": "fr_FR.UTF-8"}, "ru"),
        ({"LC_MESSAGES": "kk_KZ"}, "kk"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], wanted: str
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert texts.language() == wanted


def test_a_value_is_filled_in_once_and_cleaned() -> None:
    assert texts.fill("{host}:{port}", {"host": "{password}", "port": "\x1b[2J"}) == "{password}:\ufffd[2J"
    with pytest.raises(KeyError):
        texts.fill("{host}", {})


# what stands in the data that we ship


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_a_format_that_an_app_is_exported_to_exists(app: apps.App) -> None:
    assert not app.export or app.export in FORMATS


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_the_english_text_of_an_app_tells_each_of_its_ways_once(app: apps.App) -> None:
    text = texts.load(app.id, "en")
    told = [kind for way in text.ways for kind in way.kinds]
    assert sorted(told) == sorted(app.ways)


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_a_way_tells_the_person_where_it_leads(app: apps.App) -> None:
    for way in texts.load(app.id, "en").ways:
        names = way.placeholders
        if LOCAL in way.kinds:
            assert {"local", "local_port"} <= names
            assert not names & set(texts.SECRET)
        elif way.kinds not in ((OWN,), ("tor",)):
            assert names & {"address", "host", "link", "line"} or app.export


def test_every_way_of_a_browser_undoes_its_setting_or_looks_whether_it_holds() -> None:
    for way in texts.load("firefox", "en").ways:
        assert "No proxy" in way.steps[-1].do
    for way in texts.load("chromium", "en").ways:
        assert [step.do for step in way.steps].count("Type `chrome://version` in the address bar.") == 1


LANGUAGE = pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])


@LANGUAGE
@pytest.mark.parametrize("name", [*(app.id for app in APPS), "without"])
def test_every_guide_is_there_in_every_language(name: str, language: str) -> None:
    assert (FOLDER / language / f"{name}.toml").is_file()


@LANGUAGE
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.id)
def test_every_language_tells_the_same_steps_with_the_same_placeholders(app: apps.App, language: str) -> None:
    english, other = texts.load(app.id, "en"), texts.load(app.id, language)
    assert [way.kinds for way in other.ways] == [way.kinds for way in english.ways]
    for told, wanted in zip(other.ways, english.ways, strict=True):
        assert len(told.steps) == len(wanted.steps)
        for step, meant in zip(told.steps, wanted.steps, strict=True):
            assert step.placeholders == meant.placeholders
            assert bool(step.see) == bool(meant.see)
            assert bool(step.risk) == bool(meant.risk)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_the_same_when_nothing_works(language: str) -> None:
    english, other = without.load("en"), without.load(language)
    assert len(other.items) == len(english.items) >= 10
    assert len(other.prepare) == len(english.prepare) >= 5


def test_no_file_belongs_to_no_app() -> None:
    known = {"without", *(app.id for app in APPS)}
    for language in LANGUAGES:
        assert {path.stem for path in (FOLDER / language).glob("*.toml")} <= known


# when nothing works

PAGE = """
intro = "Nothing."
[[item]]
title = "Call"
text = "Call."
risk = "Heard."
[[prepare]]
text = "Charge."
"""


def test_the_page_for_when_nothing_works_reads_as_it_stands(tmp_path: Path) -> None:
    text_file(tmp_path, PAGE, name="without")
    page = without.load("ru", tmp_path)
    assert (page.language, page.intro, page.prepare) == ("en", "Nothing.", ("Charge.",))
    assert page.items == (without.Means("Call", "Call.", "Heard."),)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('intro = "Nothing."', "", "intro"),
        ('risk = "Heard."', "", "item"),
        ('title = "Call"', 'title = ""', "title"),
        ('text = "Charge."', 'text = "{host}"', "text"),
        ('intro = "Nothing."', 'intro = "Nothing."\nmore = 1', "more"),
    ],
)
def test_what_is_wrong_in_that_page_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    text_file(tmp_path, PAGE.replace(old, new), name="without")
    with pytest.raises(Rejected) as raised:
        without.load("en", tmp_path)
    assert raised.value.values["field"] == field


def test_that_page_must_be_toml(tmp_path: Path) -> None:
    text_file(tmp_path, "[[", name="without")
    with pytest.raises(Rejected, match="TOML"):
        without.load("en", tmp_path)


# which app


def test_an_app_is_found_by_its_id_or_its_name() -> None:
    assert apps.named(APPS, "tor-browser") is apps.named(APPS, " TOR Browser ")
    with pytest.raises(Rejected) as raised:
        apps.named(APPS, "netscape")
    assert "tor-browser" in str(raised.value.values["known"])


@pytest.mark.parametrize(
    ("platform", "env", "wanted"),
    [
        ("win32", {}, "windows"),
        ("darwin", {}, "macos"),
        ("linux", {}, "linux"),
        ("linux", {"ANDROID_ROOT": "/system"}, "android"),
    ],
)
def test_the_system_is_recognised(
    monkeypatch: pytest.MonkeyPatch, platform: str, env: dict[str, str], wanted: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.delenv("ANDROID_ROOT", raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert apps.here() == wanted


def test_every_system_has_a_browser() -> None:
    for system in apps.SYSTEMS:
        assert "browse" in apps.for_system(APPS, system)[0].purposes
