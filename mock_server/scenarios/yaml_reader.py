"""YAML without its types: every scalar is the text that was written, and every value knows its place.

YAML's own types would turn `007` into 7, `NO` into false, `1E10` into a number and `12:30` into 750. Here the models
give each value its type. Nothing is constructed from tags.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from yaml import events as ev

from mock_server.core.written_reply import PlainScalar
from mock_server.scenarios.discovery import UnreadableError
from mock_server.suggest import quoted

# Limits: far above any real file, and small enough to be reached within seconds.
MAX_DEPTH = 32
MAX_VALUES = 300_000
"""The values in one file, before aliases are written out."""
MAX_EXPANDED_VALUES = 200_000
"""The values in one document, after aliases are written out; the same limit holds for merged keys."""
MAX_DOCUMENTS = 5_000

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = frozenset({None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))})
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_TOO_MANY_ALIASES = "its aliases expand to too many values", "repeat the text instead"
_SPREAD = "scenarios may be spread over as many files as you like"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Plain = str | list["Plain"] | dict[str, "Plain"] | None


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(slots=True)
class Node:
    """A value of a YAML file. `content` is text, items, entries by key, or None if no value is written.

    `is_reported`: there is a mistake already that says why there is no content.
    """

    place: Place
    content: "str | list[Node] | dict[str, Entry] | None"
    is_reported: bool = False


class Entry(NamedTuple):
    """The place of a key, and its value."""

    place: Place
    node: Node


def decode(data: bytes) -> str:
    """The text of a YAML file. Raises UnreadableError for another encoding and for control characters."""
    if data.startswith(_UTF16):
        raise UnreadableError("the file is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise UnreadableError("the file is not UTF-8 here", "save it as UTF-8", _end_of(before)) from error
    if unprintable := re.search(_UNPRINTABLE, text):
        what = f"a character that YAML does not allow (U+{ord(unprintable[0]):04X})"
        raise UnreadableError(what, "", _end_of(text[: unprintable.start()]))
    return text


def read(text: str, errors: list[UnreadableError], max_values: int = MAX_VALUES) -> list[Node]:
    """The documents in `text` as far as it can be read, without empty ones; what is wrong is added to `errors`."""
    documents: list[Node] = []
    builder = _Builder(errors, max_values)
    try:
        events: Iterator[ev.Event] = yaml.parse(text, Loader=_LOADER)
        for event in events:
            if isinstance(event, ev.DocumentStartEvent):
                node = builder.document(events)
                if node.content is None:
                    continue
                if len(documents) >= MAX_DOCUMENTS:
                    raise UnreadableError(f"more than {MAX_DOCUMENTS:,} documents", _SPREAD, node.place)
                documents.append(node)
    except UnreadableError as error:
        errors.append(error)
    except yaml.MarkedYAMLError as error:
        errors.append(_in_plain_words(error, text))
    except yaml.YAMLError as error:
        errors.append(UnreadableError(f"not valid YAML: {error}"))
    return documents


def plain(node: Node, empties: dict[Place, str]) -> Plain:
    """`node` as dicts, lists and strings, aliases written out. Raises UnreadableError if they become too many.

    Keys without a value are left out; they are added to `empties`.
    """
    return _Expansion(empties).expand(node, 0)


@dataclass(slots=True)
class _Expansion:
    """Writes out aliases. The values are counted, so that a few lines of aliases cannot fill the memory."""

    empties: dict[Place, str]
    values: int = 0

    def expand(self, node: Node, depth: int) -> Plain:
        self.values += 1
        if self.values > MAX_EXPANDED_VALUES or depth > MAX_DEPTH:
            raise UnreadableError(*_TOO_MANY_ALIASES, node.place)
        if isinstance(node.content, list):
            return [self.expand(item, depth + 1) for item in node.content]
        if not isinstance(node.content, dict):
            return node.content
        written: dict[str, Plain] = {}
        for key, entry in node.content.items():
            if entry.node.content is not None:
                written[key] = self.expand(entry.node, depth + 1)
            elif not entry.node.is_reported:
                self.empties[entry.place] = key
        return written


def _end_of(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - text.rfind("\n"))


class _Builder:
    """Builds nodes from events. Errors that do not stop the reading are added to `errors`."""

    def __init__(self, errors: list[UnreadableError], max_values: int) -> None:
        self.errors = errors
        self.max_values = max_values
        self.values = 0
        self.merged = 0
        self.anchors: dict[str, Node] = {}

    def document(self, events: Iterator[ev.Event]) -> Node:
        self.anchors = {}
        node = self._node(next(events), events, 0)
        next(events)  # the document's end
        return node

    def _node(self, event: ev.Event, events: Iterator[ev.Event], depth: int) -> Node:
        place = _place(event.start_mark)
        self.values += 1
        if self.values > self.max_values:
            raise UnreadableError(f"more than {self.max_values:,} values", _SPREAD, place)
        if isinstance(event, ev.AliasEvent):
            return self._alias(event.anchor or "", place)
        if depth >= MAX_DEPTH and not isinstance(event, ev.ScalarEvent):
            raise UnreadableError(f"nested more than {MAX_DEPTH} levels deep", place=place)
        node = Node(place, None)
        if isinstance(event, ev.NodeEvent) and event.anchor:
            self.anchors[event.anchor] = node
        self._check_tag(event, place)
        if isinstance(event, ev.ScalarEvent):
            node.content = event.value if event.style else (PlainScalar(event.value) if event.value else None)
        elif isinstance(event, ev.SequenceStartEvent):
            node.content = self._items(events, depth)
        else:
            assert isinstance(event, ev.MappingStartEvent)
            node.content = self._entries(events, depth)
        return node

    def _items(self, events: Iterator[ev.Event], depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), ev.SequenceEndEvent):
            items.append(self._node(event, events, depth + 1))
        return items

    def _entries(self, events: Iterator[ev.Event], depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        while not isinstance(event := next(events), ev.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            node = self._node(next(events), events, depth + 1)
            if not isinstance(key.content, str):
                self._complain(key.place, "a key must be text")
            elif key.content == "<<" and isinstance(key.content, PlainScalar):
                merged.append(node)
            elif (first := entries.get(key.content)) is not None:
                what, hint = (f"duplicate key {quoted(key.content)}", f"it is on line {first.place.line} already")
                self._complain(key.place, what, hint)
            else:
                entries[str(key.content)] = Entry(key.place, node)
        for node in merged:
            self._merge(entries, node)
        return entries

    def _merge(self, entries: dict[str, Entry], node: Node) -> None:
        """`<<`: keys of other mappings, where they are not written here."""
        for source in node.content if isinstance(node.content, list) else [node]:
            if not isinstance(source.content, dict):
                self._complain(source.place, '"<<" must be a mapping, or a list of mappings')
                continue
            self.merged += len(source.content)
            if self.merged > MAX_EXPANDED_VALUES:
                raise UnreadableError(*_TOO_MANY_ALIASES, source.place)
            for key, entry in source.content.items():
                entries.setdefault(key, entry)

    def _complain(self, place: Place, what: str, hint: str = "") -> None:
        self.errors.append(UnreadableError(what, hint, place))

    def _alias(self, anchor: str, place: Place) -> Node:
        if anchor in self.anchors:
            return self.anchors[anchor]
        self._complain(place, f'unknown alias "*{anchor}"', f'no "&{anchor}" comes before it; a glob needs quotes')
        return Node(place, None, is_reported=True)

    def _check_tag(self, event: ev.Event, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            self._complain(place, f"the tag {quoted(tag)} has no meaning here", "write the value alone")


def _place(mark: "yaml.Mark | yaml._yaml.Mark | None") -> Place:
    assert mark is not None  # the parser gives every event a mark
    return Place(mark.line + 1, mark.column + 1)


@cache
def _messages() -> Mapping[str, tuple[str, str]]:
    """How the messages of libyaml begin, each with what is wrong and a hint."""
    text = Path(__file__).with_name("yaml_messages.toml").read_text("utf-8")
    return tomllib.loads(text.replace("MAX_DEPTH levels", f"{MAX_DEPTH} levels"))


_PLACED_AT_START = ("a list", "a mapping", "a quoted", "a key")


def _in_plain_words(error: yaml.MarkedYAMLError, text: str) -> UnreadableError:
    noticed, began = error.problem_mark, error.context_mark
    place = _place(noticed or began) if noticed or began else START
    problem = error.problem or "it cannot be read"
    if problem.startswith("found character") and "cannot start any token" in problem:
        return _bad_start(place, text)
    if began and "alphabetic or numeric character" in problem:
        # A glob without quotes looks like an alias.
        return _bad_start(_place(began), text)
    for start, (what, hint) in _messages().items():
        if problem.startswith(start):
            if began and what.startswith(_PLACED_AT_START):
                hint = f"noticed on line {place.line}" if began.line + 1 != place.line else ""
                return UnreadableError(what, hint, _place(began))
            return UnreadableError(what, hint, place)
    return UnreadableError(f"not valid YAML: {problem}", place=place)


def _bad_start(place: Place, text: str) -> UnreadableError:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    character = line[place.column - 1 : place.column]
    if character == "\t":
        return UnreadableError("a tab in the indentation", "YAML needs spaces", place)
    return UnreadableError(f"a value cannot begin with {quoted(character)}", "put it in quotes", place)
