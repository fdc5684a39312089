"""The verb `validate`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mock_server.errors import FixturesError, Mistake
from mock_server.settings import Settings, shipped_fixtures


def command(
    fixtures: Annotated[
        Path | None,
        typer.Argument(
            help="Directory with mock.yaml and scenarios/; else the shipped set.", show_default=False
        ),
    ] = None,
) -> None:
    """Report every mistake as `file:line:column: what — hint`: exit 0 clean (warnings allowed), 1 mistakes, 2 usage."""
    from mock_server.app import vocabulary
    from mock_server.cli.progress import progress
    from mock_server.scenarios.image_indexing import index_of
    from mock_server.scenarios.load import declared_accounts, load

    settings = Settings.of({"fixtures": fixtures})
    root = settings.fixtures_dir
    if not root.is_dir():
        typer.echo(f"vehicle-ocr-mock: {root} is no directory", err=True)
        raise typer.Exit(2)
    words = vocabulary()
    try:
        loaded = load(
            root, vocabulary=words, accounts=declared_accounts(shipped_fixtures(), vocabulary=words)
        )
        with progress("reading pictures") as told:
            _, warnings = index_of(loaded, max_pixels=settings.max_pixels, progress=told)
    except FixturesError as error:
        _print(error.mistakes)
        raise typer.Exit(1) from None
    odd = [*loaded.warnings, *warnings]
    _print(odd)
    typer.echo(
        f"{root}: {len(loaded.set.scenarios)} scenarios, {len(loaded.set.images)} pictures,"
        f" {len(loaded.set.accounts)} accounts, no mistakes, {len(odd)} warnings",
        err=True,
    )


def _print(mistakes: Iterable[Mistake]) -> None:
    # A file name may hold bytes that are no text.
    encoding = sys.stdout.encoding or "utf-8"
    for mistake in sorted(mistakes):
        typer.echo(str(mistake).encode(encoding, "backslashreplace").decode(encoding))
