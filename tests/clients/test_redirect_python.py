"""Python children reach the mock by the providers' names, whichever library they use."""

import subprocess
from pathlib import Path

import pytest

from mock_server.certificate_authority import CertificateAuthority
from mock_server.redirect import python_hook
from mock_server.redirect.python_hook import STAND_IN

from .conftest import PYTHON, RunChild, echo_server

CLIENTS = {
    "urllib": """
        import urllib.request
        print(urllib.request.urlopen("https://api.carsxe.com/x").read().decode())
    """,
    "http.client": """
        import http.client
        connection = http.client.HTTPSConnection("api.carsxe.com")
        connection.request("GET", "/x")
        print(connection.getresponse().read().decode())
    """,
    "requests": """
        import requests
        print(requests.get("https://api.carsxe.com/x").text)
    """,
    "requests with certifi's roots named": """
        import certifi, requests
        print(requests.get("https://api.carsxe.com/x", verify=certifi.where()).text)
    """,
    "httpx": """
        import httpx
        print(httpx.get("https://api.carsxe.com/x").text)
    """,
    "httpx without the environment": """
        import httpx
        print(httpx.Client(trust_env=False).get("https://api.carsxe.com/x").text)
    """,
    "httpx async": """
        import asyncio, httpx
        async def main():
            async with httpx.AsyncClient() as client:
                print((await client.get("https://api.carsxe.com/x")).text)
        asyncio.run(main())
    """,
    "aiohttp": """
        import asyncio, aiohttp
        async def main():
            async with aiohttp.ClientSession() as session:
                async with session.get("https://api.carsxe.com/x") as response:
                    print(await response.text())
        asyncio.run(main())
    """,
    "aiohttp on uvloop": """
        import aiohttp, uvloop
        async def main():
            async with aiohttp.ClientSession() as session:
                async with session.get("https://api.carsxe.com/x") as response:
                    print(await response.text())
        uvloop.run(main())
    """,
    "httpx on uvloop": """
        import httpx, uvloop
        async def main():
            async with httpx.AsyncClient() as client:
                print((await client.get("https://api.carsxe.com/x")).text)
        uvloop.run(main())
    """,
    "streams on uvloop": """
        import asyncio, uvloop
        async def main():
            reader, writer = await asyncio.open_connection("api.carsxe.com", 443, ssl=True)
            writer.write(b"GET /x HTTP/1.0\\r\\nHost: api.carsxe.com\\r\\n\\r\\n")
            print((await reader.read()).decode().split("\\r\\n\\r\\n")[1])
            writer.close()
        uvloop.run(main())
    """,
    "streams": """
        import asyncio
        async def main():
            reader, writer = await asyncio.open_connection("api.carsxe.com", 443, ssl=True)
            writer.write(b"GET /x HTTP/1.0\\r\\nHost: api.carsxe.com\\r\\n\\r\\n")
            print((await reader.read()).decode().split("\\r\\n\\r\\n")[1])
            writer.close()
        asyncio.run(main())
    """,
    "an address kept, the name dropped": """
        import socket, ssl
        address = socket.gethostbyname("api.carsxe.com")
        sock = ssl.create_default_context().wrap_socket(socket.socket(), server_hostname="api.carsxe.com")
        sock.connect((address, 443))
        sock.sendall(b"GET /x HTTP/1.0\\r\\nHost: api.carsxe.com\\r\\n\\r\\n")
        print(sock.makefile().read().split("\\n\\n")[1])
    """,
    "connect by name": """
        import socket, ssl
        sock = socket.socket()
        assert sock.connect_ex(("API.CarsXE.com.", 443)) == 0
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname="api.carsxe.com")
        sock.sendall(b"GET /x HTTP/1.0\\r\\nHost: api.carsxe.com\\r\\n\\r\\n")
        print(sock.makefile().read().split("\\n\\n")[1])
    """,
    "a child of the child": """
        import subprocess, sys
        code = "import requests; print(requests.get('https://api.carsxe.com/x').text)"
        subprocess.run([sys.executable, "-c", code], check=True)
    """,
    "a fork": """
        import os, requests
        pid = os.fork()
        if pid == 0:
            print(requests.get("https://api.carsxe.com/x").text, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
    """,
    "a shell's child": """
        import os, sys
        os.execlp("sh", "sh", "-c", sys.executable + ''' -c '
        import urllib.request as u; print(u.urlopen("https://api.carsxe.com/x").read().decode())' '''
        .replace("\\n        ", ""))
    """,
    "looked for before it is imported": """
        import importlib.util
        assert importlib.util.find_spec("ssl") and importlib.util.find_spec("aiohttp.resolver")
        import requests
        print(requests.get("https://api.carsxe.com/x").text)
    """,
}


def dedent(code: str) -> str:
    """The code without the table's indentation."""
    return "\n".join(line.removeprefix("        ") for line in code.strip("\n").splitlines())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_python_client_reaches_the_mock(run_child: RunChild, client: str) -> None:
    """The client names the real host and nothing else, and its own checks of the certificate hold."""
    result = run_child(PYTHON, "-c", dedent(CLIENTS[client]))

    assert (result.stdout.strip(), result.stderr) == ("mock-https api.carsxe.com /x", "")


@pytest.mark.parametrize(
    "name", ["api.carsxe.com", "eu-api.carsxe.com", "api.vehicore.pro", "vehicore-api.dev-stage.fyi"]
)
def test_plain_http_is_led_to_the_other_port(run_child: RunChild, name: str) -> None:
    """Port 80 of each name leads to the mock's HTTP port."""
    code = f"import urllib.request as u; print(u.urlopen('http://{name}/x').read().decode())"
    result = run_child(PYTHON, "-c", code)

    assert (result.stdout.strip(), result.stderr) == (f"mock-http {name} /x", "")


