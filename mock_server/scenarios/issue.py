"""From what is wrong in a document to a mistake with its place, in the user's words."""

import pickle
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from mock_server.errors import Mistake
from mock_server.scenarios.node import Node, Place
from mock_server.suggest import quoted, suggest

if typing.TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something wrong at `path` in a document.

    `at_key`: with the key itself rather than with its value. `missing`: the key that `path` lacks.
    """

    path: Path
    what: str
    hint: str = ""
    warning: bool = False
    at_key: bool = False
    missing: str = ""


class Source(typing.Protocol):
    """Where a document came from."""

    def mistake(self, issue: Issue) -> Mistake:
        """`issue` with its place."""


class WrittenSource:
    """A document in a YAML file; `file` as it is shown to people.

    Kept on disk and read again, its nodes stay packed until somebody asks for a place: hardly anybody does.
    """

    __slots__ = ("_node", "file")

    def __init__(self, file: str, node: Node | bytes) -> None:
        self.file = file
        self._node = node

    @property
    def node(self) -> Node:
        """The document itself."""
        if isinstance(self._node, bytes):
            unpacked: Node = pickle.loads(self._node)
            self._node = unpacked
        return self._node

    def __reduce__(self) -> tuple[type[Self], tuple[str, bytes]]:
        packed = self._node if isinstance(self._node, bytes) else pickle.dumps(self._node)
        return type(self), (self.file, packed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WrittenSource) and (self.file, self.node) == (other.file, other.node)

    def mistake(self, issue: Issue) -> Mistake:
        line, column = self.place(issue.path, at_key=issue.at_key)
        return Mistake(self.file, line, column, issue.what, issue.hint, issue.warning)

    def place(self, path: Path, *, at_key: bool = False) -> Place:
        """Where the value at `path` stands; a value with parts of its own is shown at its key."""
        return self._find(path, at_key=at_key)[1]

    def has(self, path: Path, key: str) -> bool:
        """Whether `key` is written in the mapping at `path`, be it without a value."""
        content = self._find(path, at_key=False)[0].content
        return isinstance(content, dict) and key in content

    def _find(self, path: Path, *, at_key: bool) -> tuple[Node, Place]:
        """The node at `path`, as far as there is one: short forms leave out steps of it."""
        node, place = self.node, self.node.place
        for step in path:
            content = node.content
            if isinstance(step, str) and isinstance(content, dict) and step in content:
                entry = content[step]
                node = entry.node
                place = entry.place if at_key or not isinstance(node.content, str) else node.place
            elif isinstance(step, int) and isinstance(content, list) and step < len(content):
                node = content[step]
                place = node.place
        return node, place


@dataclass(frozen=True, slots=True)
class PostedSource:
    """A document that came as JSON: places are JSON pointers."""

    document: object

    def mistake(self, issue: Issue) -> Mistake:
        steps = fitted(self.document, issue.path)
        pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
        return Mistake(pointer or "/", 0, 0, issue.what, issue.hint, issue.warning)


def fitted(document: object, path: Path) -> Path:
    """`path` without the steps that `document` does not have, because a short form leaves them out."""
    steps: list[str | int] = []
    for step in path:
        match document, step:
            case Mapping(), str() if step in document:
                document = document[step]
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                continue
        steps.append(step)
    return tuple(steps)


def without(document: object, paths: Iterable[Path]) -> object:
    """A copy of `document` that lacks what stands at `paths`; lists go as a whole.

    The document itself cannot be left out.
    """
    dropped = {_out_of_lists(path) for path in paths}

    def copy(value: object, path: Path) -> object:
        if isinstance(value, Mapping):
            return {
                key: copy(item, (*path, key)) for key, item in value.items() if (*path, key) not in dropped
            }
        if isinstance(value, list):
            return [copy(item, (*path, number)) for number, item in enumerate(value)]
        return value

    return copy(document, ())


def _out_of_lists(path: Path) -> Path:
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def issues_of(error: "ValidationError", model: type["BaseModel"], document: object) -> list[Issue]:
    """What `model` did not like about `document`, in plain words, without repetition."""
    details = error.errors(include_url=False)
    return list(dict.fromkeys(_issue(detail, model, document) for detail in details))


def unknown_key(path: Path, known: Iterable[str]) -> Issue:
    """The mistake of a key that nobody knows."""
    parents = [step for step in path[:-1] if isinstance(step, str)]
    where = f" in {quoted(parents[-1])}" if parents else ""
    return Issue(path, f"unknown key {quoted(path[-1])}{where}", suggest(str(path[-1]), known), at_key=True)


def _issue(detail: "ErrorDetails", model: type["BaseModel"], document: object) -> Issue:
    kind, context = detail["type"], detail.get("ctx", {})
    path = fitted(document, detail["loc"])
    if kind == "wrong":
        return Issue(path, context["what"], context["hint"])
    if kind == "extra_forbidden":
        return unknown_key(path, _known_keys(model, detail["loc"]))
    if kind == "missing":
        return _missing(path, str(detail["loc"][-1]))
    wanted = _CONTAINERS.get(kind) or context.get("what") or detail["msg"]
    hint = (
        '"---" separates documents' if "scenario" in model.model_fields and isinstance(document, list) else ""
    )
    return Issue(path, f"{_label(path)} wants {wanted}, not {_described(detail['input'])}", hint)


_CONTAINERS = {"model_type": "a mapping of keys", "dict_type": "a mapping of keys", "list_type": "a list"}


def _missing(parent: Path, key: str) -> Issue:
    where = _label(parent) if parent else "this document"
    if parent and isinstance(parent[-1], int):
        where = f"an item of {where}"
    return Issue(parent, f"{where} lacks the key {quoted(key)}", at_key=True, missing=key)


def _label(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return quoted(names[-1]) if names else "a document"


def _described(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return quoted(value)
    return str(value).lower()


def _known_keys(model: type["BaseModel"], path: Path) -> list[str]:
    for step in path[:-1]:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: object) -> "type[BaseModel] | None":
    """The model that a field holds, be it in a list, optional or annotated."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)
