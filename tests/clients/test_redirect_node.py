"""Node children reach the mock by the providers' names, whichever of Node's interfaces they use."""

from pathlib import Path

import pytest

from mock_server.certificate_authority import CertificateAuthority
from tests.support import tool

from .conftest import RunChild, echo_server

PRINT = "(response) => { response.setEncoding('utf8'); response.on('data', (text) => console.log(text)); }"
SPEAK = (
    "s.write('GET /x HTTP/1.0\\r\\nHost: api.carsxe.com\\r\\n\\r\\n'); let text = '';"
    "s.on('data', (d) => { text += d; }).on('end', () => console.log(text.split('\\r\\n\\r\\n')[1]));"
)
CLIENTS = {
    "fetch": "fetch('https://api.carsxe.com/x').then((r) => r.text()).then(console.log)",
    "https.get": f"require('https').get('https://api.carsxe.com/x', {PRINT})",
    "https.request": (
        "require('https').request({hostname: 'api.carsxe.com', path: '/x', agent: false}, " + PRINT + ").end()"
    ),
    "a kept-alive agent": (
        "const https = require('https'); const agent = new https.Agent({keepAlive: true, maxSockets: 1});"
        f"https.get('https://API.carsxe.com/x', {{agent, headers: {{Host: 'api.carsxe.com'}}}}, (r) => {{"
        f"  ({PRINT})(r); r.on('end', () => agent.destroy()); }})"
    ),
    "tls.connect with options": (
        "const s = require('tls').connect({host: 'api.carsxe.com', port: 443, servername: 'api.carsxe.com'});" + SPEAK
    ),
    "tls.connect with port and host": f"const s = require('tls').connect(443, 'api.carsxe.com'); {SPEAK}",
    "a look-up first": (
        "require('dns').lookup('api.carsxe.com', (error, address) => {"
        f" const s = require('tls').connect(443, address, {{servername: 'api.carsxe.com'}}); {SPEAK} }})"
    ),
    "a promised look-up first": (
        "require('dns/promises').lookup('api.carsxe.com').then(({address}) => {"
        f" require('https').get({{host: address, path: '/x', servername: 'api.carsxe.com',"
        f" headers: {{Host: 'api.carsxe.com'}}}}, {PRINT}) }})"
    ),
    "a child of the child": (
        "require('child_process').spawn(process.execPath, ['-e',"
        " \"fetch('https://api.carsxe.com/x').then((r) => r.text()).then(console.log)\"], {stdio: 'inherit'})"
    ),
    "a worker": (
        "new (require('worker_threads').Worker)("
        "\"fetch('https://api.carsxe.com/x').then((r) => r.text()).then(console.log)\", {eval: true})"
    ),
    "a module with named imports": (
        "import('node:https').then(({get}) => get('https://api.carsxe.com/x', " + PRINT + "))"
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_node_client_reaches_the_mock(run_child: RunChild, client: str) -> None:
    """The client names the real host and nothing else, and its own checks of the certificate hold."""
    result = run_child(tool("node"), "-e", CLIENTS[client])

    assert (result.stdout.strip(), result.stderr) == ("mock-https api.carsxe.com /x", "")


def test_plain_http_is_led_to_the_other_port(run_child: RunChild) -> None:
    """Port 80 of a provider's name leads to the mock's HTTP port."""
    code = f"require('http').get('http://vehicore-api.dev-stage.fyi/x', {PRINT})"
    result = run_child(tool("node"), "-e", code)

    assert result.stdout.strip() == "mock-http vehicore-api.dev-stage.fyi /x"


def test_another_port_of_a_provider_reaches_nobody(run_child: RunChild) -> None:
    """Ports that the mock does not serve are refused on this machine; the real host is never reached."""
    code = "require('net').connect(8443, 'api.carsxe.com').on('error', (e) => console.log(e.code, e.address))"

    assert run_child(tool("node"), "-e", code).stdout.strip() == "ECONNREFUSED 127.86.79.77"


def test_another_host_still_verifies_against_its_own_authority(run_child: RunChild, tmp_path: Path) -> None:
    """A company's own server, trusted by the user's own extra certificates, is trusted as before."""
    company = CertificateAuthority.open(tmp_path / "company")
    with echo_server("company", company.ssl_context(["localhost"])) as port:
        result = run_child(
            tool("node"),
            "-e",
            f"fetch('https://localhost:{port}/x').then((r) => r.text()).then(console.log)",
            environ={"NODE_EXTRA_CA_CERTS": str(company.certificate_path)},
        )

    assert (result.stdout.strip(), result.stderr) == (f"company localhost:{port} /x", "")


def test_another_host_that_nobody_vouches_for_is_refused(run_child: RunChild, tmp_path: Path) -> None:
    """Certificates of all other hosts are verified as before."""
    stranger = CertificateAuthority.open(tmp_path / "stranger")
    with echo_server("stranger", stranger.ssl_context(["localhost"])) as port:
        code = f"require('https').get('https://localhost:{port}/x').on('error', (e) => console.log(e.code))"
        result = run_child(tool("node"), "-e", code)

    assert result.stdout.strip() == "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"


def test_other_connections_are_untouched(run_child: RunChild, tmp_path: Path) -> None:
    """Local addresses, other names and UNIX sockets are connected to as requested."""
    code = """
        const net = require('net');
        const server = net.createServer((s) => s.end('unix')).listen('./socket', () =>
          net.connect({path: './socket'}, function () { this.on('data', (d) => {
            console.log(String(d)); server.close();
            net.connect(%d, () => console.log('port alone')).on('close', () => {}).end();
            net.connect(%d, '127.0.0.1', () => console.log('port and host')).end();
          }); }));
    """
    with echo_server("other") as port:
        result = run_child(tool("node"), "-e", code % (port, port))

    assert sorted(result.stdout.splitlines()) == ["port alone", "port and host", "unix"]


def test_the_users_own_options_stay_in_force(run_child: RunChild) -> None:
    """Options that were in NODE_OPTIONS before stay there."""
    result = run_child(
        tool("node"),
        "-e",
        "console.log(require('v8').getHeapStatistics().heap_size_limit < 200e6)",
        environ={"NODE_OPTIONS": "--max-old-space-size=64"},
    )

    assert result.stdout.strip() == "true"


def test_a_broken_route_does_not_stop_the_program(run_child: RunChild) -> None:
    """The hook says on stderr what is wrong, and the program runs."""
    code = "process.env.VEHICLE_OCR_MOCK_REDIRECT = 'no json';" + (
        "require('child_process').spawn(process.execPath, ['-e', 'console.log(1)'], {stdio: 'inherit'})"
    )
    result = run_child(tool("node"), "-e", code)

    assert result.stdout.strip() == "1"
    assert "not redirected" in result.stderr
