"""Documents of fixture files, checked by a model: all mistakes with their places, in the user's words."""

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mock_server.core.field_types import Changed, Written
from mock_server.errors import Mistake
from mock_server.scenarios import yaml_reader
from mock_server.scenarios.discovery import UnreadableError
from mock_server.scenarios.source import DocumentPath, FileSource, PostedSource, Source, existing_path, remove_parts
from mock_server.suggest import quoted, suggest

Model = TypeVar("Model")

# Limits for documents that are not written by people.
MAX_MISTAKES = 500
"""The mistakes that are reported for one document."""
MAX_POSTED_VALUES = 10_000
"""The values in a document that came at run time. It is checked on the event loop, within about 0.1 seconds."""

_STATUS_KEYS = ("status", "code")
_STATUS_HINT = 'the outcome decides the status: "outcome: upstream_down" is a 503'
_EMPTY_HINT = "leave the key out, or give it a value"
_MAPPING = "a mapping of keys"
_CONTAINERS = {"model_type": _MAPPING, "dataclass_type": _MAPPING, "dict_type": _MAPPING, "list_type": "a list"}
"""What the built-in types want, by the type of the error."""


def documents(
    text: str, shown: str, mistakes: list[Mistake], path: str = "", max_values: int = yaml_reader.MAX_VALUES
) -> list[tuple[Source, yaml_reader.Plain]]:
    """The documents of `text` and their sources; what is wrong is added to `mistakes`.

    `shown` is the file's name in mistakes, `path` where it can be read again.
    """
    errors: list[UnreadableError] = []
    found: list[tuple[Source, yaml_reader.Plain]] = []
    for number, node in enumerate(yaml_reader.read(text, errors, max_values)):
        source = FileSource(shown, path, number)
        source.node = node
        empties: dict[yaml_reader.Place, str] = {}
        try:
            found.append((source, yaml_reader.plain(node, empties)))
        except UnreadableError as error:
            errors.append(error)
        else:
            for place, key in islice(empties.items(), MAX_MISTAKES):
                mistakes.append(Mistake(shown, *place, f"{quoted(key)} has no value", _EMPTY_HINT))
    mistakes.extend(error.mistake(shown) for error in errors[:MAX_MISTAKES])
    return found


def one_document(
    document: Mapping[str, Any] | str, shown: str, mistakes: list[Mistake]
) -> tuple[Source, yaml_reader.Plain | Mapping[str, Any]]:
    """The only document of a mapping (from JSON) or a text; None and a mistake if there is another number of them."""
    if isinstance(document, Mapping):
        try:
            return PostedSource(document), _without_nulls(document)
        except UnreadableError as error:
            mistakes.append(PostedSource(document).mistake((), error.what))
            return PostedSource(document), None
    found = documents(document, shown, mistakes, max_values=MAX_POSTED_VALUES)
    if len(found) == 1:
        return found[0]
    if not mistakes:
        mistakes.append(Mistake(shown, 1, 1, f"expected one document, not {len(found)}"))
    return PostedSource(None), None


