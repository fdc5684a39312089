"""The verb `match`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.cli.options import fixtures_argument
from mock_server.suggest import quoted, suggest

if TYPE_CHECKING:
    from mock_server.core.conditions import Query
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
@click.option("--provider", help="Name of the provider.")
@click.option("--product", help="What is read: plate or vin.")
@click.option(
    "--explain",
    type=click.Path(path_type=Path),
    help="Write a PNG that shows the picture beside the picture that it matches or that is nearest.",
)
def command(
    image: Path, fixtures: Path | None, explain: Path | None, headers: Sequence[str], **facts: str | None
) -> None:
    """Show which scenario a picture matches and why, which others hold and why they lose, and the nearest ones.

    Conditions on facts that are not given are listed as "also requires". Exit 0 with a match, 1 without.
    """
    from mock_server.app import create_app
    from mock_server.cli.progress import progress
    from mock_server.core.contenders import contenders
    from mock_server.errors import ImageError

    request = _Request(image.name, facts, headers)
    with progress("reading pictures") as report:
        library = create_app({"fixtures": fixtures}, progress=report).pipeline.library
    data = image.read_bytes()
    try:
        explanation = library.index.explain(data)
    except ImageError as error:
        reason = f"{type(error).__name__} {error}".rstrip()
        raise click.ClickException(f"{image} is not a readable picture: {reason}") from None
    search = explanation.search
    click.echo(
        f"{image}: {search.facts.format}, {search.facts.width} x {search.facts.height}, sha256 {search.facts.sha256}"
    )
    found = contenders(library.scenarios.in_order(), request.query(search, library), request.is_known)
    matches = [one for one in found if not one.failed and one.lost_by is None]
    click.echo("\n".join(_match(one, search) for one in matches) or "no scenario knows this picture")
    for line in [*_losers(found, search), *_failed(found, search), *_near(search, library)]:
        click.echo(line)
    if explain is not None:
        explain.write_bytes(library.index.explanation_picture(explanation, data))
        click.echo(f"explained in {explain}")
    sys.exit(0 if matches else 1)


class _Request:
    """The facts about a request that the options give."""

    def __init__(self, filename: str, facts: Mapping[str, str | None], headers: Sequence[str]) -> None:
        from mock_server.core.model import Product
        from mock_server.providers.registry import PROVIDERS

        self._facts = {name: value for name, value in facts.items() if value is not None}
        if "url" not in self._facts:
            self._facts.setdefault("filename", filename)
        self._check("provider", [provider.name for provider in PROVIDERS])
        self._check("product", list(Product))
        self._headers: dict[str, str] = {}
        for header in headers:
            # curl writes "Name: value", and a value may have both signs.
            name, equals, value = header.partition("=" if "=" in header.partition(":")[0] else ":")
            if not equals:
                raise click.UsageError(f"--header is {quoted(header)}, not NAME=VALUE")
            self._headers[name.strip().lower()] = value.strip()

    def _check(self, name: str, known: Sequence[str]) -> None:
        value = self._facts.get(name, known[0])
        if value not in known:
            raise click.UsageError(f"--{name} is {quoted(value)}; {suggest(value, known)}")

    def query(self, search: "SearchResult", library: "Library") -> "Query":
        from mock_server.core.conditions import Query
        from mock_server.core.model import Product, ReadRequest

        facts = self._facts
        key = facts.get("key")
        account = next((one.name for one in library.fixtures.accounts if one.key == key), "")
        request = ReadRequest(
            facts.get("provider", ""),
            Product(facts.get("product", Product.PLATE)),
            key,
            url=facts.get("url"),
            filename=facts.get("filename"),
            headers=self._headers,
        )
        return Query(request, account, search)

    def is_known(self, condition: str) -> bool:
        if condition.startswith("header "):
            return condition.removeprefix("header ").lower() in self._headers
        if condition in ("filename", "url"):  # a request has one of them
            return True
        return {"account": "key"}.get(condition, condition) in {*self._facts, "image", "sha256"} or (
            condition.startswith("properties.")
        )


def _match(one: "Contender", search: "SearchResult") -> str:
    requires = ", ".join(f"{condition.name} {value}" for condition, value in one.undecided)
    return f"match {_named(one, search)}" + (f"; also requires {requires}" if requires else "")


def _losers(found: Sequence["Contender"], search: "SearchResult") -> Iterator[str]:
    for one in found:
        if one.lost_by is not None:
            yield f"lost  {_named(one, search)}: {one.lost_by.why_lost}"


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
