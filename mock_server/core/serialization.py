"""The core's dataclasses as JSON, for storage outside this process.

A dataclass becomes an object, an enum its value, a tuple an array, bytes base64. Reading follows the declared types of
the fields, so it can create nothing but the core's own plain values. Pydantic could do this, but importing it and
building its schemas takes longer than the rest of a start.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson
from pybase64 import b64decode, b64encode_as_string

Value = TypeVar("Value")
Build = Callable[[Any], Any]


def to_json(value: object) -> bytes:
    """A value as JSON. Equal values give the same bytes."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def without_defaults(value: Any) -> Any:
    """A value for `to_json`, without the fields that have their default. The JSON is smaller and faster to read."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if is_dataclass(value):
        return {
            name: without_defaults(found)
            for name, default in _defaults(value.__class__)
            if (found := getattr(value, name)) != default
        }
    if isinstance(value, Mapping):
        return {key: without_defaults(found) for key, found in value.items()}
    if isinstance(value, tuple):
        return [without_defaults(found) for found in value]
    return value


@lru_cache(maxsize=256)
def _defaults(kind: Any) -> list[tuple[str, Any]]:
    """The fields of a dataclass that are arguments of its constructor, with their defaults."""
    return [(field.name, default_of(field)) for field in fields(kind) if field.init]


def default_of(field: Field[Any]) -> Any:
    """The default of a dataclass's field; MISSING if it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def from_json(kind: type[Value], data: bytes) -> Value:
    """The value that `to_json` has written."""
    hashable_kind: Any = kind
    build: Build = _builder(hashable_kind)
    value: Value = build(orjson.loads(data))
    return value


def _plain(value: object) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return b64encode_as_string(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@lru_cache(maxsize=256)
def _builder(kind: Any) -> Build:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _unchanged
    if origin in (Union, types.UnionType):
        return _one_of([choice for choice in arguments if choice is not type(None)])
    if origin is tuple and arguments[-1] is not Ellipsis:
        builds = [_builder(each) for each in arguments]
        return lambda found: tuple(build(each) for build, each in zip(builds, found, strict=True))
    if origin in (tuple, frozenset):
        build = _builder(arguments[0])
        return lambda found: origin(map(build, found))
    if origin is not None:
        build_key, build_value = map(_builder, arguments)
        return lambda found: {build_key(key): build_value(each) for key, each in found.items()}
    if is_dataclass(kind):
        return _object(kind)
    if kind in (bytes, memoryview):
        return b64decode
    if kind is datetime:
        return datetime.fromisoformat
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _unchanged


def _one_of(choices: list[Any]) -> Build:
    """Builds one of several types: the dataclass that has the fields of the JSON object, or the first type."""

    has_choice = len(choices) > 1 and is_dataclass(choices[0])

    def build(found: Any) -> Any:
        if found is None:
            return None
        return _builder(next(one for one in choices if _has_fields(one, found)) if has_choice else choices[0])(found)

    return build


def _has_fields(kind: Any, found: Mapping[str, Any]) -> bool:
    names = {each.name for each in fields(kind)}
    required = {each.name for each in fields(kind) if each.default is each.default_factory is MISSING}
    return required <= found.keys() <= names


def _object(kind: Any) -> Build:
    # The builders are made on first use, because a dataclass may contain itself.
    builds: dict[str, Build] = {}

    def build(found: Mapping[str, Any]) -> Any:
        if not builds:
            hints = get_type_hints(kind)
            builds.update({field.name: _builder(hints[field.name]) for field in fields(kind)})
        return kind(**{name: builds[name](each) for name, each in found.items()})

    return build


def _unchanged(found: Any) -> Any:
    return found
