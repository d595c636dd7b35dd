"""What is pasted is text, whatever stands in it: it never acts as keys.

Textual's parser takes a paste apart as it takes keys apart, so a raw ESC in a pasted list ends the paste there and what
follows are presses. Here the stream is parted before that parser sees it. Brackets as in XTerm Control Sequences,
"Bracketed Paste Mode" (mode 2004).
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Generator, Iterator
from functools import partial
from time import monotonic
from typing import Final

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.driver import Driver
from textual.events import Paste
from textual.message import Message

LARGEST: Final = (
    8 * 1024 * 1024 + 1
)  # characters that are kept: one more than can be taken in, so that it is told
SILENCE: Final = 3.0  # seconds without a byte after which no end marker is awaited any more
PAUSE: Final = 0.1  # seconds without a byte that end a paste which came without brackets
PRESSED: Final = 0.25  # seconds without a byte after which the panic key is pressed by hand, not pasted
_HANDS: Final = 8  # different signs: nobody types as many between two reads, a list has them in each line
_SPLIT: Final = 3  # characters of the begin marker that nobody presses: the rest of it is worth waiting for
_MARKER: Final = len(BRACKETED_PASTE_END)
_PANIC: Final = re.compile(r"(?:\x18|\x1b\[(?:120|1095);5u){1,2}")  # panic.KEYS as a terminal tells them
_KEYED: Final = re.compile(r"[\x01-\x09\x0b-\x1f\x7f][^\x00-\x1f\x7f]*\r?\Z")
"""A key such as Tab, what is typed behind it, and Enter: a fast typist, a slow line, or a program that types."""
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_COLOURS: Final = re.compile(r"\x1b\[(?:20[01]~|[\d;]*[mK])")  # what coloured output has in it, and markers
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_READERS: Final = ("linux_driver", "linux_inline_driver", "web_driver", "win32")


def text_of(pasted: str) -> str:
    """Return what was pasted with "\\n" for every line's end and without control characters; tabs stay."""
    return _CONTROLS.sub("", _COLOURS.sub("", _LINE_ENDS.sub("\n", pasted)))


class PasteParser:
    """Textual's parser of what a terminal sends, but for pastes. In the place of XTermParser in a driver.

    An end marker with another one behind it in the same read was pasted too. So is a read without brackets that no
    hands can have typed: some terminals have none, the Linux console among them.

    The panic key must work whatever goes wrong, a paste without an end too: where a paste has stood still, a read that
    holds nothing but that key is a press.
    """

    def __init__(self, debug: bool = False) -> None:
        self._keys = XTermParser(debug)
        self._before = ""  # the last characters that were no paste: a begin marker may come in parts
        self._heard = 0.0
        self._ended = float("-inf")  # when the last paste was over
        self._grown = 0.0  # when the paste that goes on got its last byte
        self._until: float | None = None  # when the paste that goes on is over without an end marker
        self._bracketed = False
        self._pieces: list[str] = []
        self._size = 0
        self._rest = ""  # the last characters of the paste: an end marker may come in parts too

    def feed(self, data: str) -> Iterator[Message]:
        """Take in what was read, and yield what it means. "" is the end of the input: an open paste is dropped."""
        if not data:
            yield from self._keys.feed(data)
        self._heard = monotonic()
        waits = self._grown, self._until
        panic = self._until is not None and _PANIC.fullmatch(data) is not None
        if panic and self._heard - self._grown > PRESSED:
            yield from self._keys.feed(data)
            return
        while data:
            data = yield from (self._outside(data) if self._until is None else self._inside(data))
        if panic and self._until is not None:
            self._grown, self._until = waits  # presses in quick succession must not keep it open

    def tick(self) -> Iterator[Message]:
        """Yield what has become certain by waiting."""
        now = monotonic()
        if self._until is not None:
            if now >= self._until:
                yield from self._end()
        elif not self._begins or now - self._heard >= SILENCE:
            yield from self._keys.tick()

    @property
    def _begins(self) -> bool:
        """Say whether a begin marker is on its way."""
        return any(self._before.endswith(BRACKETED_PASTE_START[:n]) for n in range(_SPLIT, _MARKER))

    def _outside(self, data: str) -> Generator[Message, None, str]:
        """Hand keys on; return what belongs to a paste."""
        at = (self._before + data).find(BRACKETED_PASTE_START)
        if at < 0 and self._is_no_typing(data):
            self._begin(bracketed=False)
            return data
        if at < 0:
            self._before = (self._before + data)[1 - _MARKER :]
            yield from self._keys.feed(data)
            return ""
        end = at + _MARKER - len(self._before)
        # The other parser gets both markers and nothing between them, and is then where it was before.
        for message in self._keys.feed(data[:end] + BRACKETED_PASTE_END):
            if not isinstance(message, Paste):
                yield message
        self._begin(bracketed=True)
        return data[end:]

    def _is_no_typing(self, data: str) -> bool:
        if "\x1b" in data or len(set(filter(str.isprintable, data))) < _HANDS:
            return False
        pasting = (
            self._heard - self._ended < SILENCE
        )  # the next line of a list may begin with the end of the last one
        return pasting or not _KEYED.match(data)

    def _begin(self, *, bracketed: bool) -> None:
        self._before = self._rest = ""
        self._size = 0
        self._bracketed = bracketed
        self._wait()

    def _wait(self) -> None:
        self._grown = self._heard
        self._until = self._heard + (SILENCE if self._bracketed else PAUSE)

    def _inside(self, data: str) -> Generator[Message, None, str]:
        """Keep what is pasted; return what comes after it."""
        self._wait()
        if not self._bracketed:
            text, escape, after = data.partition("\x1b")
            self._keep(text)
            if escape:
                yield from self._end()
            return escape + after
        data = self._rest + data
        at = _end_of(data)
        if at < 0:
            self._keep(data[: 1 - _MARKER])
            self._rest = data[1 - _MARKER :]
            return ""
        self._rest = ""
        self._keep(data[:at])
        yield from self._end()
        return data[at + _MARKER :]

    def _keep(self, text: str) -> None:
        text = text[: LARGEST - self._size]
        self._size += len(text)
        self._pieces.append(text)

    def _end(self) -> Iterator[Message]:
        self._keep(self._rest)
        text = text_of("".join(self._pieces))
        self._pieces.clear()
        self._until = None
        self._ended = self._heard
        if text:
            yield Paste(text)


def _end_of(data: str) -> int:
    """Return where the end marker is that ends the paste, -1 if it is not there."""
    at = data.find(BRACKETED_PASTE_END)
    while at >= 0 and not data.startswith(BRACKETED_PASTE_START, at + _MARKER):
        later = data.find(BRACKETED_PASTE_END, at + _MARKER)
        if later < 0:
            break
        at = later
    return at


def _lenient(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), "replace")


def guarded(kind: type[Driver]) -> type[Driver]:
    """Return this kind of driver, which from now on reads pastes as text, and bytes that are no UTF-8 as well."""
    for name in _READERS:
        module = sys.modules.get(f"textual.drivers.{name}")
        if module is not None:  # the parser is made in there, out of reach of a subclass
            vars(module).update(XTermParser=PasteParser, getincrementaldecoder=_lenient)
    return kind
