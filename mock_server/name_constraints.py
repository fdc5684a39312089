"""X.509 certificates of authorities that can sign only for permitted names."""

import os
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mock_server.errors import SettingsError

LOCALHOST = (
    x509.DNSName("localhost"),
    x509.IPAddress(ip_network("127.0.0.0/8")),
    x509.IPAddress(ip_network("::1/128")),
)
"""Constraints that permit this machine's loopback names and addresses."""


def new_subject() -> x509.Name:
    """The name of a new authority."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vehicle-ocr-mock"),
            # Different on every machine, to distinguish authorities in one trust store.
            x509.NameAttribute(NameOID.COMMON_NAME, f"vehicle-ocr-mock local CA {os.urandom(4).hex()}"),
        ]
    )


def constraint(name: str) -> x509.GeneralName:
    """The constraint that permits `name`, a host name or an IP address. Raises SettingsError."""
    try:
        return x509.IPAddress(ip_network(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(idna.encode(name.removeprefix("*."), uts46=True).decode())
    except ValueError as error:  # idna's errors are ValueErrors too
        raise SettingsError(f"no certificate is possible for {name}: {error}") from error


def is_permitted(name: str, permitted: Sequence[x509.GeneralName]) -> bool:
    """Whether the constraints permit `name`, a host name or an IP address. Raises SettingsError."""
    needed = constraint(name)
    if isinstance(needed, x509.IPAddress):
        values = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
        networks = [value for value in values if isinstance(value, IPv4Network | IPv6Network)]
        return any(ip_address(name) in network for network in networks)
    domains = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    return any(f".{needed.value}".endswith(f".{domain}") for domain in domains)


def permitted_names(certificate: x509.Certificate) -> Sequence[x509.GeneralName] | None:
    """The constraints of an authority's certificate; None if it can sign for every name."""
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return None


def authority_certificate(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    permitted: Sequence[x509.GeneralName],
    validity: tuple[datetime, datetime],
) -> x509.Certificate:
    """A self-signed certificate of an authority that can sign server certificates for `permitted` names."""
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(list(permitted), excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
