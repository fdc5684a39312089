"""The verb `add`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.cli.options import complete, provider_names, unreadable
from mock_server.cli.provider_reply import asked_reading, remove_unfit_boxes, stored_reading
from mock_server.settings import Settings

if TYPE_CHECKING:
    from mock_server.core.scenario import Scenario
    from mock_server.imaging.decode import Picture
    from mock_server.imaging.geometry import Box
    from mock_server.providers.provider import ReadingDocument
    from mock_server.scenarios.scenario_files import ScenarioFiles


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("fixtures", type=click.Path(path_type=Path), required=False)
@click.option("--plate", help="The plate in the photo.")
@click.option("--vin", help="The VIN in the photo.")
@click.option(
    "--reply", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Take the text from a stored reply."
)
@click.option(
    "--ask",
    metavar="PROVIDER",
    shell_complete=complete(partial(provider_names, only_real=True)),
    help="Send the photo once to the real vehicore or carsxe, and take its reply.",
)
@click.option("--product", type=click.Choice(["plate", "vin"]), help="What --ask reads, or --reply has read.")
@click.option("--yes", is_flag=True, help="Do not ask whether --ask may send the photo.")
@click.option("--base-url", help="Another address than the provider's own, for --ask.")
@click.option("--image-url", help="Public URL of the photo, for --ask: sent instead of the photo itself.")
@click.option("--region", help="The plate's region code, such as us-ca.")
@click.option("--box", help="Position of the text: xmin,ymin,xmax,ymax in pixels of the upright photo.")
@click.option("--name", help="Name of the scenario. Default: the photo's name.")
@click.option("--replace", is_flag=True, help="Replace the scenario of this name, and its picture.")
@click.option("--show", type=click.Path(path_type=Path), help="Write a PNG of the photo with the box drawn on it.")
@click.option("--fixtures", "directory", type=click.Path(path_type=Path), help="The same as FIXTURES.")
def command(
    image: Path,
    fixtures: Path | None,
    plate: str | None,
    vin: str | None,
    reply: Path | None,
    ask: str | None,
    product: str | None,
    yes: bool,
    base_url: str | None,
    image_url: str | None,
    region: str | None,
    box: str | None,
    name: str | None,
    replace: bool,
    show: Path | None,
    directory: Path | None,
) -> None:
    """Turn a photo into a scenario of a fixtures directory.

    The photo is copied into FIXTURES, and its scenario file is written. Without FIXTURES, the directory of
    VEHICLE_OCR_MOCK_FIXTURES or ./fixtures is used. It is created if it does not exist.

    --ask sends one call with the key in VEHICORE_API_KEY or CARSXE_API_KEY. It shows first what the call costs. Only
    what is on the photo is taken from a reply: no key, no id, no name of a file.
    """
    if sum(source is not None for source in (plate, vin, reply, ask)) != 1:
        raise click.UsageError("give the text in the photo: one of --plate, --vin, --reply and --ask")
    if region is not None and plate is None:
        raise click.UsageError("--region can be given with --plate only")
    if fixtures and directory:
        raise click.UsageError("give the fixtures directory as an argument or as --fixtures, not both")
    name = _scenario_name(name or re.sub(r"[^a-z0-9]+", "-", image.stem.lower()).strip("-") or "photo")
    fixtures = fixtures or directory or Settings.resolve({}).fixtures or Path("fixtures")
    data = image.read_bytes()
    photo = _decode(image, data)
    files = _files(fixtures)
    with _conflicts():
        replaced = files.check_is_new(name, data, is_replacing=replace)
    given = _parse_box(box, photo.size) if box else None
    if ask is not None:
        reading = asked_reading(
            ask, image, product or "plate", base_url=base_url, image_url=image_url, is_confirmed=yes
        )
    elif reply is not None:
        reading = stored_reading(reply, product)
    else:
        reading = _given_reading(plate, vin, region)
    position = _place(reading, photo.size, given, data)
    copy = fixtures / "images" / f"{name}{image.suffix.lower()}"
    with _conflicts():
        written = _write(files, name, copy, data, reading, replaced)
    for path in written:
        click.echo(path)
    if show is not None:
        _show(photo, position, show)


def _scenario_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise click.UsageError(f'"{name}" is not a scenario name: use a-z, 0-9 and hyphens')
    return name


def _given_reading(plate: str | None, vin: str | None, region: str | None) -> "ReadingDocument":
    if vin is not None:
        return {"vin": {"text": vin}}
    return {"plate": {"text": plate} | ({"region": region} if region is not None else {})}


def _decode(image: Path, data: bytes) -> "Picture":
    from mock_server.errors import ImageError
    from mock_server.imaging.decode import decode

    try:
        return decode(data)
    except ImageError as error:
        raise unreadable(image, error) from None


def _files(fixtures: Path) -> "ScenarioFiles":
    from mock_server.providers.registry import vocabulary
    from mock_server.scenarios.scenario_files import ScenarioFiles

    return ScenarioFiles(fixtures, vocabulary())


@contextmanager
def _conflicts() -> Iterator[None]:
    """Show a conflict with files that exist as an error of the command."""
    from mock_server.errors import ConflictError

    try:
        yield
    except ConflictError as error:
        raise click.ClickException(str(error)) from None


def _propose_box(data: bytes, text: str) -> "Box | None":
    """The position where a text of this length is likely; None where no area looks like text."""
    from mock_server.imaging.box_proposal import propose_box

    box = propose_box(data, characters=sum(char.isalnum() for char in text))
    if box is None:
        click.echo("found no text in the photo: the whole photo will be compared, unless you give --box", err=True)
    else:
        corners = f"{box.xmin},{box.ymin},{box.xmax},{box.ymax}"
        click.echo(f"the text seems to be at {corners}; if not, give --box and --replace", err=True)
    return box


def _parse_box(written: str, size: tuple[int, int]) -> "Box":
    from mock_server.imaging.geometry import Box

    parts = [part.strip() for part in written.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.UsageError(f'"{written}" is not a box: give xmin,ymin,xmax,ymax in whole pixels')
    box = Box(*(int(part) for part in parts))
    if box.width <= 0 or box.height <= 0 or box.clamped(*size) != box:
        raise click.UsageError(f"the box {written} is empty or outside the picture of {size[0]}x{size[1]} pixels")
    return box


def _place(reading: "ReadingDocument", size: tuple[int, int], given: "Box | None", data: bytes) -> "Box | None":
    """Put a box around the first text, if it has none: the given one, or one that is likely. Returns that text's box.

    Boxes that do not fit the photo are removed.
    """
    from mock_server.imaging.geometry import Box
    from mock_server.scenarios.scenario_writer import corners

    for text in remove_unfit_boxes(reading, size):
        click.echo(f"the box of {text} does not fit the photo and was left out", err=True)
    first = next(iter(reading.get("plates") or [reading.get("plate") or reading.get("vin")]))
    if first is None:
        return given
    if given is None and "box" not in first:
        given = _propose_box(data, first["text"])
    if given is not None:
        first["box"] = corners(given)
    return Box(*first["box"]) if "box" in first else None


def _write(
    files: "ScenarioFiles", name: str, copy: Path, data: bytes, reading: "ReadingDocument", replaced: "Scenario | None"
) -> tuple[Path, Path]:
    """Copy the photo and write its scenario."""
    from mock_server.core.model import OutcomeName
    from mock_server.scenarios.scenario_writer import yaml_text

    short = {key: part["text"] if isinstance(part, dict) and len(part) == 1 else part for key, part in reading.items()}
    shown = {"reading": short} if reading else {"then": [{"outcome": OutcomeName.NOTHING_FOUND.value}]}
    text = yaml_text({"scenario": name, "when": {"image": f"../images/{copy.name}"}, **shown})
    return copy, files.write(name, text, {copy: data}, replaced)


def _show(photo: "Picture", box: "Box | None", path: Path) -> None:
    """Write the photo as a PNG, with a red line around the box."""
    from PIL import ImageDraw

    shown = photo.full().copy()
    if box is not None:
        width = max(2, max(photo.size) // 300)
        corners = (box.xmin - width, box.ymin - width, box.xmax + width - 1, box.ymax + width - 1)
        ImageDraw.Draw(shown).rectangle(corners, outline=(255, 0, 0), width=width)
    shown.save(path, "PNG")
    click.echo(path)
