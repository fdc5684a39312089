"""Alignments end early where another scene is shown or nothing moves, and never where the same scene lies far off."""

from collections import Counter
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mock_server.drawing.draw import draw
from mock_server.imaging import lucas_kanade
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.fingerprint import Fingerprint, fingerprint
from mock_server.imaging.geometry import Affine, Frame
from mock_server.imaging.lucas_kanade import Alignment, SampledGrid, align
from mock_server.imaging.rectified_view import RectifiedView
from mock_server.imaging.registration import Pyramid, mosaic, register
from mock_server.imaging.results import Region
from tests.imaging.test_matching import TEXTS, drawn, saved

# Cells a side of the coarsest grid, the steps there, and the correlation that it has to reach.
CELLS, STEPS, GOAL = 24, 4, 0.9


@cache
def _scene(name: str) -> Image.Image:
    kind, seed = name.split()
    if kind == "street":
        return draw("scene", text="KA-RL 204", region="de", seed=int(seed)).image.convert("L")
    return drawn(int(seed), "KXP 408")[0].convert("L")


def _aligned(known: Image.Image, sent: Image.Image, goal: float = GOAL) -> Alignment:
    """From the start that every search has: the whole reference fills the whole picture."""
    reference = np.asarray(
        Image.fromarray(mosaic(known)).resize((CELLS, CELLS), Image.Resampling.BILINEAR), dtype=np.float32
    )
    frame = Frame(0, 0, sent.width, sent.height)
    result = align(reference, sent, frame, STEPS, converged=0.01, margin=1, least=0.6, goal=goal)
    assert result is not None
    return result


UNMOVED = Affine(1, 0, 0, 0, 1, 0)

# Scene, and the shares cut off at the left, top, right and bottom.
FAR_OFF = [
    ("street 11", 0.0, 0.18, 0.0, 0.03),
    ("street 11", 0.04, 0.19, 0.0, 0.14),
    ("street 12", 0.0, 0.2, 0.0, 0.0),
    ("street 13", 0.17, 0.03, 0.0, 0.0),
    ("street 14", 0.12, 0.0, 0.17, 0.0),
    ("street 16", 0.05, 0.17, 0.0, 0.0),
    ("street 16", 0.18, 0.01, 0.08, 0.01),
    ("discs 4", 0.0, 0.0, 0.18, 0.0),
    ("discs 5", 0.0, 0.16, 0.0, 0.0),
    ("discs 6", 0.0, 0.0, 0.18, 0.16),
    ("discs 10", 0.05, 0.0, 0.05, 0.19),
    ("discs 10", 0.0, 0.0, 0.17, 0.16),
]


