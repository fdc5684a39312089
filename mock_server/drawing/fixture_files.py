"""Drawn pictures written as fixtures: one picture with its scenario beside it, or a whole directory of them."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Protocol

from mock_server.drawing.drawn_picture import Drawing, PlateTruth, Truth
from mock_server.scenarios.scenario_writer import Value, corners, scenario_text

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""File name extension to the format that is written."""

_FEW = 4
_MOCK_YAML = """\
accounts:
  - {name: demo, key: demo-key}
unmatched: nothing_found
"""


class Draw(Protocol):
    """Draws the picture of a seed; larger sets are drawn in several processes, so it must be picklable."""

    def __call__(self, *, seed: int) -> Drawing: ...


def name_for(kind: str, truth: Truth) -> str:
    """A plain name for a picture, from what it shows."""
    words = [kind, *(f"{plate.region}-{plate.text}" for plate in truth.plates)]
    words += [truth.vin.text] if truth.vin else []
    words += [truth.text] if truth.text else []
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")


def write_picture(drawing: Drawing, image: Path) -> tuple[Path, Path]:
    """Write a picture, and its scenario file beside it; returns both paths. The extension chooses the format."""
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(drawing.encoded(FORMATS[image.suffix.lower()]))
    scenario = image.with_suffix(".yaml")
    name = re.sub(r"[^a-z0-9]+", "-", image.stem.lower()).strip("-") or "picture"
    scenario.write_text(_scenario(name, image.name, drawing), encoding="utf-8")
    return image, scenario


def write_set(draw: Draw, kind: str, count: int, seed: int, out: Path) -> Iterator[Path]:
    """Write a fixtures directory with `count` pictures drawn from `seed` on; yields each picture when it is there."""
    for folder in ("images", "scenarios"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    mock = out / "mock.yaml"
    if not mock.exists():
        mock.write_text(_MOCK_YAML, encoding="utf-8")
    width = max(4, len(str(count)))
    jobs = [(f"{kind}-{number:0{width}d}", seed + number - 1) for number in range(1, count + 1)]
    if count <= _FEW:
        yield from (_write_one(draw, name, each, out) for name, each in jobs)
        return
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        names, seeds = zip(*jobs, strict=True)
        yield from pool.map(_write_one, [draw] * count, names, seeds, [out] * count)


def _write_one(draw: Draw, name: str, seed: int, out: Path) -> Path:
    drawing = draw(seed=seed)
    image = out / "images" / f"{name}.jpg"
    image.write_bytes(drawing.encoded())
    text = _scenario(name, f"../images/{image.name}", drawing)
    (out / "scenarios" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return image


def _scenario(name: str, image_path: str, drawing: Drawing) -> str:
    return scenario_text(name, {"image": image_path}, reading_of(drawing.truth))


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
