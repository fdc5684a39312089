"""From `mock.yaml`, or an account that came at run time, to accounts and defaults, with all mistakes."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mock_server.core.account import Account
from mock_server.core.field_types import scalar_text
from mock_server.core.model import OutcomeName
from mock_server.errors import Mistake, SettingsError
from mock_server.scenarios.diagnostics import documents, one_document, unknown_key, validate
from mock_server.scenarios.discovery import FixtureFile
from mock_server.scenarios.mock_model import AccountModel, MockModel
from mock_server.scenarios.scenario_reader import variant_mistakes
from mock_server.scenarios.source import ParsedFile, Source, raise_if_wrong
from mock_server.scenarios.variables import MOCK_PLACES, expand
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import Settings
from mock_server.suggest import quoted, suggest


def mock_file(text: str, file: FixtureFile, vocabulary: Vocabulary) -> ParsedFile:
    """Accounts and defaults. A second document is a mistake."""
    mistakes: list[Mistake] = []
    found = documents(text, file.shown, mistakes, str(file.path))
    mistakes += [source.mistake((), "a second document; this file has one") for source, _ in found[1:]]
    for source, document in found[:1]:
        uses_environment = expand(document, MOCK_PLACES, source, mistakes)
        model = validate(MockModel, document, source, mistakes)
        if model is not None:
            parsed = _MockReader(source, vocabulary, mistakes).read(model)
            return replace(parsed, uses_environment=uses_environment)
    return ParsedFile(mistakes=tuple(mistakes))


def parse_account(document: Mapping[str, Any] | str, *, name: str, new_key: Callable[[], str]) -> Account:
    """The account of a document; `name` and `new_key` are used if it gives none. Raises FixturesError."""
    mistakes: list[Mistake] = []
    source, plain = one_document(document, "account", mistakes)
    model = validate(AccountModel, plain, source, mistakes) if plain is not None else None
    raise_if_wrong(mistakes)
    assert model is not None  # otherwise there is a mistake
    return model.account(name=name, key=model.key or new_key())


class _MockReader:
    """Checks what depends on the vocabulary or on other parts of the file."""

    def __init__(self, source: Source, vocabulary: Vocabulary, mistakes: list[Mistake]) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._mistakes = mistakes

    def read(self, model: MockModel) -> ParsedFile:
        accounts = self._accounts(model)
        self._mistakes += self._unknown_charged_providers(model)
        variants: dict[str, Mapping[OutcomeName, str]] = {}
        settings: dict[str, str] = {}
        for key, value in (model.model_extra or {}).items():
            name = key.replace("-", "_")
            if key in self._vocabulary.providers:
                variants[key] = self._default_variants(key, value)
            elif name in self._vocabulary.settings:
                settings[name] = self._setting(key, value)
            else:
                known = [*MockModel.model_fields, *self._vocabulary.providers, *sorted(self._vocabulary.settings)]
                self._mistakes.append(unknown_key((key,), known, self._source))
        defaults = replace(model.defaults, variants=variants, settings=settings)
        return ParsedFile((), accounts, defaults, tuple(self._mistakes))

    def _accounts(self, model: MockModel) -> tuple[Account, ...] | None:
        if model.accounts is None:
            return None
        accounts = tuple(one.account(name=f"account-{number}", key="") for number, one in enumerate(model.accounts, 1))
        for field in ("key", "name"):
            self._mistakes += self._duplicates(accounts, field)
        return accounts

    def _duplicates(self, accounts: Collection[Account], field: str) -> Iterator[Mistake]:
        first: dict[str, int] = {}
        for number, account in enumerate(accounts):
            value = getattr(account, field)
            if value in first:
                what = f"account {first[value] + 1} has the same {field}"
                yield self._source.mistake(("accounts", number, field), what)
            first.setdefault(value, number)

    def _unknown_charged_providers(self, model: MockModel) -> Iterator[Mistake]:
        providers = self._vocabulary.providers
        for name in model.charge:
            if providers and name != "*" and name not in providers:
                what, hint = f"unknown provider {quoted(name)}", suggest(name, providers)
                yield self._source.mistake(("charge", name), what, hint, at_key=True)

    def _default_variants(self, provider: str, value: object) -> dict[OutcomeName, str]:
        if not isinstance(value, Mapping):
            self._complain((provider,), f"{quoted(provider)} must be a mapping of outcomes to variants")
            return {}
        found: dict[OutcomeName, str] = {}
        for name, given in value.items():
            path, variant = (provider, name), scalar_text(given)
            if name not in set(OutcomeName):
                what, hint = f"unknown outcome {quoted(name)}", suggest(name, list(OutcomeName))
                self._mistakes.append(self._source.mistake(path, what, hint, at_key=True))
            elif variant is None:
                self._complain(path, f"{quoted(name)} must be the name of a variant")
            else:
                outcome = OutcomeName(name)
                found[outcome] = variant
                self._mistakes += variant_mistakes(path, variant, outcome, self._source, self._vocabulary, provider)
        return found

    def _setting(self, key: str, value: object) -> str:
        """The value of a setting as its flag takes it: several values are joined by commas."""
        items = value if isinstance(value, list) else [value]
        texts = [text for text in map(scalar_text, items) if text is not None]
        if len(texts) < len(items):
            self._complain((key,), f"{quoted(key)} must be text, or a list of texts")
            return ""
        try:
            Settings.resolve({}, {key.replace("-", "_"): ",".join(texts)}, {})
        except SettingsError as error:
            self._complain((key,), str(error).removeprefix("mock.yaml: ").removeprefix("--"))
        return ",".join(texts)

    def _complain(self, path: tuple[str, ...], what: str) -> None:
        self._mistakes.append(self._source.mistake(path, what))
