"""Drawn pictures as fixture files: the scenario's YAML, exactly as a user would write it."""

import json
import re
from collections.abc import Mapping, Sequence

from mock_server.imaging.geometry import Box
from mock_server.imaging.synth.truth import PlateTruth, Truth

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
    lines = [f"scenario: {name}"]
    if description:
        lines.append(f"description: {_flow(description)}")
    lines += ["when:", f"  image: {_flow(image_path)}"]
    lines += [f"  {key}: {_flow(value)}" for key, value in (when or {}).items()]
    lines += _reading_lines(truth, plate or {}, vin or {})
    if then:
        lines.append("then:")
        lines += [f"  - {_flow(step)}" for step in then]
    return "\n".join(lines) + "\n"


def _reading_lines(truth: Truth, plate: Mapping[str, Value], vin: Mapping[str, Value]) -> list[str]:
    lines: list[str] = []
    plates = [_plate(each) for each in truth.plates]
    if plates:
        plates[0] = {**plates[0], **plate}
    if len(plates) == 1:
        lines += ["  plate:", *_block(plates[0], "    ")]
    elif plates:
        lines.append("  plates:")
        for each in plates:
            first, *rest = _block(each, "      ")
            lines += ["    - " + first.strip(), *rest]
    if truth.vin:
        lines += ["  vin:", *_block({"text": truth.vin.text, "box": _corners(truth.vin.box), **vin}, "    ")]
    if truth.text:
        lines.append(f"  text: {_flow(truth.text)}")
    return ["reading:", *lines] if lines else []


def _plate(truth: PlateTruth) -> dict[str, Value]:
    found: dict[str, Value] = {"text": truth.text, "region": truth.region, "box": _corners(truth.box)}
    if truth.vehicle:
        found["vehicle"] = {"type": truth.vehicle.type, "box": _corners(truth.vehicle.box)}
    return found


def _corners(box: Box) -> list[Value]:
    return [box.xmin, box.ymin, box.xmax, box.ymax]


def _block(values: Mapping[str, Value], indent: str) -> list[str]:
    return [f"{indent}{key}: {_flow(value)}" for key, value in values.items()]


def _flow(value: Value) -> str:
    """The value on one line; text is quoted where YAML would not read it as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and not value.endswith(" ") else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return str(value)
