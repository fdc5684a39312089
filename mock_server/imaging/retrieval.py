"""Scenes: known pictures that look the same from afar, found together and told apart afterwards.

A thousand plates on one template are one scene: one thumbnail to search, one registration, and one look at
those cells of the mosaic in which they differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.registration import Floats, Frame, Sampled
from mock_server.imaging.thumbnails import THUMB, View, turned_grid

# Thumbnails this alike (correlation) are of one scene, if their pictures have the same shape.
_ALIKE = 0.97
_SHAPE = 0.015
# Cells of the mosaic by which members are told apart at first glance.
_CELLS = 256
# Two encodings of one picture differ by no more than so many grey levels in any cell.
_TWIN_LEVELS = 14
_TWIN_STEPS = 32
# Of more views than this only those are compared that look most alike at half the thumbnails' resolution.
_COMPARED = 128
_PAIRS = np.kron(np.eye(THUMB // 2), np.full((2, 1), 0.5))
_HALVING = np.kron(_PAIRS, _PAIRS).astype(np.float32)
# Below this correlation of thumbnails nothing is looked at any closer.
_COARSE = 0.5
# Upright pictures are the rule: a turn must explain a picture better than none does.
_UPRIGHT_BONUS = 0.02

TURNS = tuple(range(1, 9))
INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


@dataclass(frozen=True, slots=True)
class Scene:
    """Members are positions in the index; the first is the leader. `cells` and `values`: where and how they
    differ."""

    members: tuple[int, ...]
    cells: NDArray[np.intp]
    values: NDArray[np.uint8]

    def ranked(self, looks: Sequence[Sampled], side: int, most: int) -> list[int]:
        """The members most like any of the ways in which the scene was seen, in so many cells a side; best first."""
        likeness = np.max([self._likeness(seen, side) for seen in looks], axis=0)
        return [self.members[place] for place in np.argsort(-likeness, kind="stable")[:most]]

    def _likeness(self, seen: Sampled, side: int) -> Floats:
        canvas = np.full((side, side), np.nan, dtype=np.float32)
        canvas[seen.rows, seen.columns] = seen.cells
        sought = canvas.ravel()[self.cells]
        usable = ~np.isnan(sought)
        # Members need not have the leader's brightness and contrast: what looks the same from afar has been normalised.
        likeness: Floats = _normalised(self.values[:, usable]) @ _normalised(sought[None, usable])[0]
        return likeness

    def twins(self) -> list[tuple[int, int]]:
        """Pairs of members that are nowhere far apart: perhaps one picture, encoded twice."""
        # Twins have almost the same sum, so each is compared with those next to it in that order only.
        order = np.argsort(self.values.sum(axis=1, dtype=np.int64), kind="stable")
        sorted_values = self.values[order].astype(np.int16)
        pairs = []
        for step in range(1, min(_TWIN_STEPS, len(order) - 1) + 1):
            apart = np.abs(sorted_values[step:] - sorted_values[:-step]).max(axis=1, initial=0)
            for row in np.flatnonzero(apart <= _TWIN_LEVELS):
                first, second = sorted((int(order[row]), int(order[row + step])))
                pairs.append((self.members[first], self.members[second]))
        return pairs


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scene that may be shown: turned by `orientation`, its part `known` where `seen` is in the sent
    picture. `likeness`: correlation of their thumbnails."""

    scene: Scene
    orientation: int
    known: Frame
    seen: Frame
    likeness: float