def test_another_port_of_a_provider_reaches_nobody(run_child: RunChild) -> None:
    """Ports that the mock does not serve are refused on this machine; the real host is never reached."""
    code = "import socket; print(socket.socket().connect_ex(('api.carsxe.com', 8443)))"

    assert run_child(PYTHON, "-c", code).stdout.strip() == "111"


def test_aiohttp_with_aiodns_is_led_too(run_child: RunChild) -> None:
    """aiohttp's own resolver queries name servers, but not for the providers' names."""
    code = """
        import asyncio
        from aiohttp.resolver import AsyncResolver
        resolver = AsyncResolver.__new__(AsyncResolver)  # as though aiodns were there
        print(asyncio.run(resolver.resolve("api.carsxe.com", 443))[0]["host"])
    """

    assert run_child(PYTHON, "-c", dedent(code)).stdout.strip() == STAND_IN


OTHER_HOSTS = {
    "requests": "import requests; print(requests.get({url!r}).text)",
    "urllib": "import urllib.request as u; print(u.urlopen({url!r}).read().decode())",
    "httpx": "import httpx; print(httpx.get({url!r}).text)",
}


@pytest.mark.parametrize("client", OTHER_HOSTS)
def test_another_host_still_verifies_against_its_own_authority(
    run_child: RunChild, tmp_path: Path, client: str
) -> None:
    """A company's own server, trusted by the user's own bundle, is reached and trusted as before."""
    company = CertificateAuthority.open(tmp_path / "company")
    with echo_server("company", company.ssl_context(["localhost"])) as port:
        bundle = str(company.certificate_path)
        result = run_child(
            PYTHON,
            "-c",
            OTHER_HOSTS[client].format(url=f"https://localhost:{port}/x"),
            environ={"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle},
        )

    assert (result.stdout.strip(), result.stderr) == (f"company localhost:{port} /x", "")


@pytest.mark.parametrize("client", OTHER_HOSTS)
def test_another_host_that_nobody_vouches_for_is_refused(run_child: RunChild, tmp_path: Path, client: str) -> None:
    """Certificates of all other hosts are verified as before."""
    stranger = CertificateAuthority.open(tmp_path / "stranger")
    with echo_server("stranger", stranger.ssl_context(["localhost"])) as port:
        url = f"https://localhost:{port}/x"
        result = run_child(PYTHON, "-c", OTHER_HOSTS[client].format(url=url))

    assert result.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in result.stderr


def test_a_local_server_on_port_443_keeps_its_place(run_child: RunChild) -> None:
    """Only the providers' names are redirected, not the loopback address itself."""
    code = """
        import socket
        print(socket.getaddrinfo("127.0.0.1", 443)[0][4], socket.getaddrinfo("localhost", 80)[0][4][1])
    """

    assert run_child(PYTHON, "-c", dedent(code)).stdout.strip() == "('127.0.0.1', 443) 80"


def test_the_users_own_sitecustomize_still_runs(run_child: RunChild, tmp_path: Path) -> None:
    """The user's own sitecustomize is also loaded, and the user's PYTHONPATH still applies."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import builtins; builtins.own = 'own'\n")
    (tmp_path / "own" / "helper.py").write_text("word = 'helper'\n")
    code = "import helper, sitecustomize; print(own, helper.word, sitecustomize.__file__)"
    result = run_child(PYTHON, "-c", code, environ={"PYTHONPATH": str(tmp_path / "own")})

    assert result.stdout.split() == ["own", "helper", str(tmp_path / "own" / "sitecustomize.py")]


def test_a_proxy_does_not_get_the_providers_traffic(run_child: RunChild) -> None:
    """With a proxy set, the providers' names still lead to the mock, and NO_PROXY keeps its other hosts."""
    code = """
        import os, requests
        print(requests.get("https://api.carsxe.com/x").text, os.environ["NO_PROXY"])
    """
    proxied = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "intranet.test"}
    result = run_child(PYTHON, "-c", dedent(code), environ=proxied)

    assert result.stdout.startswith("mock-https api.carsxe.com /x intranet.test,api.carsxe.com")


def test_nothing_is_imported_before_its_time(run_child: RunChild) -> None:
    """A program that does not import socket does not get it imported."""
    code = "import sys; print({'socket', 'ssl', 'asyncio', 'pathlib'} & set(sys.modules))"

    assert run_child(PYTHON, "-c", code).stdout.strip() == "set()"


def test_without_the_site_module_nothing_is_redirected(run_child: RunChild) -> None:
    """`python -S` and `-I` load no start-up hook: a known limit, and no harm is done."""
    code = "import sys; print('sitecustomize' in sys.modules)"

    assert run_child(PYTHON, "-S", "-c", code).stdout.strip() == "False"


@pytest.mark.parametrize("text", ["", "{}", "no json"])
def test_a_broken_route_does_not_stop_the_program(text: str) -> None:
    """The hook says on stderr what is wrong, and the program runs."""
    startup = Path(python_hook.__file__).parent / "startup"
    result = subprocess.run(
        [PYTHON, "-c", "print('runs')"],
        env={"PYTHONPATH": str(startup), "VEHICLE_OCR_MOCK_REDIRECT": text},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "runs\n"
    assert ("not redirected" in result.stderr) is bool(text)
