"""The examples, run: by the mock's address, and unchanged by the real host names."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE
from mock_server.providers.registry import own_hosts
from mock_server.server import MockServer
from mock_server.settings import setting_names, shipped_fixtures
from tests.support import PATIENCE, jars, tool

from .conftest import without_network

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
IMAGES = shipped_fixtures() / "images"
READINGS = {"plate": ("california-sedan.jpg", "9DJC652"), "vin": ("vin-plate.jpg", "JHLRD77874C026456")}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> dict[str, str]:
    """A user's environment: the command is installed, the keys are set."""
    place = tmp_path_factory.mktemp("bin")
    command = place / "vehicle-ocr-mock"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mock_server "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(place), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "VEHICLE_OCR_MOCK_CA_DIR": str(place / "ca"),
        # Those that start fast; the pictures and keys are the shipped ones.
        "VEHICLE_OCR_MOCK_FIXTURES": str(fixtures),
        # The plugins of this project's own tests take long to load, and the examples have no use for them.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "VEHICORE_API_KEY": "demo-key",
        "CARSXE_API_KEY": "demo-key",
    }


@pytest.fixture(scope="module")
def mock(fixtures: Path) -> Iterator[MockServer]:
    """A mock that is reached by its own address."""
    with MockServer(fixtures) as server:
        yield server


def run(command: list[str], environ: dict[str, str], cwd: Path | None = None) -> str:
    """Run to a good end; give back the output."""
    result = subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def okhttp() -> tuple[str, int]:
    """The class path of the OkHttp on this machine, and its major version."""
    library = jars("okhttp-[0-9]*.jar", package="libokhttp-java")[-1]
    version = re.search(r"okhttp-(\d+)", library.name)
    assert version
    return f"{library}:{library.parent / 'okio.jar'}", int(version[1])


def _java(place: Path) -> list[str]:
    class_path, major = okhttp()
    source = (EXAMPLES / "java" / "Vehicore.java").read_text(encoding="utf-8")
    if major < 4:
        # OkHttp 3 takes the same two arguments in the other order.
        source = re.sub(r"RequestBody\.create\((new File\(image\)), (.*?\"\))\)", r"RequestBody.create(\2, \1)", source)
    (place / "Vehicore.java").write_text(source, encoding="utf-8")
    run([tool("javac"), "-cp", class_path, "-d", str(place), str(place / "Vehicore.java")], dict(os.environ))
    return [tool("java"), "-cp", f"{class_path}:{place}", "Vehicore"]


