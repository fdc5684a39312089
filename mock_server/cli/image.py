"""The verb `image`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mock_server.drawing.draw import Drawing
    from mock_server.drawing.fixture_files import Draw
    from mock_server.drawing.truth import Truth


class _Kind(StrEnum):
    PLATE = "plate"
    VIN = "vin"
    SCENE = "scene"


def command(
    kind: Annotated[_Kind, typer.Argument(help="A plate close up, a VIN, or a scene with a vehicle.")],
    text: Annotated[
        str | None, typer.Option(help='The plate or VIN; chosen when not given. "": no plate.')
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region code of the plate, such as us-ca, gb or de.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="Width and height in pixels, such as 1024x768.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same picture.")] = 0,
    place: Annotated[str | None, typer.Option(help="street, parking, garage or country.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="sedan, suv, pickup, van, sedan-front …")] = None,
    paint: Annotated[str | None, typer.Option(help="The vehicle's colour: white, red, navy …")] = None,
    style: Annotated[
        str | None, typer.Option(help="How a VIN is shown: plate, pricked, sticker, dashboard; or label.")
    ] = None,
    two_line: Annotated[bool, typer.Option("--two-line", help="The plate in two lines.")] = False,
    blur: Annotated[float, typer.Option(min=0, max=20, help="Radius of a soft focus in pixels.")] = 0.0,
    motion: Annotated[float, typer.Option(min=0, max=60, help="Length of a motion blur in pixels.")] = 0.0,
    glare: Annotated[float, typer.Option(min=0, max=1, help="Sun or flash on the text, 0 to 1.")] = 0.0,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Sensor noise, 0 to 1.")] = 0.1,
    rotate: Annotated[float, typer.Option(min=-45, max=45, help="Degrees clockwise.")] = 0.0,
    night: Annotated[float, typer.Option(min=0, max=1, help="How dark it is, 0 to 1.")] = 0.0,
    rain: Annotated[float, typer.Option(min=0, max=1, help="How hard it rains, 0 to 1.")] = 0.0,
    quality: Annotated[int, typer.Option(min=1, max=100, help="JPEG quality.")] = 86,
    count: Annotated[int | None, typer.Option(min=1, help="Draw so many, as a fixtures directory.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="File (.jpg, .png, .webp), or directory with --count.")
    ] = None,
) -> None:
    """Draw a picture, and write a ready scenario file beside it."""
    from mock_server.drawing.camera import Shot
    from mock_server.drawing.draw import draw

    shot = Shot(blur, motion, glare, noise, rotate, night, rain, quality)
    with _usage_errors():
        picture = partial(
            draw,
            kind.value,
            text=text,
            region=region,
            size=_parsed_size(size),
            place=place,
            body=vehicle,
            paint=paint,
            style=style,
            two_line=two_line,
            shot=shot,
        )
        if count is None:
            _check_name(out)
            _write_one(picture(seed=seed), kind.value, out)
        else:
            _write_many(picture, kind.value, count, seed, out)


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
    print(f"{image}  {drawing.image.width}x{drawing.image.height}  {_shown(drawing.truth)}\n{scenario}")


def _write_many(picture: "Draw", kind: str, count: int, seed: int, out: Path | None) -> None:
    from mock_server.drawing.fixture_files import write_set

    out = out or Path(f"{kind}-fixtures")
    if out.is_file():
        raise ValueError(f'"{out}" is a file; with --count, --out names a directory')
    drawn = write_set(picture, kind, count, seed, out)
    with typer.progressbar(drawn, length=count, label="drawing", file=sys.stderr) as bar:
        total = sum(1 for _ in bar)
    print(f"{total} pictures with their scenarios in {out}")


def _shown(truth: "Truth") -> str:
    """What a picture shows, in a few words."""
    plates = [f"{plate.text} ({plate.region})" for plate in truth.plates]
    vin = [truth.vin.text] if truth.vin else []
    return ", ".join([*plates, *vin, *([truth.text] if truth.text else [])]) or "nothing to read"


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
        raise typer.BadParameter(f"{error}: {hint}") from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
