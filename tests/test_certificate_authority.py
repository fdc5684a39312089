"""The certificate authority on this machine."""

import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mock_server.certificate_authority import AUTHORITY_LIFE, CertificateAuthority, default_directory
from mock_server.errors import SettingsError
from tests.support import PATIENCE

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROVIDERS = ("api.carsxe.com", "eu-api.carsxe.com", "api.vehicore.pro", "vehicore-api.dev-stage.fyi")


def handshake(server: ssl.SSLContext, name: str, trusted: Path) -> None:
    """One TLS handshake over a real socket pair, as a client that trusts only `trusted`."""
    client = ssl.create_default_context(cafile=str(trusted))
    near, far = socket.socketpair()

    def serve() -> None:
        # A client that refuses the certificate ends the handshake here too; it is the one that reports.
        with suppress(OSError), server.wrap_socket(far, server_side=True) as secured:
            secured.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=name) as secured:
            assert secured.version() in ("TLSv1.2", "TLSv1.3")
            secured.sendall(b"x")
    finally:
        near.close()
        thread.join(PATIENCE)


@pytest.mark.parametrize("name", [*PROVIDERS, "localhost", "127.0.0.1", "::1", "my-alias.test"])
def test_the_certificate_stands_for_every_name(tmp_path: Path, name: str) -> None:
    """A client that trusts the authority accepts the providers' names, this machine's and the user's own."""
    authority = CertificateAuthority.open(tmp_path / "ca")

    handshake(authority.ssl_context([*PROVIDERS, "my-alias.test"]), name, authority.certificate_path)


def test_other_names_are_not_covered(tmp_path: Path) -> None:
    """The certificate is not valid for a name that was not requested."""
    authority = CertificateAuthority.open(tmp_path / "ca")

    with pytest.raises(ssl.SSLCertVerificationError, match=r"bank\.example"):
        handshake(authority.ssl_context(PROVIDERS), "bank.example", authority.certificate_path)


def test_the_authority_is_made_once_and_reused(tmp_path: Path) -> None:
    """A second start finds the first one's authority."""
    first = CertificateAuthority.open(tmp_path / "ca")
    second = CertificateAuthority.open(tmp_path / "ca")

    assert first.certificate_pem() == second.certificate_pem()
    assert first.certificate_path.read_bytes() == first.certificate_pem()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    """The directory has mode 0700, the key 0600, and the published certificate contains no key."""
    authority = CertificateAuthority.open(tmp_path / "data" / "ca")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.directory.iterdir()}
    assert stat.S_IMODE(authority.directory.stat().st_mode) == 0o700
    assert modes["ca-key.pem"] == 0o600
    assert b"PRIVATE" not in authority.certificate_path.read_bytes()
    assert set(modes) == {"ca-key.pem", "ca.pem", "ca.lock"}


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_key_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """A key file that others can read, for example after a copy, is made private at the next start."""
    key = CertificateAuthority.open(tmp_path / "ca").directory / "ca-key.pem"
    key.chmod(0o644)
    CertificateAuthority.open(tmp_path / "ca")

    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize(("days_left", "renewed"), [(61, False), (59, True), (1, True), (0, True), (-400, True)])
def test_the_authority_is_renewed_before_it_expires(tmp_path: Path, days_left: int, renewed: bool) -> None:
    """Near its end the authority is replaced, because only a key that was thrown away could renew it."""
    old = CertificateAuthority.open(tmp_path / "ca", now=NOW)
    later = NOW + AUTHORITY_LIFE - timedelta(days=days_left)
    new = CertificateAuthority.open(tmp_path / "ca", now=later)

    old_certificate = x509.load_pem_x509_certificate(old.certificate_pem())
    new_certificate = x509.load_pem_x509_certificate(new.certificate_pem())
    assert (new.expires == later + AUTHORITY_LIFE) is renewed
    assert (new_certificate.public_key() != old_certificate.public_key()) is renewed
    assert new.certificate_path.read_bytes() == new.certificate_pem()


def test_an_authority_that_begins_in_the_future_is_renewed(tmp_path: Path) -> None:
    """An authority that was created while the clock was wrong is replaced."""
    now = datetime.now(UTC)
    early = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS, now=now + timedelta(days=400))
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS, now=now)

    assert authority.certificate_pem() != early.certificate_pem()
    handshake(authority.ssl_context(PROVIDERS), "api.carsxe.com", authority.certificate_path)


