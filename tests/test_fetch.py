"""Fetching image URLs: what is allowed, and what is refused without sending a packet."""

import asyncio
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mock_server.certificate_authority import CertificateAuthority
from mock_server.errors import FetchError, SettingsError
from mock_server.fetch.fetcher import Fetcher
from mock_server.fetch.policy import FetchPolicy
from tests.support import PATIENCE

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 3000

_sent: list[tuple[str, object]] | None = None


def _watch_the_network(event: str, arguments: tuple[object, ...]) -> None:
    if _sent is not None and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        _sent.append((event, arguments[1] if event != "socket.getaddrinfo" else arguments[0]))


sys.addaudithook(_watch_the_network)


@pytest.fixture
def sent() -> Iterator[list[tuple[str, object]]]:
    """All name look-ups and connections of this process."""
    global _sent
    _sent = []
    yield _sent
    _sent = None


def fetch(policy: str, url: str, names: dict[str, list[str]] | None = None, **limits: float) -> tuple[bytes, str]:
    """Fetch `url`; `names` replaces the name server where given."""

    async def resolve(host: str, port: int) -> list[str]:
        if host not in (names or {}):
            raise OSError("Name or service not known")
        return (names or {})[host]

    fetcher = Fetcher(
        FetchPolicy.parse(policy),
        max_bytes=int(limits.get("max_bytes", 1_000_000)),
        timeout=limits.get("timeout", 5),
        resolve=None if names is None else resolve,
    )
    return asyncio.run(fetcher.fetch(url))


class _Pictures(BaseHTTPRequestHandler):
    """A small picture host. The path selects its behaviour."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None]]
    release: threading.Event

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Host"]))
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "redirect":
            self._answer(302, {"Location": rest})
        elif kind == "loop":
            self._answer(302, {"Location": "/loop/"})
        elif kind == "type":
            self._answer(200, {"Content-Type": rest}, PICTURE)
        elif kind == "untyped":
            self._answer(200, {}, PICTURE)
        elif kind == "gzip":
            self._answer(200, {"Content-Type": "image/png", "Content-Encoding": "gzip"}, PICTURE)
        elif kind == "status":
            self._answer(int(rest), {"Content-Type": "image/png"}, PICTURE)
        elif kind == "endless":
            self._endless()
        elif kind == "silent":
            self.release.wait(PATIENCE)
            self.close_connection = True
        else:
            self._answer(200, {"Content-Type": "image/png"}, PICTURE)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        """A body without a declared length that would never end."""
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(PICTURE)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


class _QuietServer(ThreadingHTTPServer):
    """A server that prints no traceback for a refused handshake."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: the client reports the error."""


