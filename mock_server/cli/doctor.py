"""The verb `doctor`: what usually goes wrong, and what to do about it."""

import sys
from typing import Any

import click

from mock_server.cli.options import settings_options
from mock_server.suggest import many


@click.command()
@settings_options()
def command(**flags: Any) -> None:
    """Check what usually goes wrong, and say what to do.

    Each check prints one line. FIXTURES and the options are those of serve. Nothing is changed. Exit codes: 0 fine
    (notes are allowed), 1 a check has failed, 2 usage.
    """
    from mock_server.cli.doctor_checks import Level, findings

    failures = 0
    for finding in findings(flags):
        failures += finding.level is Level.FAILED
        click.echo(f"{finding.level:<4}  {finding.check}: {finding.text}")
        if finding.advice:
            click.echo(f"      {finding.advice}")
    if failures:
        click.echo(f"\n{many(failures, 'check has', 'checks have')} failed")
        sys.exit(1)
