"""`mock.yaml`: from text to accounts and defaults, all mistakes collected."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from mock_server.core.account import Account
from mock_server.core.model import OutcomeName
from mock_server.errors import SettingsError
from mock_server.scenarios import compile
from mock_server.scenarios.documents import documents, validated
from mock_server.scenarios.issue import Issue, Source, unknown_key
from mock_server.scenarios.models.field_types import written
from mock_server.scenarios.models.mock_model import MockShape
from mock_server.scenarios.parse_results import ParsedMock
from mock_server.scenarios.scenario_reader import variant_issues
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import Settings
from mock_server.suggest import quoted, suggest


def mock_file(text: str, *, shown: str, vocabulary: Vocabulary) -> ParsedMock:
    """Accounts and defaults. A second document is a mistake."""
    parsed = ParsedMock()
    read = documents(text, shown, parsed.mistakes)
    for source, _ in read[1:]:
        parsed.mistakes.append(source.mistake(Issue((), "a second document; this file has one")))
    for source, document in read[:1]:
        shape = validated(MockShape, document, source, parsed.mistakes)
        if shape is not None:
            _read_mock(shape, source, vocabulary, parsed)
    return parsed


def _read_mock(shape: MockShape, source: Source, vocabulary: Vocabulary, parsed: ParsedMock) -> None:
    if shape.accounts is not None:
        parsed.accounts = tuple(
            compile.account(account, name=f"account-{number}", key="")
            for number, account in enumerate(shape.accounts, 1)
        )
    issues = [*_charged_providers(shape, vocabulary)]
    for what in ("key", "name"):
        issues += _twice(parsed.accounts or (), what)
    variants: dict[str, dict[OutcomeName, str]] = {}
    settings: dict[str, str] = {}
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
    parsed.defaults = replace(compile.defaults(shape), variants=variants, settings=settings)


def _twice(accounts: Collection[Account], what: str) -> Iterator[Issue]:
    first: dict[str, int] = {}
    for number, account in enumerate(accounts):
        value = getattr(account, what)
        if value in first:
            yield Issue(("accounts", number, what), f"account {first[value] + 1} has the same {what}")
        first.setdefault(value, number)


def _charged_providers(shape: MockShape, vocabulary: Vocabulary) -> Iterator[Issue]:
    for name in shape.charge:
        if vocabulary.providers and name != "*" and name not in vocabulary.providers:
            hint = suggest(name, vocabulary.providers)
            yield Issue(("charge", name), f"unknown provider {quoted(name)}", hint, at_key=True)


def _default_variants(
    provider: str, value: object, vocabulary: Vocabulary, issues: list[Issue]
) -> dict[OutcomeName, str]:
    if not isinstance(value, Mapping):
        issues.append(Issue((provider,), f"{quoted(provider)} wants a mapping of outcomes to variants"))
        return {}
    found: dict[OutcomeName, str] = {}
    for name, given in value.items():
        path, variant = (provider, name), written(given)
        if name not in set(OutcomeName):
            hint = suggest(name, list(OutcomeName))
            issues.append(Issue(path, f"unknown outcome {quoted(name)}", hint, at_key=True))
        elif variant is None:
            issues.append(Issue(path, f"{quoted(name)} wants the name of a variant"))
        else:
            found[OutcomeName(name)] = variant
            issues += variant_issues(path, variant, OutcomeName(name), vocabulary, provider)
    return found


def _setting(key: str, value: object, issues: list[Issue]) -> str:
    """A setting as its flag would take it; several values are joined by commas."""
    items = value if isinstance(value, list) else [value]
    texts = [text for text in map(written, items) if text is not None]
    if len(texts) < len(items):
        issues.append(Issue((key,), f"{quoted(key)} wants text, or a list of texts"))
        return ""
    try:
        Settings.resolve({}, {key.replace("-", "_"): ",".join(texts)}, {})
    except SettingsError as error:
        issues.append(Issue((key,), str(error).removeprefix("mock.yaml: ").removeprefix("--")))
    return ",".join(texts)