class PictureHost:
    """A running picture host on loopback that records its requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self.release = threading.Event()
        handler = type("Handler", (_Pictures,), {"seen": self.seen, "release": self.release})
        self._server = _QuietServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


@pytest.fixture
def host() -> Iterator[PictureHost]:
    pictures = PictureHost()
    yield pictures
    pictures.close()


REFUSED_HOSTS = [
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "169.254.1.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "2852039166",
    "0xA9FEA9FE",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
]


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_addresses_that_are_not_public_get_no_packet(host: str, sent: list[tuple[str, object]]) -> None:
    """Even `--fetch any` reaches no private address, in any notation."""
    with pytest.raises(FetchError):
        fetch("any", f"http://{host}/picture.png")

    assert sent == []


REFUSED_URLS = [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://pictures.example/_GET",
    "ftp://pictures.example/picture.png",
    "dict://pictures.example/",
    "data:image/png;base64,AAAA",
    "//pictures.example/picture.png",
    "pictures.example/picture.png",
    "http://",
    "http:///picture.png",
    "http://pictures.example@127.0.0.1/",
    "http://user:secret@pictures.example/",
    "http://127.0.0.1\\@pictures.example/",
    "http://pictures.example:80@169.254.169.254/",
    "http://pictures.example\r\nX-Injected: 1/",
    "http://pictures.example:99999999/",
    "http://[::1/",
    "",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_other_schemes_and_tricks_get_no_packet(url: str, sent: list[tuple[str, object]]) -> None:
    """Only http and https URLs are fetched."""
    with pytest.raises(FetchError):
        fetch("any", url, {"pictures.example": ["127.0.0.1"]})

    assert sent == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["10.1.2.3"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"]],
)
@pytest.mark.parametrize("policy", ["any", "*.example", "pictures.example"])
def test_a_name_with_a_private_address_gets_no_packet(
    addresses: list[str], policy: str, sent: list[tuple[str, object]]
) -> None:
    """Every address of a name is checked; the error says how to allow it."""
    with pytest.raises(FetchError, match=r"resolves to the .* address .*--fetch"):
        fetch(policy, "http://pictures.example/a.png", {"pictures.example": addresses})

    assert sent == []


@pytest.mark.parametrize(
    ("policy", "url"),
    [
        ("off", "http://pictures.example/"),
        ("", "http://pictures.example/"),
        ("*.pictures.example", "http://pictures.example/"),
        ("pictures.example", "http://evil-pictures.example/"),
        ("pictures.example", "http://pictures.example.evil.test/"),
        ("local", "http://pictures.example/"),
        ("local", "http://8.8.8.8/"),
        ("10.0.0.0/8", "http://pictures.example/"),
        ("10.0.0.0/8", "http://127.0.0.1/"),
        ("10.*", "http://127.0.0.1/"),
        ("10.*", "http://10.pictures.example/"),
    ],
)
def test_a_host_that_is_not_allowed_is_not_resolved(policy: str, url: str, sent: list[tuple[str, object]]) -> None:
    """A host that the policy does not list is refused without a name look-up."""
    with pytest.raises(FetchError, match="--fetch"):
        fetch(policy, url)

    assert sent == []


@pytest.mark.parametrize(
    ("policy", "url", "names"),
    [
        ("local", "http://127.0.0.1:{port}/a.png", None),
        ("local", "http://localhost:{port}/a.png", {"localhost": ["127.0.0.1"]}),
        ("localhost", "http://localhost:{port}/a.png", {"localhost": ["127.0.0.1"]}),
        ("127.0.0.1", "http://127.0.0.1:{port}/a.png", None),
        ("127.0.0.0/8", "http://127.0.0.1:{port}/a.png", None),
        ("127.0.0.*", "http://127.0.0.1:{port}/a.png", None),
        ("any 127.0.0.1", "http://127.0.0.1:{port}/a.png", None),
        ("*.example,127.0.0.1", "http://my.example:{port}/a.png", {"my.example": ["127.0.0.1"]}),
        ("*.example,127.0.0.1", "HTTP://MY.Example:{port}/a.png#part", {"my.example": ["127.0.0.1"]}),
        ("*.example,127.0.0.1", "http://my.example.:{port}/a.png", {"my.example": ["127.0.0.1"]}),
    ],
)
def test_what_is_allowed_is_fetched(
    host: PictureHost, policy: str, url: str, names: dict[str, list[str]] | None
) -> None:
    """The result has the data and the address of the host."""
    assert fetch(policy, url.format(port=host.port), names) == (PICTURE, "127.0.0.1")


def test_the_server_sees_the_name_that_was_asked_for(host: PictureHost) -> None:
    """The connection goes to an address, but `Host` is the name and port of the URL."""
    fetch("my.example,127.0.0.1", f"http://my.example:{host.port}/a.png?b=1", {"my.example": ["127.0.0.1"]})

    assert host.seen == [("/a.png?b=1", f"my.example:{host.port}")]


def test_a_name_is_looked_up_once(host: PictureHost) -> None:
    """The name is resolved once, so a name server cannot change its answer after the check."""
    queries: list[str] = []

    async def rebinding(name: str, port: int) -> list[str]:
        queries.append(name)
        return ["127.0.0.1"] if len(queries) == 1 else ["127.0.0.2"]

    fetcher = Fetcher(FetchPolicy.parse("my.example,127.0.0.1"), resolve=rebinding)
    fetched = asyncio.run(fetcher.fetch(f"http://my.example:{host.port}/a.png"))

    assert fetched == (PICTURE, "127.0.0.1")
    assert queries == ["my.example"]


def test_the_next_address_is_tried(host: PictureHost) -> None:
    """If the first address of a name does not answer, the next one is used."""
    names = {"my.example": ["127.0.0.9", "127.0.0.1"]}

    assert fetch("my.example,127.0.0.0/8", f"http://my.example:{host.port}/a.png", names)[0] == PICTURE


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://other.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//169.254.169.254/",
        "http://user@127.0.0.1/",
        "http://[::1/",
    ],
)
def test_a_redirect_is_judged_like_a_first_request(
    host: PictureHost, target: str, sent: list[tuple[str, object]]
) -> None:
    """The only connection is the one to the host that was allowed."""
    with pytest.raises(FetchError):
        fetch("127.0.0.1", f"http://127.0.0.1:{host.port}/redirect/{target}")

    assert sent == [("socket.connect", ("127.0.0.1", host.port))]


def test_an_allowed_redirect_is_followed(host: PictureHost) -> None:
    """The picture at the end of the redirect comes back."""
    data, _ = fetch("127.0.0.1", f"http://127.0.0.1:{host.port}/redirect//a.png")

    assert data == PICTURE
    assert [path for path, _ in host.seen] == ["/redirect//a.png", "/a.png"]


def test_redirects_end(host: PictureHost) -> None:
    """A loop of redirects ends after the third."""
    with pytest.raises(FetchError, match="more than 3 redirects"):
        fetch("127.0.0.1", f"http://127.0.0.1:{host.port}/loop/")

    assert len(host.seen) == 4


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("type/text/html", "not a picture"),
        ("type/application/json", "not a picture"),
        ("gzip/", "compressed"),
        ("status/404", "answered 404"),
        ("status/500", "answered 500"),
        ("endless/", "more than 2000 bytes"),
        ("a.png", "3008 bytes, 2000 are allowed"),
    ],
)
def test_limits_of_type_and_size(host: PictureHost, path: str, reason: str) -> None:
    """A wrong content type, a body that is too large and a body without end are refused."""
    with pytest.raises(FetchError, match=reason):
        fetch("local", f"http://127.0.0.1:{host.port}/{path}", max_bytes=2000)


@pytest.mark.parametrize("path", ["untyped/", "type/application/octet-stream", "type/image/webp; q=1"])
def test_a_picture_of_unnamed_type_is_taken(host: PictureHost, path: str) -> None:
    """A generic content type is accepted; the bytes decide later."""
    assert fetch("local", f"http://127.0.0.1:{host.port}/{path}")[0] == PICTURE


def test_a_host_that_never_answers_is_given_up(host: PictureHost) -> None:
    """The time limit applies from the look-up to the last byte."""
    with pytest.raises(FetchError, match=r"did not arrive within 0\.2 s"):
        fetch("local", f"http://127.0.0.1:{host.port}/silent/", timeout=0.2)


def test_a_refused_connection_is_an_error_with_the_host() -> None:
    """The error of a refused connection contains the host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match=r"no connection to 127\.0\.0\.1"):
            fetch("local", f"http://127.0.0.1:{free.getsockname()[1]}/")


