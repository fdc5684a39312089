"""The verb `compare`. A second mock stands for the real service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mock_server import MockServer
from mock_server.cli.compare import command
from mock_server.providers.registry import PROVIDERS
from tests.support import FIXTURES

KEY = "k3y-of-the-real-service"
LEDGER = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text("utf-8")
NAMES = [provider.name for provider in PROVIDERS]


def compare(*arguments: str | Path, key: str | None = None) -> tuple[int, str, str]:
    """Run the verb; return its exit code, stdout and stderr."""
    environment = {"VEHICORE_API_KEY": key, "CARSXE_API_KEY": key}
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def real() -> Iterator[MockServer]:
    """The service that is asked, with one account."""
    with MockServer(FIXTURES) as server:
        server.create_account(key=KEY)
        yield server


@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("key", [None, KEY], ids=["without a key", "with a key"])
def test_no_difference(provider: str, key: str | None, real: MockServer) -> None:
    """Equal services give exit code 0. No call costs anything, and with a key there are more of them."""
    before = real.count()
    code, out, said = compare(provider, FIXTURES, "--base-url", real.url, key=key)
    asked = real.requests()[before:]

    assert code == 0, out
    assert f"{len(asked)} calls, no difference" in out
    assert {one.charged for one in asked} == {0}
    assert "read" not in {one.outcome for one in asked}
    assert (f"set {provider.upper()}_API_KEY" in said) == (key is None)
    assert any(one.key_id and one.account for one in asked) == (key is not None)


def test_a_difference(real: MockServer, tmp_path: Path) -> None:
    """The table has the call, its row in the ledger and both replies; the exit code is 1, and no key is shown."""
    (tmp_path / "mock.yaml").write_text("carsxe: {missing_key: unauthorized}\naccounts: []\n")
    (tmp_path / "scenarios").mkdir()
    code, out, said = compare("carsxe", tmp_path, "--base-url", real.url, key=KEY)
    heading, row = out.splitlines()

    assert code == 1
    assert [word in heading for word in ("call", "docs/fidelity.md", "real service", "mock")] == [True] * 4
    assert row.split("  ")[:2] == ["vin, no key", "carsxe-vin-missing-key"]
    assert [status in row for status in ("400 application/json", "401 application/json")] == [True, True]
    assert KEY not in out + said


def test_a_difference_far_behind_the_beginning_is_shown(tmp_path: Path) -> None:
    """Two long texts are shown from a little before the place where they differ."""
    directories = [tmp_path / name for name in ("real", "own")]
    for directory, variant in zip(directories, ("api_billing_page", "billing_page"), strict=True):
        (directory / "scenarios").mkdir(parents=True)
        (directory / "mock.yaml").write_text(
            f"carsxe: {{inactive_account: {variant}}}\n"
            "accounts: [{name: inactive, key: no-such-key, status: inactive}]\n"
        )
    with MockServer(directories[0]) as other:
        code, out, _ = compare("carsxe", directories[1], "--base-url", other.url)
    rows = [row for row in out.splitlines() if "unknown key" in row]

    assert (code, len(rows)) == (1, 2)
    assert ["https://api.carsxe.com/dash" in row and "https://carsxe.com/dash" in row for row in rows] == [True, True]


@pytest.mark.parametrize("provider", PROVIDERS, ids=NAMES)
def test_every_call_has_its_row(provider: object) -> None:
    """Each row is in the ledger, and the calls have names of their own."""
    (service,) = [one.real for one in PROVIDERS if one is provider and one.real]
    calls = list(service.free_calls("key"))

    assert [call.row for call in calls if f"| {call.row} |" not in LEDGER] == []
    assert len({call.name for call in calls}) == len(calls)
    without_key = [call.name for call in service.free_calls(None)]
    assert [call.name for call in calls][: len(without_key)] == without_key


def test_usage() -> None:
    """A provider that cannot be called, and a service that does not answer."""
    assert compare("acme")[0] == 2
    with pytest.raises(Exception, match="does not answer"):
        compare("carsxe", FIXTURES, "--base-url", "http://127.0.0.1:1")
