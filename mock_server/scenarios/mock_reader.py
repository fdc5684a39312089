"""From `mock.yaml`, or an account that came at run time, to accounts and defaults: the models, and all mistakes."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from mock_server.core import field_types as types
from mock_server.core.account import ALLOWANCE, Account, AccountStatus, Allowance, Quota, QuotaPeriod
from mock_server.core.delay import WrittenDelay
from mock_server.core.exchange import OUTCOMES
from mock_server.core.field_types import expected, invalid, scalar_text
from mock_server.core.library import Defaults, UnmatchedPolicy
from mock_server.core.model import Fault, OutcomeName, Product
from mock_server.core.rate_limit import parse_rate
from mock_server.errors import Mistake, SettingsError
from mock_server.scenarios.diagnostics import documents, one_document, unknown_key, validate
from mock_server.scenarios.discovery import FixtureFile
from mock_server.scenarios.reading_model import FixtureModel
from mock_server.scenarios.scenario_reader import variant_mistakes
from mock_server.scenarios.source import ParsedFile, Source, raise_if_wrong
from mock_server.scenarios.variables import MOCK_PLACES, expand
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import Settings
from mock_server.suggest import quoted, suggest


def _rate_limit(value: object) -> str:
    text = scalar_text(value)
    try:
        parse_rate(text or "")
    except ValueError:
        raise expected("a rate such as 5/second or 100/minute") from None
    return text or ""


_Quota = Annotated[Quota, types.one_word("limit", schema=ALLOWANCE.schema)]
ChargedOutcome = Annotated[str, types.choice(OUTCOMES, "an outcome")]
Outcomes = Annotated[list[ChargedOutcome], types.one_or_many("an outcome", can_be_empty=True)]


class CreditsModel(FixtureModel):
    """Prepaid units for each product."""

    plate: Allowance = Field(None, description="Number or unlimited.")
    vin: Allowance = Field(None, description="Number or unlimited.")


class QuotasModel(FixtureModel):
    """The requests of one period for each product, or of all time for all products."""

    model_config = ConfigDict(
        json_schema_extra={"not": {"required": ["shared"], "anyOf": [{"required": ["plate"]}, {"required": ["vin"]}]}}
    )

    plate: _Quota = Field(Quota(), description="Number, unlimited, or {limit, used}.")
    vin: _Quota = Field(Quota(), description="Number, unlimited, or {limit, used}.")
    shared: _Quota | None = Field(
        None, description="One quota for all products together, which is never renewed: a number, or {limit, used}."
    )

    @model_validator(mode="after")
    def _shared_or_not(self) -> Self:
        if "shared" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise invalid('"shared" and a quota for one product', "keep one of them")
        return self


class AccountModel(FixtureModel):
    """An account: an API key with its status and its limits."""

    key: types.OptionalText = Field(None, description="The API key.")
    name: types.OptionalText = Field(None, description="The name that scenarios use.")
    status: Annotated[AccountStatus, types.choice(AccountStatus, "an account status")] = Field(
        AccountStatus.ACTIVE, description="active, inactive, disabled or blocked."
    )
    plans: Annotated[
        list[Annotated[Product, types.choice(Product, "a product")]], types.one_or_many("a product", can_be_empty=True)
    ] = Field(list(Product), description="The products that this account may call.")
    credits: Annotated[CreditsModel, types.one_word("plate", "vin", schema=ALLOWANCE.schema)] = Field(
        CreditsModel(), description="Prepaid units: a number for both products, or {plate, vin}."
    )
    quota: Annotated[QuotasModel, types.one_word("plate", "vin", schema=ALLOWANCE.schema)] = Field(
        QuotasModel(), description="Requests in one period: a number for both products, {plate, vin}, or {shared}."
    )
    tier: types.Text = Field("standard", description="The name of the subscription tier.")
    overage: types.Flag = Field(False, description="true: requests over the quota succeed.")
    quota_period: Annotated[QuotaPeriod, types.choice(QuotaPeriod, "a quota period")] = Field(
        QuotaPeriod.MONTH, description="When the quota is renewed: month or never."
    )
    rate_limit: Annotated[
        str | None, types.Scalar(_rate_limit, {"type": "string", "examples": ["5/second", "100/minute"]})
    ] = Field(None, description="The highest number of requests in a time, e.g. 5/second.")
    wallet: types.Flag = Field(False, description="true: requests with the same Idempotency-Key are charged once.")

    def account(self, *, name: str, key: str) -> Account:
        """The account; `name` and `key` are used if the document gives none."""
        return self.value(
            Account,
            name=self.name or name,
            key=self.key or key,
            plans=frozenset(self.plans),
            credits={Product.PLATE: self.credits.plate, Product.VIN: self.credits.vin},
            quota={Product.PLATE: self.quota.plate, Product.VIN: self.quota.vin},
            shared_quota=self.quota.shared,
        )


class DeclaredAccountModel(AccountModel):
    """An account in `mock.yaml`, where the key is required."""

    key: types.Text = Field(description="The API key.")


def _for_every_provider(value: object) -> object:
    return value if isinstance(value, dict) else {"*": value}


_CHAOS = (*(outcome for outcome in OutcomeName if outcome is not OutcomeName.READ), *Fault)
_CHAOS_SCHEMA: types.JsonSchema = {"enum": [str(name) for name in _CHAOS]}
ChaosName = Annotated[str, types.choice(_CHAOS, "an outcome or fault")]


def _possible(chances: dict[str, float]) -> dict[str, float]:
    total = sum(chances.values())
    if total > 1 + 1e-9:
        raise invalid(f"the chances add up to {total * 100:.10g}%", "they share all requests, so 100% is the most")
    return chances


class MockModel(FixtureModel):
    """`mock.yaml`: accounts, and defaults for all scenarios.

    The names of providers and of server settings are keys too; they are in the vocabulary.
    """

    model_config = ConfigDict(extra="allow")

    accounts: list[DeclaredAccountModel] | None = Field(None, description="The accounts that exist at the start.")
    unmatched: Annotated[UnmatchedPolicy | None, types.choice(UnmatchedPolicy, "an answer to unmatched pictures")] = (
        Field(None, description="The reply to a picture without a scenario: synthesize, nothing_found or error.")
    )
    strict: types.OptionalFlag = Field(None, description="true: refuse the aliases that only some clients use.")
    delay: WrittenDelay | None = Field(None, description="The delay of a reply whose step gives none.")
    chaos: Annotated[
        dict[ChaosName, types.Percentage],
        types.Changed(after=_possible),
        Field(json_schema_extra={"propertyNames": _CHAOS_SCHEMA}),
    ] = Field({}, description="Outcomes and faults that any request may meet, each with its share of them, e.g. 5%.")
    charge: Annotated[dict[str, Outcomes], types.Changed(_for_every_provider)] = Field(
        {}, description="The outcomes that cost a unit: a list for all providers, or a list for each provider."
    )

    @property
    def defaults(self) -> Defaults:
        """The defaults, without variants and settings, which depend on the vocabulary."""
        return self.value(Defaults, charge={name: frozenset(outcomes) for name, outcomes in self.charge.items()})


SETTING_SCHEMA: types.JsonSchema = {"anyOf": [types.FREE_TEXT, {"type": "array", "items": types.FREE_TEXT}]}


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
