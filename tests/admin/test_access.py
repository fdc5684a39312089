"""Without a token, only programs on this machine can use the admin API."""

import httpx
import pytest

from mock_server import MockServer
from mock_server.admin.access import Access
from mock_server.settings import is_loopback
from tests.support import FIXTURES, PATIENCE


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "mock.localhost:8080"}, 200),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:8080"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:8080", "Origin": "http://localhost:8080"}, 200),
        ({"Host": "localhost:8080", "Origin": "http://localhost:3000"}, 403),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"Forwarded": "for=127.0.0.1"}, 403),
        ({"X-Real-IP": "127.0.0.1"}, 403),
        ({"X-Forwarded-Host": "localhost"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_pages_of_other_origins_and_forwarded_calls_are_refused(
    headers: dict[str, str], status: int, mock: MockServer, admin: httpx.Client
) -> None:
    """Another host name (DNS rebinding), another origin or a forwarded call is refused; a link may be followed."""
    reply = admin.get("/accounts", headers=headers)

    assert reply.status_code == status
    assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_a_cross_site_form_changes_nothing(admin: httpx.Client) -> None:
    """A form of another site is refused, although the browser sends it as a navigation."""
    crossing = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert admin.post("/reset", headers=crossing).status_code == 403


def test_preflights_are_not_granted(admin: httpx.Client) -> None:
    """There is no CORS."""
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    reply = admin.options("/requests", headers=asking)

    assert reply.status_code == 403
    assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("client", "refused"),
    [(("127.0.0.1", 1), False), (("::1", 1), False), (("::ffff:127.0.0.1", 1), False), (("10.0.0.7", 1), True)],
)
def test_other_machines_are_refused_without_a_token(client: tuple[str, int], refused: bool) -> None:
    """Without a token, a connection from another machine is refused, such as one through a forwarded port."""
    scope = {"method": "GET", "client": client, "headers": [(b"host", b"localhost:8080")]}

    assert (Access().refusal(scope) is not None) is refused


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_loopback_means(host: str, loopback: bool) -> None:
    """Only names and addresses that must mean this machine are loopback."""
    assert is_loopback(host) is loopback


def test_the_provider_hosts_have_no_admin_api(admin: httpx.Client) -> None:
    """Under the host name of a provider there is only that provider."""
    assert admin.get("/health", headers={"Host": "api.carsxe.com"}).status_code == 404


def test_a_reply_does_not_reveal_the_token(guarded: MockServer) -> None:
    """The refusal of a wrong token has no part of the right one."""
    reply = httpx.get(f"{guarded.url}/__admin/accounts", headers={"Authorization": "Bearer a-token"}, timeout=PATIENCE)

    assert "a-token-for-tests" not in reply.text


def test_bodies_are_limited(mock: MockServer) -> None:
    """A body over the upload limit is refused, with and without a Content-Length."""
    with MockServer(FIXTURES, max_body=10_000) as small:
        url = f"{small.url}/__admin/scenarios"
        declared = httpx.post(url, content=b"x" * 20_000, timeout=PATIENCE)
        streamed = httpx.post(url, content=iter([b"x" * 5_000] * 4), timeout=PATIENCE)

    assert [reply.status_code for reply in (declared, streamed)] == [413, 413]
    assert declared.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/accounts", b'{"name":' * 500 + b"1" + b"}" * 500),
        ("/accounts", b"[" * 100_000),
        ("/scenarios", b'{"scenario": "deep", "when": ' + b'{"header": ' * 900 + b"1" + b"}" * 901),
        ("/scenarios", b"scenario: [" + b"[" * 5000 + b"]" * 5001),
        ("/scenarios", b"a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nscenario: [*c,*c,*c,*c]\n"),
        ("/requests/count", b'{"key": ' + b"[" * 300 + b"]" * 300 + b"}"),
        ("/requests/count", b"[" + b"[]," * 400_000 + b"[]]"),
        ("/requests/count", b"{" + b",".join(b'"%d": 1' % number for number in range(21_000)) + b"}"),
        ("/requests/count", b"{" + b",".join(b'"%d": 1' % number for number in range(10_000)) + b"}"),
        ("/scenarios", b"description: " + b"x" * 1_100_000),
        ("/match", b'{"url": "http://x/mock-' + b"a" * 20_000 + b'"}'),
        ("/accounts", b'{"key": "' + b"k" * 1000 + b'"}'),
        ("/accounts", b'{"name": "' + b"n" * 1000 + b'"}'),
        ("/requests/count", b"\xff\xfe"),
        ("/accounts", b'{"key": "\\ud800"}'),
        ("/scenarios", b'{"scenario": "a", "when": {"key": "\\ud800"}}'),
    ],
    ids=[
        "objects",
        "lists",
        "scenario",
        "yaml",
        "aliases",
        "fields",
        "large",
        "many-values",
        "many-mistakes",
        "large-yaml",
        "long-text",
        "long-key",
        "long-name",
        "bytes",
        "surrogate",
        "surrogate-in-when",
    ],
)
def test_hostile_documents_are_refused(path: str, body: bytes, admin: httpx.Client) -> None:
    """Deep nesting, YAML aliases and broken text are reported like other mistakes, in a short reply."""
    reply = admin.post(path, content=body)

    assert reply.status_code == 400
    assert len(reply.content) < 20_000
