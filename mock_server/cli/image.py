"""The verb `image`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from mock_server.drawing.drawn_picture import Drawing
    from mock_server.drawing.fixture_files import Draw

_Command = Callable[..., Any]


def _amount(flag: str, low: float, high: float, default: float, help: str) -> Callable[[_Command], _Command]:
    return click.option(flag, type=click.FloatRange(low, high), default=default, show_default=True, help=help)


@click.command()
@click.argument("kind", type=click.Choice(["plate", "vin", "scene"]))
@click.option("--text", help='The plate or VIN; chosen when not given. "": no plate.')
@click.option("--region", help="Region code of the plate, such as us-ca, gb or de.")
@click.option("--size", help="Width and height in pixels, such as 1024x768.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="The same seed draws the same picture.")
@click.option("--place", help="street, parking, garage or country.")
@click.option("--vehicle", help="sedan, suv, pickup, van, sedan-front …")
@click.option("--paint", help="The vehicle's colour: white, red, navy …")
@click.option("--style", help="How a VIN is shown: plate, pricked, sticker, dashboard; or label.")
@click.option("--two-line", is_flag=True, help="The plate in two lines.")
@_amount("--blur", 0, 20, 0.0, "Radius of a soft focus in pixels.")
@_amount("--motion", 0, 60, 0.0, "Length of a motion blur in pixels.")
@_amount("--glare", 0, 1, 0.0, "Sun or flash on the text, 0 to 1.")
@_amount("--noise", 0, 1, 0.1, "Sensor noise, 0 to 1.")
@_amount("--rotate", -45, 45, 0.0, "Degrees clockwise.")
@_amount("--night", 0, 1, 0.0, "How dark it is, 0 to 1.")
@_amount("--rain", 0, 1, 0.0, "How hard it rains, 0 to 1.")
@click.option("--quality", type=click.IntRange(1, 100), default=86, show_default=True, help="JPEG quality.")
@click.option("--count", type=click.IntRange(min=1), help="Draw so many, as a fixtures directory.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File (.jpg, .png, .webp), or directory with --count."
)
def command(
    kind: Literal["plate", "vin", "scene"],
    text: str | None,
    region: str | None,
    size: str | None,
    seed: int,
    place: str | None,
    vehicle: str | None,
    paint: str | None,
    style: str | None,
    two_line: bool,
    count: int | None,
    out: Path | None,
    **shot: Any,
) -> None:
    """Draw a picture, and write a ready scenario file beside it."""
    from mock_server.drawing.camera import Shot
    from mock_server.drawing.draw import draw

    with _usage_errors():
        picture = partial(
            draw,
            kind,
            text=text,
            region=region,
            size=_parsed_size(size),
            place=place,
            body=vehicle,
            paint=paint,
            style=style,
            two_line=two_line,
            shot=Shot(**shot),
        )
        if count is None:
            _check_name(out)
            _write_one(picture(seed=seed), kind, out)
        else:
            _write_many(picture, kind, count, seed, out)


def _check_name(out: Path | None) -> None:
    from mock_server.drawing.fixture_files import FORMATS

    if out is not None and not out.is_dir() and out.suffix.lower() not in FORMATS:
        raise ValueError(f'cannot write "{out.name}": its name must end in {", ".join(FORMATS)}')


def _write_one(drawing: "Drawing", kind: str, out: Path | None) -> None:
    from mock_server.drawing.fixture_files import name_for, write_picture

    if out is None and not sys.stdout.isatty():
        sys.stdout.buffer.write(drawing.encoded())
        return
    if out is None or out.is_dir():
        out = (out or Path()) / f"{name_for(kind, drawing.truth)}.jpg"
    image, scenario = write_picture(drawing, out)
    print(f"{image}  {drawing.image.width}x{drawing.image.height}  {drawing.truth}\n{scenario}")


def _write_many(picture: "Draw", kind: str, count: int, seed: int, out: Path | None) -> None:
    from mock_server.drawing.fixture_files import write_set

    out = out or Path(f"{kind}-fixtures")
    if out.is_file():
        raise ValueError(f'"{out}" is a file; with --count, --out names a directory')
    drawn = write_set(picture, kind, count, seed, out)
    with click.progressbar(drawn, length=count, label="drawing", file=sys.stderr) as bar:
        total = sum(1 for _ in bar)
    print(f"{total} pictures with their scenarios in {out}")


def _parsed_size(written: str | None) -> tuple[int, int] | None:
    if written is None:
        return None
    width, _, height = written.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ValueError(f'"{written}" is no size: give width and height in pixels, such as 1024x768')
    return int(width), int(height)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What cannot be drawn is a mistake in how the command was used: exit code 2, with a hint."""
    from mock_server.drawing.draw import UnknownNameError
    from mock_server.suggest import suggest

    try:
        yield
    except UnknownNameError as error:
        hint = suggest(error.word, error.known) or f"known: {', '.join(error.known)}"
        raise click.UsageError(f"{error}: {hint}") from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
