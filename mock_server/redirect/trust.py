"""Bundles of trusted roots for programs that know only one: what they trusted, and the mock's authority.

Other hosts must go on as they were, so a bundle that the user named is extended, never replaced.
"""

import re
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from warnings import catch_warnings, simplefilter

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

# The password of every Java trust store, by convention; there is nothing secret in one.
JAVA_PASSWORD = "changeit"

# Each variable that names a bundle, and which its readers heed in its place: the first that say anything.
_NAMED_IN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "SSL_CERT_FILE": (("SSL_CERT_FILE",),),
    "REQUESTS_CA_BUNDLE": (("REQUESTS_CA_BUNDLE",), ("CURL_CA_BUNDLE",)),
    "CURL_CA_BUNDLE": (("CURL_CA_BUNDLE",), ("SSL_CERT_FILE", "SSL_CERT_DIR")),
}
# Node adds what is named here to the roots it brings along.
_ADDED_IN = "NODE_EXTRA_CA_CERTS"

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def bundles(environ: Mapping[str, str], authority: bytes) -> dict[str, bytes]:
    """Return, for each trust variable, the PEM bundle that it should name; `authority` is in all of them."""
    extended = {variable: join([*_roots_of(variable, environ), authority]) for variable in _NAMED_IN}
    named = environ.get(_ADDED_IN)
    return extended | {_ADDED_IN: join([*(_read(named) if named else ()), authority])}


def join(certificates: Iterable[bytes]) -> bytes:
    """Join PEM certificates into one bundle, each once."""
    return b"\n".join(dict.fromkeys(certificate.strip() for certificate in certificates)) + b"\n"


def java_trust_store(bundle: bytes) -> bytes:
    """Return the certificates of a PEM bundle as a PKCS #12 trust store for Java."""
    entries = []
    for number, pem in enumerate(_CERTIFICATE.findall(bundle)):
        # One odd root among the system's hundred must not cost the others, nor a line on the terminal.
        with suppress(ValueError), catch_warnings():
            simplefilter("ignore")
            certificate = x509.load_pem_x509_certificate(pem)
            entries.append(pkcs12.PKCS12Certificate(certificate, f"root-{number}".encode()))
    encryption = BestAvailableEncryption(JAVA_PASSWORD.encode())
    return pkcs12.serialize_java_truststore(entries, encryption)


def _roots_of(variable: str, environ: Mapping[str, str]) -> list[bytes]:
    """The certificates that the readers of `variable` trust in `environ`."""
    for names in _NAMED_IN[variable]:
        paths = [environ[name] for name in names if environ.get(name)]
        if paths:
            return [certificate for path in paths for certificate in _read(path)]
    # Some of the readers bring certifi's roots along, others use the system's.
    return [*_system_roots(), *_read(certifi.where())]


def _system_roots() -> list[bytes]:
    for path in (ssl.get_default_verify_paths().openssl_cafile, *_SYSTEM_BUNDLES):
        roots = _read(path)
        if roots:
            return roots
    return []


def _read(path: str) -> list[bytes]:
    """The certificates in a file, or in all files of a directory; none where it cannot be read."""
    place = Path(path)
    try:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        texts = [file.read_bytes() for file in files if file.is_file()]
    except OSError:
        return []
    return [certificate for text in texts for certificate in _CERTIFICATE.findall(text)]
