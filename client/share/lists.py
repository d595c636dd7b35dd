"""The BIP-39 lists of 2048 words, and finding a word that was typed in a hurry. Pure.

Lists: `mnemonic`. In all of them the first four letters are enough (Chinese words have one character). A person types
capitals, no accents, е for ё, Latin letters that look like Cyrillic ones, and makes mistakes.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

# Codes of languages, with the names that their speakers use; the lists' own names are English.
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "ru": "Русский",
    "fr": "Français",
    "tr": "Türkçe",
    "es": "Español",
    "it": "Italiano",
    "pt": "Português",
    "cs": "Čeština",
    "ja": "日本語",
    "ko": "한국어",
    "zh": "简体中文",
    "zh-hant": "繁體中文",
}
_NAMES: Final[Mapping[str, str]] = {
    "en": "english",
    "ru": "russian",
    "fr": "french",
    "tr": "turkish",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "cs": "czech",
    "ja": "japanese",
    "ko": "korean",
    "zh": "chinese_simplified",
    "zh-hant": "chinese_traditional",
}
# mnemonic 0.21 has two damaged letters in its Russian list; the word stands between "сниться" and "снять".
_MENDED: Final[Mapping[str, str]] = {"сно\ufffd\ufffdа": "снова"}
WITHOUT_BLANKS: Final = ("zh", "zh-hant")  # each character is a word
LONGEST_WORD: Final = 24  # letters; the longest of all lists has 10
_ENOUGH: Final = 4  # letters
_MOST_NEAR: Final = 3
_NEAR: Final = 0.6  # of 1, by difflib: two mistakes in five letters
_LIKELY: Final = 0.75
_AHEAD: Final = 0.1  # how much better the likely word must be than the next
_LATIN: Final = "aceopxykmtbhABEKMHOPCTXYiI"
_CYRILLIC: Final = "асеорхукмтьнАВЕКМНОРСТХУіІ"
_TO_CYRILLIC: Final = str.maketrans(_LATIN[:-2], _CYRILLIC[:-2])
_TO_LATIN: Final = str.maketrans(_CYRILLIC, _LATIN)
_PLAIN: Final = str.maketrans({"ё": "е", "ı": "i", "’": None, "'": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a typed word may be. `number` is None where no word is likely.

    `sure` says that the letters name this word and no other; `near` are words that resemble it, the likeliest first.
    """

    number: int | None
    sure: bool
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The words of one language, and the keys under which they are found."""

    lang: str
    words: tuple[str, ...]
    cased: tuple[str, ...]
    plain: tuple[str, ...]
    whole: Mapping[str, int]
    loose: Mapping[str, int]  # without accents; no list has two words that differ in accents only
    begins: Mapping[str, set[int]]  # by the first four letters without accents

    def number(self, typed: str) -> int | None:
        """Return the word that `typed` names for certain: whole or by its first four letters."""
        text = _cased(self._in_script(typed), self.lang)
        bare = _bare(text)
        if text in self.whole:
            return self.whole[text]
        alike = self.loose.get(bare)
        begun = self.begins.get(bare[:_ENOUGH], set()) if len(bare) >= _ENOUGH else set()
        if text == bare:  # the accents were left out, so a word that they would make different may be meant
            found = begun if alike is None else begun | {alike}
        elif alike is not None and len(text) > _ENOUGH:
            return alike
        else:
            found = {number for number in begun if self.cased[number].startswith(text[:_ENOUGH])} or begun
        return next(iter(found)) if len(found) == 1 else None

    def find(self, typed: str) -> Match:
        """Return what `typed` may be."""
        number = self.number(typed)
        if number is not None:
            word = self.words[number]
            whole = _bare(_cased(self._in_script(typed), self.lang))
            # Four good letters and then others: it is taken, but a listener may have heard something else.
            sure = self.plain[number].startswith(whole)
            return Match(number=number, sure=sure, near=() if sure else (word,))
        near = self.near(typed)
        text = _cased(self._in_script(typed), self.lang)
        begun = self._begun(text)
        ahead = near[0][0] - (near[1][0] if len(near) > 1 else 0.0) if near else 0.0
        if begun is not None:
            number = begun
        elif near and near[0][0] >= _LIKELY and ahead >= _AHEAD:
            number = near[0][1]
        offered = dict.fromkeys([*([] if begun is None else [begun]), *(found for _, found in near)])
        return Match(
            number=number, sure=False, near=tuple(self.words[found] for found in list(offered)[:_MOST_NEAR])
        )

    def near(self, typed: str) -> list[tuple[float, int]]:
        """Return the words that resemble `typed`, with how much (at most 1), the best first."""
        text = _bare(_cased(self._in_script(typed), self.lang))
        return [] if self.lang in WITHOUT_BLANKS else [*_near(self.lang, text)]

    def _begun(self, text: str) -> int | None:
        """Return the word that begins with `text` as it stands, accents included."""
        some = self.begins.get(_bare(text)[:_ENOUGH], ()) if len(text) >= _ENOUGH else ()
        found = [number for number in some if self.cased[number].startswith(text)]
        return found[0] if len(found) == 1 else None

    def _in_script(self, typed: str) -> str:
        """Put letters of the other script that look the same into the list's own."""
        if self.lang == "ru":
            return typed.translate(_TO_CYRILLIC)
        return typed if typed.isascii() else typed.translate(_TO_LATIN)


@functools.cache
def words(lang: str) -> WordList:
    """Return the list of a language, one of LANGUAGES."""
    from mnemonic import Mnemonic

    given = Mnemonic(_NAMES[lang]).wordlist
    listed = tuple(unicodedata.normalize("NFC", _MENDED.get(word, word)) for word in given)
    cased = tuple(_cased(word, lang) for word in listed)
    plain = tuple(_bare(word) for word in cased)
    begins: dict[str, set[int]] = {}
    for number, word in enumerate(plain):
        begins.setdefault(word[:_ENOUGH], set()).add(number)
    return WordList(
        lang=lang,
        words=listed,
        cased=cased,
        plain=plain,
        whole={word: number for number, word in enumerate(cased)},
        loose={word: number for number, word in enumerate(plain)},
        begins=begins,
    )


def _cased(text: str, lang: str) -> str:
    """Return one spelling of capitals and accents; Turkish has a capital for each of its two letters i."""
    text = unicodedata.normalize("NFC", text[:LONGEST_WORD])
    if lang == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.casefold())


def _bare(text: str) -> str:
    """Return `text` without accents; й stays a letter of its own, and Korean syllables stay whole."""
    if text.isascii():
        return text
    kept = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.replace("й", "\ue000"))
        if not unicodedata.combining(letter)
    )
    return unicodedata.normalize("NFC", kept.replace("\ue000", "й")).translate(_PLAIN)


def _parts(text: str) -> str:
    """Take Korean syllables apart, so that one wrong letter is not a whole other syllable."""
    return text if text.isascii() else unicodedata.normalize("NFD", text)


@functools.lru_cache(maxsize=512)
def _near(lang: str, text: str) -> list[tuple[float, int]]:
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(_parts(text))
    found = []
    for number, word in enumerate(words(lang).plain):
        matcher.set_seq1(_parts(word))
        if (
            matcher.real_quick_ratio() >= _NEAR
            and matcher.quick_ratio() >= _NEAR
            and (ratio := matcher.ratio()) >= _NEAR
        ):
            found.append((-ratio, number))
    return [(-negative, number) for negative, number in sorted(found)[:8]]
