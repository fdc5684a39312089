"""A text is located where just enough pairs of keypoints agree on one place."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from mock_server.drawing.draw import draw
from mock_server.imaging.anchors import KeypointPool
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.fingerprint import fingerprint
from mock_server.imaging.keypoint_index import KeypointIndex
from mock_server.imaging.keypoint_pairs import MIN_VOTES
from mock_server.imaging.keypoints import DescribedKeypoints
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.results import Region
from tests.imaging.test_matching import saved

TEXTS = {11: "KA-RL 204", 12: "B-OT 7713", 13: "M-XY 519"}


@cache
def _indexed() -> tuple[KeypointPool, list[Picture]]:
    """Three pictures, each with one declared plate, and the keypoints of the plates."""
    pictures, anchors = [], []
    for seed, text in TEXTS.items():
        scene = draw("scene", text=text, region="de", seed=seed)
        box = scene.truth.plates[0].box
        assert box is not None
        pictures.append(decode(saved(scene.image.convert("RGB"), quality=93)))
        anchors.append(fingerprint(pictures[-1], (Region(box, len(text)),)).anchors)
    return KeypointPool.of(anchors), pictures


@pytest.mark.parametrize(("count", "is_located"), [(MIN_VOTES, True), (MIN_VOTES - 1, False)])
@pytest.mark.parametrize("position", range(len(TEXTS)))
def test_as_many_pairs_as_a_map_needs_are_enough(
    position: int, count: int, is_located: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many pairs that agree, beside lone pairs of other plates, locate a plate; one fewer does not."""
    pool, pictures = _indexed()
    index = KeypointIndex(pool)
    find_pairs = index._pairs
    whole = index.locate(pictures[position].working, 8)[0]

    def find_few(sent: DescribedKeypoints) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        rows, known, weight = find_pairs(sent)
        anchors = np.searchsorted(pool.starts, known, side="right") - 1
        mapped = [whole.affine.point(x, y) for x, y, _ in pool.points(known, anchors).tolist()]
        is_near = np.hypot(*(np.array(mapped) - sent.points[rows, :2]).T) < 1
        agreeing = np.flatnonzero((anchors == position) & is_near)
        surest = agreeing[np.argsort(-weight[agreeing], kind="stable")][:count]
        lone = [np.flatnonzero(anchors == other)[:2] for other in range(len(TEXTS)) if other != position]
        kept = np.sort(np.concatenate([surest, *lone]))
        return rows[kept], known[kept], weight[kept]

    assert whole.position == position

    monkeypatch.setattr(index, "_pairs", find_few)

    located = index.locate(pictures[position].working, 8)
    assert [(one.position, one.votes) for one in located] == ([(position, MIN_VOTES)] if is_located else [])
