"""HTTPS beside HTTP: one process, two ports, the providers' real names on the certificate."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mock_server.errors import SettingsError
from mock_server.providers.registry import own_hosts
from mock_server.server import MockServer
from tests.support import PATIENCE

from .test_request_shapes import IMAGES


@pytest.fixture(scope="module")
def mock(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    """The mock with HTTPS and a name of the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path_factory.mktemp("https-ca")))
        with MockServer(fixtures, tls=True, tls_names="ocr.test, *.pictures.test") as server:
            yield server


def names_accepted(mock: MockServer, name: str) -> str | None:
    """A handshake under `name`; the protocol that was agreed on."""
    assert mock.tls_url
    context = ssl.create_default_context(cafile=str(mock.certificate_path))
    context.set_alpn_protocols(["h2", "http/1.1"])
    port = int(mock.tls_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.selected_alpn_protocol()


@pytest.mark.parametrize("name", [*own_hosts(), "localhost", "127.0.0.1", "::1", "ocr.test", "my.pictures.test"])
def test_every_name_is_on_the_certificate(mock: MockServer, name: str) -> None:
    """The providers' names, this machine's and the user's own; HTTP/2 is declined in the handshake."""
    assert names_accepted(mock, name) == "http/1.1"


def test_a_stranger_is_not_on_the_certificate(mock: MockServer) -> None:
    """The certificate is of no use for anybody else's name."""
    with pytest.raises(ssl.SSLCertVerificationError):
        names_accepted(mock, "example.com")


def test_both_ports_serve_one_mock(mock: MockServer) -> None:
    """An upload over HTTPS and one over HTTP get the same reading."""
    answers = []
    for url in (mock.url, mock.tls_url):
        with (IMAGES / "california-sedan.jpg").open("rb") as image:
            reply = requests.post(
                f"{url}/api/ocr/plate",
                headers={"X-API-Key": "demo-key"},
                files={"image": image},
                verify=str(mock.certificate_path),
                timeout=PATIENCE,
            )
        answers.append(reply.json())

    assert answers == [{"result": "9DJC652"}] * 2


def test_redirect_leads_this_process_to_the_mock(mock: MockServer) -> None:
    """Inside the context any client reaches the mock by the real name; afterwards none does."""
    with mock.redirect():
        inside = requests.post("https://api.carsxe.com/v1/vinocr?key=nobody", json={"image_url": "x"}, timeout=PATIENCE)

    assert inside.status_code == 404
    assert inside.headers["x-mock-request-id"]


@pytest.mark.timeout(PATIENCE)
def test_a_client_that_stays_connected_does_not_hold_up_the_end(fixtures: Path) -> None:
    """An idle HTTPS connection that its client keeps is cut when the mock stops, not waited for."""
    with requests.Session() as session:
        with MockServer(fixtures, tls=True) as server:
            url = f"{server.tls_url}/healthz"
            reply = session.get(url, verify=str(server.certificate_path), timeout=PATIENCE)
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=PATIENCE)

    assert reply.status_code == 200


def test_redirect_needs_https(fixtures: Path) -> None:
    """Without HTTPS there is nothing for the real names to lead to; the sentence says what to do."""
    with MockServer(fixtures) as plain, pytest.raises(SettingsError, match="tls=True"):
        plain.redirect()


def test_serve_prints_both_addresses(fixtures: Path, tmp_path: Path) -> None:
    """One ready line with both addresses; SIGTERM ends both, exit code 0."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "VEHICLE_OCR_MOCK_CA_DIR": str(tmp_path / "ca"),
    }
    command = [sys.executable, "-m", "mock_server", "serve", str(fixtures), "--port", "0", "--tls", "--tls-port", "0"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(
            r"vehicle-ocr-mock ready on (http://127\.0\.0\.1:\d+) and (https://127\.0\.0\.1:\d+)\n", line
        )
        assert found, line
        reply = requests.get(f"{found[2]}/healthz", verify=str(tmp_path / "ca" / "ca.pem"), timeout=PATIENCE)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)

    assert reply.json()["status"] == "healthy"
    assert process.returncode == 0
