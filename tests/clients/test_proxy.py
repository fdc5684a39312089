"""The proxy of `exec --proxy`: the providers' names to the mock, everything else as it is."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from mock_server.errors import SettingsError
from mock_server.redirect.environment import Upstream, child_environment, covers
from mock_server.redirect.proxy import proxy
from mock_server.redirect.proxy_environment import proxied_environment, upstream_of
from mock_server.redirect.python_hook import Route
from tests.support import PATIENCE, tool

from .conftest import echo_server

NAME = "api.carsxe.com"


@pytest.fixture(scope="module")
def other() -> trustme.CA:
    """The authority of another host."""
    return trustme.CA()


@pytest.fixture
def url(route: Route) -> Iterator[str]:
    """A proxy; the user has none."""
    with proxy(route, Upstream({})) as url:
        yield url


def connected(proxy_url: str) -> http.client.HTTPConnection:
    """A connection to the proxy."""
    address = urlsplit(proxy_url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)


def tunnel(proxy_url: str, host: str, port: int, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    """A connection through a tunnel, with TLS."""
    address = urlsplit(proxy_url)
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=PATIENCE, context=context)
    connection.set_tunnel(host, port)
    return connection


def text_of(connection: http.client.HTTPConnection, target: str, **headers: str) -> str:
    """The body of a reply."""
    connection.request("GET", target, headers=headers)
    with connection.getresponse() as reply:
        return reply.read().decode()


def test_a_provider_s_name_leads_to_the_mock(url: str, route: Route) -> None:
    """Through a tunnel and TLS, with the name in Host."""
    context = ssl.create_default_context(cafile=route.certificate)
    with contextlib.closing(tunnel(url, NAME.upper(), 443, context)) as connection:
        assert text_of(connection, "/x?y=1", Host=NAME) == f"mock-https {NAME} /x?y=1"


def test_another_host_is_tunnelled_unread(url: str, other: trustme.CA) -> None:
    """The other host's own certificate is what the client sees: nothing has read the tunnel."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.configure_trust(client)
    with echo_server("other", server) as port, contextlib.closing(tunnel(url, "127.0.0.1", port, client)) as connection:
        assert text_of(connection, "/x") == f"other 127.0.0.1:{port} /x"


def test_any_bytes_pass_through_a_tunnel(url: str) -> None:
    """Both directions, one after the other's end, far more than a buffer."""
    blob = os.urandom(3_000_000)
    received = bytearray()

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(65_536):
                received.extend(data)
            connection.sendall(blob[::-1])

    address = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as client:
            client.sendall(f"CONNECT 127.0.0.1:{listener.getsockname()[1]} HTTP/1.1\r\n\r\n".encode())
            file = client.makefile("rb")
            assert file.readline() == b"HTTP/1.1 200 Connection established\r\n"
            assert file.readline() == b"\r\n"
            client.sendall(blob)
            client.shutdown(socket.SHUT_WR)
            assert file.read() == blob[::-1]
        thread.join(PATIENCE)

    assert received == blob


def test_plain_http(url: str) -> None:
    """A URL is passed on as a path. The next request of the client may be for another host."""
    with echo_server("other") as port, contextlib.closing(connected(url)) as connection:
        assert text_of(connection, f"http://{NAME}/x?y=1", Host=NAME) == f"mock-http {NAME} /x?y=1"
        other_host = f"127.0.0.1:{port}"
        assert text_of(connection, f"http://{other_host}/z", Host=other_host) == f"other {other_host} /z"


def test_the_url_says_which_host_is_meant(url: str) -> None:
    """The header Host may be wrong, or missing as in HTTP/1.0. Headers of the connection are not passed on."""
    address = urlsplit(url)
    for head in ("HTTP/1.0", "HTTP/1.1\r\nHost: wrong.example\r\nConnection: X-Hop\r\nX-Hop: 1"):
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as client:
            client.sendall(f"GET http://{NAME}/x {head}\r\n\r\n".encode())
            assert client.makefile("rb").read().endswith(f"mock-http {NAME} /x".encode())


def test_https_as_a_plain_request(url: str) -> None:
    """Some libraries send https:// URLs to a proxy without a tunnel."""
    with contextlib.closing(connected(url)) as connection:
        assert text_of(connection, f"https://{NAME}/x", Host=NAME) == f"mock-http {NAME} /x"


def test_a_reset_is_passed_on(url: str) -> None:
    """A client that is reset by the server is reset by the proxy: no reply seems complete."""
    address = urlsplit(url)

    def reset(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=reset, args=(listener,), daemon=True).start()
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as client:
            client.sendall(f"CONNECT 127.0.0.1:{listener.getsockname()[1]} HTTP/1.1\r\n\r\nx".encode())
            with pytest.raises(ConnectionResetError):
                client.makefile("rb").read()


