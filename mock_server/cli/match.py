"""The verb `match`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.cli.options import complete, complete_names, fixtures_argument, provider_names, unreadable

if TYPE_CHECKING:
    from mock_server.cli.request_facts import Settled
    from mock_server.core.contenders import Contender
    from mock_server.core.library import Library
    from mock_server.imaging.index import SearchResult

_MOST_FAILED = 5


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@fixtures_argument
@click.option("--filename", help="File name of the upload. [default: the name of IMAGE]")
@click.option("--key", help="API key.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=VALUE",
    multiple=True,
    help="Header of the request, also as NAME: VALUE; may be repeated.",
)
@click.option("--url", help="Image URL, for a provider that takes one instead of an upload.")
@click.option("--language", help="Language code of the request, such as en-US.")
@click.option("--provider", shell_complete=complete(provider_names), help="Name of the provider.")
@click.option("--product", shell_complete=complete_names("core.model", "Product"), help="What is read: plate or vin.")
@click.option(
    "--explain",
    type=click.Path(path_type=Path),
    help="Write a PNG that shows the picture beside the picture that it matches or that is nearest.",
)
def command(
    image: Path, fixtures: Path | None, explain: Path | None, headers: Sequence[str], **facts: str | None
) -> None:
    """Show which scenario a picture matches, and why.

    Also shown: other scenarios that hold and why they lose, and the nearest pictures. Conditions on facts that are not
    given are listed as "also requires". A result that the account or the request itself decides (a key without credits,
    a Prefer header, a token in the file name or the URL) comes first.

    Exit 0 if a scenario or the request decides, 1 if no scenario matches or every call is refused.
    """
    from mock_server.app import create_app
    from mock_server.cli.progress import progress
    from mock_server.cli.request_facts import RequestFacts, settle, settled_lines
    from mock_server.core.contenders import contenders
    from mock_server.errors import ImageError
    from mock_server.providers.registry import PROVIDERS

    request = RequestFacts(image.name, facts, headers, PROVIDERS)
    with progress("reading pictures") as report:
        pipeline = create_app({"fixtures": fixtures}, progress=report).pipeline
    library = pipeline.library
    data = image.read_bytes()
    try:
        explanation = library.index.explain(data)
    except ImageError as error:
        raise unreadable(image, error) from None
    search = explanation.search
    click.echo(
        f"{image}: {search.facts.format}, {search.facts.width} x {search.facts.height}, sha256 {search.facts.sha256}"
    )
    query = request.query(search, library.fixtures.accounts)
    found = contenders(library.scenarios.in_order(), query, request.is_known)
    settled = settle(pipeline, request)
    matches = _matches(found, settled)
    for line in settled_lines(settled, request.calls):
        click.echo(line)
    if not all(settled) or matches:
        click.echo("\n".join(_match(one, search) for one in matches) or "no scenario knows this picture")
    for line in [*_losers(found, settled, search), *_failed(found, search), *_near(search, library)]:
        click.echo(line)
    if explain is not None:
        explain.write_bytes(library.index.explanation_picture(explanation, data))
        click.echo(f"explained in {explain}")
    sys.exit(0 if matches or any(result and not result.is_refusal for result in settled) else 1)


def _matches(found: Sequence["Contender"], settled: Sequence["Settled | None"]) -> list["Contender"]:
    """The scenarios that answer, or give the reading, in at least one of the calls."""
    if all(result and not result.keeps_reading for result in settled):
        return []
    return [one for one in found if not one.failed and one.lost_by is None]


def _match(one: "Contender", search: "SearchResult") -> str:
    requires = ", ".join(f"{condition.name} {value}" for condition, value in one.undecided)
    return f"match {_named(one, search)}" + (f"; also requires {requires}" if requires else "")


def _losers(found: Sequence["Contender"], settled: Sequence["Settled | None"], search: "SearchResult") -> Iterator[str]:
    matches = _matches(found, settled)
    why_settled = "; ".join(dict.fromkeys(result.why_lost for result in settled if result))
    for one in found:
        if not one.failed and one not in matches and not _is_forced(one, settled):
            yield f"lost  {_named(one, search)}: {one.lost_by.why_lost if one.lost_by else why_settled}"


def _is_forced(one: "Contender", settled: Sequence["Settled | None"]) -> bool:
    return any(result and result.scenario == one.match.scenario.name for result in settled)


def _failed(found: Sequence["Contender"], search: "SearchResult") -> list[str]:
    failed = [one for one in found if one.failed]
    # First the scenarios of this picture.
    failed.sort(key=lambda one: not one.has_picture)
    return [f"near  {_named(one, search)}: failed {', '.join(one.failed)}" for one in failed[:_MOST_FAILED]]


def _near(search: "SearchResult", library: "Library") -> Iterator[str]:
    for near in search.near_misses:
        names = ", ".join(scenario.name for scenario in library.scenarios.of_image(near.id)) or "no scenario"
        reason = near.reason.replace("_", " ")
        yield f"near  {names} ({near.id}, {reason}: distance {near.score:.2f}, limit {near.limit:.2f})"


def _named(one: "Contender", search: "SearchResult") -> str:
    """The name of a scenario, and by what it was found."""
    how = [name for name in one.held if name not in ("image", "sha256")]
    if "sha256" in one.held:
        how.insert(0, "by its sha256")
    if "image" in one.held:
        found = search.matches[one.match.place]
        how.insert(0, f"{found.id}, {_METHODS.get(found.method) or _distance(found.score, found.limit)}")
    return f"{one.match.scenario.name} ({', '.join(how) or 'no condition'})"


_METHODS = {"sha256": "same bytes", "pixels": "same pixels"}


def _distance(score: float, limit: float) -> str:
    return f"looks the same: distance {score:.2f}, limit {limit:.2f}"
