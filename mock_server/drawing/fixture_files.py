"""Drawn pictures as fixture files: one picture with its scenario, or a fixtures directory with many."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from mock_server.drawing.drawn_picture import Drawing, PlateTruth, Truth
from mock_server.scenarios.scenario_writer import Value, corners, yaml_text

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""File name extension to Pillow's format."""

# So many pictures take less time than the start of more processes.
_FEW = 4
_MOCK_YAML = """\
accounts:
  - {name: demo, key: demo-key}
unmatched: nothing_found
"""


def name_for(kind: str, truth: Truth) -> str:
    """A scenario name for a picture, made from its text."""
    words = [kind, *(f"{plate.region}-{plate.text}" for plate in truth.plates)]
    words += [truth.vin.text] if truth.vin else []
    words += [truth.text] if truth.text else []
    return _plain(" ".join(words))


def write_picture(drawing: Drawing, image: Path) -> tuple[Path, Path]:
    """Write a picture, with its scenario file beside it, and return both paths. The extension decides the format."""
    scenario = image.with_suffix(".yaml")
    _write(drawing, _plain(image.stem) or "picture", image, scenario, image.name)
    return image, scenario


def write_set(draw: Callable[..., Drawing], kind: str, count: int, seed: int, out: Path) -> Iterator[Path]:
    """Write a fixtures directory with `count` pictures, on all cores. Yields each picture when it is written.

    The first picture has the seed `seed`, the next one `seed` + 1. `draw` takes `seed`; it must be
    picklable, because several processes share a large set.
    """
    out.mkdir(parents=True, exist_ok=True)
    mock = out / "mock.yaml"
    if not mock.exists():
        mock.write_text(_MOCK_YAML, encoding="utf-8")
    width = max(4, len(str(count)))
    names = [f"{kind}-{number:0{width}d}" for number in range(1, count + 1)]
    write = partial(_write_one, draw, out)
    if count <= _FEW:
        yield from map(write, names, range(seed, seed + count))
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(write, names, range(seed, seed + count))


def _write_one(draw: Callable[..., Drawing], out: Path, name: str, seed: int) -> Path:
    image = out / "images" / f"{name}.jpg"
    _write(draw(seed=seed), name, image, out / "scenarios" / f"{name}.yaml", f"../images/{image.name}")
    return image


def _write(drawing: Drawing, name: str, image: Path, scenario: Path, image_path: str) -> None:
    for path in (image, scenario):
        path.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(drawing.encoded(FORMATS[image.suffix.lower()]))
    document = {"scenario": name, "when": {"image": image_path}}
    if reading := reading_of(drawing.truth):
        document["reading"] = reading
    scenario.write_text(yaml_text(document), encoding="utf-8")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def reading_of(truth: Truth) -> dict[str, Value]:
    """`truth` as the field `reading` of a scenario file."""
    reading: dict[str, Value] = {}
    plates: list[Value] = [_plate(plate) for plate in truth.plates]
    if len(plates) == 1:
        reading["plate"] = plates[0]
    elif plates:
        reading["plates"] = plates
    if truth.vin:
        reading["vin"] = {"text": truth.vin.text, "box": corners(truth.vin.box)}
    if truth.text:
        reading["text"] = truth.text
    return reading


def _plate(plate: PlateTruth) -> dict[str, Value]:
    vehicle: Value = {"type": plate.vehicle.type, "box": corners(plate.vehicle.box)}
    return {"text": plate.text, "region": plate.region, "box": corners(plate.box), "vehicle": vehicle}
