"""Retrieval: clusters of references that look the same when reduced, searched by their thumbnails.

A thousand plates on one template are one cluster: its representative's thumbnails are searched and one registration
serves all; the members are then ranked by those cells of their mosaics in which they differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.geometry import Frame, Orientation
from mock_server.imaging.lucas_kanade import Floats, SampledGrid, normalised
from mock_server.imaging.registration import MOSAIC
from mock_server.imaging.thumbnails import THUMBNAIL_CELLS, FrameThumbnail

# Two pictures are of one cluster if their thumbnails correlate by this much and the logarithms of their aspect ratios
# fall into one bin of this width. A lower correlation puts pictures together whose registrations differ.
_CLUSTER_CORRELATION = 0.97
_ASPECT_BIN = 0.015
# Thumbnails clustered in one matrix product.
_BLOCK = 256
# Cells of the mosaic, those with the largest spread, by which the members of a cluster are ranked.
_RANKING_CELLS = 256
# Two encodings of one picture differ by at most this many grey levels in each of these cells. Each member is compared
# with this many others next to it in the order of the cells' sum, which is almost the same for both.
_ENCODING_DIFFERENCE = 14
_ENCODING_NEIGHBOURS = 32
# Only this many thumbnails, the most similar ones at half resolution, are compared at full resolution.
_COMPARED = 128
# Correlation of thumbnails below which a cluster is no candidate. Crops of a tenth had at least 0.81.
_MIN_SIMILARITY = 0.7
# Added to the similarity of the upright orientation: another one must fit clearly better.
_UPRIGHT_BONUS = 0.02

# Maps a flattened thumbnail to one of half the resolution: the mean of each 2 x 2 cells.
_PAIR_MEANS = np.kron(np.eye(THUMBNAIL_CELLS // 2), np.full((2, 1), 0.5))
_HALVING = np.kron(_PAIR_MEANS, _PAIR_MEANS).astype(np.float32)

ORIENTATIONS = tuple(Orientation)

# Of a cluster with one member. Most clusters have one, so they share them.
_NO_CELLS: NDArray[np.intp] = np.zeros(0, np.intp)
_NO_VALUES: NDArray[np.uint8] = np.zeros((1, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class Cluster:
    """References that look the same when reduced: `members` are their positions in the index.

    `cells`: positions in the flattened mosaic where the members differ most; `values`: their grey levels there, of
    shape (members, cells).
    """

    members: tuple[int, ...]
    cells: NDArray[np.intp]
    values: NDArray[np.uint8]

    @property
    def representative(self) -> int:
        """The member whose thumbnails stand for all."""
        return self.members[0]

    def ranked(self, samples: Sequence[SampledGrid], count: int) -> list[int]:
        """The `count` members most like any of these mosaics of the sent picture, best first."""
        similarity = np.max([self._similarity(one) for one in samples], axis=0)
        return [self.members[row] for row in np.argsort(-similarity, kind="stable")[:count]]

    def _similarity(self, samples: SampledGrid) -> Floats:
        canvas = np.full((MOSAIC, MOSAIC), np.nan, dtype=np.float32)
        canvas[samples.rows, samples.columns] = samples.cells
        query = canvas.ravel()[self.cells]
        inside = ~np.isnan(query)
        # Thumbnails are normalised, so members may differ in brightness and contrast; that must not rank them.
        similarity: Floats = normalised(self.values[:, inside]) @ normalised(query[None, inside])[0]
        return similarity

    def similar_pairs(self) -> list[tuple[int, int]]:
        """Pairs of members that may be one picture, encoded twice."""
        order = np.argsort(self.values.sum(axis=1, dtype=np.int64), kind="stable")
        sorted_values = self.values[order].astype(np.int16)
        pairs = []
        for step in range(1, min(_ENCODING_NEIGHBOURS, len(order) - 1) + 1):
            difference = np.abs(sorted_values[step:] - sorted_values[:-step]).max(axis=1, initial=0)
            for row in np.flatnonzero(difference <= _ENCODING_DIFFERENCE):
                first, second = sorted((int(order[row]), int(order[row + step])))
                pairs.append((self.members[first], self.members[second]))
        return pairs


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cluster that the sent picture may show, turned by `orientation`.

    The part `reference_frame` of the reference lies where `query_frame` is in the sent picture, both in fractions.
    `similarity`: correlation of their thumbnails.
    """

    cluster: Cluster
    orientation: Orientation
    reference_frame: Frame
    query_frame: Frame
    similarity: float


