"""The verb `image`."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mock_server.cli.options import complete_names

if TYPE_CHECKING:
    from mock_server.drawing.drawn_picture import Drawing

_Command = Callable[..., Any]


def _amount(flag: str, low: float, high: float, default: float, help: str) -> Callable[[_Command], _Command]:
    return click.option(flag, type=click.FloatRange(low, high), default=default, show_default=True, help=help)


def _word(flags: Sequence[str], module: str, names: str, help: str) -> Callable[[_Command], _Command]:
    """One of the names in a constant of a module that draws."""
    return click.option(*flags, shell_complete=complete_names(f"drawing.{module}", names), help=help)


@click.command()
@click.argument("kind", type=click.Choice(["plate", "vin", "scene"]))
@click.option("--text", help='The plate or VIN; chosen by the seed if not given. "": no plate.')
@_word(["--region"], "designs", "DESIGNS", "Region code of the plate, such as us-ca, gb or de.")
@click.option("--size", help="Width and height in pixels, such as 1024x768.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="The same seed draws the same picture.")
@_word(["--place"], "places", "PLACES", "street, parking, garage or country.")
@_word(["--vehicle", "body"], "designs", "BODIES", "sedan, suv, pickup, van, sedan-front …")
@_word(["--paint"], "designs", "PAINTS", "The vehicle's colour: white, red, navy …")
@_word(
    ["--style"],
    "vin_drawing",
    "VIN_STYLES",
    "Where the VIN is: plate, pricked, sticker or dashboard; label: not a VIN.",
)
@click.option("--two-line", is_flag=True, help="The plate in two lines.")
@_amount("--blur", 0, 20, 0.0, "Radius of a soft focus in pixels.")
@_amount("--motion", 0, 60, 0.0, "Length of a motion blur in pixels.")
@_amount("--glare", 0, 1, 0.0, "Sun or flash on the text, 0 to 1.")
@_amount("--noise", 0, 1, 0.1, "Sensor noise, 0 to 1.")
@_amount("--rotate", -45, 45, 0.0, "Degrees clockwise.")
@_amount("--night", 0, 1, 0.0, "How dark it is, 0 to 1.")
@_amount("--rain", 0, 1, 0.0, "How hard it rains, 0 to 1.")
@click.option("--quality", type=click.IntRange(1, 100), default=86, show_default=True, help="JPEG quality.")
@click.option("--count", type=click.IntRange(min=1), help="Number of pictures, for a fixtures directory.")
@click.option("--out", type=click.Path(path_type=Path), help="File (.jpg, .png, .webp), or directory with --count.")
def command(
    kind: Literal["plate", "vin", "scene"],
    size: str | None,
    seed: int,
    count: int | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Draw a picture and write its scenario file beside it."""
    from mock_server.drawing.camera import Shot
    from mock_server.drawing.draw import draw
    from mock_server.drawing.fixture_files import FORMATS, write_set

    shot = Shot(**{field.name: options.pop(field.name) for field in fields(Shot)})
    with _usage_errors():
        picture = partial(draw, kind, size=_parse_size(size), shot=shot, **options)
        if count is None:
            if out is not None and not out.is_dir() and out.suffix.lower() not in FORMATS:
                raise ValueError(f'cannot write "{out.name}": its name must end in {", ".join(FORMATS)}')
            _write_one(picture(seed=seed), kind, out)
            return
        out = out or Path(f"{kind}-fixtures")
        if out.is_file():
            raise ValueError(f'"{out}" is a file; with --count, --out must be a directory')
        _wait_for(write_set(picture, kind, count, seed, out), count)
    print(f"{count} pictures with their scenarios in {out}")


def _write_one(drawing: "Drawing", kind: str, out: Path | None) -> None:
    from mock_server.drawing.fixture_files import name_for, write_picture

    if out is None and not sys.stdout.isatty():
        sys.stdout.buffer.write(drawing.encoded())
        return
    if out is None or out.is_dir():
        out = (out or Path()) / f"{name_for(kind, drawing.truth)}.jpg"
    image, scenario = write_picture(drawing, out)
    print(f"{image}  {drawing.image.width}x{drawing.image.height}  {drawing.truth}\n{scenario}")


def _wait_for(pictures: Iterable[Path], count: int) -> None:
    """Show the progress on stderr: a bar on a terminal, ten lines in a log."""
    if sys.stderr.isatty():
        with click.progressbar(pictures, length=count, label="drawing", file=sys.stderr) as bar:
            for _ in bar:
                pass
        return
    for done, _ in enumerate(pictures, 1):
        if done * 10 // count > (done - 1) * 10 // count:
            click.echo(f"drew {done} of {count} pictures", err=True)


def _parse_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ValueError(f'"{text}" is not a size: give width and height in pixels, such as 1024x768')
    return int(width), int(height)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn an error about an option into a usage error (exit code 2) with a hint."""
    from mock_server.drawing.draw import UnknownNameError
    from mock_server.suggest import suggest

    try:
        yield
    except UnknownNameError as error:
        hint = suggest(error.word, error.known) or f"known: {', '.join(error.known)}"
        raise click.UsageError(f"{error}: {hint}") from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
