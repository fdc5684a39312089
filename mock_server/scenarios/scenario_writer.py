"""Drawn pictures as fixture files: the scenario's YAML, exactly as a user would write it."""

import json
import re
from collections.abc import Mapping, Sequence

from mock_server.drawing.truth import PlateTruth, Truth
from mock_server.imaging.geometry import Box

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
"""What a fixture file can hold."""

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ %-]*")


def scenario_yaml(
    name: str,
    image_path: str,
    truth: Truth,
    *,
    description: str = "",
    when: Mapping[str, Value] | None = None,
    then: Sequence[Mapping[str, Value]] = (),
    plate: Mapping[str, Value] | None = None,
    vin: Mapping[str, Value] | None = None,
) -> str:
    """The text of a scenario file for a picture at `image_path` (relative to the scenario file) that shows `truth`.

    `when` and `then` are added as they are; `plate` and `vin` are merged into the first plate's and the VIN's reading
    (scores, candidates).
    """
    reading = reading_of(truth, plate or {}, vin or {})
    return scenario_text(
        name, {"image": image_path, **(when or {})}, reading, description=description, then=then
    )


def scenario_text(
    name: str,
    when: Mapping[str, Value],
    reading: Mapping[str, Value],
    *,
    description: str = "",
    then: Sequence[Mapping[str, Value]] = (),
) -> str:
    """The text of a scenario file, written as people write it."""
    lines = [f"scenario: {name}"]
    if description:
        lines.append(f"description: {_flow(description)}")
    lines += ["when:", *_block(when, "  ")]
    if reading:
        lines += ["reading:", *_nested(reading)]
    if then:
        lines += ["then:", *(f"  - {_flow(step)}" for step in then)]
    return "\n".join(lines) + "\n"


def reading_of(truth: Truth, plate: Mapping[str, Value], vin: Mapping[str, Value]) -> dict[str, Value]:
    """What a scenario file says about a picture; `plate` and `vin` are merged into the first plate and the VIN."""
    reading: dict[str, Value] = {}
    plates: list[Value] = [
        {**_plate(each), **(plate if number == 0 else {})} for number, each in enumerate(truth.plates)
    ]
    if len(plates) == 1:
        reading["plate"] = plates[0]
    elif plates:
        reading["plates"] = plates
    if truth.vin:
        reading["vin"] = {"text": truth.vin.text, "box": corners(truth.vin.box), **vin}
    if truth.text:
        reading["text"] = truth.text
    return reading


def _nested(reading: Mapping[str, Value]) -> list[str]:
    """The reading with each plate and the VIN spread over lines."""
    lines: list[str] = []
    for key, value in reading.items():
        if isinstance(value, Mapping):
            lines += [f"  {key}:", *_block(value, "    ")]
        elif isinstance(value, list):
            lines.append(f"  {key}:")
            for each in value:
                first, *rest = _block(each, "      ")
                lines += ["    - " + first.strip(), *rest]
        else:
            lines.append(f"  {key}: {_flow(value)}")
    return lines


def _plate(truth: PlateTruth) -> dict[str, Value]:
    found: dict[str, Value] = {"text": truth.text, "region": truth.region, "box": corners(truth.box)}
    if truth.vehicle:
        found["vehicle"] = {"type": truth.vehicle.type, "box": corners(truth.vehicle.box)}
    return found


def corners(box: Box) -> list[Value]:
    """A box as fixture files give it."""
    return [box.xmin, box.ymin, box.xmax, box.ymax]


def _block(values: Mapping[str, Value], indent: str) -> list[str]:
    return [f"{indent}{key}: {_flow(value)}" for key, value in values.items()]


def _flow(value: Value) -> str:
    """The value on one line; text is quoted where YAML would not read it as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            value
            if _PLAIN.fullmatch(value) and not value.endswith(" ")
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return str(value)
