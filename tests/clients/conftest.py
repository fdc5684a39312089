"""A stand-in for the mock (two plain servers that say what they were asked) and children led to it."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mock_server.certificate_authority import CertificateAuthority
from mock_server.redirect.environment import child_environment
from mock_server.redirect.python_hook import Route
from tests.support import PATIENCE, tool

from .fixtures import write_fixtures

ROOT = Path(__file__).parents[2]
DRIVERS = Path(__file__).parent / "drivers"

NPM_PACKAGES = {
    "carsxe-api": "1.4.0",
    "axios": "1.21.1",
    "form-data": "4.0.6",
    "axios-retry": "4.5.0",
    "undici": "6.21.3",
}
NAMES = ("api.carsxe.com", "eu-api.carsxe.com", "api.vehicore.pro", "vehicore-api.dev-stage.fyi")

RunChild = Callable[..., "subprocess.CompletedProcess[str]"]


class _Echo(BaseHTTPRequestHandler):
    """Answers with its own label, the `Host` it was called by and the path."""

    label = ""

    def do_GET(self) -> None:
        body = f"{self.label} {self.headers['Host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


class _QuietServer(ThreadingHTTPServer):
    """A server to which a refused handshake is no reason for a traceback."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is the business of the test that runs it."""


@contextmanager
def echo_server(label: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free loopback port; gives the port."""
    server = _QuietServer(("127.0.0.1", 0), type("Echo", (_Echo,), {"label": label}))
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fixtures directory with every outcome in it."""
    return write_fixtures(tmp_path_factory.mktemp("small") / "fixtures")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """The mock's authority."""
    return CertificateAuthority.open(tmp_path_factory.mktemp("mock-ca"))


@pytest.fixture(scope="session")
def route(authority: CertificateAuthority) -> Iterator[Route]:
    """The providers' names, leading to the stand-in for the mock."""
    with echo_server("mock-http") as http, echo_server("mock-https", authority.ssl_context(NAMES)) as https:
        yield Route(NAMES, http, https, str(authority.certificate_path))


@pytest.fixture
def run_child(route: Route, tmp_path: Path) -> RunChild:
    """Run a command in the redirected environment; `environ` is what the user had set before."""

    def run(
        *command: str, environ: dict[str, str] | None = None, files: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        directory = tmp_path / "exec"
        directory.mkdir()
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.run(
            command,
            env=child_environment(route, directory, base | (environ or {})),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return run


def without_network() -> list[str]:
    """A prefix that runs a command with loopback alone; empty where the system does not allow that."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    prefix = [unshare or "", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if unshare and ip and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    return []


def npm_packages(place: Path, versions: Mapping[str, str]) -> Path:
    """The directory `node_modules` with packages, which npm installs once. Without npm the test is skipped."""
    npm = tool("npm")
    if not all((place / "node_modules" / name).is_dir() for name in versions):
        packages = [f"{name}@{version}" for name, version in versions.items()]
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        installed = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if installed.returncode:
            pytest.skip(f"npm cannot install {' '.join(packages)} here: {installed.stderr.strip().splitlines()[-1:]}")
    return place / "node_modules"


def official_answers(
    package: str,
    questions: Sequence[Mapping[str, str]],
    fixtures: Path,
    *options: str,
    authority: Path,
    request: pytest.FixtureRequest,
) -> list[Any]:
    """What CarsXE's package for `pip` or `npm` answers to each question, in one program under `exec`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "VEHICLE_OCR_MOCK_CA_DIR": str(authority)}
    command = [sys.executable, str(DRIVERS / "carsxe_pip.py")]
    if package == "npm":
        environ["NODE_PATH"] = str(request.getfixturevalue("node_modules"))
        command = [tool("node"), str(DRIVERS / "carsxe_npm.cjs")]
    execute = [sys.executable, "-m", "mock_server", "exec", str(fixtures), *options, "--", *command]
    result = subprocess.run(
        [*without_network(), *execute],
        env=environ,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return list(json.loads(result.stdout.splitlines()[-1]))


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """The npm packages, installed once by npm itself and kept in pytest's cache."""
    return npm_packages(pytestconfig.cache.mkdir("npm"), NPM_PACKAGES)


PYTHON = sys.executable