def test_a_server_that_runs_stays_trusted(tmp_path: Path) -> None:
    """When another start replaces the authority, `ca.pem` keeps the certificate of the old one until it expires."""
    now = datetime.now(UTC)
    before = now - AUTHORITY_LIFE + timedelta(days=30)
    old = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS, now=before)
    running = old.ssl_context(PROVIDERS)
    new = CertificateAuthority.open(tmp_path / "ca", now=now)
    handshake(running, "api.carsxe.com", new.certificate_path)
    handshake(new.ssl_context(PROVIDERS), "api.carsxe.com", new.certificate_path)
    assert new.certificate_pem().endswith(old.certificate_pem())

    last = CertificateAuthority.open(tmp_path / "ca", now=now + AUTHORITY_LIFE - timedelta(days=20))
    assert last.certificate_pem().count(b"BEGIN") == 2
    assert old.certificate_pem() not in last.certificate_pem()


def test_a_certificate_never_outlives_its_authority(tmp_path: Path) -> None:
    """Server certificates end with the authority at the latest."""
    authority = CertificateAuthority.open(tmp_path / "ca", now=NOW)
    context = authority.ssl_context(["localhost"], now=authority.expires - timedelta(days=90))

    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        handshake(context, "localhost", authority.certificate_path)


_OPEN_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from mock_server.certificate_authority import CertificateAuthority
print("ready", flush=True)
sys.stdin.readline()
sys.stdout.buffer.write(CertificateAuthority.open(Path(sys.argv[1])).certificate_pem())
"""


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Several first starts at the same moment create one complete authority, which all of them use."""
    place = tmp_path / "ca"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN_IN_ANOTHER_PROCESS, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    seen = {child.communicate(b"go\n", timeout=PATIENCE)[0] for child in children}

    assert seen == {CertificateAuthority.open(place).certificate_pem()}
    assert {path.name for path in place.iterdir()} == {"ca-key.pem", "ca.pem", "ca.lock"}


def test_a_certificate_that_went_missing_is_written_again(tmp_path: Path) -> None:
    """The published certificate always belongs to the key."""
    authority = CertificateAuthority.open(tmp_path / "ca")
    authority.certificate_path.unlink()
    CertificateAuthority.open(tmp_path / "ca")

    assert authority.certificate_path.read_bytes() == authority.certificate_pem()


def test_a_place_that_cannot_be_a_directory_is_named(tmp_path: Path) -> None:
    """The error is one sentence with the reason and the remedy."""
    (tmp_path / "file").write_text("no directory")

    with pytest.raises(SettingsError, match=r"cannot be stored in .*file/ca.*VEHICLE_OCR_MOCK_CA_DIR"):
        CertificateAuthority.open(tmp_path / "file" / "ca")


