"""Every row of the contract of the providers is held: by the ledger, by a test, and by a golden reply if it is one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mock_server.providers.registry import PROVIDERS
from tests.test_fidelity import TESTS, holders, ledger_rows

CONTRACT: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load((TESTS / "contract.yaml").read_text("utf-8"))
ROWS = [(section, name, row) for section, rows in CONTRACT.items() for name, row in rows.items()]
GOLDEN = TESTS / "golden"


def _files(pattern: str) -> Iterator[Path]:
    """The golden files of a pattern such as `carsxe/{a,b}-read`."""
    choice = re.search(r"\{(.+?)\}", pattern)
    for text in choice[1].split(",") if choice else [""]:
        yield GOLDEN / f"{pattern.replace(choice[0], text) if choice else pattern}.json"


@pytest.mark.parametrize(("section", "name", "row"), ROWS, ids=[f"{section}: {name}" for section, name, _ in ROWS])
def test_a_row_is_held(section: str, name: str, row: dict[str, list[str]]) -> None:
    """The row names ledger rows of its provider; each exists and has a test that exists. Its golden replies exist."""
    ledger = {match["row"] for match in ledger_rows()}
    tests = holders()

    assert row["ledger"], "no row of the ledger"
    assert [held for held in row["ledger"] if held not in ledger or not tests.get(held)] == []
    assert {held.partition("-")[0] for held in row["ledger"]} == {section.partition(",")[0]}
    assert [file.name for pattern in row.get("golden", []) for file in _files(pattern) if not file.is_file()] == []
    assert row.keys() <= {"ledger", "golden"}


def test_the_ledger_has_nothing_beside_the_contract() -> None:
    """Every ledger row of a provider is about a row of the contract, or about a limit of the mock itself."""
    held = {name for _, _, row in ROWS for name in row["ledger"]}
    providers = tuple(f"{provider.name}-" for provider in PROVIDERS)
    beside = {match["row"] for match in ledger_rows() if match["row"].startswith(providers)} - held

    assert beside == {
        "vehicore-400-too-slow",
        "carsxe-json-no-object",
        "carsxe-too-slow",
        "carsxe-too-large",
        "carsxe-when-url",
    }


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_variants_are_in_the_contract_and_in_the_docs(provider: object) -> None:
    """Each variant that a provider can render has a golden reply in the contract, and a word in the docs."""
    traits = next(one.traits for one in PROVIDERS if one is provider)
    docs = (TESTS.parent / "docs" / "scenarios.md").read_text("utf-8")
    contracted = {file.stem for *_, row in ROWS for pattern in row.get("golden", []) for file in _files(pattern)}

    for outcome, (default, *others) in traits.variants.items():
        for variant in (default, *others):
            assert f"`{variant}`" in docs
        for variant in others:
            assert any(stem.endswith(f"-{outcome}-{variant}") for stem in contracted), (outcome, variant)


def test_contradictions_name_both_values() -> None:
    """Where a provider contradicts itself, the row says so, with the value that is served and the other one."""
    contradictory = {
        "vehicore-hosts": ("api.vehicore.pro", "vehicore-api.dev-stage.fyi"),
        "carsxe-vin-missing-key": ("400", "401"),
        "carsxe-vin-unknown-key": ("404", "401"),
        "carsxe-vin-no-text": ("400", "404"),
        "carsxe-inactive": ("https://carsxe.com/dashboard/billing", "https://api.carsxe.com/dashboard/billing"),
        "carsxe-plate-base64": ("URL", "Base64"),
        "carsxe-x402-off": ("401", "402"),
    }
    rows = {match["row"]: match["behaviour"] for match in ledger_rows()}

    for name, values in contradictory.items():
        assert "contradicts itself" in rows[name]
        assert [value for value in values if value not in rows[name]] == []
    assert {name for name, text in rows.items() if "contradicts itself" in text} == set(contradictory)


LEVELS = {"carsxe-plate-lower-case": "I", "carsxe-plate-base64": "I", "carsxe-no-cors": "D", "carsxe-eu-prefix": "I"}


@pytest.mark.parametrize("row", LEVELS)
def test_levels(row: str) -> None:
    """Levels that are easily taken too high or too low."""
    assert {match["row"]: match["level"] for match in ledger_rows()}[row] == LEVELS[row]
