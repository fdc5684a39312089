"""The verb `init`: a fixtures directory to begin with."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from mock_server.cli.options import shown_path

_STARTER = Path(__file__).parent / "starter"
_DIRECTORY = "FIXTURES"
"""Stands for the fixtures directory in the CI file of the starter."""


@click.command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("fixtures"))
def command(directory: Path) -> None:
    """Write a small fixtures directory: DIR, or ./fixtures.

    It has a mock.yaml, a commented scenario with its picture, the schemas for editors, tests for pytest, and a workflow
    for GitHub Actions. All of it works as written. No file is overwritten.
    """
    shown = shown_path(directory).as_posix()
    files = dict(_files(shown))
    existing = [str(directory / name) for name in files if (directory / name).exists()]
    if existing:
        raise click.ClickException(f"{', '.join(existing)} already there; name another directory")
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        click.echo(path)
    quoted = shlex.quote(shown)
    click.echo(
        f"\nNow run\n  pytest {quoted}\n  vehicle-ocr-mock serve {quoted} --hints\n"
        f"and add your own photos\n  vehicle-ocr-mock add PHOTO.jpg {quoted} --plate TEXT"
    )


def _files(directory: str) -> Iterator[tuple[str, bytes]]:
    """The files of the directory by their paths."""
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.json_schema import mock_schema, scenario_schema

    for path in sorted(_STARTER.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            content = path.read_bytes()
            if path.name == "github-actions.yml":
                content = content.replace(_DIRECTORY.encode(), shlex.quote(directory).encode())
            yield path.relative_to(_STARTER).as_posix(), content
    for name, schema in (("scenario", scenario_schema), ("mock", mock_schema)):
        text = json.dumps(schema(vocabulary()), indent=2, ensure_ascii=False)
        yield f"{name}.schema.json", f"{text}\n".encode()
