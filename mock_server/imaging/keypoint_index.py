"""Finds declared texts in any part of a picture, by votes of keypoints.

Keypoints with similar descriptions are found in hash tables. Each pair says how large the reference is in the sent
picture, and where its text lies. Where many pairs agree, they determine an affine map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.anchors import GLYPHS, Anchor, KeypointPool
from mock_server.imaging.geometry import Affine
from mock_server.imaging.keypoint_pairs import MIN_VOTES, Pairs, fit_affine, fullest_cells
from mock_server.imaging.keypoints import BITS, DescribedKeypoints, all_keypoints
from mock_server.imaging.lucas_kanade import Floats, normalised
from mock_server.imaging.pixel_transforms import resampled

# Hash tables; each takes other bits of the descriptions. A key has as many bits as there are keypoints, within limits.
_TABLES = 3
_KEY_BITS = (8, 20)
# The surest bits of a key are right; it is also looked up with each combination of this many of the others flipped.
_FLIPPED = 3
# Keypoints of one key at most: many pictures of one scene give the same ones.
_BUCKET = 16
# Different bits of two descriptions of the same place at most.
_MAX_DISTANCE = 10
# Bits of such a number, and of a row of the sent picture's keypoints, of which there are a few thousand at most.
_DISTANCE_BITS = 4
_ROW_BITS = 16
# Pairs of one keypoint of an anchor at most, the most alike.
_PAIRS_OF_ONE = 3
# Anchors that are examined at most, and the support that they need: at least this much, and this share of the best.
_EXAMINED = 10
_MIN_SUPPORT = 8.0
_SHARE_OF_BEST = 0.2
# Texts that are compared with what is at a place, the likeliest, and how much less alike than the best they may be.
_COMPARED_GLYPHS = 32
_BEHIND = 0.04
# How far outside of the sent picture the middle of a text may lie, as a share of the longer side: places are rough.
_OUTSIDE = 0.1


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

    def __init__(self, pool: KeypointPool) -> None:
        self._pool = pool
        self._key_bits = min(max(len(pool.codes).bit_length(), _KEY_BITS[0]), _KEY_BITS[1])
        self._tables = [self._table(number) for number in range(_TABLES)]
        overviews = [_overview(one.glyphs) for one in pool.anchors]
        self._overviews = normalised(np.stack(overviews) if overviews else np.zeros((0, 1), np.float32))

    def _keys(self, codes: NDArray[np.uint64], table: int) -> NDArray[np.int64]:
        keys = codes >> np.uint64(_first_bit(table))
        keys &= np.uint64((1 << self._key_bits) - 1)
        return keys.view(np.int64)

    def _table(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Numbers of the keypoints in the order of their keys, and where each key starts."""
        keys = self._keys(self._pool.codes, number)
        starts = np.zeros((1 << self._key_bits) + 1, np.int32)
        np.cumsum(np.bincount(keys, minlength=1 << self._key_bits), out=starts[1:])
        # Each key with its number, in place: `np.argsort` takes three times as much memory.
        keys <<= 32
        keys |= np.arange(len(keys), dtype=np.int32)
        keys.sort()
        return keys.astype(np.int32), starts

    def locate(self, image: Image.Image, count: int, size: tuple[int, int] | None = None) -> list[Located]:
        """The `count` anchors that most keypoints of a grey image agree on, best first.

        `size`: of what is located in, where `image` is a reduced copy of that.
        """
        if not len(self._pool.codes):
            return []
        size = size or image.size
        sent = all_keypoints(image, size)
        rows, known, weight = self._pairs(sent)
        if not len(rows):
            return []
        anchors = np.searchsorted(self._pool.starts, known, side="right") - 1
        vote = _rarity(rows, anchors) * weight
        # No map is fitted to fewer pairs. In a large index, most anchors have one or two.
        enough = np.flatnonzero(np.bincount(anchors)[anchors] >= MIN_VOTES)
        if not len(enough):
            return []
        rows, known, anchors = rows[enough], known[enough], anchors[enough]
        weight, vote = weight[enough], vote[enough]
        known_points, sent_points = self._pool.points(known, anchors), sent.points.T[:, rows].T
        support = self._support(sent_points, known_points, anchors, vote, size)
        # The pairs are sorted by keypoint, so those of one anchor follow each other.
        firsts = np.flatnonzero(np.diff(anchors, prepend=-1))
        ends = [*firsts[1:].tolist(), len(anchors)]
        strongest = np.maximum.reduceat(support, firsts)
        least = max(_MIN_SUPPORT, _SHARE_OF_BEST * float(strongest.max()))
        located: list[Located] = []
        for place in np.argsort(-strongest, kind="stable")[:_EXAMINED].tolist():
            part, number = slice(int(firsts[place]), ends[place]), int(anchors[firsts[place]])
            if strongest[place] < least:
                break
            pairs = Pairs(rows[part], known[part], sent_points[part], known_points[part], weight[part])
            found = fit_affine(pairs, self._pool.middles[number])
            if found is not None:
                (position, text), (affine, votes) = self._pool.owners[number], found
                located.append(Located(position, text, affine, votes))
        return sorted(located, key=lambda one: -one.votes)[:count]

    def _support(
        self, sent: Floats, known: Floats, anchors: NDArray[np.int64], weight: Floats, size: tuple[int, int]
    ) -> Floats:
        """For each pair of points, the weight of those of the same anchor that roughly agree with it."""
        scale, longer = sent[:, 2] / known[:, 2], np.float32(max(size))
        x, y = (
            (sent[:, axis] - (known[:, axis] - self._pool.middles[:, axis][anchors]) * scale) / longer
            for axis in (0, 1)
        )
        right, bottom = (side / longer + _OUTSIDE for side in size)
        chosen = np.flatnonzero((x > -_OUTSIDE) & (x < right) & (y > -_OUTSIDE) & (y < bottom))
        support = np.zeros(len(known), np.float32)
        places = (x[chosen], y[chosen])
        support[chosen] = fullest_cells(anchors[chosen], np.log(scale[chosen]), places, weight[chosen])
        return support

    def _pairs(self, sent: DescribedKeypoints) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Similar keypoints: rows of the sent picture's, numbers of the index's, and the weight of each pair.

        They are sorted by number; the pairs of one number follow each other, the most alike first.
        """
        codes, found = sent.codes(), list[NDArray[np.int64]]()
        numbers = np.arange(len(codes), dtype=np.int32)
        for number, (order, starts) in enumerate(self._tables):
            # In 32 bits: these arrays are long, and would not fit into the processor's cache otherwise.
            keys = self._keys(codes ^ self._probes(sent, number), number)
            first = starts[keys].ravel()
            lengths = np.minimum(starts[keys + 1].ravel() - first, _BUCKET)
            rows = np.repeat(np.broadcast_to(numbers, keys.shape).ravel(), lengths)
            # Where each bucket starts, less where its entries start here.
            places = np.repeat(first - np.cumsum(lengths, dtype=np.int32) + lengths, lengths)
            places += np.arange(len(rows), dtype=np.int32)
            in_buckets = order.take(places)
            bits = _count_ones(self._pool.codes.take(in_buckets) ^ codes.take(rows))
            near = np.flatnonzero(bits <= _MAX_DISTANCE)
            pairs = in_buckets[near].astype(np.int64) << _DISTANCE_BITS | bits[near].astype(np.int64)
            found.append(pairs << _ROW_BITS | rows[near])
        merged = np.sort(np.concatenate(found))
        # Most are found in several tables. `np.unique` hashes, which takes longer for so few.
        merged = merged[np.diff(merged, prepend=-1) > 0]
        row = merged & ((1 << _ROW_BITS) - 1)
        distance = merged >> _ROW_BITS & ((1 << _DISTANCE_BITS) - 1)
        known = merged >> _ROW_BITS + _DISTANCE_BITS
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

    def look_alikes(self, image: Image.Image, located: Located, count: int) -> list[Located]:
        """The anchors whose texts look most like what is at the place of `located`, best first.

        Where many references show one scene, keypoints do not say which of them it is; the text does.
        """
        number = self._pool.owners.index((located.position, located.number))
        sent = _glyphs_at(image, located.affine, self._pool.anchors[number])
        rough = self._overviews @ normalised(_overview(sent)[None])[0]
        likeliest = np.argsort(-rough, kind="stable")[:_COMPARED_GLYPHS]
        glyphs = np.stack([self._pool.anchors[one].glyphs.ravel() for one in [number, *likeliest.tolist()]])
        similarity = normalised(glyphs) @ normalised(sent.reshape(1, -1))[0]
        least = similarity.max() - _BEHIND
        order = np.argsort(-similarity[1:], kind="stable")[:count]
        return [self._instead(located, number, int(likeliest[one])) for one in order if similarity[1 + one] >= least]

    def _instead(self, located: Located, old_number: int, number: int) -> Located:
        """Another anchor with its text at the place of that of `located`."""
        old, new = self._pool.anchors[old_number].frame, self._pool.anchors[number].frame
        x, y = old.width / new.width, old.height / new.height
        move = Affine(x, 0, old.left - x * new.left, 0, y, old.top - y * new.top)
        return Located(*self._pool.owners[number], located.affine.after(move), located.votes)


def _first_bit(table: int) -> int:
    return table * (BITS // _TABLES)


def _rarity(rows: NDArray[np.int64], anchors: NDArray[np.int64]) -> Floats:
    """How much each pair says: little if its sent keypoint looks like many of one anchor, or like some of many anchors.

    A stroke or the corner of a frame does.
    """
    # Sorted together with their places, which takes half of the time of `np.unique` with its inverse.
    place_bits = len(rows).bit_length()
    ordered = np.sort((anchors << _ROW_BITS | rows) << place_bits | np.arange(len(rows)))
    firsts = np.flatnonzero(np.diff(ordered >> place_bits, prepend=-1))
    repeats = np.diff(firsts, append=len(rows))
    alone = np.empty(len(rows))
    alone[ordered & ((1 << place_bits) - 1)] = np.repeat(1 / repeats, repeats)
    rarity: Floats = (alone / np.sqrt(np.bincount(rows, alone)[rows])).astype(np.float32)
    return rarity


def _glyphs_at(image: Image.Image, affine: Affine, anchor: Anchor) -> NDArray[np.uint8]:
    """The small copy of a text that `affine` maps into an image."""
    frame = anchor.frame
    cell = affine.after(Affine(frame.width / GLYPHS[0], 0, frame.left, 0, frame.height / GLYPHS[1], frame.top))
    return np.asarray(resampled(image, cell, GLYPHS))


def _overview(glyphs: NDArray[np.uint8]) -> Floats:
    """The small copy of a text at half its resolution, as one row."""
    return np.asarray(Image.fromarray(glyphs).reduce(2), dtype=np.float32).ravel()


def _count_ones(values: NDArray[np.uint64]) -> NDArray[np.integer]:
    """How many bits of each value are set."""
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.bitwise_count(values)
    counts: NDArray[np.integer] = _ONES[values.view(np.uint16)].reshape(-1, 4).sum(axis=1, dtype=np.int64)
    return counts


_ONES = np.array([value.bit_count() for value in range(1 << 16)], np.uint8)
