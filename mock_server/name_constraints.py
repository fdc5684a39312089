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


def permitted_names(certificate: x509.Certificate) -> Sequence[x509.GeneralName]:
    """The constraints of an authority's certificate; none if it can sign for every name."""
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    except x509.ExtensionNotFound:
        return ()


def create_authority(
    permitted: Sequence[x509.GeneralName], validity: tuple[datetime, datetime]
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate, x509.Certificate]:
    """The key of an authority that can sign for `permitted` names, its certificate, and the certificate to trust.

    The one to trust has signed the other, and its own key is thrown away. Java applies the limits of a certificate in
    between, but not of one that it trusts directly (RFC 5280, section 6.1.1).
    """
    # Different on every machine, to distinguish authorities in one trust store.
    number = os.urandom(4).hex()
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate_builder(root_key, f"local CA {number}", 1, permitted, validity)
    issuing = _certificate_builder(key, f"issuing CA {number}", 0, permitted, validity)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    signed = issuing.issuer_name(_name(f"local CA {number}")).add_extension(signer, critical=False)
    return (
        key,
        signed.sign(root_key, hashes.SHA256()),
        root.issuer_name(_name(f"local CA {number}")).sign(root_key, hashes.SHA256()),
    )


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vehicle-ocr-mock"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"vehicle-ocr-mock {text}"),
        ]
    )


def _certificate_builder(
    key: ec.EllipticCurvePrivateKey,
    name: str,
    path_length: int,
    permitted: Sequence[x509.GeneralName],
    validity: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    """The certificate of an authority, without its issuer."""
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
        .subject_name(_name(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(list(permitted), excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
