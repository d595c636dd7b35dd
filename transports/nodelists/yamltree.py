"""Reading YAML from strangers: out of the parser's events, with limits, one list item at a time.

PyYAML's own composer recurses without limit (its C form then crashes the process), and aliases of aliases
can grow without end. Here depth, size and the following of aliases are bounded, no tag makes an object,
and every scalar stays text, because a password may be 0123 or yes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from transports.nodelists.common import bare
from transports.types import N_, Rejected

_DEEPEST: Final = 40  # levels in the document
_MOST_KEPT: Final = 200_000  # nodes kept in memory at once
_MOST_VALUES: Final = 500  # values of one item, aliases followed
_DEEPEST_ITEM: Final = 8
_NULLS: Final = ("", "~", "null", "Null", "NULL")

NO_YAML: Final = N_("the YAML of this document is broken: fetch it again")
TOO_BIG: Final = N_("this entry of the document is too large or nested too deep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value with its line from 1. `value` is text or None, a list of nodes, or pairs for a mapping."""

    line: int
    value: str | list[Node] | tuple[tuple[Node, Node], ...] | None


class Tree:
    """One pass over a YAML document."""

    def __init__(self, text: str) -> None:
        self.found = False
        self._text = text
        self._events: Iterator[Any] = iter(())
        self._anchors: dict[str, Node] = {}
        self._kept = 0

    def items(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield (line, value or Rejected) for each item of the list under the top-level key `name`.

        `found` is True afterwards if the list was there. A broken rest comes as one last Rejected.
        """
        line = 1
        try:
            for event in self._top_values(name):
                self.found = True
                line = event.start_mark.line + 1
                yield line, self._item(event)
        except (yaml.YAMLError, ValueError) as fault:
            mark = getattr(fault, "problem_mark", None)
            refusal = bare(fault) if isinstance(fault, Rejected) else Rejected(NO_YAML)
            yield (mark.line + 1 if mark else line), refusal

    def whole(self) -> Any:
        """Return the whole document as one value. Raises Rejected."""
        try:
            self._open()
            return plain(self._node(next(self._events), 0, keep=True))
        except (yaml.YAMLError, ValueError) as fault:
            raise fault if isinstance(fault, Rejected) else Rejected(NO_YAML) from None

    def _open(self) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events = yaml.parse(self._text, Loader=loader)
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise Rejected(NO_YAML)

    def _top_values(self, name: str) -> Iterator[Any]:
        """Yield the first event of each item of the list; the caller reads the item to its end."""
        self._open()
        if not isinstance(next(self._events), yaml.MappingStartEvent):
            return
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, 1, keep=False)
            event = next(self._events)
            if key.value != name or not isinstance(event, yaml.SequenceStartEvent):
                self._node(event, 1, keep=False)
                continue
            self.found = True
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                yield event

    def _item(self, event: Any) -> Any:
        kept, anchors = self._kept, len(self._anchors)
        node = self._node(event, 2, keep=True)
        if len(self._anchors) == anchors:
            self._kept = kept  # nothing can come back to it
        try:
            return plain(node)
        except Rejected as refusal:
            return bare(refusal)

    def _node(self, event: Any, depth: int, *, keep: bool) -> Node:
        """Read one value to its end. What is not kept, and has no anchor inside, leaves nothing behind."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise Rejected(NO_YAML)
            return self._anchors[event.anchor]
        keep = keep or event.anchor is not None
        self._kept += keep
        if depth > _DEEPEST or self._kept > _MOST_KEPT:
            raise Rejected(TOO_BIG)
        if isinstance(event, yaml.ScalarEvent):
            nothing = event.implicit[0] and event.value in _NULLS
            node = Node(line=line, value=None if nothing else event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(line=line, value=list(self._parts(yaml.SequenceEndEvent, depth, keep)))
        else:
            parts = self._parts(yaml.MappingEndEvent, depth, keep)
            node = Node(line=line, value=tuple(zip(parts, parts, strict=True)))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _parts(self, end: type[yaml.Event], depth: int, keep: bool) -> Iterator[Node]:
        while not isinstance(event := next(self._events), end):
            node = self._node(event, depth + 1, keep=keep)
            if keep:
                yield node


def plain(node: Node) -> Any:
    """Return text, None, lists and dictionaries; `<<` is merged. Raises Rejected beyond the limits."""
    return _plain(node, [_MOST_VALUES], 0)


def _plain(node: Node, budget: list[int], depth: int) -> Any:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST_ITEM:
        raise Rejected(TOO_BIG)
    if isinstance(node.value, list):
        return [_plain(part, budget, depth + 1) for part in node.value]
    if isinstance(node.value, tuple):
        return _mapping(node.value, budget, depth)
    return node.value


def _mapping(pairs: tuple[tuple[Node, Node], ...], budget: list[int], depth: int) -> dict[str, Any]:
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in pairs:
        if key.value == "<<":
            for part in value.value if isinstance(value.value, list) else [value]:
                below = _plain(part, budget, depth + 1)
                merged = {**below, **merged} if isinstance(below, dict) else merged
        else:
            name = _plain(key, budget, depth + 1)
            own[name if isinstance(name, str) else ""] = _plain(value, budget, depth + 1)
    return {**merged, **own}
