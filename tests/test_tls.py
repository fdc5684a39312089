"""The certificate authority on this machine."""

import os
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
from cryptography import x509

from mock_server.errors import SettingsError
from mock_server.tls import AUTHORITY_LIFE, CertificateAuthority, default_directory

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROVIDERS = ("api.carsxe.com", "eu-api.carsxe.com", "vehicore-api.dev-stage.fyi")


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
        thread.join(5)


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
    """Near its end the authority gets a new certificate, under the same key and name."""
    old = CertificateAuthority.open(tmp_path / "ca", now=NOW)
    later = NOW + AUTHORITY_LIFE - timedelta(days=days_left)
    new = CertificateAuthority.open(tmp_path / "ca", now=later)

    old_certificate = x509.load_pem_x509_certificate(old.certificate_pem())
    new_certificate = x509.load_pem_x509_certificate(new.certificate_pem())
    assert (new.expires == later + AUTHORITY_LIFE) is renewed
    assert (new_certificate != old_certificate) is renewed
    assert new_certificate.public_key() == old_certificate.public_key()
    assert new_certificate.subject == old_certificate.subject
    assert new.certificate_path.read_bytes() == new.certificate_pem()


def test_who_trusts_the_old_certificate_is_not_cut_off(tmp_path: Path) -> None:
    """After a renewal, a client with the old certificate still works until that certificate expires."""
    now = datetime.now(UTC)
    old = CertificateAuthority.open(tmp_path / "ca", now=now - AUTHORITY_LIFE + timedelta(days=30))
    kept = tmp_path / "kept.pem"
    kept.write_bytes(old.certificate_pem())
    new = CertificateAuthority.open(tmp_path / "ca", now=now)

    assert new.certificate_pem() != old.certificate_pem()
    handshake(new.ssl_context(PROVIDERS), "api.carsxe.com", kept)


def test_a_certificate_never_outlives_its_authority(tmp_path: Path) -> None:
    """Server certificates end with the authority at the latest."""
    authority = CertificateAuthority.open(tmp_path / "ca", now=NOW)
    context = authority.ssl_context(["localhost"], now=authority.expires - timedelta(days=90))

    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        handshake(context, "localhost", authority.certificate_path)


_OPEN_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from mock_server.tls import CertificateAuthority
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
    seen = {child.communicate(b"go\n", timeout=30)[0] for child in children}

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
from mock_server.tls import CertificateAuthority
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