@pytest.mark.parametrize(("name", "left", "top", "right", "bottom"), FAR_OFF)
def test_a_crop_is_registered_from_far_off(name: str, left: float, top: float, right: float, bottom: float) -> None:
    """It takes all the steps it needs, and ends within half a pixel: its goal ends no alignment that would reach it."""
    known = _scene(name)
    width, height = known.size
    box = (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    sent = known.crop(box)

    coarse = _aligned(known, sent)
    found = register(mosaic(known), Pyramid(sent), Frame(0, 0, sent.width, sent.height))

    assert coarse.correlation >= GOAL
    assert coarse.frame == _aligned(known, sent, goal=-1.0).frame
    assert found is not None
    frame = found.frame
    assert (frame.left, frame.top) == pytest.approx((-box[0], -box[1]), abs=1)
    assert (frame.width, frame.height) == pytest.approx((width, height), abs=1)


def test_strangers_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two steps bring another scene no closer, they are the last ones: three samples instead of five.

    The goal is reached by none of them, with or without the early end.
    """
    names = [f"street {seed}" for seed in range(11, 19)]
    samples: list[int] = []
    sample = lucas_kanade.sample

    def counted_sample(*values: Any) -> SampledGrid | None:
        samples.append(1)
        return sample(*values)

    def count(known: str, sent: str, goal: float) -> int:
        samples.clear()
        assert _aligned(_scene(known), _scene(sent).reduce(4), goal).correlation < GOAL
        return len(samples)

    monkeypatch.setattr(lucas_kanade, "sample", counted_sample)
    counts = Counter((count(*pair, GOAL), count(*pair, -1.0)) for pair in permutations(names, 2))

    assert all(early <= thorough for early, thorough in counts)
    assert counts[3, STEPS + 1] > sum(counts.values()) / 5


@cache
def _text() -> tuple[Picture, Fingerprint]:
    """A picture with one declared text, and its fingerprint."""
    image, box = drawn(3, TEXTS[3][0])
    picture = decode(saved(image, "PNG"))
    return picture, fingerprint(picture, (Region(box, len(TEXTS[3][0])),))


# Moves of a text's middle, and of its corners by a stretch of its width and of its height: x and y of each.
MOVES = {
    "to the right": ((1, 0), (0, 0), (0, 0)),
    "up": ((0, -1), (0, 0), (0, 0)),
    "to a corner": ((0.7, 0.7), (0, 0), (0, 0)),
    "wider": ((0, 0), (1, 0), (0, 0)),
    "higher": ((0, 0), (0, 0), (0, 1)),
    "turned": ((0, 0), (0, 1), (-0.3, 0)),
    "sheared": ((0, 0), (0, 0), (1, 0)),
    "larger": ((0, 0), (0.7, 0), (0, 0.7)),
    "larger, to a corner": ((0.35, 0.35), (0.35, 0), (0, 0.35)),
    "turned, sheared, to a corner": ((0.3, 0.3), (0, 0.4), (0.4, 0)),
}
# Pixels, as the search has it.
LEAST = 0.7


def _moved(known: Fingerprint, place: Affine, kind: str, pixels: float) -> Affine:
    """`place` after a move of the text, by so many pixels at the corner that moves farthest."""
    frame = known.patches[0].frame.scaled(*known.size)
    half_width, half_height = frame.width / 2, frame.height / 2
    shift, across, down = (np.array(part) for part in MOVES[kind])
    factor = pixels / max(float(np.hypot(*(shift + u * across + v * down))) for u in (-1, 1) for v in (-1, 1))
    (x, y), (xx, yx), (xy, yy) = factor * shift, factor * across / half_width, factor * down / half_height
    middle_x, middle_y = frame.left + half_width, frame.top + half_height
    move = Affine(1 + xx, xy, x, yx, 1 + yy, y)
    to_middle, back = Affine(1, 0, -middle_x, 0, 1, -middle_y), Affine(1, 0, middle_x, 0, 1, middle_y)
    return place.after(back.after(move).after(to_middle))


@pytest.mark.parametrize("pixels", [1.15 * LEAST, 1.6 * LEAST, 4 * LEAST])
@pytest.mark.parametrize("kind", MOVES)
def test_a_text_that_lies_elsewhere_is_placed_anew(kind: str, pixels: float) -> None:
    """Where a corner moves by the least move or more, the map is refined as if there were no least move."""
    picture, known = _text()
    place = RectifiedView(picture, known, UNMOVED).affine
    given = _moved(known, place, kind, pixels)

    thorough, view = RectifiedView(picture, known, given), RectifiedView(picture, known, given, LEAST)

    assert thorough.moved == pytest.approx(pixels, abs=0.15)
    assert view.affine == thorough.affine


@pytest.mark.parametrize("kind", MOVES)
def test_a_text_that_hardly_moves_stays(kind: str) -> None:
    """Where all corners move by only a tenth of the least move, the given map is returned."""
    picture, known = _text()
    place = RectifiedView(picture, known, UNMOVED).affine
    given = _moved(known, place, kind, 0.1 * LEAST)

    view = RectifiedView(picture, known, given, LEAST)

    assert view.moved == pytest.approx(0, abs=1e-6)
    assert view.affine.coefficients == pytest.approx(given.coefficients, abs=1e-6)
    assert view.correlation > 0.98
