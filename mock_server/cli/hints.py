"""`curl` commands for a server that has just started: one for each provider and product, with a known picture."""

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from mock_server.cli.options import shown_path
from mock_server.core.account import Account, AccountStatus
from mock_server.core.library import Library, gallery_name
from mock_server.core.model import OutcomeName, Product
from mock_server.core.scenario import Scenario, Step
from mock_server.providers.provider import ExampleCall, Provider


@dataclass(frozen=True, slots=True)
class Example:
    """A call that reads a known picture."""

    product: Product
    key: str
    scenario: Scenario
    picture_url: str
    file: Path


def hints(providers: Sequence[Provider], library: Library, url: str) -> str:
    """The commands, with a comment for each product, and the address of the dashboard.

    There is no command for a product without a suitable picture and account in the fixtures.
    """
    examples = [example for product in Product if (example := _example(library, product, url))]
    lines: list[str] = []
    for example in examples:
        lines += [f"# {example.product}: {example.scenario.name}", *_commands(providers, example, url), ""]
    for example in examples[:1]:
        first = next(iter(_commands(providers, example, url)))
        if key := _used_up_key(library.fixtures.accounts, example.product):
            lines += ["# a call that fails: the units of this key are used up"]
            lines += [next(iter(_commands(providers, replace(example, key=key), url))), ""]
        lines += ["# a call that fails: the header Prefer forces any outcome"]
        lines += [f"{first} -H 'Prefer: outcome={OutcomeName.SERVICE_ERROR}'", ""]
    return "\n".join([*lines, f"# dashboard: {url}/__admin/"])


def _commands(providers: Sequence[Provider], example: Example, url: str) -> Iterator[str]:
    for provider in providers:
        if example.product in provider.products:
            call = provider.example_call(example.product, example.key, example.picture_url)
            yield _curl(url, call, example.file)


def _curl(url: str, call: ExampleCall, picture: Path) -> str:
    query = f"?{urlencode(call.query)}" if call.query else ""
    return shlex.join(["curl", "-X", "POST", f"{url}{call.path}{query}", *_options(call, picture)])


def _options(call: ExampleCall, picture: Path) -> Iterator[str]:
    for name, text in call.headers.items():
        yield from ("-H", f"{name}: {text}")
    if call.upload:
        yield from ("-F", f"{call.upload}=@{picture}")
    if call.json is not None:
        yield from ("-H", "Content-Type: application/json", "-d", json.dumps(call.json))


def _example(library: Library, product: Product, url: str) -> Example | None:
    account = next((account for account in library.fixtures.accounts if _is_unlimited(account, product)), None)
    for scenario in library.fixtures.scenarios:
        for image in scenario.when.images[:1]:
            path = library.fixtures.images[image]
            if account and _is_plain_read(scenario, product) and isinstance(path, Path):
                picture_url = f"{url}/images/{gallery_name(image)}"
                return Example(product, account.key, scenario, picture_url, shown_path(path))
    return None


def _used_up_key(accounts: Iterable[Account], product: Product) -> str | None:
    """The key of an active account that has neither credits nor quota for the product."""
    for account in accounts:
        quota = account.shared_quota or account.quota[product]
        is_used_up = account.credits.get(product) == 0 and quota.limit is not None and quota.used >= quota.limit
        if is_used_up and account.status is AccountStatus.ACTIVE and product in account.plans:
            return account.key
    return None


def _is_unlimited(account: Account, product: Product) -> bool:
    limited = account.credits.get(product), (account.shared_quota or account.quota[product]).limit
    active = account.status is AccountStatus.ACTIVE and product in account.plans and not account.rate_limit
    return active and all(limit is None or limit > 1 for limit in limited)


def _is_plain_read(scenario: Scenario, product: Product) -> bool:
    reading = scenario.reading
    read = reading.plates if product is Product.PLATE else (reading.vin,)
    # A field that is left out, or many candidates, would surprise a newcomer.
    is_usual = bool(read) and all(
        one and len(one.candidates) <= 2 and not any(part.omitted for part in (one, *one.candidates)) for one in read
    )
    is_for_all = scenario.when.provider is None and scenario.when.product in (None, product)
    return scenario.steps == (Step(),) and is_usual and is_for_all
