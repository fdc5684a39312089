"""The verb `add`."""

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

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
    help="The fixtures directory; made if it does not exist.",
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
        raise click.UsageError("give what the photo shows: either --plate or --vin")
    if region is not None and vin is not None:
        raise click.UsageError("--region goes with --plate")
    name = name or _plain(image.stem)
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise click.UsageError(f'"{name}" is no scenario name: use a-z, 0-9 and hyphens')
    data = image.read_bytes()
    _refuse_what_is_no_picture(image, data)
    place = _given_box(box, data) if box else _proposed_box(data, plate or vin or "")
    _refuse_what_is_known(fixtures, name, data)
    product, text = ("vin", vin) if plate is None else ("plate", plate)
    written = _write(fixtures, image, name, _reading(product, text or "", region, place))
    print("\n".join(str(path) for path in written))


def _refuse_what_is_no_picture(image: Path, data: bytes) -> None:
    from mock_server.errors import ImageError
    from mock_server.imaging.decode import decode

    try:
        decode(data)
    except ImageError as error:
        _refuse(f"{image}: no picture that can be read: {type(error).__name__} {error}".rstrip())


def _proposed_box(data: bytes, text: str) -> "Box | None":
    """Where a text of that length seems to stand, said aloud; None where nothing looks like it."""
    from mock_server.imaging.text_detection import propose_box

    box = propose_box(data, characters=sum(char.isalnum() for char in text))
    if box is None:
        told = (
            "found no such text in the photo, so all of it will be compared; --box says where the text stands"
        )
    else:
        told = f"the text seems to stand at {box.xmin},{box.ymin},{box.xmax},{box.ymax}; --box corrects that"
    click.echo(told, err=True)
    return box


def _plain(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "photo"


def _given_box(written: str, data: bytes) -> "Box":
    from mock_server.imaging.decode import decode
    from mock_server.imaging.geometry import Box

    parts = [part.strip() for part in written.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.UsageError(f'"{written}" is no box: give xmin,ymin,xmax,ymax in whole pixels')
    box = Box(*(int(part) for part in parts))
    size = decode(data).size
    if box.width <= 0 or box.height <= 0 or box.clamped(*size) != box:
        raise click.UsageError(
            f"the box {written} is empty or leaves the picture, which is {size[0]}x{size[1]}"
        )
    return box


def _refuse_what_is_known(fixtures: Path, name: str, data: bytes) -> None:
    """End with exit code 1 where the set has this name, or a picture that would be taken for this one."""
    from mock_server.core.library import references_of
    from mock_server.imaging.index import ImageIndex
    from mock_server.scenarios.load import load

    if not fixtures.is_dir():
        return
    known = load(fixtures).set
    if any(scenario.name == name for scenario in known.scenarios):
        _refuse(f'there is a scenario "{name}" in {fixtures} already; give another --name')
    found = ImageIndex.build(references_of(known)).find(data).matches
    if found:
        names = [scenario.name for scenario in known.scenarios if found[0].id in scenario.when.images]
        owner = f'scenario "{names[0]}"' if names else "no scenario"
        _refuse(f"the photo cannot be told from {fixtures / found[0].id}, the picture of {owner}")


def _refuse(why: str) -> NoReturn:
    click.echo(f"vehicle-ocr-mock: {why}", err=True)
    sys.exit(1)


def _reading(product: str, text: str, region: str | None, box: "Box | None") -> "dict[str, Value]":
    from mock_server.scenarios.scenario_writer import corners

    if region is None and box is None:
        return {product: text}
    facts: dict[str, Value] = {"text": text}
    if region is not None:
        facts["region"] = region
    if box is not None:
        facts["box"] = corners(box)
    return {product: facts}


def _write(fixtures: Path, image: Path, name: str, reading: "dict[str, Value]") -> tuple[Path, Path]:
    """Copy the photo and write its scenario; nothing stays behind when the set cannot be loaded with them."""
    from mock_server.errors import FixturesError
    from mock_server.scenarios.load import load
    from mock_server.scenarios.scenario_writer import scenario_text

    copy = fixtures / "images" / f"{name}{image.suffix.lower()}"
    scenario = fixtures / "scenarios" / f"{name}.yaml"
    for path in (copy, scenario):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _refuse(f"{path} exists already; give another --name")
    shutil.copyfile(image, copy)
    scenario.write_text(scenario_text(name, {"image": f"../images/{copy.name}"}, reading), encoding="utf-8")
    try:
        load(fixtures)
    except FixturesError:
        copy.unlink()
        scenario.unlink()
        raise
    return copy, scenario
