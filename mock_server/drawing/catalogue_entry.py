"""One entry of the shipped fixture set, and short ways to say how its picture is drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mock_server.drawing.camera import Shot
from mock_server.drawing.draw import Drawing, draw_plate, draw_scene, draw_vin
from mock_server.drawing.scene_drawing import Parked
from mock_server.scenarios.scenario_writer import Value

_SCENE = (960, 720)
_CROP = (560, 320)
_USUAL = Shot(quality=82)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped scenario: its name, a sentence for those who browse, its picture, and what else its file says."""

    name: str
    description: str
    draw: Callable[[int], Drawing]
    when: Mapping[str, Value] = field(default_factory=dict)
    then: Sequence[Mapping[str, Value]] = ()
    plate: Mapping[str, Value] = field(default_factory=dict)
    vin: Mapping[str, Value] = field(default_factory=dict)


def scene(
    *cars: Parked, place: str = "street", shot: Shot = _USUAL, size: tuple[int, int] = _SCENE
) -> Callable[[int], Drawing]:
    """Draws vehicles in a place."""
    return lambda seed: draw_scene(cars, place=place, size=size, seed=seed, shot=shot)


def plate(
    text: str, region: str, body: str, paint: str, shot: Shot = _USUAL, *, two_line: bool = False
) -> Callable[[int], Drawing]:
    """Draws a plate close up; each from a somewhat other side."""

    def drawn(seed: int) -> Drawing:
        car = Parked(body, paint, text, region, yaw=(seed * 7 % 17 - 8) / 8, two_line=two_line)
        aslant = replace(shot, rotate=(seed * 5 % 13 - 6) * 0.5)
        return draw_plate(car, size=_CROP, seed=seed, shot=aslant)

    return drawn


def vin(
    text: str, style: str, *, size: tuple[int, int] = (896, 504), shot: Shot = _USUAL
) -> Callable[[int], Drawing]:
    """Draws a VIN, or a label that has none."""
    return lambda seed: draw_vin(text, style=style, size=size, seed=seed, shot=shot)


def candidates(*readings: tuple[str, float], score: str = "score") -> list[Value]:
    return [{"text": text, score: value} for text, value in readings]
