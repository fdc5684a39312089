"""What the guides to testing and to the admin API show is run, word for word."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mock_server import MockServer
from mock_server.admin.admin_app import OPERATIONS, PREFIX
from mock_server.admin.journal_routes import FILTERS
from mock_server.settings import shipped_fixtures
from tests.support import PATIENCE, drawn, plugin_to_load

ROOT = Path(__file__).parent.parent
TESTING = (ROOT / "docs" / "testing.md").read_text("utf-8")
ADMIN = (ROOT / "docs" / "admin-api.md").read_text("utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def beside_a_car(tmp_path: Path) -> Path:
    """A directory with a picture named car.jpg, which no shipped scenario knows."""
    (tmp_path / "car.jpg").write_bytes(drawn("a car of yours", format="JPEG"))
    return tmp_path


@pytest.fixture(scope="module")
def shipped() -> Iterator[MockServer]:
    """A server on the shipped fixtures."""
    with MockServer() as server:
        yield server


def _pytest(directory: Path) -> str:
    plugin = [f"-p{name}" for name in (*plugin_to_load(), "no:schemathesis", "no:cacheprovider")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("VEHICLE_OCR_MOCK_URL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, "--rootdir", str(directory), str(directory)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_python_examples_pass(beside_a_car: Path) -> None:
    """Each Python example with tests in it is a test file that passes."""
    blocks = [block for block in _blocks(TESTING, "python") if "vehicle_ocr_mock_settings" not in block]
    for number, block in enumerate(blocks):
        (beside_a_car / f"test_example_{number}.py").write_text(block)

    assert "8 passed" in _pytest(beside_a_car)
    assert len(blocks) == 5


def test_the_conftest_example_chooses_the_settings(beside_a_car: Path) -> None:
    """The example of an overridden fixture is a conftest.py that takes effect."""
    block = next(block for block in _blocks(TESTING, "python") if '"strict": True' in block)
    (beside_a_car / "conftest.py").write_text(block)
    (beside_a_car / "test_it.py").write_text(
        "def test_it(vehicle_ocr_mock):\n"
        "    assert vehicle_ocr_mock.app.settings.strict\n"
        "    assert vehicle_ocr_mock.match('car.jpg')['outcome'] == 'nothing_found'\n"
    )

    assert "1 passed" in _pytest(beside_a_car)


def test_the_first_example_is_strict_in_ci(beside_a_car: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI a picture that no scenario describes is an error."""
    monkeypatch.setenv("CI", "true")
    (beside_a_car / "conftest.py").write_text(_blocks(TESTING, "python")[0])
    (beside_a_car / "test_it.py").write_text(
        "def test_it(vehicle_ocr_mock):\n"
        "    assert vehicle_ocr_mock.app.settings.unmatched == 'error'\n"
        "    assert vehicle_ocr_mock.match('car.jpg')['status'] == 501\n"
    )

    assert "1 passed" in _pytest(beside_a_car)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_node_example_passes(beside_a_car: Path, shipped: MockServer) -> None:
    """Node's example passes against a running server."""
    (beside_a_car / "credits.test.mjs").write_text(_blocks(TESTING, "js")[0])
    ended = subprocess.run(
        ["node", "--test", "credits.test.mjs"],
        cwd=beside_a_car,
        env={**os.environ, "MOCK_URL": shipped.url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_calls_of_the_admin_guide_succeed(beside_a_car: Path, shipped: MockServer) -> None:
    """Every curl line, in the order of the guide, gets an answer that is no error."""
    script = "set -e\n" + "".join(_blocks(ADMIN, "sh"))
    script = script.replace("curl -s", "curl -s --fail-with-body").replace("http://127.0.0.1:8080", shipped.url)
    ended = subprocess.run(
        ["sh", "-c", script], cwd=beside_a_car, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert ended.returncode == 0, ended.stdout
    assert script.count("curl -s") == 24


def test_the_guide_names_every_route_and_every_filter() -> None:
    """The table of routes is that of the server, and so are the facts that can be asked for."""
    table = re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/__admin\S*)`", ADMIN, re.MULTILINE)

    assert set(table) == {(operation.method, PREFIX + operation.path) for operation in OPERATIONS}
    assert [fact for fact in FILTERS if f"`{fact}`" not in ADMIN] == []


def test_yaml_examples_are_yaml() -> None:
    """The compose file and the workflow can be read."""
    for block in _blocks(TESTING, "yaml"):
        assert isinstance(yaml.safe_load(block), dict)

    assert (shipped_fixtures() / "images" / "california-sedan.jpg").exists()
