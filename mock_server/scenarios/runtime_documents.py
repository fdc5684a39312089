"""Scenarios and accounts that are created at run time, by the admin API or from Python."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_server.core.account import Account
from mock_server.core.scenario import Scenario
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios import compile
from mock_server.scenarios.diagnostics import documents, validate
from mock_server.scenarios.models.mock_model import AccountModel
from mock_server.scenarios.scenario_reader import read_scenario
from mock_server.scenarios.source import PostedSource, Source
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.scenarios.yaml_reader import Plain


def parse_scenario(document: Mapping[str, Any] | str, *, vocabulary: Vocabulary = ANY) -> Scenario:
    """The scenario of a document: a mapping (from JSON), or YAML or JSON text.

    `when.images` are the paths as written. Raises FixturesError; places are JSON pointers for a mapping, lines and
    columns for text.
    """
    mistakes: list[Mistake] = []
    source, plain = _one_document(document, "scenario", mistakes)
    parsed = read_scenario(plain, source, mistakes, vocabulary, file="") if plain is not None else None
    _raise(mistakes)
    assert parsed is not None  # otherwise there is a mistake
    pictures = tuple(dict.fromkeys(written for written, _ in parsed.pictures))
    return replace(parsed.scenario, when=replace(parsed.scenario.when, images=pictures))


def parse_account(document: Mapping[str, Any] | str, *, name: str, new_key: Callable[[], str]) -> Account:
    """The account of a document; `name` and `new_key` are used if it gives none. Raises FixturesError."""
    mistakes: list[Mistake] = []
    source, plain = _one_document(document, "account", mistakes)
    model = validate(AccountModel, plain, source, mistakes) if plain is not None else None
    _raise(mistakes)
    assert model is not None  # as above
    return compile.account(model, name=name, key=model.key or new_key())


def _raise(mistakes: list[Mistake]) -> None:
    if any(not mistake.warning for mistake in mistakes):
        raise FixturesError(mistakes)


def _one_document(
    document: Mapping[str, Any] | str, shown: str, mistakes: list[Mistake]
) -> tuple[Source, Plain | Mapping[str, Any]]:
    if isinstance(document, Mapping):
        return PostedSource(document), _without_nulls(document)
    found = documents(document, shown, mistakes)
    if len(found) == 1:
        return found[0]
    if not mistakes:
        mistakes.append(Mistake(shown, 1, 1, f"one document is wanted, not {len(found)}"))
    return PostedSource(None), None


def _without_nulls(value: Any) -> Any:
    """The value without JSON's nulls, which mean "not given"."""
    if isinstance(value, Mapping):
        return {str(key): _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
