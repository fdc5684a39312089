"""Finds declared texts in any part of a picture, by votes of keypoints.

Keypoints with similar descriptions are found in hash tables. Each pair says how large the reference is in the sent
picture, and where its text lies; pairs that agree determine an affine map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.affine_fit import MIN_VOTES, Pairs, fit_affine
from mock_server.imaging.anchors import GLYPHS, Anchor
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.geometry import Affine, Box
from mock_server.imaging.keypoints import BITS, DescribedKeypoints, all_keypoints
from mock_server.imaging.lucas_kanade import Floats

# Hash tables; each takes other bits of the descriptions. A key has as many bits as there are keypoints, within limits.
_TABLES = 3
_KEY_BITS = (8, 16)
# The surest bits of a key are right; it is also looked up with each combination of this many of the others flipped.
_FLIPPED = 3
# Keypoints of one key at most: many pictures of one scene give the same ones.
_BUCKET = 16
# Different bits of two descriptions of the same place at most.
_MAX_DISTANCE = 10
# Anchors that are examined, and how many pairs of one of their keypoints, the most alike.
_EXAMINED = 24
_PAIRS_OF_ONE = 3


@dataclass(frozen=True, slots=True)
class Located:
    """An anchor and where it lies: `affine` maps upright pixels of the reference to those of the searched image.

    `position`: of the reference in the index; `number`: of the anchor in it; `votes`: keypoints that agree.
    """

    position: int
    number: int
    affine: Affine
    votes: int


class KeypointIndex:
    """The anchors of all references, searchable by keypoint."""

    def __init__(self, fingerprints: Sequence[Fingerprint]) -> None:
        self._owners = [
            (position, number) for position, one in enumerate(fingerprints) for number in range(len(one.anchors))
        ]
        self._anchors = [fingerprints[position].anchors[number] for position, number in self._owners]
        # The number of each anchor's first keypoint, and one past the last.
        self._starts = np.cumsum([0, *(len(one.codes) for one in self._anchors)])
        self._codes = np.concatenate([np.zeros(0, np.uint64), *(one.codes for one in self._anchors)])
        self._key_bits = min(max(len(self._codes).bit_length(), _KEY_BITS[0]), _KEY_BITS[1])
        self._tables = [self._table(number) for number in range(_TABLES)]
        no_glyphs = np.zeros((0, GLYPHS[0] * GLYPHS[1]), np.uint8)
        self._glyphs = _normalised(
            np.stack([one.glyphs.ravel() for one in self._anchors]) if self._anchors else no_glyphs
        )

    def _keys(self, codes: NDArray[np.uint64], table: int) -> NDArray[np.int64]:
        keys = (codes >> np.uint64(_first_bit(table))) & np.uint64((1 << self._key_bits) - 1)
        return keys.astype(np.int64)

    def _table(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Numbers of the keypoints in the order of their keys, and where each key starts."""
        keys = self._keys(self._codes, number).astype(np.uint16)
        starts = np.zeros((1 << self._key_bits) + 1, np.int32)
        np.cumsum(np.bincount(keys, minlength=1 << self._key_bits), out=starts[1:])
        return np.argsort(keys, kind="stable").astype(np.int32), starts

    def locate(self, image: Image.Image, count: int) -> list[Located]:
        """The `count` anchors that most keypoints of a grey image agree on, best first."""
        if not len(self._codes):
            return []
        sent = all_keypoints(image)
        rows, known, weight = self._pairs(sent)
        anchors = np.searchsorted(self._starts, known, side="right") - 1
        # Each keypoint of an anchor counts once, by its best pair: repeated patterns have many.
        is_best = np.ones(len(known), np.bool_)
        is_best[1:] = known[1:] != known[:-1]
        weights = np.bincount(anchors[is_best], weight[is_best], len(self._owners))
        located: list[Located] = []
        for number in np.argsort(-weights, kind="stable")[:_EXAMINED].tolist():
            # The pairs are sorted by keypoint, so those of one anchor follow each other.
            part = slice(*np.searchsorted(known, self._starts[number : number + 2]).tolist())
            anchor, points = self._anchors[number], known[part] - self._starts[number]
            pairs = Pairs(rows[part], points, sent.points[rows[part]], anchor.points[points], weight[part])
            found = fit_affine(pairs, _centre(anchor)) if len(points) >= MIN_VOTES else None
            if found is not None:
                (position, place), (affine, votes) = self._owners[number], found
                located.append(Located(position, place, affine, votes))
        return sorted(located, key=lambda one: -one.votes)[:count]

    def _pairs(self, sent: DescribedKeypoints) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Similar keypoints: rows of the sent picture's, numbers of the index's, and the weight of each pair.

        They are sorted by number; the pairs of one number follow each other, the most alike first.
        """
        codes, found = sent.codes(), []
        for number, (order, starts) in enumerate(self._tables):
            keys = self._keys(codes ^ self._probes(sent, number), number).ravel()
            first = starts[keys]
            lengths = np.minimum(starts[keys + 1] - first, _BUCKET)
            probes = np.repeat(np.arange(len(keys)), lengths)
            within = np.arange(len(probes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            known, rows = order[first[probes] + within], probes % max(1, len(codes))
            distance = _popcount(self._codes[known] ^ codes[rows])
            near = np.flatnonzero(distance <= _MAX_DISTANCE)
            found.append((known[near].astype(np.int64) * BITS + distance[near]) * len(codes) + rows[near])
        merged = np.unique(np.concatenate(found))
        rest, row = np.divmod(merged, max(1, len(codes)))
        known, distance = np.divmod(rest, BITS)
        is_among_best = np.ones(len(known), np.bool_)
        is_among_best[_PAIRS_OF_ONE:] = known[_PAIRS_OF_ONE:] != known[:-_PAIRS_OF_ONE]
        weight = (_MAX_DISTANCE + 1 - distance[is_among_best]).astype(np.float32)
        return row[is_among_best], known[is_among_best], weight

    def _probes(self, sent: DescribedKeypoints, table: int) -> NDArray[np.uint64]:
        """What to flip of the codes: each combination of the bits of the key that are the least sure, one a row."""
        first = _first_bit(table)
        sureness = np.abs(sent.values[:, first : first + self._key_bits])
        least = (np.argsort(sureness, axis=1)[:, :_FLIPPED] + first).astype(np.uint64)
        bits = (np.uint64(1) << least).T
        probes = np.zeros((1, len(sureness)), np.uint64)
        for flipped in bits:
            probes = np.concatenate([probes, probes | flipped])
        return probes

    def similarities(self, image: Image.Image, located: Located) -> Floats:
        """How the text at the place of `located` correlates with those of all anchors."""
        sent = _glyphs_at(image, located.affine, self._anchors[self.anchor_number(located)])
        similarities: Floats = self._glyphs @ _normalised(sent.reshape(1, -1))[0]
        return similarities

    def anchor_number(self, located: Located) -> int:
        return self._owners.index((located.position, located.number))

    def instead(self, located: Located, anchor: int) -> Located:
        """Another anchor with its text at the place of that of `located`."""
        old, new = self._anchors[self.anchor_number(located)].frame, self._anchors[anchor].frame
        x, y = old.width / new.width, old.height / new.height
        move = Affine(x, 0, old.left - x * new.left, 0, y, old.top - y * new.top)
        return Located(*self._owners[anchor], located.affine.after(move), located.votes)


def _first_bit(table: int) -> int:
    return table * (BITS // _TABLES)


def _centre(anchor: Anchor) -> Floats:
    frame = anchor.frame
    return np.array([frame.left + frame.width / 2, frame.top + frame.height / 2], np.float32)


def _glyphs_at(image: Image.Image, affine: Affine, anchor: Anchor) -> NDArray[np.uint8]:
    """The small copy of a text that `affine` maps into an image."""
    frame = anchor.frame
    cell = affine.after(Affine(frame.width / GLYPHS[0], 0, frame.left, 0, frame.height / GLYPHS[1], frame.top))
    corners = [cell.point(x, y) for x in (-1, GLYPHS[0] + 1) for y in (-1, GLYPHS[1] + 1)]
    box = Box(
        int(min(x for x, _ in corners)),
        int(min(y for _, y in corners)),
        int(max(x for x, _ in corners)) + 1,
        int(max(y for _, y in corners)) + 1,
    ).clamped(*image.size)
    if box.width < 2 or box.height < 2:
        return np.zeros(GLYPHS[::-1], np.uint8)
    factor = max(1, int(np.sqrt(abs(cell.determinant))))
    part = image.crop((box.xmin, box.ymin, box.xmax, box.ymax)).reduce(factor)
    to_part = Affine(1 / factor, 0, -box.xmin / factor, 0, 1 / factor, -box.ymin / factor).after(cell)
    return np.asarray(part.transform(GLYPHS, Image.Transform.AFFINE, to_part.coefficients, Image.Resampling.BILINEAR))


def _normalised(rows: NDArray[np.uint8]) -> Floats:
    """Each row with mean 0 and norm 1."""
    values = rows.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-3)
    return values


_ONES = np.array([value.bit_count() for value in range(1 << 16)], np.uint8)


def _popcount(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits of each value are set."""
    # `np.bitwise_count` needs numpy 2.
    counts: NDArray[np.int64] = _ONES[values.view(np.uint16)].reshape(-1, 4).sum(axis=1, dtype=np.int64)
    return counts
