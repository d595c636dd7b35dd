"""Every text that a person can see exists in every language, with its placeholders and plural forms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tools import catalogs

TEMPLATE = catalogs.collect()


def test_the_template_holds_the_texts_of_every_layer() -> None:
    sources = {location[0].split("/")[0] for message in TEMPLATE for location in message.locations}
    assert {"client", "transports", "tui", "click"} <= sources
    assert len(TEMPLATE) > 300


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_no_text_is_missing_and_every_placeholder_and_plural_form_agrees(language: str) -> None:
    assert catalogs.problems(catalogs.load(language), TEMPLATE) == []


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_a_catalog_holds_nothing_that_is_no_longer_said(language: str) -> None:
    stale = {message.id for message in catalogs.load(language) if message.id} - {m.id for m in TEMPLATE}
    assert stale == set()


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_translation_is_written_in_the_letters_of_its_language(language: str) -> None:
    long = [m for m in catalogs.load(language) if isinstance(m.id, str) and len(m.id.split()) > 4]
    foreign = [m.id for m in long if not any("а" <= char <= "я" for char in str(m.string).lower())]
    assert foreign == []


def test_a_missing_text_a_wrong_placeholder_and_a_wrong_plural_are_found() -> None:
    template = Catalog()
    template.add("no {name}")
    template.add(("{n} thing", "{n} things"))
    catalog = Catalog(locale="ru")
    assert len(catalogs.problems(catalog, template)) == 2
    catalog.add("no {name}", "нет {nam}")
    catalog.add(("{n} thing", "{n} things"), ("{n} вещь", "{n} вещи"))
    found = catalogs.problems(catalog, template)
    assert any("placeholders" in problem for problem in found)
    assert any("plural" in problem for problem in found)


MARKERS = {"_", "N_", "ngettext", "counted"}


@pytest.mark.parametrize("package", catalogs.PACKAGES)
def test_no_message_is_put_together_before_it_is_looked_up(package: str) -> None:
    built = []
    for path in sorted((catalogs.ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            marked = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS
            )
            if marked and isinstance(node, ast.Call) and any(isinstance(a, ast.JoinedStr) for a in node.args):
                built.append(f"{path.relative_to(Path(catalogs.ROOT))}:{node.lineno}")
    assert built == []


@pytest.mark.parametrize("package", catalogs.PACKAGES)
def test_no_message_hides_inside_an_f_string_where_the_collector_cannot_see_it(package: str) -> None:
    hidden = []
    for path in sorted((catalogs.ROOT / package).rglob("*.py")):
        for joined in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(joined, ast.JoinedStr):
                continue
            for node in ast.walk(joined):
                marked = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if marked and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    literal = [
                        a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                    ]
                    if node.func.id in MARKERS and literal:
                        hidden.append(f"{path.name}:{node.lineno}")
    assert hidden == []
