"""Calls from web pages: which origins may call, which paths, and what a browser makes of it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from mock_server.errors import SettingsError
from mock_server.http.cors import parse_origins
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import FIXTURES, PATIENCE, carsxe, new_key, vehicore

PAGE, OTHER = "http://localhost:3000", "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key, content-type"}
pins = pytest.mark.pins


@pins("carsxe-no-cors")
def test_no_cors_unless_it_is_allowed(http: httpx.Client) -> None:
    """By default no reply has a header of CORS, and a preflight request is a wrong method."""
    replies = [
        carsxe(http, headers={"Origin": PAGE}),
        vehicore(http, headers={"Origin": PAGE}),
        http.get("/images/car.jpg", headers={"Origin": PAGE}),
        http.options("/platerecognition", headers={"Origin": PAGE, **PREFLIGHT}),
    ]

    assert [reply.status_code for reply in replies] == [200, 200, 200, 405]
    assert not [name for reply in replies for name in reply.headers if name.startswith("access-control")]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """A server that two origins may call."""
    with MockServer(FIXTURES, cors=f"{PAGE}/,{OTHER}") as server:
        yield server


@pytest.fixture
def client(server: MockServer) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


def _allowed(reply: httpx.Response) -> str | None:
    allowed: str | None = reply.headers.get("access-control-allow-origin")
    return allowed


@pins("mock-cors")
@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/api/ocr/plate", None),
        ("/api/ocr/passport", None),
        ("/platerecognition", None),
        ("/v1/vinocr", "api.carsxe.com"),
        ("/vinocr", None),
        ("/nowhere", "api.carsxe.com"),
        ("/api/v1/ocr/plate", None),
        ("/images/car.jpg", None),
    ],
)
def test_allowed_origins(client: httpx.Client, path: str, host: str | None) -> None:
    """The origins of the setting, and no others; on every path of a provider, a wrong one too, and in the gallery."""
    named = {"Host": host} if host else {}
    for origin, allowed in ((PAGE, PAGE), (OTHER, OTHER), ("http://localhost:3001", None), ("null", None)):
        preflight = client.options(path, headers={**named, "Origin": origin, **PREFLIGHT})
        reply = client.post(path, headers={**named, "Origin": origin})

        assert (preflight.status_code, _allowed(preflight)) == (200 if allowed else 400, allowed)
        assert _allowed(reply) == allowed
        assert "origin" in preflight.headers["vary"].lower()
        assert reply.headers["vary"].lower() == "origin"
        if allowed:
            assert "POST" in preflight.headers["access-control-allow-methods"]
            assert preflight.headers["access-control-allow-headers"].lower() == "x-api-key, content-type"


@pytest.mark.parametrize("path", ["/__admin/health", "/__admin/", "/__admin/requests", "/healthz", "/"])
def test_never_the_admin_api(client: httpx.Client, path: str) -> None:
    """Whatever the setting says."""
    replies = [
        client.get(path, headers={"Origin": PAGE}),
        client.options(path, headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"}),
    ]

    assert not [name for reply in replies for name in reply.headers if name.startswith("access-control")]


def test_errors_too(server: MockServer, client: httpx.Client) -> None:
    """A page can read the status and the mock's headers of every error."""
    slow, page = new_key(server, rate_limit="1/hour"), {"Origin": PAGE}
    replies = [
        vehicore(client, key="nobody", headers=page),
        client.put("/api/ocr/plate", headers=page),
        client.get("/images/nowhere.jpg", headers=page),
        *[vehicore(client, key=slow, headers=page) for _ in range(2)],
        vehicore(client, headers={**page, "Prefer": "code=500"}),
        vehicore(client, headers={**page, "Prefer": "scenario=nowhere"}),
    ]

    assert [reply.status_code for reply in replies] == [401, 405, 404, 200, 429, 500, 501]
    assert {_allowed(reply) for reply in replies} == {PAGE}
    for name in ("X-Mock-Detail", "X-Mock-Scenario", "X-Mock-Request-Id", "Retry-After"):
        assert name in replies[4].headers
        assert name in replies[4].headers["access-control-expose-headers"]