def test_an_unknown_name_is_an_error_with_the_name() -> None:
    """The error of a name without an address contains the name."""
    with pytest.raises(FetchError, match=r"nowhere\.example cannot be resolved"):
        fetch("any", "http://nowhere.example/", {})


def test_certificates_are_checked_against_the_name(tmp_path: Path) -> None:
    """The connection goes to an address, but TLS sends and verifies the name of the URL."""
    authority = CertificateAuthority.open(tmp_path / "ca")
    pictures = PictureHost(authority.ssl_context(["pictures.example"]))

    async def resolve(name: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    fetcher = Fetcher(
        FetchPolicy.parse("*.example,127.0.0.1"),
        resolve=resolve,
        ssl_context=ssl.create_default_context(cafile=str(authority.certificate_path)),
    )
    try:
        fetched = asyncio.run(fetcher.fetch(f"https://pictures.example:{pictures.port}/a.png"))
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(fetcher.fetch(f"https://other.example:{pictures.port}/a.png"))
    finally:
        pictures.close()

    assert fetched == (PICTURE, "127.0.0.1")


def test_no_proxy_is_used(host: PictureHost, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[str, object]]) -> None:
    """A proxy could connect to another address than the checked one, so none is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    fetch("local", f"http://127.0.0.1:{host.port}/a.png")

    assert sent == [("socket.connect", ("127.0.0.1", host.port))]


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        ("off", FetchPolicy()),
        ("", FetchPolicy()),
        ("LOCAL", FetchPolicy(local=True)),
        ("any", FetchPolicy(any_host=True)),
        ("*.a.example, b.example", FetchPolicy(hosts=("*.a.example", "b.example"))),
        (["*.a.example", "local b.example"], FetchPolicy(local=True, hosts=("*.a.example", "b.example"))),
    ],
)
def test_policies_are_read(values: str | list[str], policy: FetchPolicy) -> None:
    """Words, globs, addresses and networks, in one value or several."""
    assert FetchPolicy.parse(values) == policy
    assert bool(policy) is (policy != FetchPolicy())


@pytest.mark.parametrize(
    "values", ["off,any", "https://pictures.example", "pictures.example:80", "a@b", "0x7f.1", "127.1", "10.0.0.0/99"]
)
def test_an_invalid_policy_is_refused(values: str) -> None:
    """A value that can never match is an error at the start."""
    with pytest.raises(SettingsError, match="--fetch"):
        FetchPolicy.parse(values)
