"""Drawn pictures are repeatable, and their ground truth is exact."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mock_server.drawing.camera import Shot
from mock_server.drawing.designs import BODIES, DESIGNS
from mock_server.drawing.draw import Kind, UnknownNameError, draw
from mock_server.drawing.drawn_picture import Drawing
from mock_server.drawing.glyphs import DRAWABLE, STYLES, text_mask
from mock_server.drawing.scene_drawing import Parked, draw_plate, draw_scene
from mock_server.drawing.vin_drawing import draw_vin
from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vins import is_valid
from mock_server.imaging.geometry import Box

QUIET = Shot(noise=0.0)


def grey(drawing: Drawing) -> NDArray[np.int16]:
    """The picture's brightness."""
    return np.asarray(drawing.image.convert("L"), np.int16)


def changed(first: Drawing, second: Drawing, limit: int = 60) -> Box:
    """The bounding box of the pixels that differ clearly between two drawings."""
    rows, columns = np.nonzero(np.abs(grey(first) - grey(second)) > limit)
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


@pytest.mark.parametrize("kind", ["plate", "vin", "scene"])
def test_a_seed_always_draws_the_same_picture(kind: Kind) -> None:
    """The same arguments give the same bytes; another seed gives another picture."""
    first, again, other = (draw(kind, seed=seed, size=(320, 240)) for seed in (5, 5, 6))

    assert first.encoded() == again.encoded()
    assert first.truth == again.truth
    assert first.encoded() != other.encoded()


@pytest.mark.parametrize("region", PLATE_FORMATS)
def test_every_region_has_a_plate(region: str) -> None:
    """Every plate format can be drawn, and its text is inside its box; some also in two lines."""
    for two_line in (False, True) if region in ("gb", "de", "in", "us-ca") else (False,):
        drawing = draw("plate", region=region, size=(320, 200), seed=3, two_line=two_line)
        (plate,) = drawing.truth.plates

        assert plate.region == region
        assert PLATE_FORMATS[region].matches(plate.text)
        assert plate.box.clamped(320, 200) == plate.box
        assert plate.rim.xmin < plate.box.xmin < plate.box.xmax < plate.rim.xmax
        assert plate.rim.ymin < plate.box.ymin < plate.box.ymax < plate.rim.ymax
        assert np.ptp(grey(drawing)[plate.box.ymin : plate.box.ymax, plate.box.xmin : plate.box.xmax]) > 90


@pytest.mark.parametrize("text", ["A", "-AB", "AB-", "A B"])
def test_every_text_fits_on_two_lines(text: str) -> None:
    """A text is also split into two lines where it has one character, or a separator at an end."""
    drawing = draw("plate", text=text, region="in", size=(96, 64), two_line=True)

    assert [plate.text for plate in drawing.truth.plates] == [text]


def test_designs_and_formats_have_the_same_regions() -> None:
    """Every region with a plate format has a design, and the reverse."""
    assert set(DESIGNS) == set(PLATE_FORMATS)


CAR = Parked("hatchback", "silver", "AAAA 777", "es", width=0.6, yaw=0.5)
OTHER = Parked("hatchback", "silver", "MWWM 488", "es", width=0.6, yaw=0.5)


@pytest.mark.parametrize(
    "paint",
    [
        lambda car: draw_scene((car,), size=(800, 600), shot=QUIET),
        lambda car: draw_scene((car,), size=(800, 600), place="garage", shot=Shot(noise=0, rotate=9)),
        lambda car: draw_scene((car,), size=(800, 600), place="country", shot=Shot(noise=0, rotate=-20)),
        lambda car: draw_plate(car, size=(480, 300), shot=QUIET),
        lambda car: draw_plate(car, size=(480, 300), shot=Shot(noise=0, rotate=5, night=0.5)),
    ],
)
def test_boxes_are_exact(paint: Callable[[Parked], Drawing]) -> None:
    """Two pictures with different texts differ inside the texts' boxes only, up to the edges of the boxes."""
    first, second = paint(CAR), paint(OTHER)
    (one,), (two,) = first.truth.plates, second.truth.plates
    seen = changed(first, second)
    edges = [
        (seen.xmin, min(one.box.xmin, two.box.xmin)),
        (seen.ymin, min(one.box.ymin, two.box.ymin)),
        (seen.xmax, max(one.box.xmax, two.box.xmax)),
        (seen.ymax, max(one.box.ymax, two.box.ymax)),
    ]
    assert all(abs(actual - expected) <= 4 for actual, expected in edges), edges


@pytest.mark.parametrize("style", ["plate", "pricked", "sticker", "dashboard"])
def test_vin_boxes_are_exact(style: str) -> None:
    """Only the inside of the box depends on the VIN (and the bar code of a sticker)."""
    first, second = (draw_vin(text, style=style, shot=QUIET) for text in ("JHLRD77874C026456", "1M8GDM9AXKP042788"))
    assert first.truth.vin is not None
    assert second.truth.vin is not None
    box = first.truth.vin.box
    difference = np.abs(grey(first) - grey(second)) > 40
    if style == "sticker":
        difference[box.ymax + 3 :] = False
    rows, columns = np.nonzero(difference)

    assert second.truth.vin.box == box
    assert abs(int(columns.min()) - box.xmin) <= 6
    assert abs(int(columns.max()) + 1 - box.xmax) <= 6
    assert abs(int(rows.min()) - box.ymin) <= 6
    assert abs(int(rows.max()) + 1 - box.ymax) <= 6