def test_a_broken_reply_too(serve: MakeClient, tmp_path: Path) -> None:
    """A reply that breaks off has the headers, so that the page sees the same as any other client."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "broken.yaml").write_text("scenario: broken\nthen: {fault: MALFORMED_RESPONSE_CHUNK}\n")
    client = serve(tmp_path, cors="any")
    with client.stream(
        "POST", "/api/ocr/plate", headers={"X-API-Key": "demo-key", "Origin": PAGE}, files=_car()
    ) as got:
        assert got.headers["access-control-allow-origin"] == "*"
        with pytest.raises(httpx.RemoteProtocolError):
            got.read()


def _car() -> dict[str, bytes]:
    return {"image": (FIXTURES / "images" / "car.jpg").read_bytes()}


def test_any_origin(serve: MakeClient) -> None:
    """`any` allows every page, also one of a public site that calls this machine."""
    client = serve(cors="any")
    private = {"Origin": OTHER, **PREFLIGHT, "Access-Control-Request-Private-Network": "true"}
    preflight = client.options("/api/ocr/plate", headers=private)

    assert (preflight.status_code, _allowed(preflight)) == (200, "*")
    assert preflight.headers["access-control-allow-private-network"] == "true"
    assert _allowed(vehicore(client, headers={"Origin": "null"})) == "*"


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("off", ()),
        ("", ()),
        ("any", ("*",)),
        ("HTTP://LocalHost:3000/", ("http://localhost:3000",)),
        ("http://a.test:80 https://a.test:443/", ("http://a.test", "https://a.test")),
        ("http://a.test:443 https://a.test:80", ("http://a.test:443", "https://a.test:80")),
        ("http://[::1]:80 http://[::1]:8080", ("http://[::1]", "http://[::1]:8080")),
        ("https://Bücher.test:8443", ("https://xn--bcher-kva.test:8443",)),
        ("http://a.test, null,chrome-extension://abc", ("http://a.test", "null", "chrome-extension://abc")),
    ],
)
def test_origins(text: str, origins: tuple[str, ...]) -> None:
    """Words, or origins with scheme and host, separated by commas or spaces; then as a browser sends them."""
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    "text", ["off,any", "any http://a.test", "localhost:3000", "http://a.test/path", "*", "http://*", "http://ü..test"]
)
def test_unusable_origins(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(SettingsError, match="--cors"):
        parse_origins(text)


_SCRIPT = """<!doctype html><title>waiting</title><script>
const seen = [];
async function call(url, options) {
  try {
    const reply = await fetch(url, options);
    seen.push([reply.status, reply.headers.get("X-Mock-Scenario"), reply.headers.get("X-Mock-Detail")]);
    return reply;
  } catch (error) {
    seen.push(["blocked"]);
  }
}
async function main(server) {
  const image = await (await call(`${server}/images/car.jpg`))?.blob() ?? "no picture";
  const form = new FormData();
  form.append("image", new Blob([image]), "car.jpg");
  await call(`${server}/api/ocr/plate`, {method: "POST", headers: {"X-API-Key": "demo-key"}, body: form});
  const body = JSON.stringify({image_url: `${server}/images/car.jpg`});
  const headers = {"Content-Type": "application/json"};
  await call(`${server}/platerecognition?key=demo-key`, {method: "POST", headers, body});
  await call(`${server}/platerecognition?key=nobody`, {method: "POST", headers, body});
  await call(`${server}/__admin/health`);
  document.body.textContent = JSON.stringify(seen);
}
addEventListener("load", () => main("SERVER"));
</script><body></body>
"""


@contextmanager
def _page(server: str) -> Iterator[str]:
    """A page on an origin of its own that calls the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _SCRIPT.replace("SERVER", server).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as pages:
        thread = Thread(target=pages.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{pages.server_port}"
        finally:
            pages.shutdown()
            thread.join()


_BROWSER = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)


@pytest.mark.skipif(_BROWSER is None, reason="needs Chromium or Chrome")
@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_real_browser(serve: MakeClient, tmp_path: Path, is_allowed: bool) -> None:
    """A page reads replies, headers and errors of the providers, but not of the admin API; without `--cors` nothing."""
    # The page's port is only known when it is served, so its origin is allowed by `any`.
    client = serve(cors="any" if is_allowed else "off")
    with _page(str(client.base_url).rstrip("/")) as page:
        seen = _seen_by_browser(page, tmp_path)

    if is_allowed:
        assert seen == [
            [200, None, None],
            [200, "car", None],
            [200, "car", None],
            [401, "-", "no account has this key"],
            ["blocked"],
        ]
    else:
        assert seen == [["blocked"]] * 5


def _seen_by_browser(page: str, profile: Path) -> list[list[object]]:
    assert _BROWSER is not None
    command = [_BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command += ["--no-first-run", "--no-proxy-server", "--virtual-time-budget=20000", "--dump-dom", page]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = re.search(r"<body>(.*)</body>", ended.stdout, re.DOTALL)
    assert found, ended.stdout
    seen: list[list[object]] = json.loads(found[1])
    return seen
