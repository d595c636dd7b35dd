"""Message catalogs: `python -m tools.catalogs` collects every message and updates client/locale/*/LC_MESSAGES.

The words of the command-line library that a person can meet (usage, errors) are collected too: it looks
them up in our domain.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "client" / "locale"
LANGUAGES = ("fr", "kk", "ru")
PACKAGES = ("client", "transports", "tui")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "counted": (1, 2)}
_CLICK_FILES = ("core.py", "exceptions.py", "formatting.py", "parser.py", "types.py", "decorators.py")


def collect() -> Catalog:
    """Return a template with every message of the packages, and of click."""
    template = Catalog(project="sanylau", fuzzy=False)
    for package in PACKAGES:
        found = extract_from_dir(str(ROOT / package), keywords=KEYWORDS)
        for name, line, message, _comments, _context in found:
            template.add(message, locations=[(f"{package}/{name}", line)])
    for message in _click_messages():
        template.add(message, locations=[("click", 0)])
    return template


def _click_messages() -> Iterator[str | tuple[str, ...]]:
    spec = find_spec("click")
    assert spec is not None
    assert spec.origin is not None
    for name in _CLICK_FILES:
        path = Path(spec.origin).with_name(name)
        if path.exists():
            keywords = {"_": None, "ngettext": (1, 2)}
            for _line, message, _comments, _context in extract_from_file("python", path, keywords=keywords):
                yield message


def path_of(language: str) -> Path:
    """Return where the catalog of `language` is."""
    return LOCALE / language / "LC_MESSAGES" / "sanylau.po"


def load(language: str) -> Catalog:
    """Return the catalog of `language`, empty if there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="sanylau", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def save(catalog: Catalog, language: str) -> None:
    """Write the catalog, sorted and without line numbers: changes stay readable."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file,
            catalog,
            width=110,
            no_location=True,
            sort_output=True,
            ignore_obsolete=True,
            omit_header=False,
        )


def problems(catalog: Catalog, template: Catalog) -> list[str]:
    """Return what is wrong with a catalog: missing, fuzzy, wrong placeholders, wrong number of plural forms."""
    found = []
    for message in template:
        if not message.id:
            continue
        own = catalog.get(message.id)
        if own is None or not own.string or (isinstance(own.string, tuple) and not all(own.string)):
            found.append(f"missing: {message.id!r}")
            continue
        if own.fuzzy:
            found.append(f"fuzzy: {message.id!r}")
        found += _misfits(own, catalog.num_plurals)
    return found


def _misfits(message: Message, plurals: int) -> Iterator[str]:
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    if isinstance(message.id, tuple) and len(texts) != plurals:
        yield f"{len(texts)} plural forms instead of {plurals}: {message.id!r}"
    allowed = set().union(*map(_fields, ids))
    needed = set.intersection(*map(_fields, ids)) - {"n"}
    for text in texts:
        if not needed <= _fields(text) <= allowed:
            yield f"placeholders of {message.id!r} and {text!r} differ"


def _fields(text: object) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(str(text)) if name}


def main() -> int:
    """Update every catalog and say what is missing in it."""
    template = collect()
    for language in LANGUAGES:
        catalog = load(language)
        catalog.update(template, no_fuzzy_matching=True)
        save(catalog, language)
        for problem in problems(load(language), template):
            print(f"{language}: {problem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
