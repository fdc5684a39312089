"""YAML as this project reads it: every scalar is the text that was written, and everything knows its place.

YAML's own typing would turn `007` into 7, `NO` into false, `1E10` into a number and `12:30` into 750. None
of it happens here: the models give each value its type. Nothing is constructed from tags.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml
from yaml import events as ev

from mock_server.scenarios.node import Entry, Node, Place
from mock_server.suggest import quoted

MAX_DEPTH = 32
MAX_NODES = 200_000
"""How many values one file may hold once its aliases are written out."""

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = frozenset({None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))})

Plain = str | list["Plain"] | dict[str, "Plain"] | None


class YamlError(Exception):
    """Why a file, or the rest of it, cannot be read, and where."""

    def __init__(self, place: Place, what: str, hint: str = "") -> None:
        self.place = place
        self.what = what
        self.hint = hint
        super().__init__(what)


@dataclass(slots=True)
class Documents:
    """The documents of one file as far as it could be read, and what was wrong."""

    nodes: list[Node] = field(default_factory=list)
    errors: list[YamlError] = field(default_factory=list)


def read(text: str) -> Documents:
    """All documents in `text`, empty ones left out. Never raises."""
    documents = Documents()
    builder = _Builder(documents.errors)
    try:
        events: Iterator[ev.Event] = yaml.parse(text, Loader=_LOADER)
        for event in events:
            if isinstance(event, ev.DocumentStartEvent):
                node = builder.document(events)
                if node.content is not None:
                    documents.nodes.append(node)
    except YamlError as error:
        documents.errors.append(error)
    except yaml.MarkedYAMLError as error:
        documents.errors.append(_in_plain_words(error, text))
    except yaml.YAMLError as error:
        documents.errors.append(YamlError(Place(1, 1), f"not valid YAML: {error}"))
    return documents


def plain(node: Node) -> Plain:
    """`node` as dicts, lists and strings, aliases written out. Raises YamlError where that explodes."""
    return _Expansion().plain(node, 0)


def empties(node: Node) -> Iterator[tuple[Place, str]]:
    """Keys that are written without a value, which `plain` leaves out."""
    if isinstance(node.content, list):
        for item in node.content:
            yield from empties(item)
    elif isinstance(node.content, dict):
        for key, entry in node.content.items():
            if entry.node.content is None and not entry.node.told:
                yield entry.place, f"{quoted(key)} has no value"
            yield from empties(entry.node)


class _Mark(Protocol):
    line: int
    column: int


class _Builder:
    """Builds nodes from events; complaints that do not stop the reading go to `errors`."""

    def __init__(self, errors: list[YamlError]) -> None:
        self.errors = errors
        self.anchors: dict[str, Node] = {}

    def document(self, events: Iterator[ev.Event]) -> Node:
        self.anchors = {}
        node = self._node(next(events), events, 0)
        next(events)  # the document's end
        return node

    def _node(self, event: ev.Event, events: Iterator[ev.Event], depth: int) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, ev.AliasEvent):
            return self._alias(event.anchor or "", place)
        if depth >= MAX_DEPTH and not isinstance(event, ev.ScalarEvent):
            raise YamlError(place, f"nested more than {MAX_DEPTH} levels deep")
        node = Node(place, None)
        if isinstance(event, ev.NodeEvent) and event.anchor:
            self.anchors[event.anchor] = node
        self._check_tag(event, place)
        if isinstance(event, ev.ScalarEvent):
            node.content = event.value if event.value or event.style else None
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
                self.errors.append(YamlError(key.place, "a key must be text"))
            elif key.content == "<<":
                merged.append(node)
            elif (first := entries.get(key.content)) is not None:
                what = f"duplicate key {quoted(key.content)}"
                self.errors.append(
                    YamlError(key.place, what, f"it stands on line {first.place.line} already")
                )
            else:
                entries[key.content] = Entry(key.place, node)
        for node in merged:
            self._merge(entries, node)
        return entries

    def _merge(self, entries: dict[str, Entry], node: Node) -> None:
        """`<<`: keys of other mappings, where they are not written here."""
        for source in node.content if isinstance(node.content, list) else [node]:
            if not isinstance(source.content, dict):
                self.errors.append(YamlError(source.place, '"<<" wants a mapping, or a list of mappings'))
                continue
            for key, entry in source.content.items():
                entries.setdefault(key, entry)

    def _alias(self, anchor: str, place: Place) -> Node:
        if anchor in self.anchors:
            return self.anchors[anchor]
        self.errors.append(
            YamlError(place, f'"*{anchor}" stands for nothing', f'no "&{anchor}" comes before it')
        )
        return Node(place, None, told=True)

    def _check_tag(self, event: ev.Event, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            self.errors.append(
                YamlError(place, f"the tag {quoted(tag)} has no meaning here", "write the value alone")
            )


class _Expansion:
    """Counts what it writes out, so that a few lines of aliases cannot fill the memory."""

    def __init__(self) -> None:
        self.nodes = 0

    def plain(self, node: Node, depth: int) -> Plain:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise YamlError(node.place, "its aliases explode when written out", "repeat the text instead")
        content = node.content
        if isinstance(content, list):
            return [self.plain(item, depth + 1) for item in content]
        if isinstance(content, dict):
            return {
                key: self.plain(entry.node, depth + 1)
                for key, entry in content.items()
                if entry.node.content is not None
            }
        return content


def _place(mark: _Mark | None) -> Place:
    assert mark is not None  # events of the parser always have one
    return Place(mark.line + 1, mark.column + 1)


_COLON = ('a ":" where no key can stand', "quote the text that holds it, or check the indentation")
_OPEN_LIST = ('a list opened by "[" is not closed', "")
_OPEN_MAPPING = ('a mapping opened by "{" is not closed', "")
_STRAY = ("this does not fit what is above it", "check the indentation and the quotes")
_OUTSIDE = ("text that belongs to nothing above it", '"---" begins a new document')

_WORDS: dict[str, tuple[str, str]] = {
    "mapping values are not allowed": _COLON,
    "did not find expected ',' or ']'": _OPEN_LIST,
    "expected ',' or ']', but got": _OPEN_LIST,
    "did not find expected ',' or '}'": _OPEN_MAPPING,
    "expected ',' or '}', but got": _OPEN_MAPPING,
    "did not find expected '-' indicator": _STRAY,
    "did not find expected key": _STRAY,
    "did not find expected node content": (
        "a value is missing here, or something before it is not closed",
        "",
    ),
    "expected the node content, but found": (
        "a value is missing here, or something before it is not closed",
        "",
    ),
    "expected <block end>, but found": _STRAY,
    "could not find expected ':'": ('a key without its ":"', ""),
    "did not find expected <document start>": _OUTSIDE,
    "expected '<document start>', but found": _OUTSIDE,
    "found unexpected end of stream": ("a quoted text is not closed", ""),
    "found unknown escape character": ("an unknown escape", "use single quotes where a backslash is meant"),
    "found a tab character": ("a tab in the indentation", "YAML wants spaces"),
    "found incompatible YAML document": ("an unknown version of YAML", "leave the %YAML line out"),
}
"""How the parsers' complaints begin (libyaml's and the one in Python), and what is said in their place."""

_TOLD_WHERE_OPENED = ("a list", "a mapping", "a quoted", "a key")


def _in_plain_words(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    noticed, began = error.problem_mark, error.context_mark
    place = _place(noticed or began) if noticed or began else Place(1, 1)
    problem = error.problem or "it cannot be read"
    if problem.startswith("found character") and "cannot start any token" in problem:
        return _bad_start(place, text)
    for start, (what, hint) in _WORDS.items():
        if problem.startswith(start):
            if began and what.startswith(_TOLD_WHERE_OPENED):
                return YamlError(
                    _place(began), what, f"noticed on line {place.line}" * (began.line + 1 != place.line)
                )
            return YamlError(place, what, hint)
    return YamlError(place, f"not valid YAML: {problem}")


def _bad_start(place: Place, text: str) -> YamlError:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    character = line[place.column - 1 : place.column]
    if character == "\t":
        return YamlError(place, "a tab in the indentation", "YAML wants spaces")
    return YamlError(place, f"a value cannot begin with {quoted(character)}", "put it in quotes")
