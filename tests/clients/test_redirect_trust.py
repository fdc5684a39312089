"""What every child finds in its environment: curl's way, and bundles that keep what was trusted."""

import re
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from mock_server.certificate_authority import CertificateAuthority
from mock_server.redirect.environment import LOOPBACK, child_environment, proxy_exceptions
from mock_server.redirect.python_hook import Route
from mock_server.redirect.trust import bundles, java_trust_store
from tests.support import tool

from .conftest import RunChild, echo_server


@pytest.fixture
def company(tmp_path: Path) -> CertificateAuthority:
    """An authority that the user trusted before."""
    return CertificateAuthority.open(tmp_path / "company")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://api.carsxe.com/x", "mock-https api.carsxe.com /x"),
        ("https://api.vehicore.pro/x", "mock-https api.vehicore.pro /x"),
        ("https://vehicore-api.dev-stage.fyi/x", "mock-https vehicore-api.dev-stage.fyi /x"),
        ("http://eu-api.carsxe.com/x", "mock-http eu-api.carsxe.com /x"),
    ],
)
def test_curl_reaches_the_mock(run_child: RunChild, url: str, answer: str) -> None:
    """curl reads the redirects from its settings file."""
    result = run_child(tool("curl"), "-sS", url)

    assert (result.stdout, result.stderr) == (answer, "")


def test_curl_keeps_the_users_settings(run_child: RunChild, tmp_path: Path) -> None:
    """The user's own settings file is read as well."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".curlrc").write_text('write-out = "from the user"')
    result = run_child(tool("curl"), "-sS", "https://api.carsxe.com/x", environ={"HOME": str(home)})

    assert result.stdout == "mock-https api.carsxe.com /xfrom the user"


@pytest.mark.parametrize("variable", ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_curl_still_verifies_other_hosts(run_child: RunChild, company: CertificateAuthority, variable: str) -> None:
    """A company's own server is trusted by the bundle that was in the variable before."""
    with echo_server("company", company.ssl_context([])) as port:
        url = f"https://localhost:{port}/x"
        result = run_child(tool("curl"), "-sS", url, environ={variable: str(company.certificate_path)})

    assert (result.stdout, result.stderr) == (f"company localhost:{port} /x", "")


def certificates(pem: bytes) -> set[bytes]:
    """The certificates in a bundle, whatever stands between them."""
    found = re.findall(rb"-----BEGIN CERTIFICATE-----(.+?)-----END", pem, re.DOTALL)
    return {b"".join(body.split()) for body in found}


def test_with_nothing_named_the_usual_roots_stay(company: CertificateAuthority) -> None:
    """A child still trusts certifi's or the system's certificates."""
    found = bundles({}, company.certificate_pem())

    ours = certificates(company.certificate_pem())
    usual = certificates(Path(certifi.where()).read_bytes())
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        assert usual | ours <= certificates(found[variable])
    assert certificates(found["NODE_EXTRA_CA_CERTS"]) == ours


@pytest.mark.parametrize(
    ("named", "extended"),
    [
        ("SSL_CERT_FILE", {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}),
        ("SSL_CERT_DIR", {"CURL_CA_BUNDLE"}),
        ("REQUESTS_CA_BUNDLE", {"REQUESTS_CA_BUNDLE"}),
        ("CURL_CA_BUNDLE", {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}),
        ("NODE_EXTRA_CA_CERTS", {"NODE_EXTRA_CA_CERTS"}),
    ],
)
def test_what_was_named_is_extended_by_one(
    tmp_path: Path, authority: CertificateAuthority, company: CertificateAuthority, named: str, extended: set[str]
) -> None:
    """Where the user has named one bundle, that bundle and the mock are trusted, and nothing else."""
    path = company.certificate_path
    if named == "SSL_CERT_DIR":
        path = tmp_path / "directory"
        path.mkdir()
        (path / "0a1b2c3d.0").write_bytes(company.certificate_pem())
    found = bundles({named: str(path)}, authority.certificate_pem())

    both = certificates(company.certificate_pem()) | certificates(authority.certificate_pem())
    assert {variable for variable, bundle in found.items() if certificates(bundle) == both} == extended


def test_a_bundle_that_is_not_there_stops_nothing(authority: CertificateAuthority) -> None:
    """A variable that names a missing file trusts the mock only."""
    found = bundles({"SSL_CERT_FILE": "/nowhere/at/all.pem"}, authority.certificate_pem())

    assert certificates(found["SSL_CERT_FILE"]) == certificates(authority.certificate_pem())


def test_java_gets_a_trust_store(authority: CertificateAuthority, company: CertificateAuthority) -> None:
    """The store contains the bundle's certificates; a damaged one is left out."""
    damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    store = java_trust_store(authority.certificate_pem() + damaged + company.certificate_pem())
    entries = pkcs12.load_pkcs12(store, b"changeit").additional_certs

    trusted = certificates(authority.certificate_pem()) | certificates(company.certificate_pem())
    assert len(entries) == len(trusted) >= 2


def test_java_options_of_the_user_stay(route: Route, tmp_path: Path) -> None:
    """Other options are kept; a trust store that the user named is left to them."""
    own = {"JAVA_TOOL_OPTIONS": "-Xmx64m"}
    theirs = {"JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStore=/mine"}

    assert child_environment(route, tmp_path, own)["JAVA_TOOL_OPTIONS"].endswith(" -Xmx64m")
    assert child_environment(route, tmp_path, theirs)["JAVA_TOOL_OPTIONS"] == theirs["JAVA_TOOL_OPTIONS"]


def test_without_a_proxy_no_exception_is_named(route: Route, tmp_path: Path) -> None:
    """`NO_PROXY` alone would make some libraries forget the system's own proxy settings."""
    assert "NO_PROXY" not in child_environment(route, tmp_path, {})


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "intranet.test"}, "intranet.test,localhost,127.0.0.1,::1"),
        ({"no_proxy": "a.test, b.test", "NO_PROXY": "c.test"}, "a.test,b.test,c.test,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "localhost"}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_exceptions_from_the_proxy(proxy: str, before: dict[str, str], expected: str) -> None:
    """Loopback is an exception where a proxy is set, and the exceptions of the user are kept."""
    variables = proxy_exceptions(LOOPBACK, {proxy: "http://127.0.0.1:9", **before})

    assert variables == {"no_proxy": expected, "NO_PROXY": expected}
