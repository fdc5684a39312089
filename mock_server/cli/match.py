"""The verb `match`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mock_server.core.library import Library
    from mock_server.core.scenario import Conditions
    from mock_server.imaging.index import ImageMatch, SearchResult


def command(
    image: Annotated[Path, typer.Argument(help="The picture.", exists=True, dir_okay=False)],
    fixtures: Annotated[
        Path | None, typer.Argument(help="The fixtures directory; without it, the shipped set.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            help="Write a PNG that shows the picture beside the one it matches or comes nearest to."
        ),
    ] = None,
) -> None:
    """Tell which scenario a picture matches and why, or which came nearest. Exit 0 with a match, 1 without."""
    from mock_server.app import create_app
    from mock_server.cli.progress import progress
    from mock_server.errors import ImageError

    with progress("reading pictures") as told:
        library = create_app({"fixtures": fixtures}, progress=told).reader.library
    try:
        data = image.read_bytes()
        explanation = library.index.explain(data)
        search = explanation.search
    except ImageError as error:
        typer.echo(f"{image}: no picture that can be read: {type(error).__name__} {error}".rstrip(), err=True)
        raise typer.Exit(1) from None
    facts = search.facts
    typer.echo(f"{image}: {facts.format}, {facts.width} x {facts.height}, sha256 {facts.sha256}")
    matched = _matches(search, library)
    _nearest(search, library)
    if explain is not None:
        explain.write_bytes(library.index.explanation_picture(explanation, data))
        typer.echo(f"explained in {explain}")
    raise typer.Exit(0 if matched else 1)


def _matches(search: "SearchResult", library: "Library") -> bool:
    """Print the scenarios that name this picture or its digest; whether there are any."""
    known = [
        (scenario, f"{found.id}, {_how(found)}")
        for found in search.matches
        for scenario in library.scenarios.of_image(found.id)
    ]
    digest = search.facts.sha256
    known += [(one, "by its sha256") for one in library.fixtures.scenarios if one.when.sha256 == digest]
    for scenario, how in known:
        also = _conditions(scenario.when)
        typer.echo(f"match {scenario.name} ({how}){f'; also asks for {also}' if also else ''}")
    if not known:
        typer.echo("no scenario knows this picture")
    return bool(known)


def _how(found: "ImageMatch") -> str:
    if found.method == "perceptual":
        return f"looks the same: distance {found.score:.2f}, limit {found.limit:.2f}"
    return "same bytes" if found.method == "sha256" else "same pixels"


def _conditions(when: "Conditions") -> str:
    """What a request must meet beside the picture."""
    single = ("url", "filename", "key", "account", "provider", "product", "language")
    given = [f"{name} {value}" for name in single if (value := getattr(when, name)) is not None]
    given += [f"header {name} {value}" for name, value in when.header.items()]
    return ", ".join([*given, "properties"] if when.properties else given)


def _nearest(search: "SearchResult", library: "Library") -> None:
    for near in search.near_misses:
        names = ", ".join(scenario.name for scenario in library.scenarios.of_image(near.id)) or "no scenario"
        reason = near.reason.replace("_", " ")
        typer.echo(f"near  {names} ({near.id}, {reason}: distance {near.score:.2f}, limit {near.limit:.2f})")