class ClusterIndex:
    """All clusters of an index, searchable by thumbnail."""

    def __init__(self, fingerprints: Sequence[Fingerprint]) -> None:
        self.clusters = tuple(_cluster(members, fingerprints) for members in _grouped(fingerprints))
        representatives = [(cluster, fingerprints[cluster.representative]) for cluster in self.clusters]
        self._owners = [(cluster, frame) for cluster, one in representatives for frame in one.frames]
        thumbnails = [one.stored_thumbnails.read() for _, one in representatives]
        self._thumbnails = np.concatenate([np.zeros((0, THUMBNAIL_CELLS, THUMBNAIL_CELLS), np.float16), *thumbnails])
        blocks = np.array_split(self._thumbnails, len(self._owners) // _BLOCK + 1)
        overviews = [normalised(_rows(block) @ _HALVING) for block in blocks]
        # Transposed once: each search would otherwise copy the whole array.
        self._overviews = np.ascontiguousarray(np.concatenate(overviews).T)

    def similarities(self, thumbnails: Sequence[FrameThumbnail]) -> "SimilarityTable":
        """How similar the nearest clusters are to each of these thumbnails in each orientation."""
        queries = [(thumbnail, turn) for thumbnail in thumbnails for turn in ORIENTATIONS]
        rows = np.stack([turn.inverse.apply_to_grid(one.pixels).ravel() for one, turn in queries], dtype=np.float32)
        nearest = self._nearest(rows)
        similarity = rows @ _rows(self._thumbnails[nearest]).T
        similarity[:: len(ORIENTATIONS)] += _UPRIGHT_BONUS
        return SimilarityTable([self._owners[column] for column in nearest.tolist()], queries, similarity)

    def _nearest(self, rows: Floats) -> NDArray[np.intp]:
        """Positions of the thumbnails that are most similar to any of `rows`."""
        if len(self._owners) <= _COMPARED:
            return np.arange(len(self._owners))
        similarity = normalised(rows @ _HALVING) @ self._overviews
        return np.argpartition(-similarity.max(axis=0), _COMPARED - 1)[:_COMPARED]


@dataclass(frozen=True, slots=True)
class SimilarityTable:
    """Correlations of thumbnails, of shape (queries, owners); each owner is a cluster and a frame of its thumbnail."""

    owners: Sequence[tuple[Cluster, Frame]]
    queries: Sequence[tuple[FrameThumbnail, Orientation]]
    similarity: Floats

    def candidates(
        self, count: int, *, orientations: Sequence[Orientation] = ORIENTATIONS, least: float = _MIN_SIMILARITY
    ) -> list[Candidate]:
        """The `count` clusters that are most similar in any of these orientations, best first."""
        rows = [row for row, (_, turn) in enumerate(self.queries) if turn in orientations]
        similarity = self.similarity[rows]
        best = similarity.max(axis=0)
        chosen: dict[int, Candidate] = {}
        for column in np.argsort(-best, kind="stable"):
            if best[column] < least or len(chosen) == count:
                break
            cluster, frame = self.owners[column]
            if cluster.representative not in chosen:
                query, turn = self.queries[rows[int(np.argmax(similarity[:, column]))]]
                chosen[cluster.representative] = Candidate(cluster, turn, frame, query.frame, float(best[column]))
        return list(chosen.values())


def _grouped(fingerprints: Sequence[Fingerprint]) -> list[list[int]]:
    """Positions of the fingerprints that are not blank, one list per cluster, the representative first."""
    by_aspect: dict[int, list[int]] = {}
    for position, one in enumerate(fingerprints):
        if not one.facts.blank:
            aspect = round(np.log(one.facts.width / one.facts.height) / _ASPECT_BIN)
            by_aspect.setdefault(aspect, []).append(position)
    return [group for positions in by_aspect.values() for group in _grouped_by_look(positions, fingerprints)]


def _grouped_by_look(positions: list[int], fingerprints: Sequence[Fingerprint]) -> list[list[int]]:
    """Leader clustering: each picture joins the most similar representative, or becomes one."""
    groups: list[list[int]] = []
    representatives = np.zeros((0, THUMBNAIL_CELLS**2), np.float32)
    for start in range(0, len(positions), _BLOCK):
        block = positions[start : start + _BLOCK]
        thumbnails = _rows(np.stack([fingerprints[position].stored_thumbnails.read()[0] for position in block]))
        to_earlier = thumbnails @ representatives.T
        within_block = thumbnails @ thumbnails.T
        fresh: list[int] = []
        for row, position in enumerate(block):
            similarity = np.concatenate([to_earlier[row], within_block[row, fresh]])
            best = int(np.argmax(similarity)) if len(similarity) else -1
            if best >= 0 and similarity[best] >= _CLUSTER_CORRELATION:
                groups[best].append(position)
            else:
                fresh.append(row)
                groups.append([position])
        representatives = np.concatenate([representatives, thumbnails[fresh]])
    return groups


def _cluster(members: list[int], fingerprints: Sequence[Fingerprint]) -> Cluster:
    if len(members) == 1:
        return Cluster(tuple(members), _NO_CELLS, _NO_VALUES)
    mosaics = np.stack([fingerprints[member].mosaic.ravel() for member in members])
    # In blocks of columns: the spread of a thousand mosaics would take tens of megabytes at once.
    spread = np.concatenate([mosaics[:, at : at + 1024].std(axis=0) for at in range(0, mosaics.shape[1], 1024)])
    cells = np.sort(np.argsort(-spread)[:_RANKING_CELLS])
    return Cluster(tuple(members), cells, mosaics[:, cells])


def _rows(thumbnails: NDArray[np.float16]) -> Floats:
    """Flattened thumbnails, one a row."""
    return thumbnails.reshape(-1, THUMBNAIL_CELLS**2).astype(np.float32)
