"""Bundles of trusted certificates that contain the mock's authority.

Many programs read one bundle only. They must still trust all other hosts, so the bundle that a program would use is
extended, not replaced.
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

# The usual password of Java trust stores, which contain no secrets.
JAVA_PASSWORD = "changeit"

# For each variable that names a bundle: the variables that its readers use. The first group with a value applies.
_SOURCES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "SSL_CERT_FILE": (("SSL_CERT_FILE",),),
    "REQUESTS_CA_BUNDLE": (("REQUESTS_CA_BUNDLE",), ("CURL_CA_BUNDLE",)),
    "CURL_CA_BUNDLE": (("CURL_CA_BUNDLE",), ("SSL_CERT_FILE", "SSL_CERT_DIR")),
}
# Node adds this bundle to its own certificates.
_NODE_VARIABLE = "NODE_EXTRA_CA_CERTS"

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def bundles(environ: Mapping[str, str], authority: bytes) -> dict[str, bytes]:
    """Return the PEM bundle for each trust variable. Each contains `authority`, a PEM certificate."""
    extended = {variable: join([*_trusted(variable, environ), authority]) for variable in _SOURCES}
    node_bundle = environ.get(_NODE_VARIABLE)
    return extended | {_NODE_VARIABLE: join([*(_read(node_bundle) if node_bundle else ()), authority])}


def join(certificates: Iterable[bytes]) -> bytes:
    """Join PEM certificates into one bundle without duplicates."""
    return b"\n".join(dict.fromkeys(certificate.strip() for certificate in certificates)) + b"\n"


def java_trust_store(bundle: bytes) -> bytes:
    """Return the certificates of a PEM bundle as a PKCS #12 trust store for Java."""
    entries = []
    for number, pem in enumerate(_CERTIFICATE.findall(bundle)):
        # A system's bundle may contain a certificate that cannot be read. It is left out silently.
        with suppress(ValueError), catch_warnings():
            simplefilter("ignore")
            certificate = x509.load_pem_x509_certificate(pem)
            entries.append(pkcs12.PKCS12Certificate(certificate, f"root-{number}".encode()))
    encryption = BestAvailableEncryption(JAVA_PASSWORD.encode())
    return pkcs12.serialize_java_truststore(entries, encryption)


def _trusted(variable: str, environ: Mapping[str, str]) -> list[bytes]:
    """The certificates that readers of `variable` trust now."""
    for names in _SOURCES[variable]:
        paths = [environ[name] for name in names if environ.get(name)]
        if paths:
            return [certificate for path in paths for certificate in _read(path)]
    # Some of the readers use certifi's certificates, others the system's.
    return [*_system_roots(), *_read(certifi.where())]


def _system_roots() -> list[bytes]:
    for path in (ssl.get_default_verify_paths().openssl_cafile, *_SYSTEM_BUNDLES):
        roots = _read(path)
        if roots:
            return roots
    return []


def _read(path: str) -> list[bytes]:
    """The certificates in a file, or in all files of a directory; none if it cannot be read."""
    location = Path(path)
    try:
        files = sorted(location.iterdir()) if location.is_dir() else [location]
        texts = [file.read_bytes() for file in files if file.is_file()]
    except OSError:
        return []
    return [certificate for text in texts for certificate in _CERTIFICATE.findall(text)]
