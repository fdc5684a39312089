"""The Node helper, and the examples for test libraries that start the mock without a container."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.node_types import TYPES, types
from tests.cli.command import COMMAND, on_path
from tests.support import PATIENCE, jars, tool

from .conftest import npm_packages

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HELPER = ROOT / "clients" / "node"
NPM_TOOLS = {"jest": "30.2.0", "typescript": "5.9.3", "@types/node": "20.19.0"}
JUNIT = ["junit-jupiter-api", "junit-jupiter-engine", "junit-platform-*", "opentest4j", "apiguardian-api"]
JUNIT += ["picocli", "univocity-parsers"]
SAMPLE = """
import { mock, Mock, VerificationError } from 'vehicle-ocr-mock';

export async function main(): Promise<string> {
  const server: Mock = await mock({ fixtures: 'fixtures', options: ['--tls'] });
  const account = await server.account({ credits: { plate: 1 }, quota: { vin: { limit: 5, used: 5 } } });
  await server.override({ key: account.key, outcome: 'service_error', times: 'always' });
  await server.addScenario({ scenario: 'x', when: { image: 'image' }, reading: { plate: 'ABC' } }, new Uint8Array());
  const [first] = await server.requests({ key: account.key, product: 'plate' });
  const status: number | null = first.status;
  await server.verify({ key: account.key, outcome: 'read', times: status ?? 0 });
  // @ts-expect-error there is no such filter
  await server.verify({ keys: account.key });
  return new VerificationError('x').message;
}
"""


@pytest.fixture(scope="session")
def npm_tools(pytestconfig: pytest.Config) -> Path:
    """Jest and TypeScript, installed once by npm and kept in pytest's cache."""
    return npm_packages(pytestconfig.cache.mkdir("npm-tools"), NPM_TOOLS)


def run(command: list[str], here: Path, environ: dict[str, str] | None = None) -> str:
    """Run to a good end; give back the output."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)} if environ is None else environ
    environ.pop("VEHICLE_OCR_MOCK_URL", None)
    ended = subprocess.run(
        command, cwd=here, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_the_helper_controls_a_mock() -> None:
    """Its own tests pass against a server that it has started."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "COMMAND": json.dumps(COMMAND)}

    assert "# fail 0" in run([tool("node"), "--test"], HELPER, environ)


def test_the_helper_has_the_types_of_the_document() -> None:
    """The file is what the script makes of the OpenAPI document now."""
    assert TYPES.read_text(encoding="utf-8") == types(), "run `python -m scripts.node_types`"


def test_the_helper_has_no_dependency() -> None:
    """Nothing but Node is needed to use it."""
    package = json.loads((HELPER / "package.json").read_text())

    assert not {"dependencies", "peerDependencies"} & package.keys()
    assert all((HELPER / file).exists() for file in package["files"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project with the packed helper installed, as from a registry."""
    npm = tool("npm")
    (tmp_path / "package.json").write_text("{}")
    packed = run([npm, "pack", "--silent", str(HELPER)], tmp_path).strip()
    run([npm, "install", "--offline", "--no-audit", "--no-fund", f"./{packed}"], tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("main.cjs", "const { mock } = require('vehicle-ocr-mock');\n"),
        ("main.mjs", "import { mock } from 'vehicle-ocr-mock';\n"),
        ("main.mjs", "import all from 'vehicle-ocr-mock';\nconst { mock } = all;\n"),
    ],
)
def test_the_packed_helper_in_an_empty_project(project: Path, file: str, text: str) -> None:
    """CommonJS and modules get the functions of the package."""
    (project / file).write_text(
        f"{text}mock({{command: {json.dumps(COMMAND)}}}).then(async (server) => {{\n"
        "  console.log((await server.account({ credits: 3 })).credits.plate); await server.stop(); });"
    )

    assert run([tool("node"), file], project) == "3\n"


@pytest.mark.timeout(400)  # npm may install first
def test_the_types_fit_a_typed_program(npm_tools: Path, project: Path) -> None:
    """TypeScript in strict mode accepts a program, and finds a misspelt filter."""
    (project / "node_modules" / "@types").symlink_to(npm_tools / "@types")
    (project / "node_modules" / "undici-types").symlink_to(npm_tools / "undici-types")
    (project / "sample.ts").write_text(SAMPLE)
    options = ["--noEmit", "--strict", "--module", "node16", "--target", "es2022", "--types", "node"]
    run([tool("node"), str(npm_tools / "typescript" / "bin" / "tsc"), *options, "sample.ts"], project)


@pytest.mark.timeout(400)
def test_the_example_for_jest(npm_tools: Path, tmp_path: Path) -> None:
    """`npm test`, with the dependencies of its package.json."""
    place = tmp_path / "jest"
    shutil.copytree(EXAMPLES / "jest", place)
    (place / "node_modules").mkdir()
    (place / "node_modules" / "vehicle-ocr-mock").symlink_to(HELPER)
    (place / "node_modules" / ".bin").symlink_to(npm_tools / ".bin")
    (tmp_path / "bin").mkdir()

    assert "2 passed" in run([tool("npm"), "test", "--silent"], place, on_path(tmp_path / "bin"))


def test_the_example_for_junit(tmp_path: Path) -> None:
    """Compiled and run by JUnit 5."""
    found = [jar for name in JUNIT for jar in jars(f"{name}.jar", package="junit5") if "standalone" not in jar.name]
    class_path = ":".join(map(str, [*found, tmp_path]))
    sources = [str(path) for path in sorted((EXAMPLES / "junit").glob("*.java"))]
    run([tool("javac"), "-cp", class_path, "-d", str(tmp_path), *sources], tmp_path)
    (tmp_path / "bin").mkdir()
    java = [tool("java"), "-cp", class_path, "org.junit.platform.console.ConsoleLauncher", "-c", "GateTest"]

    assert "2 tests successful" in run(java, tmp_path, on_path(tmp_path / "bin"))


def test_the_recipes_for_containers_can_be_parsed() -> None:
    """Python's and Node's; they need Docker to run."""
    recipes = EXAMPLES / "testcontainers"
    compile((recipes / "python" / "test_gate.py").read_text(), "test_gate.py", "exec")
    run([tool("node"), "--check", str(recipes / "node" / "gate.test.mjs")], recipes)
