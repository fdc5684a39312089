"""The verb `ca`: where the CA certificate is, and how each runtime can be made to trust it."""

import shlex
import sys

import click

from mock_server.settings import Settings

_HINTS = {
    "curl": "export CURL_CA_BUNDLE={path}",
    "Python requests": "export REQUESTS_CA_BUNDLE={path}",
    "Python httpx": "export SSL_CERT_FILE={path}",
    "Python aiohttp": "export SSL_CERT_FILE={path}",
    "Node": "export NODE_EXTRA_CA_CERTS={path}",
    "Go": "export SSL_CERT_FILE={path}    # Linux; elsewhere Go uses the system's store",
    "Java": (
        "keytool -importcert -noprompt -alias vehicle-ocr-mock -file {path} -keystore mock.p12 -storepass changeit"
        ' && export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$PWD/mock.p12"'
    ),
    "Ruby": "export SSL_CERT_FILE={path}",
    "PHP": "php -d openssl.cafile={path} -d curl.cainfo={path} SCRIPT",
    ".NET": "export SSL_CERT_FILE={path}    # Linux; elsewhere .NET uses the system's store",
    "Debian, for all": (
        "sudo cp {path} /usr/local/share/ca-certificates/vehicle-ocr-mock.crt && sudo update-ca-certificates"
    ),
}


@click.command()
@click.option("--install-hint", is_flag=True, help="Show how each runtime can be made to trust it.")
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
def command(install_hint: bool, pem: bool) -> None:
    """Print the path of the certificate that clients must trust. It is made if there is none.

    On a terminal the hints are printed as well.
    """
    from mock_server.certificate_authority import CertificateAuthority, server_names
    from mock_server.providers.registry import own_hosts

    authority = CertificateAuthority.open(names=server_names(Settings.resolve({}), own_hosts()))
    if pem:
        click.echo(authority.certificate_pem().decode(), nl=False)
        return
    click.echo(authority.certificate_path)
    if install_hint or sys.stdout.isatty():
        click.echo(f"\nIt expires on {authority.expires:%Y-%m-%d} and is renewed before. To trust it:\n")
        path = shlex.quote(str(authority.certificate_path))
        for runtime, hint in _HINTS.items():
            click.echo(f"  {runtime + ':':<17} {hint.format(path=path)}")
        click.echo(
            "\nAll but Node's replace the roots that a program trusts; `vehicle-ocr-mock exec` adds to them."
            "\n\nThe private key is in the same directory. To a program that trusts the certificate, anyone with the"
            "\nkey can pose as the providers' host names, as this machine and as --tls-names, but as no other host."
            "\n\nTo undo it, unset the variable, delete mock.p12, or on Debian:"
            "\n  sudo rm /usr/local/share/ca-certificates/vehicle-ocr-mock.crt && sudo update-ca-certificates --fresh"
            f"\nTo make a new key, delete {authority.directory}."
        )
