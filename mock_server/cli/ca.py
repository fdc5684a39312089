"""The verb `ca`: where the certificate is, and how each runtime is told to trust it."""

import shlex
import sys
from typing import Annotated

import typer

from mock_server.tls import CertificateAuthority

_HINTS = {
    "curl": "export CURL_CA_BUNDLE={path}",
    "Python requests": "export REQUESTS_CA_BUNDLE={path}",
    "Python httpx": "export SSL_CERT_FILE={path}",
    "Python aiohttp": "export SSL_CERT_FILE={path}",
    "Node": "export NODE_EXTRA_CA_CERTS={path}",
    "Go": "export SSL_CERT_FILE={path}    # Linux; elsewhere Go asks the system",
    "Java": (
        "keytool -importcert -noprompt -alias vehicle-ocr-mock -file {path} -keystore mock.p12 -storepass changeit"
        ' && export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$PWD/mock.p12"'
    ),
    "Ruby": "export SSL_CERT_FILE={path}",
    "PHP": "php -d openssl.cafile={path} -d curl.cainfo={path} SCRIPT",
    ".NET": "export SSL_CERT_FILE={path}    # Linux; elsewhere .NET asks the system",
    "Debian, for all": (
        "sudo cp {path} /usr/local/share/ca-certificates/vehicle-ocr-mock.crt && sudo update-ca-certificates"
    ),
}


def command(
    install_hint: Annotated[
        bool, typer.Option("--install-hint", help="Tell how each runtime is told to trust it.")
    ] = False,
    pem: Annotated[bool, typer.Option("--pem", help="Print the certificate itself.")] = False,
) -> None:
    """Print where the certificate is that clients must trust; it is made if there is none yet.

    On a terminal the hints are printed as well.
    """
    authority = CertificateAuthority.open()
    if pem:
        typer.echo(authority.certificate_pem().decode(), nl=False)
        return
    typer.echo(authority.certificate_path)
    if install_hint or sys.stdout.isatty():
        typer.echo(f"\nIt expires on {authority.expires:%Y-%m-%d} and is renewed before. To trust it:\n")
        path = shlex.quote(str(authority.certificate_path))
        for runtime, hint in _HINTS.items():
            typer.echo(f"  {runtime + ':':<17} {hint.format(path=path)}")
        typer.echo(
            "\nAll but Node's replace the roots that a program trusts; `vehicle-ocr-mock exec` adds to them instead."
        )