def test_open_tunnels_end_with_the_proxy(route: Route, caplog: pytest.LogCaptureFixture) -> None:
    """A tunnel in use is closed, and nothing is logged about it."""
    context = ssl.create_default_context(cafile=route.certificate)
    with contextlib.ExitStack() as stack:
        with proxy(route, Upstream({})) as url:
            connection = stack.enter_context(contextlib.closing(tunnel(url, NAME, 443, context)))
            connection.connect()
        with pytest.raises((OSError, http.client.HTTPException)):
            text_of(connection, "/x", Host=NAME)

    assert caplog.records == []


@pytest.mark.parametrize(
    ("request_line", "status", "reason"),
    [
        ("GET / HTTP/1.1", 400, "it needs CONNECT, or an absolute URL"),
        ("GET ftp://example.com/ HTTP/1.1", 400, "it needs CONNECT, or an absolute URL"),
        ("CONNECT example.com:http HTTP/1.1", 400, "it needs CONNECT, or an absolute URL"),
        ("CONNECT [::1 HTTP/1.1", 400, "it needs CONNECT, or an absolute URL"),
        ("nonsense", 400, "this is not an HTTP/1 request"),
        (f"CONNECT {NAME}:8080 HTTP/1.1", 502, f"the mock does not serve port 8080 of {NAME}"),
        ("CONNECT 127.0.0.1:1 HTTP/1.1", 502, "no connection to 127.0.0.1:1"),
        ("CONNECT no-such-host.invalid:443 HTTP/1.1", 502, "no connection to no-such-host.invalid:443"),
        ("GET / HTTP/1.1\r\nX: " + 70_000 * "x", 431, "more than 65536 bytes"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_refused_request(url: str, request_line: str, status: int, reason: str) -> None:
    """The status and one line with the reason."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as client:
        client.sendall(f"{request_line}\r\n\r\n".encode())
        reply = client.makefile("rb").read().decode()

    assert reply.startswith(f"HTTP/1.1 {status} ")
    assert reason in reply.partition("\r\n\r\n")[2]


def test_the_user_s_proxy_is_used_for_other_hosts(route: Route, other: trustme.CA) -> None:
    """Other hosts are reached through it, in tunnels and by URLs; the providers' names and its exceptions are not."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.configure_trust(client)
    # The user's proxy leads other.example to a server of its own, so it is recognised by that.
    with (
        echo_server("far-http") as far_http,
        echo_server("far-https", server) as far_https,
        proxy(Route(["other.example"], far_http, far_https, ""), Upstream({})) as users,
        proxy(route, upstream_of({"HTTPS_PROXY": users, "http_proxy": users}, ["near.example"])) as url,
    ):
        client.check_hostname = False
        with contextlib.closing(tunnel(url, "other.example", 443, client)) as connection:
            assert text_of(connection, "/x", Host="other.example") == "far-https other.example /x"
        with contextlib.closing(connected(url)) as connection:
            assert text_of(connection, "http://other.example/x", Host="other.example") == "far-http other.example /x"
            assert text_of(connection, f"http://{NAME}/x", Host=NAME) == f"mock-http {NAME} /x"
            assert "no connection to near.example" in text_of(connection, "http://near.example/")
        refused = tunnel(url, "other.example", 8443, client)
        with contextlib.closing(refused), pytest.raises(OSError, match="502 Bad Gateway"):
            refused.connect()


def test_the_user_s_proxy_is_broken(route: Route) -> None:
    """A proxy that closes the connection is a 502 with its name, not the end of the connection."""

    def close(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=close, args=(listener,), daemon=True).start()
        users = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with proxy(route, Upstream({"https": users})) as url:
            refused = tunnel(url, "other.example", 443, ssl.create_default_context())
            with contextlib.closing(refused), pytest.raises(OSError, match="502 Bad Gateway"):
                refused.connect()


def test_many_tunnels_at_once(url: str) -> None:
    """Each gets its own bytes, also after HTTP/1.0, and clients that leave early disturb no other."""
    address = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener, contextlib.ExitStack() as stack:
        head = f"CONNECT 127.0.0.1:{listener.getsockname()[1]} HTTP/1.0\r\n\r\n".encode()
        clients = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=PATIENCE))
            for _ in range(100)
        ]
        for number, client in enumerate(clients):
            client.sendall(head + f"{number:4}".encode())
            server = stack.enter_context(listener.accept()[0])
            assert server.recv(4, socket.MSG_WAITALL) == f"{number:4}".encode()
            if number % 3 == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            else:
                server.sendall(f"{number:4}".encode())
        for number, client in enumerate(clients):
            if number % 3:
                expected = f"HTTP/1.1 200 Connection established\r\n\r\n{number:4}".encode()
                # MSG_WAITALL waits for nothing on a socket with a timeout.
                assert client.makefile("rb").read(len(expected)) == expected


