"""`MockServer`: ready when it starts, gone when it stops, the same face as a mock that runs elsewhere."""

import ast
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import mock_server
from mock_server import ConflictError, FixturesError, MockClient, MockServer, NotFoundError, RefusedError, SettingsError
from mock_server.client import Controls
from tests.support import FIXTURES, PATIENCE, drawn, picture, vehicore


def test_it_answers_as_soon_as_it_started_and_not_after_it_stopped() -> None:
    """Between `start` and `stop` requests are answered; afterwards no server listens and no thread is left."""
    server = MockServer(FIXTURES)
    before = {thread.ident for thread in threading.enumerate()}
    url = server.start().url
    answered = httpx.get(f"{url}/healthz", timeout=PATIENCE).status_code
    server.stop()

    assert answered == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", timeout=PATIENCE)
    assert not [
        thread for thread in threading.enumerate() if thread.ident not in before and thread.name == "vehicle-ocr-mock"
    ]


def test_it_can_start_again() -> None:
    """A stopped server can be started again. It reads its files again and keeps no state of the last run."""
    server = MockServer(FIXTURES)
    with server:
        key = server.create_account().key
    with server, pytest.raises(NotFoundError):
        server.account(key)


def test_stopping_twice_is_fine() -> None:
    """`stop` does nothing on a server that is not running."""
    server = MockServer(FIXTURES).start()
    server.stop()
    server.stop()


def test_idle_connections_do_not_hold_it_up() -> None:
    """`stop` closes idle connections and does not wait for their clients."""
    with MockServer(FIXTURES) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        client.get("/healthz")
        silent = socket.create_connection(address, timeout=PATIENCE)
        server.stop()

        assert silent.recv(1) == b""
        silent.close()


def test_a_request_in_flight_is_answered_before_it_stops() -> None:
    """`stop` waits for a reply that is being sent."""
    with MockServer(FIXTURES) as server:
        server.add_scenario(
            {"scenario": "slow", "when": {"filename": "slow.jpg"}, "then": {"outcome": "read", "delay": "300ms"}}
        )
        key = server.create_account().key
        statuses: list[int] = []

        def ask() -> None:
            with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
                statuses.append(vehicore(client, key=key, filename="slow.jpg").status_code)

        asking = threading.Thread(target=ask)
        asking.start()
        while not server.count(key=key):
            pass
        server.stop()
        asking.join()

    assert statuses == [200]


def test_two_servers_do_not_meet() -> None:
    """Each has its own port, accounts and journal."""
    with MockServer(FIXTURES) as first, MockServer(FIXTURES) as second:
        first.create_account(key="only-in-the-first")

        assert first.url != second.url
        with pytest.raises(NotFoundError):
            second.account("only-in-the-first")


def test_a_port_in_use_is_told() -> None:
    """`start` raises for an address in use, with the address in the message."""
    with MockServer(FIXTURES) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}"):
            MockServer(FIXTURES, port=port).start()


