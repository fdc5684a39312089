"""The verb `export`."""

from pathlib import Path

import click

from mock_server.errors import ConflictError, FixturesError
from mock_server.suggest import many


@click.command()
@click.argument("url")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--token", envvar="VEHICLE_OCR_MOCK_ADMIN_TOKEN", help="The admin token of the mock.")
@click.option("--replace", is_flag=True, help="Replace mock.yaml, scenarios/ and images/ in DIRECTORY.")
def command(url: str, directory: Path, token: str | None, replace: bool) -> None:
    """Write what the mock at URL serves as a fixtures directory.

    It has the scenarios, also those that were added at run time, their pictures, the accounts as they were declared and
    the settings of mock.yaml. It does not have what was spent, nor flags, nor the admin token. `serve` takes it.
    """
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url} is not a URL: give the address of a mock, such as http://127.0.0.1:8080")
    from mock_server.client import MockClient
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.load import load

    try:
        files = MockClient(url, token=token).export(directory, replace=replace)
    except ConflictError as error:
        hint = "" if replace else "; give another DIRECTORY, or --replace"
        raise click.ClickException(f"{error}{hint}") from None
    except OSError as error:
        raise click.ClickException(f"{url} does not answer: {error}") from None
    try:
        loaded = load(directory, vocabulary=vocabulary())
    except FixturesError as error:
        raise click.ClickException(f"{directory} was written, but cannot be served:\n{error}") from None
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    click.echo(f"wrote {many(len(files), 'file')}: {loaded.set.summary}")
