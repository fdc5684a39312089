"""A stand-in for the mock (two plain servers that say what they were asked) and children led to it."""

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mock_server.redirect.environment import child_environment
from mock_server.redirect.python_hook import Route
from mock_server.tls import CA_DIRECTORY_VARIABLE, CertificateAuthority

from .fixtures import write_fixtures

NPM_PACKAGE = "carsxe-api@1.4.0"
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
        thread.join(5)


@pytest.fixture(scope="session", autouse=True)
def _no_authority_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the authority in the user's own data directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CA_DIRECTORY_VARIABLE, str(tmp_path_factory.mktemp("default-ca")))
        yield


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
            timeout=60,
            check=False,
        )

    return run


# What the machine that decides is known to have: there, its absence is a failure and no reason to skip.
_ALWAYS_THERE = ("node", "npm", "curl")


def tool(name: str) -> str:
    """Where a tool is. Without it a user's run skips, saying so."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") and name in _ALWAYS_THERE:
        pytest.fail(f"{name} must be on the machine that decides")
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def without_network() -> list[str]:
    """A prefix that runs a command with loopback alone; empty where the system does not allow that."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    prefix = [unshare or "", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if unshare and ip and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    return []


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """The npm package, installed once by npm itself and kept in pytest's cache."""
    npm = tool("npm")
    place = pytestconfig.cache.mkdir("npm")
    if not (place / "node_modules" / "carsxe-api").is_dir():
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", NPM_PACKAGE]
        installed = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if installed.returncode and not os.environ.get("CI"):
            pytest.skip(f"npm cannot install {NPM_PACKAGE} here: {installed.stderr.strip().splitlines()[-1:]}")
        assert installed.returncode == 0, installed.stderr
    return place / "node_modules"


PYTHON = sys.executable