_OPEN_WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from mock_server.errors import SettingsError
from mock_server.certificate_authority import CertificateAuthority
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    CertificateAuthority.open(Path(sys.argv[1]))
except SettingsError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_read_only_directory_is_an_error_and_stays_empty(tmp_path: Path) -> None:
    """No partial file is left where the authority cannot be stored."""
    place = tmp_path / "ca"
    place.mkdir()
    place.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    result = subprocess.run(
        [sys.executable, "-c", _OPEN_WITHOUT_RIGHTS, str(place)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )

    assert "cannot be stored in" in result.stdout
    assert "Permission denied" in result.stdout
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN nothing", b"\x00\xff"])
def test_a_damaged_authority_is_reported_not_replaced(tmp_path: Path, damage: bytes) -> None:
    """A damaged file is reported and not replaced."""
    (tmp_path / "ca-key.pem").write_bytes(damage)

    with pytest.raises(SettingsError, match="damaged"):
        CertificateAuthority.open(tmp_path)
    assert (tmp_path / "ca-key.pem").read_bytes() == damage


@pytest.mark.parametrize("name", ["", "two words", "x" * 64 + ".example"])
def test_an_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    """A name that is not valid in a certificate is a SettingsError."""
    with pytest.raises(SettingsError, match="no certificate"):
        CertificateAuthority.open(tmp_path / "ca").ssl_context([name])


def test_the_directory_can_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`VEHICLE_OCR_MOCK_CA_DIR` replaces the user's data directory."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path / "mine"))

    assert default_directory() == tmp_path / "mine"
    monkeypatch.delenv("VEHICLE_OCR_MOCK_CA_DIR")
    assert default_directory().parts[-2:] == ("vehicle-ocr-mock", "ca")


def leaf_for(authority: CertificateAuthority, name: str, directory: Path) -> Path:
    """A server certificate for `name`, signed with the key on disk: a file with its key, and the chain without root."""
    on_disk = (authority.directory / "ca-key.pem").read_bytes()
    leaf = trustme.CA.from_pem(on_disk, on_disk).issue_cert(name)
    issuing = x509.load_pem_x509_certificates(on_disk)[0].public_bytes(serialization.Encoding.PEM)
    path = directory / "leaf.pem"
    path.write_bytes(leaf.private_key_and_cert_chain_pem.bytes() + issuing)
    return path


def chain_of(path: Path) -> Path:
    """The certificates of a file of `leaf_for`, without the key."""
    pem = path.read_bytes()
    chain = path.with_name("chain.pem")
    chain.write_bytes(pem[pem.index(b"-----BEGIN CERTIFICATE-----") :])
    return chain


def earlier(directory: Path) -> x509.Certificate:
    """An authority as earlier versions created it: its key is that of the certificate to trust."""
    old = trustme.CA(organization_name="vehicle-ocr-mock")
    directory.mkdir(mode=0o700)
    pem = old.private_key_pem.bytes() + old.cert_pem.bytes()
    (directory / "ca-key.pem").write_bytes(pem)
    (directory / "ca.pem").write_bytes(old.cert_pem.bytes())
    return x509.load_pem_x509_certificate(old.cert_pem.bytes())


@pytest.mark.parametrize("which", ["issuing", "root"])
def test_the_authority_is_limited(tmp_path: Path, which: str) -> None:
    """Critical name constraints, and servers as the only purpose, in its own certificate and in the one to trust."""
    CertificateAuthority.open(tmp_path / "ca", names=[*PROVIDERS, "*.my.test", "192.0.2.7"])
    issuing, root = x509.load_pem_x509_certificates((tmp_path / "ca" / "ca-key.pem").read_bytes())
    extensions = {"issuing": issuing, "root": root}[which].extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints)
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    permitted = {str(name.value) for name in constraints.value.permitted_subtrees or ()}

    assert constraints.critical
    assert permitted == {"localhost", "127.0.0.0/8", "::1/128", *PROVIDERS, "my.test", "192.0.2.7/32"}
    assert list(usage.value) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_key_of_the_certificate_to_trust_is_thrown_away(tmp_path: Path) -> None:
    """The only key on disk is that of the certificate in between, which is not to be trusted by itself."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    on_disk = (tmp_path / "ca" / "ca-key.pem").read_bytes()
    issuing, root = x509.load_pem_x509_certificates(on_disk)
    key = serialization.load_pem_private_key(on_disk, password=None)

    assert on_disk.count(b"PRIVATE KEY") == 2  # the first and the last line of one
    assert key.public_key() == issuing.public_key() != root.public_key()
    assert x509.load_pem_x509_certificate(authority.certificate_pem()) == root
    assert issuing.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


@pytest.mark.parametrize("name", ["bank.example", "carsxe.com", "api.carsxe.com.bank.example", "8.8.8.8", "::2"])
def test_the_authority_s_key_is_of_no_use_for_other_hosts(tmp_path: Path, name: str) -> None:
    """A client that trusts the authority refuses a certificate of another host, although the signature is right."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf_for(authority, name, tmp_path))

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(context, name, authority.certificate_path)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(("name", "accepted"), [("api.carsxe.com", True), ("localhost", True), ("bank.example", False)])
def test_openssl_applies_the_limits(tmp_path: Path, name: str, accepted: bool) -> None:
    """The command openssl accepts the authority, for permitted names only."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    leaf = leaf_for(authority, name, tmp_path)
    options = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", name]
    ended = subprocess.run(
        ["openssl", "verify", "-CAfile", authority.certificate_path, "-untrusted", chain_of(leaf), *options, leaf],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode == 0) is accepted, ended.stdout + ended.stderr


NODE_CLIENT = """
const [port, servername] = process.argv.slice(1);
const socket = require("tls").connect({ host: "127.0.0.1", port, servername });
socket.on("secureConnect", () => { console.log("accepted"); socket.end(); });
socket.on("error", (error) => console.log("refused", error.code));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize(("name", "said"), [("api.carsxe.com", "accepted"), ("bank.example", "refused")])
def test_node_applies_the_limits(tmp_path: Path, name: str, said: str) -> None:
    """Node accepts the authority, for permitted names only."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf_for(authority, name, tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as secured:
                secured.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        ended = subprocess.run(
            ["node", "-e", NODE_CLIENT, str(listening.getsockname()[1]), name],
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(authority.certificate_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        thread.join(PATIENCE)

    assert ended.stdout.startswith(said), ended.stdout + ended.stderr


GO_PROGRAM = """
package main

import ("crypto/x509"; "encoding/pem"; "fmt"; "os")

