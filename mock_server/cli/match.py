"""The verb `match`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.cli.options import fixtures_argument

if TYPE_CHECKING:
    from mock_server.core.library import Library
    from mock_server.core.scenario import Conditions
    from mock_server.imaging.index import ImageMatch, SearchResult


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@fixtures_argument
@click.option(
    "--explain",
    type=click.Path(path_type=Path),
    help="Write a PNG that shows the picture beside the picture that it matches or that is nearest.",
)
def command(image: Path, fixtures: Path | None, explain: Path | None) -> None:
    """Show which scenario a picture matches and why, and the nearest pictures. Exit 0 with a match, 1 without."""
    from mock_server.app import create_app
    from mock_server.cli.progress import progress
    from mock_server.errors import ImageError

    with progress("reading pictures") as report:
        library = create_app({"fixtures": fixtures}, progress=report).reader.library
    data = image.read_bytes()
    try:
        explanation = library.index.explain(data)
    except ImageError as error:
        reason = f"{type(error).__name__} {error}".rstrip()
        raise click.ClickException(f"{image} is not a readable picture: {reason}") from None
    search = explanation.search
    facts = search.facts
    click.echo(f"{image}: {facts.format}, {facts.width} x {facts.height}, sha256 {facts.sha256}")
    matches = _matches(search, library)
    click.echo("\n".join(matches or ["no scenario knows this picture"]))
    for near in search.near_misses:
        names = ", ".join(scenario.name for scenario in library.scenarios.of_image(near.id)) or "no scenario"
        reason = near.reason.replace("_", " ")
        click.echo(f"near  {names} ({near.id}, {reason}: distance {near.score:.2f}, limit {near.limit:.2f})")
    if explain is not None:
        explain.write_bytes(library.index.explanation_picture(explanation, data))
        click.echo(f"explained in {explain}")
    sys.exit(0 if matches else 1)


def _matches(search: "SearchResult", library: "Library") -> list[str]:
    """A line for each scenario that names this picture or its digest."""
    known = [
        (scenario, f"{found.id}, {_method(found)}")
        for found in search.matches
        for scenario in library.scenarios.of_image(found.id)
    ]
    digest = search.facts.sha256
    known += [(one, "by its sha256") for one in library.fixtures.scenarios if one.when.sha256 == digest]
    return [f"match {scenario.name} ({how}){_other_conditions(scenario.when)}" for scenario, how in known]


def _method(found: "ImageMatch") -> str:
    if found.method == "perceptual":
        return f"looks the same: distance {found.score:.2f}, limit {found.limit:.2f}"
    return "same bytes" if found.method == "sha256" else "same pixels"


def _other_conditions(when: "Conditions") -> str:
    """The conditions of a scenario that do not concern the picture."""
    names = ("url", "filename", "key", "account", "provider", "product", "language")
    given = [f"{name} {value}" for name in names if (value := getattr(when, name)) is not None]
    given += [f"header {name} {value}" for name, value in when.header.items()]
    given += ["properties"] if when.properties else []
    return f"; also requires {', '.join(given)}" if given else ""
