"""The local certificate authority (CA), and the certificates that it issues for the providers' host names.

The authority is created at first use and stored in one private file: the key that signs server certificates, the
certificate of that key, and the certificate to trust, which has signed it. The key of the certificate to trust is
thrown away. `ca.pem`, in the same directory, contains only what clients trust.

The authority can sign only for permitted names: the providers' host names, this machine, and names that the user has
added. So a stolen key is of no use for other hosts.
"""

import logging
import os
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from platformdirs import user_data_path

from mock_server.atomic_write import write_atomically
from mock_server.errors import SettingsError
from mock_server.name_constraints import LOCALHOST, constraint, create_authority, is_permitted, permitted_names
from mock_server.settings import Settings, is_all_addresses

CA_DIRECTORY_VARIABLE = "VEHICLE_OCR_MOCK_CA_DIR"
PRIVATE_FILE = "ca-key.pem"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

AUTHORITY_LIFE = timedelta(days=5 * 365)
RENEWED_BEFORE_END = timedelta(days=60)
# Apple's platforms refuse server certificates that are valid for longer.
SERVER_CERTIFICATE_LIFE = timedelta(days=397)
CLOCK_SKEW = timedelta(days=1)

_CERTIFICATE_FILE = "ca.pem"
_LOCK_FILE = "ca.lock"

logger = logging.getLogger(__name__)