class Scenes:
    """All scenes of an index, searchable by thumbnail."""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        self.all = tuple(_scene(members, prints) for members in _grouped(prints))
        rows = [
            (view.thumb.ravel(), scene, view.frame)
            for scene in self.all
            for view in prints[scene.members[0]].views
        ]
        self._thumbs = np.stack([row[0] for row in rows]) if rows else np.zeros((0, THUMB**2), np.float32)
        # The other way round than thumbnails are kept: what is searched from end to end is not to be copied for it.
        self._overviews = np.ascontiguousarray(_overviews(self._thumbs).T)
        self._views = [(scene, frame) for _, scene, frame in rows]

    def compared(self, views: Sequence[View]) -> "Likeness":
        """How like the likeliest scenes are to each of these views in each turn."""
        queries = [(view, turn) for view in views for turn in TURNS]
        sought = np.stack([turned_grid(view.thumb, INVERSE[turn]).ravel() for view, turn in queries])
        likeliest = self._likeliest(sought)
        alike = sought @ self._thumbs.take(likeliest, axis=0).T
        alike[:: len(TURNS)] += _UPRIGHT_BONUS
        return Likeness([self._views[place] for place in likeliest.tolist()], queries, alike)

    def _likeliest(self, sought: Floats) -> NDArray[np.intp]:
        """Places of the known views that are most like any of the thumbnails `sought`."""
        if len(self._views) <= _COMPARED:
            return np.arange(len(self._views))
        alike = _overviews(sought) @ self._overviews
        return np.argpartition(-alike.max(axis=0), _COMPARED - 1)[:_COMPARED]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Correlations of thumbnails: one row for each of the `queries`, one column for each of the known `views`."""

    views: Sequence[tuple[Scene, Frame]]
    queries: Sequence[tuple[View, int]]
    alike: Floats

    def candidates(
        self, most: int, *, turns: Sequence[int] = TURNS, least: float = _COARSE
    ) -> list[Candidate]:
        """The scenes that look most like the picture in any of these turns, best first."""
        rows = [row for row, (_, turn) in enumerate(self.queries) if turn in turns]
        alike = self.alike if len(rows) == len(self.queries) else self.alike[rows]
        best = alike.max(axis=0)
        places = np.flatnonzero(best >= least)
        chosen: dict[int, Candidate] = {}
        for column in places[np.argsort(-best[places], kind="stable")]:
            scene, known = self.views[column]
            if len(chosen) < most and scene.members[0] not in chosen:
                view, turn = self.queries[rows[int(np.argmax(alike[:, column]))]]
                chosen[scene.members[0]] = Candidate(scene, turn, known, view.frame, float(best[column]))
        return list(chosen.values())


def _grouped(prints: Sequence[Fingerprint]) -> list[list[int]]:
    """Positions of the prints that are not blank, grouped by leader."""
    by_shape: dict[int, list[int]] = {}
    for place, one in enumerate(prints):
        if not one.facts.blank:
            shape = round(np.log(one.facts.width / one.facts.height) / _SHAPE)
            by_shape.setdefault(shape, []).append(place)
    return [group for places in by_shape.values() for group in _led(places, prints)]


def _led(places: list[int], prints: Sequence[Fingerprint]) -> list[list[int]]:
    groups: list[list[int]] = []
    leaders = np.zeros((0, prints[places[0]].views[0].thumb.size), np.float32)
    for start in range(0, len(places), 256):
        block = places[start : start + 256]
        thumbs = np.stack([prints[place].views[0].thumb.ravel() for place in block])
        alike = thumbs @ leaders.T
        among = thumbs @ thumbs.T
        fresh: list[int] = []
        for row, place in enumerate(block):
            likeness = np.concatenate([alike[row], among[row, fresh]])
            best = int(np.argmax(likeness)) if len(likeness) else -1
            if best >= 0 and likeness[best] >= _ALIKE:
                groups[best].append(place)
            else:
                fresh.append(row)
                groups.append([place])
        leaders = np.concatenate([leaders, thumbs[fresh]])
    return groups


def _scene(members: list[int], prints: Sequence[Fingerprint]) -> Scene:
    if len(members) == 1:
        return Scene(tuple(members), np.zeros(0, np.intp), np.zeros((1, 0), np.uint8))
    mosaics = np.stack([prints[member].mosaic.ravel() for member in members])
    # In blocks: the spread of a thousand mosaics in floats would be tens of megabytes at once.
    spread = np.concatenate(
        [mosaics[:, at : at + 1024].std(axis=0) for at in range(0, mosaics.shape[1], 1024)]
    )
    cells = np.sort(np.argsort(-spread)[:_CELLS])
    return Scene(tuple(members), cells, mosaics[:, cells])


def _overviews(thumbs: Floats) -> Floats:
    """Thumbnails, one to a row, at half their resolution; mean 0 and norm 1 as they are."""
    means = thumbs @ _HALVING
    overviews: Floats = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-3)
    return overviews


def _normalised(rows: NDArray[Any]) -> Floats:
    """Each row with mean 0 and norm 1."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    normalised: Floats = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-3)
    return normalised
