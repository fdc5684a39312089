"""The verb `ca`: where the CA certificate is, and how each runtime can be made to trust it (`ca_hints.txt`)."""

import shlex
import sys
from pathlib import Path

import click

from mock_server.settings import Settings


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
        hints = Path(__file__).with_name("ca_hints.txt").read_text("utf-8")
        path = shlex.quote(str(authority.certificate_path))
        click.echo(hints.format(path=path, expires=authority.expires, directory=authority.directory), nl=False)