def test_bad_fixtures_raise_in_start(tmp_path: Path) -> None:
    """Every mistake in the files is in the error."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "a.yaml").write_text("scenario: a\nthen: [{outcome: raed}]\nreeding: {}\n")
    with pytest.raises(FixturesError) as failure:
        MockServer(tmp_path).start()

    assert len(failure.value.mistakes) == 2


def test_it_has_no_address_before_it_runs() -> None:
    """Using a server that is not running raises an error that says so."""
    with pytest.raises(RuntimeError, match="not running"):
        _ = MockServer(FIXTURES).url


@pytest.fixture(scope="module", params=["in-process", "over-http", "over-http-with-token"])
def controls(request: pytest.FixtureRequest) -> Any:
    """The same methods three times: a server in this process, and clients without and with a token."""
    token = "of-the-face" if request.param == "over-http-with-token" else ""
    with MockServer(FIXTURES, admin_token=token) as server:
        yield server if request.param == "in-process" else MockClient(server.url + "/", token=token or None)


def test_every_method_works_here_and_elsewhere(controls: Controls) -> None:
    """All methods work the same with a server in this process and over HTTP."""
    controls.reset()
    account = controls.create_account(name="story", credits={"plate": 1}, rate_limit="50/second")
    key = account.key
    assert (account.credits, account.rate_limit) == ({"plate": 1, "vin": None}, "50/second")
    assert controls.update_account(key, credits={"plate": 3}).credits["plate"] == 3
    assert key in [one.key for one in controls.accounts()]

    image = drawn("story")
    controls.add_scenario(
        {
            "scenario": "story",
            "when": {"image": image, "key": key},
            "reading": {"plate": "ST0RY"},
            "then": [{"outcome": "service_error", "times": 1}, {"outcome": "read"}],
        }
    )
    controls.set_state("story", key, 1)
    assert "story" in [one["scenario"] for one in controls.scenarios()]
    assert controls.scenario("story", key=key)["positions"][0]["position"] == 1
    assert controls.match(image, key=key)["reply"] == {"result": "ST0RY"}

    controls.freeze("2030-01-01T00:00:00Z")
    with httpx.Client(base_url=controls.url, timeout=PATIENCE) as client:
        assert vehicore(client, key=key, image=image).json() == {"result": "ST0RY"}
        controls.advance("1h")
        vehicore(client, key=key, image=drawn("nobody"), filename="nobody.png")
    exchanges = controls.requests(key=key)
    assert [(one.outcome, one.scenario, one.time.hour) for one in exchanges] == [
        ("read", "story", 0),
        ("read", None, 1),
    ]
    assert [one.id for one in controls.unmatched()] == [exchanges[1].id]
    assert len(controls.near_misses(key=key)[0].scenarios) == 3
    controls.verify(key=key, outcome="read", times=2)
    assert controls.count(key=key, charged=1) == 2
    assert controls.account(key).credits["plate"] == 1

    assert controls.clear_requests(key=key) == 2
    controls.remove_scenario("story", key=key)
    assert controls.now().year == 2030
    assert controls.release().year != 2030
    controls.delete_account(key)
    with pytest.raises(NotFoundError):
        controls.account(key)


def test_mistakes_raise_with_their_places(controls: Controls) -> None:
    """A call that the admin API refuses raises: bad input with places, a missing name, a name that exists."""
    with pytest.raises(RefusedError) as refused:
        controls.add_scenario({"scenario": "Bad", "then": {"outcome": "raed"}})
    assert refused.value.status == 400
    assert [error["pointer"] for error in refused.value.errors] == ["/scenario", "/then/outcome"]
    assert "did you mean" in str(refused.value)
    with pytest.raises(NotFoundError):
        controls.remove_scenario("nowhere")
    with pytest.raises(ConflictError):
        controls.add_scenario({"scenario": "car", "when": {"filename": "x"}})
    with pytest.raises(RefusedError, match="did you mean"):
        # The slip that mypy sees is the one that is tested.
        controls.create_account(statsu="blocked")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="give times, or at_least"):
        controls.verify(times=1, at_least=1)


def test_yaml_will_do(controls: Controls) -> None:
    """A scenario may be given as the text of a file."""
    controls.add_scenario("scenario: of-text\nwhen: {filename: text.jpg}\nreading: {plate: 0012}\n")

    assert controls.scenario("of-text")["reading"]["plate"]["text"] == "0012"


def test_another_server_is_named_in_the_error() -> None:
    """A client of a server that is no mock gets an error with the status of its reply."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(502)

        def log_message(self, *arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        with pytest.raises(RefusedError, match="the server answered 502"):
            MockClient(f"http://127.0.0.1:{other.server_port}").accounts()
        thread.join()


def test_a_wrong_token_is_refused() -> None:
    """A client with the wrong token gets an error that says so."""
    with MockServer(FIXTURES, admin_token="right") as server, pytest.raises(RefusedError, match="token") as refused:
        MockClient(server.url, token="wrong").accounts()

    assert refused.value.status == 401


def test_the_readme_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promised Python interface, word for word."""
    monkeypatch.chdir(tmp_path)
    Path("car.jpg").write_bytes(picture("car"))

    with MockServer(FIXTURES, port=0) as mock:
        account = mock.create_account(credits={"plate": 1})
        mock.add_scenario({"scenario": "x", "when": {"image": "car.jpg"}, "reading": {"plate": "ABC123"}})
        files = {"image": Path("car.jpg").read_bytes()}
        reply = httpx.post(
            mock.url + "/api/ocr/plate", headers={"X-API-Key": account.key}, files=files, timeout=PATIENCE
        )
        exchanges = mock.requests(key=account.key)
        mock.verify(key=account.key, outcome="read", times=1)

    assert (reply.json(), len(exchanges)) == ({"result": "ABC123"}, 1)


def test_what_the_package_exports() -> None:
    """`__all__` is sorted, complete and loadable; every public error class is in it."""
    exported = {name: getattr(mock_server, name) for name in mock_server.__all__}

    assert sorted(mock_server.__all__) == mock_server.__all__
    assert all(exported.values())
    assert set(mock_server.__all__) <= set(dir(mock_server))
    with pytest.raises(AttributeError):
        _ = mock_server.Nothing


def test_type_checkers_see_what_is_exported() -> None:
    """What is loaded lazily is imported for type checkers, name by name."""
    tree = ast.parse(Path(mock_server.__file__).read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}

    assert set(mock_server.__all__) <= imported
    assert (Path(mock_server.__file__).parent / "py.typed").exists()


def test_an_upload_that_never_ends_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops halfway through its request does not delay the stop of the server for long."""
    monkeypatch.setattr("mock_server.http.uvicorn_protocol.UPLOAD_SECONDS", 0.05)
    monkeypatch.setattr("mock_server.runner.GRACE_SECONDS", 3600)
    server = MockServer(FIXTURES).start()
    url = httpx.URL(server.url)
    with (
        socket.create_connection((url.host, url.port or 0)) as client,
        httpx.Client(base_url=url, timeout=PATIENCE) as other,
    ):
        client.sendall(b"POST /api/ocr/plate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it")
        other.get("/healthz")
        server.stop()

        with pytest.raises(httpx.ConnectError):
            httpx.get(url.join("/healthz"), timeout=PATIENCE)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize("tls", [False, True])
def test_localhost_is_both_families(tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on localhost answers on IPv4 and IPv6, on the same port, over HTTP and HTTPS."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path))
    with MockServer(FIXTURES, host="localhost", tls=tls) as server:
        url = server.tls_url if tls else server.url
        assert url is not None
        port = int(url.rpartition(":")[2])
        context = ssl.create_default_context(cafile=server.certificate_path) if tls else True
        for address in ("127.0.0.1", "[::1]", "localhost"):
            reply = httpx.get(
                f"{'https' if tls else 'http'}://{address}:{port}/healthz", verify=context, timeout=PATIENCE
            )
            assert reply.json()["status"] == "healthy"
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family) as after, pytest.raises(ConnectionRefusedError):
            after.connect(("::1" if family is socket.AF_INET6 else "127.0.0.1", port))


@pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 here")
def test_a_port_that_is_in_use_on_ipv6_only() -> None:
    """A given port must be free on both; the error names the address."""
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=f"cannot listen on ::1:{port}"):
            MockServer(FIXTURES, host="localhost", port=port).start()