def test_vehicles_are_inside_their_boxes() -> None:
    """A vehicle's box has the width of the vehicle and contains its plate."""
    for name, body in BODIES.items():
        with_car = draw_scene((Parked(name, "red", "AB 12", "ch", width=0.4),), size=(400, 300), shot=QUIET)
        (plate,) = with_car.truth.plates
        assert plate.vehicle is not None
        around = plate.vehicle.box

        assert plate.vehicle.type == body.kind
        assert around.xmin < plate.box.xmin < plate.box.xmax < around.xmax
        assert around.ymin < plate.box.ymin < plate.box.ymax < around.ymax
        assert 0.4 * 400 <= around.width <= 0.5 * 400


def test_plates_are_in_the_order_of_the_vehicles() -> None:
    """The ground truth has the order of the arguments, although distant vehicles are painted first."""
    near, far = (
        Parked(text="AB 1", region="ch", x=0.3, ground=0.9),
        Parked(text="CD 2", region="ch", ground=0.7, width=0.3),
    )
    drawing = draw_scene((near, far), size=(640, 480))

    assert [plate.text for plate in drawing.truth.plates] == ["AB 1", "CD 2"]


def test_a_car_without_a_plate_has_nothing_to_read() -> None:
    """An empty text draws no plate."""
    assert draw("scene", text="", size=(320, 240)).truth.plates == ()


def test_random_vins_are_valid() -> None:
    """A VIN chosen by the seed has a valid check digit; a label has no VIN."""
    for seed in range(4):
        vin = draw("vin", seed=seed, size=(320, 180)).truth.vin
        assert vin is not None
        assert is_valid(vin.text)
    label = draw("vin", text="Unleaded only", style="label", size=(320, 180)).truth
    assert (label.vin, label.text) == (None, "UNLEADED ONLY")


@pytest.mark.parametrize(
    ("shot", "effect"),
    [
        (Shot(noise=0, night=0.9), lambda plain, shown: shown.mean() < 0.6 * plain.mean()),
        (Shot(noise=1), lambda plain, shown: np.abs(np.diff(shown)).mean() > 1.5 * np.abs(np.diff(plain)).mean()),
        (
            Shot(noise=0, blur=4),
            lambda plain, shown: np.abs(np.diff(shown)).mean() < 0.7 * np.abs(np.diff(plain)).mean(),
        ),
        (
            Shot(noise=0, motion=15),
            lambda plain, shown: np.abs(np.diff(shown)).mean() < 0.8 * np.abs(np.diff(plain)).mean(),
        ),
        (Shot(noise=0, glare=1), lambda plain, shown: (shown - plain).max() > 60),
        (Shot(noise=0, rain=1), lambda plain, shown: shown.std() < plain.std()),
    ],
)
def test_light_and_weather_show(shot: Shot, effect: Callable[[NDArray[np.int16], NDArray[np.int16]], bool]) -> None:
    """Each effect changes the pixels as expected, but not the ground truth."""
    plain, shown = (draw("scene", seed=9, size=(480, 360), shot=each) for each in (QUIET, shot))

    assert effect(grey(plain), grey(shown))
    assert plain.truth == shown.truth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"region": "us-zz"}, "us-zz"),
        ({"place": "moon"}, "moon"),
        ({"body": "tank"}, "tank"),
        ({"paint": "plaid"}, "plaid"),
    ],
)
def test_unknown_names_are_refused(arguments: dict[str, str], message: str) -> None:
    """The error has the unknown name and the known ones."""
    with pytest.raises(UnknownNameError, match=message) as caught:
        # Arguments that no type allows are what is tested.
        draw("scene", **arguments)  # type: ignore[arg-type]
    assert caught.value.word in arguments.values()
    assert len(caught.value.known) >= 4


@pytest.mark.parametrize(
    ("kind", "text", "size"),
    [
        ("plate", "ÄB 12", None),
        ("plate", "", None),
        ("vin", "", None),
        ("vin", "VIN?", None),
        ("scene", None, (10, 900)),
    ],
)
def test_impossible_pictures_are_refused(kind: Kind, text: str | None, size: tuple[int, int] | None) -> None:
    """A missing text, a character without a glyph and a wrong size are errors."""
    with pytest.raises(ValueError, match=r"draw|needs a text|pixels"):
        draw(kind, text=text, size=size)


def test_all_characters_are_distinct() -> None:
    """No two characters of the plate lettering share more than nine tenths of their ink."""
    inks: dict[str, NDArray[np.float32]] = {}
    for char in sorted(DRAWABLE - {" "}):
        inks[char] = text_mask((130, 100), (5, 5), 90, char, STYLES["plate"])
    shared = {
        one + other: float(np.minimum(inks[one], inks[other]).sum() / np.maximum(inks[one], inks[other]).sum())
        for one, other in itertools.combinations(inks, 2)
    }

    assert max(shared.values()) < 0.9, max(shared, key=lambda pair: shared[pair])