def test_a_proxy_of_another_kind_is_refused(route: Route) -> None:
    """A SOCKS proxy cannot be used, and is not left out silently."""
    with pytest.raises(SettingsError, match="not socks5://"), proxy(route, upstream_of({"all_proxy": "socks5://a:1"})):
        pass


@pytest.mark.parametrize(
    ("exception", "host", "expected"),
    [
        ("example.com:8443", "example.com:8443", True),
        ("example.com:8443", "example.com", True),
        ("example.com:8443", "example.com:443", False),
        (".example.com:8443", "a.example.com:8443", True),
        ("*:8443", "example.com:443", False),
        ("10.0.0.0/8", "10.1.2.3:443", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3:80", "10.1.2.3:443", False),
        ("[::1]", "[::1]:443", True),
        ("fd00::/8", "[fd00::1]", True),
        ("example.com", "example.com.", True),
        ("*", "example.com", True),
        ("example.com", "example.com", True),
        ("Example.com", "a.EXAMPLE.com", True),
        (".example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("example.com", "notexample.com", False),
        ("a.example.com", "example.com", False),
        (".", "example.com", False),
    ],
)
def test_an_exception_covers_a_host(exception: str, host: str, expected: bool) -> None:
    """The usual forms of NO_PROXY, as curl, Go and requests read them."""
    address = urlsplit(f"//{host}")
    assert covers(exception, address.hostname or "", address.port) is expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "localhost,127.0.0.1,::1"),
        ("intranet.test, .corp.test", "intranet.test,.corp.test,localhost,127.0.0.1,::1"),
        ("*", "localhost,127.0.0.1,::1"),
        ("api.carsxe.com:443 10.0.0.0/8", "10.0.0.0/8,localhost,127.0.0.1,::1"),
        (".carsxe.com,vehicore.pro,db.test", "db.test,localhost,127.0.0.1,::1"),
    ],
)
def test_the_exceptions_of_the_child(route: Route, tmp_path: Path, before: str, after: str) -> None:
    """This machine and the user's exceptions never go to the proxy. A provider's name always does."""
    environ = {"NO_PROXY": before, "PATH": os.environ["PATH"]}
    child = child_environment(route, tmp_path, environ)
    with proxied_environment(route, tmp_path, environ, child) as variables:
        assert variables["NO_PROXY"] == variables["no_proxy"] == after
        assert variables["HTTPS_PROXY"] == variables["http_proxy"]
        java = variables["JAVA_TOOL_OPTIONS"]

    assert "-Dhttp.nonProxyHosts=localhost|127.*|[::1]" in java
    assert java.count("-Djavax.net.ssl.trustStore=") == 1
    assert ("|db.test|*.db.test" in java) is ("db.test" in before)


def test_wget_reads_the_user_s_settings_as_well(route: Route, tmp_path: Path) -> None:
    """wget has no variable for certificates, so it gets a settings file with the user's lines in it."""
    (tmp_path / ".wgetrc").write_text("user_agent = mine")
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    child = child_environment(route, tmp_path, environ)
    with proxied_environment(route, tmp_path, environ, child) as variables:
        command = [tool("wget"), "-d", "-q", "-O", "-", f"https://{NAME}/x"]
        ended = subprocess.run(
            command, env=environ | child | variables, capture_output=True, text=True, timeout=PATIENCE, check=True
        )

    assert ended.stdout.endswith(f"mock-https {NAME} /x")
    assert "User-Agent: mine" in ended.stdout + ended.stderr


@pytest.mark.parametrize("runtime", ["python", "node", "curl", "php", "ruby"])
def test_loopback_is_reached_directly(route: Route, tmp_path: Path, runtime: str) -> None:
    """Nothing for this machine arrives at the proxy, which here is a port where nothing listens."""
    directory = tmp_path / "exec"
    directory.mkdir()
    programs = {
        "python": [sys.executable, "-c", "import sys, requests; print(requests.get(sys.argv[1]).text)"],
        "node": [tool("node"), "-e", "fetch(process.argv[1]).then(r => r.text()).then(console.log)"],
        "curl": [tool("curl"), "-sS"],
        "php": [tool("php"), "-r", "$c = curl_init($argv[1]); curl_exec($c);"],
        "ruby": [tool("ruby"), "-rnet/http", "-e", "puts Net::HTTP.get(URI(ARGV[0]))"],
    }
    environ = child_environment(route, directory, os.environ)
    with proxied_environment(route, directory, os.environ, environ) as variables:
        address = variables["https_proxy"]
        broken = {name: value.replace(address, "http://127.0.0.1:1") for name, value in variables.items()}
        with echo_server("here") as port:
            command = [*programs[runtime], f"http://127.0.0.1:{port}/x"]
            ended = subprocess.run(
                command, env=environ | broken, capture_output=True, text=True, timeout=PATIENCE, check=True
            )

    assert ended.stdout.strip() == f"here 127.0.0.1:{port} /x"
