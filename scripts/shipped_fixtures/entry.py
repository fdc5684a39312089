"""One entry of the shipped set, and functions that describe how to draw its picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mock_server.drawing.camera import Shot
from mock_server.drawing.drawn_picture import Drawing
from mock_server.drawing.fixture_files import reading_of
from mock_server.drawing.scene_drawing import Parked, draw_plate, draw_scene
from mock_server.drawing.vin_drawing import draw_vin
from mock_server.scenarios.scenario_writer import Value, yaml_text

_SCENE = (960, 720)
_CROP = (560, 320)
_USUAL = Shot(quality=82)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped scenario. `draw` draws its picture from a seed.

    `when` and `then` go into the scenario file as they are. `plate` and `vin` add fields (scores, candidates) to the
    first plate and to the VIN of the picture. `at_rim`: the boxes of plates are those of the whole plate, not of its
    text.
    """

    name: str
    description: str
    draw: Callable[[int], Drawing]
    when: Mapping[str, Value] = field(default_factory=dict)
    then: Sequence[Mapping[str, Value]] = ()
    plate: Mapping[str, Value] = field(default_factory=dict)
    vin: Mapping[str, Value] = field(default_factory=dict)
    at_rim: bool = False

    def scenario(self, image_path: str, drawing: Drawing) -> str:
        """The text of the scenario file for `drawing`, which is stored at `image_path`."""
        truth = drawing.truth
        if self.at_rim:
            truth = replace(truth, plates=tuple(replace(plate, box=plate.rim) for plate in truth.plates))
        reading = reading_of(truth)
        match reading:
            case {"plate": dict() as plate}:
                plate.update(self.plate)
            case {"plates": [dict() as plate, *_]}:
                plate.update(self.plate)
            case {"vin": dict() as vin}:
                vin.update(self.vin)
        document = {
            "scenario": self.name,
            "description": self.description,
            "when": {"image": image_path, **self.when},
            "reading": reading,
            "then": self.then,
        }
        return yaml_text({name: value for name, value in document.items() if value})


def scene(
    *cars: Parked, place: str = "street", shot: Shot = _USUAL, size: tuple[int, int] = _SCENE
) -> Callable[[int], Drawing]:
    """Draws vehicles in a place."""
    return lambda seed: draw_scene(cars, place=place, size=size, seed=seed, shot=shot)


def plate(
    text: str, region: str, body: str, paint: str, shot: Shot = _USUAL, *, two_line: bool = False
) -> Callable[[int], Drawing]:
    """Draws a plate close up. The seed also sets the angle, so that the close-ups differ."""

    def from_seed(seed: int) -> Drawing:
        car = Parked(body, paint, text, region, yaw=(seed * 7 % 17 - 8) / 8, two_line=two_line)
        rotated = replace(shot, rotate=(seed * 5 % 13 - 6) * 0.5)
        return draw_plate(car, size=_CROP, seed=seed, shot=rotated)

    return from_seed


def vin(text: str, style: str, *, size: tuple[int, int] = (896, 504), shot: Shot = _USUAL) -> Callable[[int], Drawing]:
    """Draws a VIN, or a label whose text is not a VIN."""
    return lambda seed: draw_vin(text, style=style, size=size, seed=seed, shot=shot)


def candidates(*readings: tuple[str, float], score: str = "score") -> list[Value]:
    """The candidates of a reading as a scenario file lists them: text and score."""
    return [{"text": text, score: value} for text, value in readings]
