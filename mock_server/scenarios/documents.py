"""The documents of a fixture file, and their reading by a model, with every mistake in its place."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mock_server.errors import Mistake
from mock_server.scenarios import yaml_reader
from mock_server.scenarios.issue import Issue, Source, WrittenSource, fitted, issues_of, without

Model = TypeVar("Model", bound=BaseModel)

_EMPTY_HINT = "leave the key out, or give it a value"


def documents(
    text: str, shown: str, mistakes: list[Mistake]
) -> list[tuple[WrittenSource, yaml_reader.Plain]]:
    """The documents of `text`, with where they come from; `shown` is the file's name in mistakes."""
    read = yaml_reader.read(text)
    found: list[tuple[WrittenSource, yaml_reader.Plain]] = []
    for node in read.nodes:
        source = WrittenSource(shown, node)
        try:
            found.append((source, yaml_reader.plain(node)))
        except yaml_reader.YamlError as error:
            read.errors.append(error)
        else:
            mistakes.extend(
                Mistake(shown, *place, what, _EMPTY_HINT) for place, what in yaml_reader.empties(node)
            )
    mistakes.extend(Mistake(shown, *error.place, error.what, error.hint) for error in read.errors)
    return found


def validated(
    model: type[Model],
    document: object,
    source: Source,
    mistakes: list[Mistake],
    stand_ins: Mapping[str, str] = MappingProxyType({}),
) -> Model | None:
    """The document as `model` has it, without the parts that are mistaken, so that the rest can be checked too.

    `stand_ins` are values for keys that cannot be left out. None where even so nothing is left.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        mistakes.extend(_placed(issues_of(error, model, document), source))
        paths = [fitted(document, detail["loc"]) for detail in error.errors()]
    rest = without(document, paths)
    try:
        return model.model_validate({**stand_ins, **rest} if isinstance(rest, dict) else rest)
    except ValidationError:
        return None


def _placed(issues: list[Issue], source: Source) -> list[Mistake]:
    """A key that is written without a value was told of already; it is not missing as well."""
    written = source if isinstance(source, WrittenSource) else None
    return [
        source.mistake(issue)
        for issue in issues
        if not (issue.missing and written and written.has(issue.path, issue.missing))
    ]
