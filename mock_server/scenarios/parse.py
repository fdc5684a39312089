"""One document or file to scenarios, or `mock.yaml` to accounts and defaults; all mistakes are collected."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mock_server.core.account import Account
from mock_server.core.fixture_set import Defaults
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios import compiled, yaml
from mock_server.scenarios.issue import (
    Issue,
    PostedSource,
    Source,
    WrittenSource,
    fitted,
    issues_of,
    unknown_key,
    without,
)
from mock_server.scenarios.mock_shape import AccountShape, MockShape
from mock_server.scenarios.pictures import picture_id
from mock_server.scenarios.scalars import written
from mock_server.scenarios.scenario_shape import ScenarioShape
from mock_server.scenarios.suggest import suggest
from mock_server.scenarios.vin_check import vin_issues
from mock_server.scenarios.vocabulary import ANY, Vocabulary

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ParsedScenario:
    """A scenario, where it comes from, and its pictures: as written, and the ids they mean, if any.

    `whole` is false where parts of it were left out as mistaken.
    """

    scenario: Scenario
    source: Source
    pictures: tuple[tuple[str, str | None], ...] = ()
    whole: bool = True


@dataclass(slots=True)
class ParsedFile:
    """What one scenario file says, as far as it could be understood."""

    scenarios: list[ParsedScenario] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(slots=True)
class ParsedMock:
    """What `mock.yaml` says; `accounts` is None where it does not speak of them."""

    accounts: tuple[Account, ...] | None = None
    defaults: Defaults = field(default_factory=Defaults)
    mistakes: list[Mistake] = field(default_factory=list)


def scenario_file(text: str, *, id: str, shown: str, vocabulary: Vocabulary) -> ParsedFile:
    """All scenarios of one file. `id` is its path below the directory, `shown` its name in mistakes."""
    parsed = ParsedFile()
    for source, document in _documents(text, shown, parsed.mistakes):
        scenario = _scenario(document, source, parsed.mistakes, vocabulary, file=id)
        if scenario is not None:
            parsed.scenarios.append(scenario)
    return parsed


def mock_file(text: str, *, shown: str, vocabulary: Vocabulary) -> ParsedMock:
    """Accounts and defaults. A second document is a mistake."""
    parsed = ParsedMock()
    documents = _documents(text, shown, parsed.mistakes)
    for source, _ in documents[1:]:
        parsed.mistakes.append(source.mistake(Issue((), "a second document; this file has one")))
    for source, document in documents[:1]:
        shape = _validated(MockShape, document, source, parsed.mistakes)
        if shape is not None:
            _read_mock(shape, source, vocabulary, parsed)
    return parsed


def parse_scenario(document: Mapping[str, Any] | str, *, vocabulary: Vocabulary = ANY) -> Scenario:
    """A scenario that came at run time: a mapping (from JSON), or YAML or JSON text.

    Pictures keep the names under which they were written. Raises FixturesError; places are JSON pointers
    for a mapping, lines and columns for text.
    """
    mistakes: list[Mistake] = []
    source, plain = _one_document(document, "scenario", mistakes)
    parsed = _scenario(plain, source, mistakes, vocabulary, file="") if plain is not None else None
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
    shape = _validated(AccountShape, plain, source, mistakes) if plain is not None else None
    _raise(mistakes)
    assert shape is not None  # as above
    return compiled.account(shape, name=name, key=shape.key or new_key())


def _raise(mistakes: list[Mistake]) -> None:
    if any(not mistake.warning for mistake in mistakes):
        raise FixturesError(mistakes)


def _documents(text: str, shown: str, mistakes: list[Mistake]) -> list[tuple[WrittenSource, yaml.Plain]]:
    documents = yaml.read(text)
    found: list[tuple[WrittenSource, yaml.Plain]] = []
    for node in documents.nodes:
        source = WrittenSource(shown, node)
        try:
            found.append((source, yaml.plain(node)))
        except yaml.YamlError as error:
            documents.errors.append(error)
        else:
            mistakes.extend(Mistake(shown, *place, what, _EMPTY_HINT) for place, what in yaml.empties(node))
    mistakes.extend(Mistake(shown, *error.place, error.what, error.hint) for error in documents.errors)
    return found


_EMPTY_HINT = "leave the key out, or give it a value"


def _one_document(
    document: Mapping[str, Any] | str, shown: str, mistakes: list[Mistake]
) -> tuple[Source, yaml.Plain | Mapping[str, Any]]:
    if isinstance(document, Mapping):
        return PostedSource(document), _without_nulls(document)
    documents: list[tuple[WrittenSource, yaml.Plain]] = _documents(document, shown, mistakes)
    if len(documents) == 1:
        return documents[0]
    if not mistakes:
        mistakes.append(Mistake(shown, 1, 1, f"one document is wanted, not {len(documents)}"))
    return PostedSource(None), None


def _without_nulls(value: Any) -> Any:
    """JSON's null means that nothing is given."""
    if isinstance(value, Mapping):
        return {str(key): _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value


def _validated(model: type[Model], document: object, source: Source, mistakes: list[Mistake]) -> Model | None:
    """The document as `model` has it, without the parts that are mistaken, if anything is left then."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        mistakes.extend(_placed(issues_of(error, model, document), source))
        paths = [fitted(document, detail["loc"]) for detail in error.errors()]
    try:
        return model.model_validate(without(document, paths))
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


def _scenario(
    document: object, source: Source, mistakes: list[Mistake], vocabulary: Vocabulary, *, file: str
) -> ParsedScenario | None:
    before = len(mistakes)
    shape = _validated(ScenarioShape, document, source, mistakes)
    if shape is None:
        return None
    whole = len(mistakes) == before
    issues = [*_name_issues(shape), *_vocabulary_issues(shape, vocabulary)]
    mistakes.extend(source.mistake(issue) for issue in issues)
    line = source.place(("scenario",)).line if isinstance(source, WrittenSource) else 0
    pictures = tuple((written, picture_id(file, written)) for written in shape.when.image)
    ids = [id for _, id in pictures if id is not None]
    scenario = compiled.scenario(shape, images=ids, file=file, line=line)
    mistakes.extend(source.mistake(issue) for issue in vin_issues(scenario))
    return ParsedScenario(scenario, source, pictures, whole)


def _name_issues(shape: ScenarioShape) -> list[Issue]:
    if shape.scenario in set(OutcomeName):
        return [
            Issue(
                ("scenario",), f'"{shape.scenario}" is the name of an outcome', "call the scenario otherwise"
            )
        ]
    return []


def _vocabulary_issues(shape: ScenarioShape, vocabulary: Vocabulary) -> list[Issue]:
    if not vocabulary.providers:
        return []
    provider = shape.when.provider
    issues = []
    if provider is not None and provider not in vocabulary.providers:
        hint = suggest(provider, vocabulary.providers)
        issues.append(Issue(("when", "provider"), f'unknown provider "{provider}"', hint))
    for number, step in enumerate(shape.then):
        path = ("then", number, "variant")
        issues.extend(_variant_issues(path, step.variant, step.outcome, provider, vocabulary))
    return issues


def _variant_issues(
    path: tuple[str | int, ...],
    variant: str | None,
    outcome: OutcomeName,
    provider: str | None,
    vocabulary: Vocabulary,
) -> list[Issue]:
    known = vocabulary.variants(outcome, provider)
    if variant is None or variant in known:
        return []
    whose = f" of {provider}" if provider else ""
    if not known:
        return [Issue(path, f'"{outcome}"{whose} has no variants')]
    return [
        Issue(path, f'unknown variant "{variant}" of "{outcome}"{whose}', suggest(variant, sorted(known)))
    ]


def _read_mock(shape: MockShape, source: Source, vocabulary: Vocabulary, parsed: ParsedMock) -> None:
    if shape.accounts is not None:
        parsed.accounts = tuple(
            compiled.account(account, name=f"account-{number}", key="")
            for number, account in enumerate(shape.accounts, 1)
        )
    variants: dict[str, dict[OutcomeName, str]] = {}
    settings: dict[str, str] = {}
    issues = _twice(parsed.accounts or (), "key") + _twice(parsed.accounts or (), "name")
    issues += _charged_providers(shape, vocabulary)
    for key, value in (shape.model_extra or {}).items():
        name = key.replace("-", "_")
        if key in vocabulary.providers:
            variants[key] = _default_variants(key, value, vocabulary, issues)
        elif name in vocabulary.settings:
            settings[name] = _setting(key, value, issues)
        else:
            known = [*MockShape.model_fields, *vocabulary.providers, *sorted(vocabulary.settings)]
            issues.append(unknown_key((key,), known))
    parsed.mistakes.extend(source.mistake(issue) for issue in issues)
    parsed.defaults = replace(compiled.defaults(shape), variants=variants, settings=settings)


def _twice(accounts: Collection[Account], what: str) -> list[Issue]:
    first: dict[str, int] = {}
    issues = []
    for number, account in enumerate(accounts):
        value = getattr(account, what)
        if value in first:
            issues.append(
                Issue(("accounts", number, what), f"account {first[value] + 1} has the same {what}")
            )
        first.setdefault(value, number)
    return issues


def _charged_providers(shape: MockShape, vocabulary: Vocabulary) -> list[Issue]:
    if not vocabulary.providers:
        return []
    return [
        Issue(
            ("charge", name), f'unknown provider "{name}"', suggest(name, vocabulary.providers), at_key=True
        )
        for name in shape.charge
        if name != "*" and name not in vocabulary.providers
    ]


def _default_variants(
    provider: str, value: object, vocabulary: Vocabulary, issues: list[Issue]
) -> dict[OutcomeName, str]:
    if not isinstance(value, Mapping):
        issues.append(Issue((provider,), f'"{provider}" wants a mapping of outcomes to variants'))
        return {}
    found: dict[OutcomeName, str] = {}
    for name, given in value.items():
        path, variant = (provider, name), written(given)
        if name not in set(OutcomeName):
            issues.append(
                Issue(path, f'unknown outcome "{name}"', suggest(name, list(OutcomeName)), at_key=True)
            )
        elif variant is None:
            issues.append(Issue(path, f'"{name}" wants the name of a variant'))
        elif wrong := _variant_issues(path, variant, OutcomeName(name), provider, vocabulary):
            issues.extend(wrong)
        else:
            found[OutcomeName(name)] = variant
    return found


def _setting(key: str, value: object, issues: list[Issue]) -> str:
    """A setting as its flag would take it; several values are joined by commas."""
    items = value if isinstance(value, list) else [value]
    texts = [text for text in map(written, items) if text is not None]
    if len(texts) < len(items):
        issues.append(Issue((key,), f'"{key}" wants text, or a list of texts'))
    return ",".join(texts)
