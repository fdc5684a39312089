"""The verb `add`."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mock_server.imaging.geometry import Box
    from mock_server.scenarios.scenario_writer import Value


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plate", help="The plate in the photo.")
@click.option("--vin", help="The VIN in the photo.")
@click.option("--region", help="The plate's region code, such as us-ca.")
@click.option("--box", help="Position of the text: xmin,ymin,xmax,ymax in pixels of the upright photo.")
@click.option("--name", help="Name of the scenario. Default: the photo's name.")
@click.option(
    "--fixtures",
    type=click.Path(path_type=Path),
    default="fixtures",
    show_default=True,
    help="The fixtures directory; created if it does not exist.",
)
def command(
    image: Path,
    plate: str | None,
    vin: str | None,
    region: str | None,
    box: str | None,
    name: str | None,
    fixtures: Path,
) -> None:
    """Turn a photo into a scenario: copy it into the fixtures directory and write its scenario file."""
    if (plate is None) == (vin is None):
        raise click.UsageError("give the text in the photo, either --plate or --vin")
    if region is not None and vin is not None:
        raise click.UsageError("--region can be given with --plate only")
    name = name or re.sub(r"[^a-z0-9]+", "-", image.stem.lower()).strip("-") or "photo"
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise click.UsageError(f'"{name}" is not a scenario name: use a-z, 0-9 and hyphens')
    data = image.read_bytes()
    size = _size(image, data)
    product, text = ("plate", plate) if plate is not None else ("vin", vin or "")
    position = _parse_box(box, size) if box else _propose_box(data, text)
    _check_is_new(fixtures, name, data)
    for path in _write(fixtures, image, name, {product: _reading(text, region, position)}):
        click.echo(path)


def _size(image: Path, data: bytes) -> tuple[int, int]:
    from mock_server.errors import ImageError
    from mock_server.imaging.decode import decode

    try:
        return decode(data).size
    except ImageError as error:
        reason = f"{type(error).__name__} {error}".rstrip()
        raise click.ClickException(f"{image} is not a readable picture: {reason}") from None


def _propose_box(data: bytes, text: str) -> "Box | None":
    """The position where a text of this length is likely; None where no area looks like text."""
    from mock_server.imaging.text_detection import propose_box

    box = propose_box(data, characters=sum(char.isalnum() for char in text))
    if box is None:
        click.echo(
            "found no text in the photo: the whole photo will be compared, unless you give --box", err=True
        )
    else:
        corners = f"{box.xmin},{box.ymin},{box.xmax},{box.ymax}"
        click.echo(f"the text seems to be at {corners}; if not, give --box", err=True)
    return box


def _parse_box(written: str, size: tuple[int, int]) -> "Box":
    from mock_server.imaging.geometry import Box

    parts = [part.strip() for part in written.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.UsageError(f'"{written}" is not a box: give xmin,ymin,xmax,ymax in whole pixels')
    box = Box(*(int(part) for part in parts))
    if box.width <= 0 or box.height <= 0 or box.clamped(*size) != box:
        raise click.UsageError(
            f"the box {written} is empty or outside the picture of {size[0]}x{size[1]} pixels"
        )
    return box


def _check_is_new(fixtures: Path, name: str, data: bytes) -> None:
    """Fail if the fixtures already have this name, or a picture that could not be distinguished from this one."""
    from mock_server.core.library import references_of
    from mock_server.imaging.index import ImageIndex
    from mock_server.scenarios.load import load

    if not fixtures.is_dir():
        return
    existing = load(fixtures).set
    if any(scenario.name == name for scenario in existing.scenarios):
        raise click.ClickException(f'{fixtures} already has a scenario "{name}"; give another --name')
    matches = ImageIndex.build(references_of(existing)).find(data).matches
    if matches:
        id = matches[0].id
        names = [f'scenario "{one.name}"' for one in existing.scenarios if id in one.when.images]
        owner = names[0] if names else "no scenario"
        raise click.ClickException(
            f"the photo cannot be distinguished from {fixtures / id}, the picture of {owner}"
        )


def _reading(text: str, region: str | None, box: "Box | None") -> "Value":
    from mock_server.scenarios.scenario_writer import corners

    if region is None and box is None:
        return text
    reading: dict[str, Value] = {"text": text}
    if region is not None:
        reading["region"] = region
    if box is not None:
        reading["box"] = corners(box)
    return reading


def _write(fixtures: Path, image: Path, name: str, reading: "dict[str, Value]") -> tuple[Path, Path]:
    """Copy the photo and write its scenario. Both are deleted again if the fixtures cannot be loaded with them."""
    from mock_server.errors import FixturesError
    from mock_server.scenarios.load import load
    from mock_server.scenarios.scenario_writer import scenario_text

    copy = fixtures / "images" / f"{name}{image.suffix.lower()}"
    scenario = fixtures / "scenarios" / f"{name}.yaml"
    for path in (copy, scenario):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise click.ClickException(f"{path} already exists; give another --name")
    shutil.copyfile(image, copy)
    scenario.write_text(scenario_text(name, {"image": f"../images/{copy.name}"}, reading), encoding="utf-8")
    try:
        load(fixtures)
    except FixturesError:
        copy.unlink()
        scenario.unlink()
        raise
    return copy, scenario
