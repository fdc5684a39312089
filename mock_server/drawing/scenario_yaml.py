"""The scenario file of a drawn picture."""

from collections.abc import Mapping, Sequence

from mock_server.drawing.truth import PlateTruth, Truth
from mock_server.scenarios.scenario_writer import Value, corners, scenario_text


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


def _plate(truth: PlateTruth) -> dict[str, Value]:
    found: dict[str, Value] = {"text": truth.text, "region": truth.region, "box": corners(truth.box)}
    if truth.vehicle:
        found["vehicle"] = {"type": truth.vehicle.type, "box": corners(truth.vehicle.box)}
    return found
