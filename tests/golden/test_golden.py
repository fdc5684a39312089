"""One golden reply for each provider, endpoint and outcome. A change of such a file changes the contract.

`pytest tests/golden --write-golden` writes the files again (`make golden` does the same); look at the difference.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.core.model import OutcomeName, Product
from mock_server.providers.provider import Provider
from mock_server.providers.registry import PROVIDERS
from mock_server.server import MockServer
from tests.conftest import frozen_clock
from tests.golden.cases import GoldenCase, cases
from tests.support import FIXTURES, PATIENCE

HERE = Path(__file__).parent
CASES = tuple(cases())
_CHANGING = {"date", "content-length", "x-mock-request-id"}
_NOT_THE_PROVIDERS = {"x-mock-detail"}  # tests/providers/test_details.py holds its texts


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A separate server with a frozen clock; no other test uses its accounts."""
    with (
        MockServer(FIXTURES, clock=frozen_clock()) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        yield client


def _placed(body: dict[str, Any], client: httpx.Client) -> dict[str, Any]:
    if "json" not in body:
        return body
    gallery = f"{str(client.base_url).rstrip('/')}/images"
    return {"json": {name: text.replace("{gallery}", gallery) for name, text in body["json"].items()}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_reply(client: httpx.Client, case: GoldenCase, pytestconfig: pytest.Config) -> None:
    """The reply is the one in the golden file: status, headers and body."""
    reply = client.request(
        case.method, case.path, params=case.query, headers=case.headers, **_placed(dict(case.body), client)
    )
    seen = {
        "status": reply.status_code,
        "headers": {name: value for name, value in reply.headers.items() if name not in _CHANGING | _NOT_THE_PROVIDERS},
        "body": reply.json(),
    }
    file = HERE / case.file
    if pytestconfig.getoption("--write-golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(seen, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert seen == json.loads(file.read_text(encoding="utf-8"))


def test_every_file_has_its_case() -> None:
    """Every golden file has one case."""
    files = sorted(str(file.relative_to(HERE)) for file in HERE.glob("*/*.json"))

    assert files == sorted(case.file for case in CASES)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("product", Product)
@pytest.mark.parametrize("outcome", OutcomeName)
def test_every_outcome_has_a_file(provider: Provider, product: Product, outcome: OutcomeName) -> None:
    """Each provider has a golden reply for every outcome of both products, and for every variant of it."""
    endpoint = provider.example_call(product, "demo-key", "").path.rpartition("/")[2]
    stem = f"{endpoint}-{outcome}"
    variants = provider.traits.variants.get(outcome, ())[1:]
    held = {file.stem for file in (HERE / provider.name).glob("*.json")}

    assert stem in held
    if outcome is not OutcomeName.NO_TEXT:  # rendered as nothing_found, where its variants are held
        assert {f"{stem}-{variant}" for variant in variants} <= held