def _go(place: Path) -> list[str]:
    cache = {"GOCACHE": str(place / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "auto", "GOTOOLCHAIN": "local"}
    built = str(place / "vehicore")
    run([tool("go"), "build", "-o", built, str(EXAMPLES / "go" / "vehicore.go")], {**os.environ, **cache}, cwd=place)
    return [built]


_BUILDS: dict[str, Callable[[Path], list[str]]] = {
    "curl": lambda place: [tool("sh"), str(EXAMPLES / "curl" / "vehicore.sh")],
    "node": lambda place: [tool("node"), str(EXAMPLES / "node" / "vehicore.mjs")],
    "python": lambda place: [sys.executable, str(EXAMPLES / "python" / "vehicore.py")],
    "java": _java,
    "go": _go,
}


LANGUAGES = list(_BUILDS)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """How the example of a language is run; compiled at first use where that has to be."""
    ready: dict[str, list[str]] = {}

    def command(language: str) -> list[str]:
        if language not in ready:
            ready[language] = _BUILDS[language](tmp_path_factory.mktemp(language))
        return ready[language]

    return command


def result_of(output: str) -> object:
    """The answer that an example printed; Python prints a dictionary in its own notation."""
    return json.loads(output.splitlines()[-1].replace("'", '"'))


@pytest.mark.parametrize("product", READINGS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_documented_snippet_by_the_mocks_address(
    mock: MockServer, environ: dict[str, str], commands: Callable[[str], list[str]], language: str, product: str
) -> None:
    """VehiCore's documented call in each language, with nothing but the host changed."""
    picture, reading = READINGS[product]
    output = run([*commands(language), product, str(IMAGES / picture)], environ | {"VEHICORE_URL": mock.url})

    assert result_of(output) == {"result": reading}


@pytest.mark.parametrize("language", ["curl", "node", "python"])
def test_a_documented_snippet_by_the_real_name(
    environ: dict[str, str], commands: Callable[[str], list[str]], language: str
) -> None:
    """Under `exec`, with nothing changed at all."""
    picture, reading = READINGS["plate"]
    command = ["vehicle-ocr-mock", "exec", "--", *commands(language), "plate", str(IMAGES / picture)]

    assert result_of(run(command, environ)) == {"result": reading}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_documented_snippet_in_a_namespace(
    environ: dict[str, str], commands: Callable[[str], list[str]], language: str
) -> None:
    """In a network of its own any language meets the mock by the real name, Go and Java included."""
    if not without_network():
        pytest.skip("network namespaces are not allowed here")
    picture, reading = READINGS["vin"]
    script = str(EXAMPLES / "namespace" / "run.sh")
    output = run([script, "--", *commands(language), "vin", str(IMAGES / picture)], environ)

    assert result_of(output) == {"result": reading}


def test_the_curl_example_for_carsxe(mock: MockServer, environ: dict[str, str]) -> None:
    """Both endpoints, by the mock's address."""
    script = [tool("sh"), str(EXAMPLES / "curl" / "carsxe.sh")]
    by_address = environ | {"CARSXE_URL": mock.url}
    plate = run([*script, "platerecognition", f"{mock.url}/images/california-sedan.jpg"], by_address)
    vin = run([*script, "v1/vinocr", f"{mock.url}/images/vin-plate.jpg"], by_address)

    assert json.loads(plate)["results"][0]["plate"] == "9djc652"
    assert json.loads(vin)["vin"] == "JHLRD77874C026456"


def test_the_python_client_example(environ: dict[str, str]) -> None:
    """The published package, in a program that knows nothing of the mock."""
    script = str(EXAMPLES / "python" / "carsxe_client.py")
    url = "https://api.carsxe.com/images/california-sedan.jpg"

    assert "'plate': '9djc652'" in run(["vehicle-ocr-mock", "exec", "--", sys.executable, script, url], environ)


def test_the_node_client_example(environ: dict[str, str], node_modules: Path, tmp_path: Path) -> None:
    """`npm start`, as in the example's package.json, with its dependency installed beside it."""
    for file in ("carsxe.cjs", "package.json"):
        shutil.copy(EXAMPLES / "node" / file, tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)
    output = run([tool("npm"), "start", "--silent"], environ, cwd=tmp_path)

    assert json.loads(output.splitlines()[-1])["results"][0]["plate"] == "9djc652"


def test_the_examples_test_suite(environ: dict[str, str], tmp_path: Path) -> None:
    """An application's tests with the mock in their own process."""
    shutil.copy(EXAMPLES / "python" / "test_my_gate.py", tmp_path)

    assert "3 passed" in run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], environ, cwd=tmp_path)


def test_the_workflow_of_github_actions(environ: dict[str, str], tmp_path: Path) -> None:
    """The workflow's own command, on a test-suite that knows nothing of the mock."""
    workflow = yaml.safe_load((EXAMPLES / "github-actions" / "tests.yml").read_text(encoding="utf-8"))
    command = workflow["jobs"]["tests"]["steps"][-1]["run"]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_gate.py").write_text(
        "import requests\n\ndef test_gate() -> None:\n"
        "    url = 'https://api.carsxe.com/platerecognition?key=no-credits'\n"
        "    picture = {'image_url': 'https://api.carsxe.com/images/vin-plate.jpg'}\n"
        "    assert requests.post(url, json=picture).status_code == 429\n"
    )

    assert "1 passed" in run(["sh", "-c", command], environ, cwd=tmp_path)


def test_the_compose_file_names_every_host() -> None:
    """The mock carries the providers' real names in the network, and the variables that it is told exist."""
    services = yaml.safe_load((EXAMPLES / "compose" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    settings = {f"VEHICLE_OCR_MOCK_{name.upper()}" for name in setting_names()} | {CA_DIRECTORY_VARIABLE}

    assert set(services["mock"]["networks"]["default"]["aliases"]) == set(own_hosts())
    assert set(services["mock"]["environment"]) <= settings


def test_the_namespace_script_names_every_host() -> None:
    """A provider that is added must be added there too."""
    script = (EXAMPLES / "namespace" / "run.sh").read_text(encoding="utf-8")

    assert all(f" {host}" in script for host in own_hosts())