func main() {
	roots := x509.NewCertPool()
	root, _ := os.ReadFile(os.Args[1])
	roots.AppendCertsFromPEM(root)
	data, _ := os.ReadFile(os.Args[2])
	between := x509.NewCertPool()
	between.AppendCertsFromPEM(data)
	block, _ := pem.Decode(data)
	leaf, _ := x509.ParseCertificate(block.Bytes)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: os.Args[3]})
	if err == nil { fmt.Println("accepted") } else { fmt.Println("refused", err) }
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_go_applies_the_limits(tmp_path: Path) -> None:
    """Go accepts the authority, for permitted names only."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    (tmp_path / "verify.go").write_text(GO_PROGRAM)
    program = tmp_path / "verify"
    environment = {**os.environ, "GO111MODULE": "off", "GOCACHE": str(tmp_path / "go"), "CGO_ENABLED": "0"}
    subprocess.run(
        ["go", "build", "-o", program, tmp_path / "verify.go"], env=environment, check=True, timeout=PATIENCE
    )
    said = {
        name: subprocess.run(
            [program, authority.certificate_path, chain_of(leaf_for(authority, name, tmp_path)), name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[0]
        for name in ("api.carsxe.com", "localhost", "bank.example")
    }

    assert said == {"api.carsxe.com": "accepted", "localhost": "accepted", "bank.example": "refused"}


JAVA_PROGRAM = """
import java.io.FileInputStream;
import java.security.cert.*;
import java.util.ArrayList;
import java.util.Set;

class Verify {
    public static void main(String[] args) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(new FileInputStream(args[0]));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.setRevocationEnabled(false);
        for (String chain : args[1].split(",")) {
            var path = factory.generateCertPath(
                new ArrayList<>(factory.generateCertificates(new FileInputStream(chain))));
            try {
                CertPathValidator.getInstance("PKIX").validate(path, parameters);
                System.out.println("accepted");
            } catch (CertPathValidatorException error) {
                System.out.println("refused " + error.getReason());
            }
        }
    }
}
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_java_applies_the_limits(tmp_path: Path) -> None:
    """Java ignores the limits of a certificate that it trusts directly, but applies those of the one in between."""
    authority = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    (tmp_path / "Verify.java").write_text(JAVA_PROGRAM)
    chains = []
    for name in ("api.carsxe.com", "localhost", "bank.example", "8.8.8.8"):
        (tmp_path / name).mkdir()
        chains.append(str(chain_of(leaf_for(authority, name, tmp_path / name))))
    ended = subprocess.run(
        ["java", tmp_path / "Verify.java", authority.certificate_path, ",".join(chains)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    refused = "refused INVALID_NAME"
    assert ended.stdout.splitlines() == ["accepted", "accepted", refused, refused], ended.stdout + ended.stderr


def test_a_name_can_be_added(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The authority is replaced by one that permits the old names as well. A warning says what to trust."""
    old = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    before = tmp_path / "before.pem"
    before.write_bytes(old.certificate_pem())
    assert caplog.messages == []
    new = CertificateAuthority.open(tmp_path / "ca", names=["my-alias.test"])
    for name in ("api.carsxe.com", "my-alias.test"):
        handshake(new.ssl_context([name]), name, new.certificate_path)

    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake(new.ssl_context(["my-alias.test"]), "my-alias.test", before)
    (message,) = caplog.messages
    assert "was replaced, because it did not permit my-alias.test: clients must trust the new" in message


def test_a_permitted_name_changes_nothing(tmp_path: Path) -> None:
    """Another start with fewer names, or with names below a permitted one, keeps the certificate."""
    first = CertificateAuthority.open(tmp_path / "ca", names=[*PROVIDERS, "*.my.test"])
    for names in ([], PROVIDERS[:1], ["a.my.test", "127.0.0.3", "localhost", "*.localhost"]):
        assert CertificateAuthority.open(tmp_path / "ca", names=names).certificate_pem() == first.certificate_pem()


def test_an_authority_of_an_earlier_version_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It gets another key and name, and a warning says what to remove."""
    old = earlier(tmp_path / "ca")
    new = CertificateAuthority.open(tmp_path / "ca", names=PROVIDERS)
    certificate = x509.load_pem_x509_certificate(new.certificate_pem())

    assert certificate.public_key() != old.public_key()
    assert certificate.subject != old.subject
    assert new.certificate_path.read_bytes() == new.certificate_pem()
    (message,) = caplog.messages
    assert "was replaced, because it could sign for every host name" in message
    assert "trust the new" in message
    assert old.subject.rfc4514_string() in message
    assert CertificateAuthority.open(tmp_path / "ca").certificate_pem() == new.certificate_pem()