class CertificateAuthority:
    """The authority stored in `directory`. Use `open` to get one.

    `certificates`: that of the key, the one to trust, and those to trust of authorities that this one has replaced, for
    the servers that still use them. An authority of an earlier version has only one.
    """

    def __init__(self, directory: Path, key: ec.EllipticCurvePrivateKey, certificates: list[x509.Certificate]) -> None:
        self.directory = directory
        self._key = key
        self._certificates = certificates

    @classmethod
    def open(
        cls, directory: Path | None = None, *, names: Sequence[str] = (), now: datetime | None = None
    ) -> "CertificateAuthority":
        """Return the authority in `directory`, with a certificate that permits `names`.

        It is created or replaced first where necessary. `directory`: by default `$VEHICLE_OCR_MOCK_CA_DIR`, or else the
        user's data directory. `now`: a time with a time zone. Clients must trust the certificate of a new authority.

        Raises SettingsError when the directory cannot be used, its files are damaged or a name is not valid.
        """
        directory = directory or default_directory()
        now = now or datetime.now(UTC)
        try:
            authority = cls._read(directory)
            if authority and authority._is_current(names, now) and authority._is_published():
                return authority
            return cls._create_or_replace(directory, names, now)
        except OSError as error:
            raise SettingsError(
                f"the certificate authority cannot be stored in {directory}: {error.strerror or error}; "
                f"set {CA_DIRECTORY_VARIABLE} to a writable directory"
            ) from error

    @classmethod
    def _create_or_replace(cls, directory: Path, names: Sequence[str], now: datetime) -> "CertificateAuthority":
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)  # a directory that already exists is not changed
        with _locked(directory / _LOCK_FILE):
            # Another process may have created it in the meantime.
            authority = cls._read(directory)
            if authority is None or not authority._is_current(names, now):
                permitted = [*LOCALHOST, *map(constraint, names)]
                authority = authority._replaced(names, now) if authority else cls._new(directory, permitted, now)
                write_atomically(directory / PRIVATE_FILE, authority._private_pem(), mode=0o600, is_durable=True)
            if not authority._is_published():
                write_atomically(authority.certificate_path, authority.certificate_pem(), mode=0o644)
            return authority

    @classmethod
    def _new(cls, directory: Path, permitted: Sequence[x509.GeneralName], now: datetime) -> "CertificateAuthority":
        key, *certificates = create_authority(permitted, (now - CLOCK_SKEW, now + AUTHORITY_LIFE))
        return cls(directory, key, certificates)

    def _replaced(self, names: Sequence[str], now: datetime) -> "CertificateAuthority":
        """A new authority that permits these names and those of this one, and a warning that says why."""
        issuing, *trusted = self._certificates
        permitted = permitted_names(issuing) or LOCALHOST
        added = [name for name in names if not is_permitted(name, permitted)]
        reason = f"it was valid from {issuing.not_valid_before_utc:%Y-%m-%d} to {self.expires:%Y-%m-%d}"
        action = f"clients must trust the new {self.certificate_path}"
        if not trusted:
            # Its key stays trusted wherever the user has installed the certificate, so it must not be used any more.
            reason = "it could sign for every host name, for Java at least"
            action += f"; remove the old one ({issuing.subject.rfc4514_string()}) where you have installed it"
        elif added:
            reason = f"it did not permit {', '.join(added)}"
        logger.warning("the certificate authority was replaced, because %s: %s", reason, action)
        new = self._new(self.directory, [*permitted, *map(constraint, added)], now)
        new._certificates += [one for one in trusted if one.not_valid_after_utc > now]
        return new

    @classmethod
    def _read(cls, directory: Path) -> "CertificateAuthority | None":
        path = directory / PRIVATE_FILE
        try:
            pem = path.read_bytes()
        except FileNotFoundError:
            return None
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        try:
            key = serialization.load_pem_private_key(pem, password=None)
            certificates = x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise SettingsError(f"{path} is damaged; delete it to create a new authority") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SettingsError(f"{path} contains another kind of key; delete it to create a new authority")
        return cls(directory, key, certificates)

    @property
    def certificate_path(self) -> Path:
        """The certificate to trust, PEM."""
        return self.directory / _CERTIFICATE_FILE

    @property
    def expires(self) -> datetime:
        """The time when the certificate expires, in UTC."""
        return self._certificates[0].not_valid_after_utc

    def certificate_pem(self) -> bytes:
        """The certificate to trust, PEM, without the key. Those of authorities that it has replaced follow."""
        return b"".join(map(_pem, self._certificates[1:]))

    def ssl_context(self, names: Sequence[str], *, now: datetime | None = None) -> ssl.SSLContext:
        """Return a server context with a new certificate for `names` and for localhost.

        `names` are host names (`*.` is allowed as the first label) or IP addresses. The key is only in memory. If the
        authority does not permit a name yet, the name is added.

        Raises SettingsError for a name that is not valid in a certificate.
        """
        now = now or datetime.now(UTC)
        if not self._permits(names):
            updated = self._create_or_replace(self.directory, names, now)
            self._certificates, self._key = updated._certificates, updated._key
        every = list(dict.fromkeys([*names, *LOCAL_NAMES]))
        context = self._context(every, now)
        # Some TLS libraries refuse every address in a certificate whose authority may sign for certain addresses only.
        # A client that names a host gets a certificate without addresses.
        named = self._context([name for name in every if not _is_address(name)], now)

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            if name is not None:
                connection.context = named

        context.sni_callback = choose
        return context

    def _context(self, names: Sequence[str], now: datetime) -> ssl.SSLContext:
        """A server context with a new certificate for exactly these names."""
        issuing = _pem(self._certificates[0])
        authority = trustme.CA.from_pem(issuing, self._private_pem())
        try:
            leaf = authority.issue_cert(
                *names,
                organization_name="vehicle-ocr-mock",
                organization_unit_name="server",
                not_before=now - CLOCK_SKEW,
                not_after=min(self.expires, now + SERVER_CERTIFICATE_LIFE),
            )
        except ValueError as error:  # idna's errors are ValueErrors too
            raise SettingsError(f"no certificate is possible for {', '.join(names)}: {error}") from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Clients that prefer HTTP/2 must know that the server does not support it.
        context.set_alpn_protocols(["http/1.1"])
        try:
            chain = trustme.Blob(leaf.private_key_and_cert_chain_pem.bytes() + issuing)
            with chain.tempfile() as path:
                context.load_cert_chain(path)
        except OSError as error:
            # Python reads certificates from files only, so a temporary file is needed.
            raise SettingsError(f"HTTPS needs a writable temporary directory: {error}") from error
        return context

    def _private_pem(self) -> bytes:
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + b"".join(map(_pem, self._certificates))

    def _is_current(self, names: Sequence[str], now: datetime) -> bool:
        issuing, *trusted = self._certificates
        # The clock of this machine may have been wrong when the authority was created.
        has_begun = issuing.not_valid_before_utc <= now
        return bool(trusted) and has_begun and now + RENEWED_BEFORE_END < self.expires and self._permits(names)

    def _permits(self, names: Sequence[str]) -> bool:
        permitted = permitted_names(self._certificates[0])
        return all(is_permitted(name, permitted) for name in names)

    def _is_published(self) -> bool:
        try:
            return self.certificate_path.read_bytes() == self.certificate_pem()
        except FileNotFoundError:
            return False


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def default_directory() -> Path:
    """The directory of this user's authority: `$VEHICLE_OCR_MOCK_CA_DIR`, or a part of the user's data directory.

    Raises SettingsError if there is no home directory.
    """
    try:
        if chosen := os.environ.get(CA_DIRECTORY_VARIABLE):
            return Path(chosen).expanduser()
        directory = user_data_path("vehicle-ocr-mock", appauthor=False)
    except RuntimeError:
        directory = Path("~")
    if not directory.is_absolute():
        raise SettingsError(f"there is no home directory for the certificates; set {CA_DIRECTORY_VARIABLE}")
    return directory / "ca"


def can_be_stored() -> bool:
    """Whether `default_directory` has an authority, or one can be stored there."""
    try:
        directory = default_directory()
    except SettingsError:
        return False
    if os.access(directory / PRIVATE_FILE, os.R_OK):
        return True
    # Unlike Path.exists(), os.access() is False below a directory that may not be read.
    existing = next(path for path in (directory, *directory.parents) if os.access(path, os.F_OK))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def server_names(settings: Settings, provider_hosts: Sequence[str]) -> list[str]:
    """The names in a server's certificate, besides localhost."""
    own = [] if is_all_addresses(settings.host) else [settings.host]
    return [*provider_hosts, *own, *settings.tls_names.replace(",", " ").split()]


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _locked(path: Path) -> Iterator[None]:
        with path.open("a+b") as file:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    @contextmanager
    def _locked(path: Path) -> Iterator[None]:
        with path.open("a+b") as file:
            # The lock ends when the file is closed, also when this process is killed.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