def validate(
    model: type[Model],
    document: object,
    source: Source,
    mistakes: list[Mistake],
    stand_ins: Mapping[str, str] | None = None,
) -> Model | None:
    """The document as a `model`; what is wrong with it is added to `mistakes`.

    The wrong parts are left out, so that the rest can be checked too. `stand_ins` are values for required keys. None
    if the rest is not a valid document either.
    """
    kind: Any = model
    read: Callable[[object], Model] = _adapter(kind).validate_python
    try:
        return read(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = [mistake for detail in details[:MAX_MISTAKES] for mistake in _mistakes(detail, model, document, source)]
    if len(details) > MAX_MISTAKES:
        found.append(source.mistake((), f"{len(details) - MAX_MISTAKES:,} more mistakes in this document"))
    mistakes.extend(dict.fromkeys(found))
    rest = remove_parts(document, [existing_path(document, detail["loc"]) for detail in details])
    try:
        return read({**(stand_ins or {}), **rest} if isinstance(rest, dict) else rest)
    except ValidationError:
        return None


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def unknown_key(path: DocumentPath, known: Iterable[str], source: Source) -> Mistake:
    """The mistake of an unknown key at `path`."""
    parents = [step for step in path[:-1] if isinstance(step, str)]
    where = f" in {quoted(parents[-1])}" if parents else ""
    known = list(known)
    hint = _STATUS_HINT if path[-1] in _STATUS_KEYS and "outcome" in known else suggest(str(path[-1]), known)
    return source.mistake(path, f"unknown key {quoted(path[-1])}{where}", hint, at_key=True)


def _without_nulls(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy of JSON without its nulls, which mean "not given". Raises UnreadableError if it is too large.

    In the parts of a reading, and in fields that a step adds, a null is not left out.
    """
    values = 0

    def copy(value: Any, depth: int, key: str = "", *, has_nulls: bool = False) -> Any:
        nonlocal values
        values += 1
        if values > MAX_POSTED_VALUES:
            raise UnreadableError(f"more than {MAX_POSTED_VALUES:,} values")
        if depth > yaml_reader.MAX_DEPTH:
            raise UnreadableError(f"nested more than {yaml_reader.MAX_DEPTH} levels deep")
        if isinstance(value, Mapping):
            inside = key == "reading"
            return {
                str(name): copy(item, depth + 1, name, has_nulls=has_nulls or inside or name == "add")
                for name, item in value.items()
                if item is not None or has_nulls
            }
        if isinstance(value, list | tuple):
            return [copy(item, depth + 1, has_nulls=has_nulls) for item in value]
        return value

    copied: Mapping[str, Any] = copy(document, 0)
    return copied


def _mistakes(detail: ErrorDetails, model: type, document: object, source: Source) -> Iterator[Mistake]:
    kind, context = detail["type"], detail.get("ctx", {})
    path = existing_path(document, detail["loc"])
    if kind == "invalid":
        hint = context["hint"]
        yield source.mistake(path, context["what"], hint() if callable(hint) else hint)
    elif kind in ("extra_forbidden", "unexpected_keyword_argument"):
        yield unknown_key(path, _known_keys(model, detail["loc"]), source)
    elif kind == "missing":
        key = str(detail["loc"][-1])
        # A key without a value is a mistake of its own; it is not missing as well.
        if not source.has(path, key):
            yield source.mistake(path, f"{_parent(path)} lacks the key {quoted(key)}", at_key=True)
    else:
        wanted = _CONTAINERS.get(kind) or context.get("what") or detail["msg"]
        is_list = "scenario" in _fields(model) and isinstance(document, list)
        hint = '"---" separates documents' if is_list else ""
        yield source.mistake(path, f"{_label(path)} must be {wanted}, not {_described(detail['input'])}", hint)


def _parent(path: DocumentPath) -> str:
    if not path:
        return "this document"
    return f"an item of {_label(path)}" if isinstance(path[-1], int) else _label(path)


def _label(path: DocumentPath) -> str:
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


def _known_keys(model: type, path: DocumentPath) -> list[str]:
    for step in path[:-1]:
        model = _mapping_in(_fields(model).get(str(step))) or model
    return list(_fields(model))


def _fields(model: Any) -> dict[str, Any]:
    """The keys of a mapping in a document, with the types of their values."""
    if issubclass(model, BaseModel):
        return {name: field.annotation for name, field in model.model_fields.items()}
    return {field.metadata.get("alias", field.name): field.type for field in fields(model)}


def _mapping_in(annotation: object) -> type | None:
    """The type of the mapping that a field holds: itself, in a list, optional or annotated."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel | Written) else None
    if isinstance(annotation, Changed):
        return _mapping_in(annotation.written_as)
    return next(filter(None, map(_mapping_in, reversed(get_args(annotation)))), None)
