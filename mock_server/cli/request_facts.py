"""The facts about a request that the options of `match` give, and what they decide whatever scenarios match."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from mock_server.core import forcing
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.conditions import Query
from mock_server.core.model import PICTURE_OUTCOMES, Outcome, Product, ReadRequest
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.store import DryRunStore, MemoryStore
from mock_server.errors import UnknownPreferenceError
from mock_server.imaging.results import SearchResult
from mock_server.providers.provider import Provider
from mock_server.suggest import quoted, suggest

ReadCall = tuple[Provider, Product]
"""A call to a provider that reads one product."""


class RequestFacts:
    """What is known about a request. A fact that no option gives is unknown.

    `filename` is the name of an upload, unless the request has a URL in its place. Raises click.UsageError.
    """

    def __init__(
        self, filename: str, options: Mapping[str, str | None], headers: Sequence[str], providers: Sequence[Provider]
    ) -> None:
        self._facts = {name: value for name, value in options.items() if value is not None}
        self.headers: dict[str, str] = {}
        for name, value in map(_header, headers):
            # Repeated headers are one list, as in HTTP.
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._check("provider", [provider.name for provider in providers])
        self._check("product", list(Product))
        self.calls = [call for call in _read_calls(providers) if self._may_be(call)]
        self._check_picture()
        if "url" not in self._facts and any(_takes_uploads(provider) for provider, _ in self.calls):
            self._facts.setdefault("filename", filename)

    @property
    def key(self) -> str | None:
        """The API key, None if it is unknown."""
        return self._facts.get("key")

    def request(self, call: ReadCall | None = None) -> ReadRequest:
        """The request as far as it is known; with `call`, as that provider gets it."""
        facts = self._facts
        provider, product = call if call else (None, Product(facts.get("product", Product.PLATE)))
        has_file = provider is None or _takes_uploads(provider)
        return ReadRequest(
            provider.name if provider else facts.get("provider", ""),
            product,
            self.key,
            url=facts.get("url"),
            filename=facts.get("filename") if has_file else None,
            language=facts.get("language", "en"),
            headers=self.headers,
        )

    def query(self, search: SearchResult, accounts: Iterable[Account]) -> Query:
        """What the conditions of scenarios are tested against."""
        account = next((one.name for one in accounts if one.key == self.key), "")
        return Query(self.request(), account, search)

    def is_known(self, condition: str) -> bool:
        """Whether a condition of that name can be decided."""
        if condition.startswith("header "):
            return condition.removeprefix("header ").lower() in self.headers
        if condition in ("filename", "url"):  # A request has one of them. The URL may be unknown.
            return condition == "filename" or bool({"filename", "url"} & self._facts.keys())
        return {"account": "key"}.get(condition, condition) in {*self._facts, "image", "sha256"} or (
            condition.startswith("properties.")
        )

    def _check(self, name: str, known: Sequence[str]) -> None:
        value = self._facts.get(name, known[0])
        if value not in known:
            raise click.UsageError(f"--{name} is {quoted(value)}; {suggest(value, known)}")

    def _may_be(self, call: ReadCall) -> bool:
        provider, product = call
        wanted = self._facts.get("provider", provider.name), self._facts.get("product", product)
        has_url = "url" in self._facts and "provider" not in self._facts
        return wanted == (provider.name, product) and not (has_url and _takes_uploads(provider))

    def _check_picture(self) -> None:
        for provider, _ in self.calls if "provider" in self._facts else ():
            refused, taken = ("url", "an upload") if _takes_uploads(provider) else ("filename", "an image URL")
            if refused in self._facts:
                raise click.UsageError(f"--{refused} cannot be given: {provider.name} takes {taken}")


def _header(text: str) -> tuple[str, str]:
    # curl writes "Name: value", and a value may have both signs.
    name, sign, value = text.partition("=" if "=" in text.partition(":")[0] else ":")
    if not sign:
        raise click.UsageError(f"--header is {quoted(text)}, not NAME=VALUE")
    return name.strip().lower(), value.strip()


def _read_calls(providers: Iterable[Provider]) -> list[ReadCall]:
    return [(provider, product) for provider in providers for product in provider.products]


def _takes_uploads(provider: Provider) -> bool:
    return all(provider.example_call(product, "", "").upload for product in provider.products)


@dataclass(frozen=True, slots=True)
class Settled:
    """Why the matching scenarios do not decide about a call.

    `scenario` is the one that the client forces. `keeps_reading`: the client forces an outcome of the recognition, and
    the reading is still that of the scenario that matches.
    """

    text: str
    why_lost: str
    scenario: str | None = None
    keeps_reading: bool = False
    is_refusal: bool = False

    @property
    def needs_allowance(self) -> bool:
        """Whether an account without an allowance is refused all the same: the picture would be read."""
        return self.scenario is not None or self.keeps_reading


def settle(pipeline: RequestPipeline, facts: RequestFacts) -> list[Settled | None]:
    """What is settled about each of the possible calls, None where the scenarios decide."""
    return asyncio.run(_settle(pipeline, facts))


def settled_lines(settled: Sequence[Settled | None], calls: Sequence[ReadCall]) -> Iterator[str]:
    """One line for each result, with the calls that get it unless all of them do."""
    for result in dict.fromkeys(filter(None, settled)):
        getting = [call for call, one in zip(calls, settled, strict=True) if one == result]
        names = ", ".join(f"{provider.name} {product}" for provider, product in getting)
        yield result.text if len(getting) == len(calls) else f"{result.text}; only {names}"


async def _settle(pipeline: RequestPipeline, facts: RequestFacts) -> list[Settled | None]:
    store, clock = MemoryStore(), Clock()
    await Accounts(store, clock).declare(pipeline.library.fixtures.accounts)
    # Each call is the first one. Otherwise a rate would refuse the later ones.
    return [await _settle_call(pipeline, Accounts(DryRunStore(store), clock), call, facts) for call in facts.calls]


async def _settle_call(
    pipeline: RequestPipeline, accounts: Accounts, call: ReadCall, facts: RequestFacts
) -> Settled | None:
    """The checks of `RequestPipeline`, in its order. An account is only checked if its key is given."""
    if facts.key is None:
        return _forced(pipeline, call, facts)
    provider, product = call
    admission = await accounts.admit(facts.key, product, provider.traits.billing)
    if isinstance(admission, Outcome):
        return _refused(admission)
    forced = _forced(pipeline, call, facts)
    if forced and not forced.needs_allowance:
        return forced
    refusal = await accounts.check_allowance(admission)
    return forced if refusal is None else _refused(refusal)


def _refused(refusal: Outcome) -> Settled:
    return Settled(f"refused {refusal.name}: {refusal.detail}", "the account is refused", is_refusal=True)


def _forced(pipeline: RequestPipeline, call: ReadCall, facts: RequestFacts) -> Settled | None:
    """What the client forces by a header, by the file name or by the URL."""
    if not pipeline.policy.forcing:
        return None
    provider, product = call
    statuses = provider.traits.statuses.get(product, {})
    try:
        forced = forcing.find(facts.request(call), pipeline.library.scenarios.by_name, statuses)
    except UnknownPreferenceError as error:
        hint = f"; did you mean {error.close}?" if error.close else ""
        reason = f"the mock knows no {error.kind} {error.name}"
        return Settled(f"refused 501: {reason}{hint}", reason, is_refusal=True)
    if forced is None:
        return None
    result = f"scenario {forced.scenario}" if forced.scenario else str(forced.outcome)
    return Settled(
        f"forced {result} ({forced.by})",
        "the request forces another result",
        forced.scenario,
        keeps_reading=forced.outcome in PICTURE_OUTCOMES,
    )
