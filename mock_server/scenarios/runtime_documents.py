"""Scenarios and accounts that come at run time, from the admin API or from Python."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_server.core.account import Account
from mock_server.core.scenario import Scenario
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios import compile, yaml_reader
from mock_server.scenarios.documents import documents, validated
from mock_server.scenarios.issue import PostedSource, Source
from mock_server.scenarios.models.mock_model import AccountShape
from mock_server.scenarios.scenario_reader import read_scenario
from mock_server.scenarios.vocabulary import ANY, Vocabulary


def parse_scenario(document: Mapping[str, Any] | str, *, vocabulary: Vocabulary = ANY) -> Scenario:
    """A scenario that came at run time: a mapping (from JSON), or YAML or JSON text.

    Pictures keep the names under which they were written. Raises FixturesError; places are JSON pointers
    for a mapping, lines and columns for text.
    """
    mistakes: list[Mistake] = []
    source, plain = _one_document(document, "scenario", mistakes)
    parsed = read_scenario(plain, source, mistakes, vocabulary, file="") if plain is not None else None
    _raise(mistakes)
    assert parsed is not None  # whatever is not understood is a mistake
    pictures = tuple(dict.fromkeys(name for name, _ in parsed.pictures))
    return replace(parsed.scenario, when=replace(parsed.scenario.when, images=pictures))


def parse_account(document: Mapping[str, Any] | str, *, name: str, new_key: Callable[[], str]) -> Account:
    """An account that came at run time; `name` and `new_key` stand in where it gives none.

    Raises FixturesError.
    """
    mistakes: list[Mistake] = []
    source, plain = _one_document(document, "account", mistakes)
    shape = validated(AccountShape, plain, source, mistakes) if plain is not None else None
    _raise(mistakes)
    assert shape is not None  # as above
    return compile.account(shape, name=name, key=shape.key or new_key())


def _raise(mistakes: list[Mistake]) -> None:
    if any(not mistake.warning for mistake in mistakes):
        raise FixturesError(mistakes)


def _one_document(
    document: Mapping[str, Any] | str, shown: str, mistakes: list[Mistake]
) -> tuple[Source, yaml_reader.Plain | Mapping[str, Any]]:
    if isinstance(document, Mapping):
        return PostedSource(document), _without_nulls(document)
    found = documents(document, shown, mistakes)
    if len(found) == 1:
        return found[0]
    if not mistakes:
        mistakes.append(Mistake(shown, 1, 1, f"one document is wanted, not {len(found)}"))
    return PostedSource(None), None


def _without_nulls(value: Any) -> Any:
    """JSON's null means that nothing is given."""
    if isinstance(value, Mapping):
        return {str(key): _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
