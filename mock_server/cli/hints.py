"""Ready-to-paste `curl` lines for a server that has just started: one for each endpoint, with a picture it knows."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from mock_server.core.account import Account, AccountStatus
from mock_server.core.library import Library, gallery_name
from mock_server.core.model import OutcomeName, Product
from mock_server.core.scenario import Scenario


def hints(library: Library, url: str) -> str:
    """The lines, each under a comment; empty where the fixtures have no picture or no account to show."""
    lines: list[str] = []
    for product in Product:
        found = _shown(library, product)
        if found is None:
            continue
        account, scenario, image, path = found
        lines += [f"# {product}: {scenario.name}", *_curls(url, product, account.key, image, path), ""]
    return "\n".join(lines)


def _curls(url: str, product: Product, key: str, image: str, path: Path) -> Iterator[str]:
    endpoint = {Product.PLATE: "/platerecognition", Product.VIN: "/v1/vinocr"}[product]
    body = f'{{"image_url": "{url}/images/{gallery_name(image)}"}}'
    yield shlex.join(
        ["curl", "-X", "POST", f"{url}/api/ocr/{product}", "-H", f"X-API-Key: {key}", "-F", f"image=@{path}"]
    )
    yield shlex.join(
        [
            "curl",
            "-X",
            "POST",
            f"{url}{endpoint}?key={key}",
            "-H",
            "Content-Type: application/json",
            "-d",
            body,
        ]
    )


def _shown(library: Library, product: Product) -> tuple[Account, Scenario, str, Path] | None:
    account = next((account for account in library.fixtures.accounts if _open(account, product)), None)
    for scenario in library.fixtures.scenarios:
        for image in scenario.when.images[:1]:
            path = library.fixtures.images[image]
            if account and _plain(scenario, product) and isinstance(path, Path):
                return account, scenario, image, _short(path)
    return None


def _open(account: Account, product: Product) -> bool:
    limited = account.credits.get(product), account.quota[product].limit
    active = account.status is AccountStatus.ACTIVE and product in account.plans and not account.rate_limit
    return active and all(limit is None or limit > 1 for limit in limited)


def _plain(scenario: Scenario, product: Product) -> bool:
    reading = scenario.reading
    only = [step.outcome for step in scenario.steps] == [OutcomeName.READ] and not scenario.steps[0].trouble
    read = reading.plates if product is Product.PLATE else reading.vin
    return only and bool(read) and scenario.when.provider is None and scenario.when.product in (None, product)


def _short(path: Path) -> Path:
    here = Path.cwd().resolve()
    path = path.resolve()
    return path.relative_to(here) if path.is_relative_to(here) else path
