"""The verb `validate`."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from mock_server.cli.options import check_fixtures, fixtures_argument
from mock_server.errors import FixturesError, Mistake
from mock_server.settings import Settings, shipped_fixtures
from mock_server.suggest import many


@click.command()
@fixtures_argument
def command(fixtures: Path | None) -> None:
    """Report every mistake as `file:line:column: what — hint`.

    Exit codes: 0 no mistakes (warnings are allowed), 1 mistakes, 2 usage.
    """
    from mock_server.cli.progress import progress
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.image_indexing import index_of
    from mock_server.scenarios.load import declared_accounts, load

    settings = Settings.resolve({"fixtures": fixtures})
    root = settings.fixtures_dir
    check_fixtures({"fixtures": fixtures})
    words = vocabulary()
    try:
        shipped_accounts = declared_accounts(shipped_fixtures(), vocabulary=words)
        loaded = load(root, vocabulary=words, accounts=shipped_accounts)
        with progress("reading pictures") as report:
            _, image_warnings = index_of(loaded, max_pixels=settings.max_pixels, progress=report)
    except FixturesError as error:
        _print(error.mistakes)
        sys.exit(1)
    warnings = [*loaded.warnings, *image_warnings]
    _print(warnings)
    click.echo(
        f"{root}: {loaded.set.summary}, {many(len(loaded.set.accounts), 'account')}, no mistakes,"
        f" {many(len(warnings), 'warning')}",
        err=True,
    )


def _print(mistakes: Iterable[Mistake]) -> None:
    # A file name may contain bytes that are not valid text.
    encoding = sys.stdout.encoding or "utf-8"
    for mistake in sorted(mistakes):
        click.echo(str(mistake).encode(encoding, "backslashreplace").decode(encoding))
