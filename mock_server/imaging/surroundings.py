"""Compares what surrounds the declared texts of a reference, as far as the sent picture shows it.

A text that was found in a part of a picture decides alone whether it is the same text. The same text may stand on
another car or card: then its surroundings differ, in blocks all over the picture. A face that was covered, a caption
or a crop changes only some of the blocks.
"""

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.colours import are_alike
from mock_server.imaging.decode import Picture
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.geometry import Affine, scaling
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import resampled
from mock_server.imaging.registration import MOSAIC

# Cells of the mosaic that form a block, a side, and the share of them that must be visible.
_BLOCK = 4
_MIN_VISIBLE = 0.75
# Standard deviation in grey levels from which a block shows anything to compare.
_MIN_CONTRAST = 3.0
# A block is alike from this correlation on. Surroundings are the same if this share of the blocks is alike, and cannot
# be judged by fewer blocks than this.
_MIN_CORRELATION = 0.6
_MIN_ALIKE = 0.4
_MIN_BLOCKS = 6
# Cells of the palette that must be visible for a comparison of colours.
_MIN_COLOURS = 6


def look_alike(reference: Fingerprint, picture: Picture, affine: Affine) -> bool:
    """Whether the visible surroundings of a reference's texts do not differ; `affine` as below."""
    image, cell = picture.working, scaling(picture.zoom).after(_cells(reference, MOSAIC, affine))
    sent: Floats = np.asarray(resampled(image, cell, (MOSAIC, MOSAIC)), dtype=np.float32)
    known: Floats = reference.mosaic.astype(np.float32)
    is_compared = _visible(cell, image.size, MOSAIC) & ~_texts(reference, MOSAIC)
    count, correlation, contrast = _block_correlations(known, sent, is_compared)
    alike = correlation[(count >= _MIN_VISIBLE * _BLOCK**2) & (contrast >= _MIN_CONTRAST)] >= _MIN_CORRELATION
    return bool(alike.size < _MIN_BLOCKS or np.count_nonzero(alike) >= _MIN_ALIKE * alike.size)


def have_like_colours(reference: Fingerprint, picture: Picture, affine: Affine) -> bool:
    """Whether the visible colours of a reference do not differ; `affine` maps it to upright pixels of the picture."""
    side = reference.palette.shape[0]
    cell = _cells(reference, side, affine)
    is_visible = _visible(cell, picture.size, side)
    if np.count_nonzero(is_visible) < _MIN_COLOURS:
        return True
    zoom = picture.preview.width / picture.size[0]
    sent = np.asarray(resampled(picture.preview, scaling(zoom).after(cell), (side, side)))
    return are_alike(reference.palette[is_visible], sent[is_visible])


def _cells(reference: Fingerprint, side: int, affine: Affine) -> Affine:
    """The map from `side` x `side` cells of a reference to where `affine` maps its pixels."""
    return affine.after(Affine(reference.size[0] / side, 0, 0, 0, reference.size[1] / side, 0))


def _visible(cell: Affine, size: tuple[int, int], side: int) -> NDArray[np.bool_]:
    """Which cells lie inside the image with their centres, at least a cell from its edges."""
    centres = np.arange(side, dtype=np.float32) + np.float32(0.5)
    across, down = centres[None, :], centres[:, None]
    x = cell.xx * across + cell.xy * down + cell.x0
    y = cell.yx * across + cell.yy * down + cell.y0
    near = np.sqrt(abs(cell.determinant))
    visible: NDArray[np.bool_] = (x > near) & (x < size[0] - near) & (y > near) & (y < size[1] - near)
    return visible


def _texts(reference: Fingerprint, side: int) -> NDArray[np.bool_]:
    """Which cells show a declared text."""
    covered = np.zeros((side, side), np.bool_)
    for patch in reference.patches:
        if patch.is_declared:
            frame = patch.frame.scaled(side, side)
            rows = slice(max(0, int(frame.top)), int(np.ceil(frame.top + frame.height)))
            covered[rows, max(0, int(frame.left)) : int(np.ceil(frame.left + frame.width))] = True
    return covered


def _block_correlations(known: Floats, sent: Floats, is_compared: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """For each block the number of compared cells, their correlation, and the contrast of the reference's."""

    def sums(values: Floats) -> Floats:
        blocks = values.shape[0] // _BLOCK
        total: Floats = values.reshape(blocks, _BLOCK, blocks, _BLOCK).sum(axis=(1, 3))
        return total

    weight = is_compared.astype(np.float32)
    count = sums(weight)
    some = np.maximum(count, 1)
    mean, sent_mean = sums(known * weight) / some, sums(sent * weight) / some
    variance = sums(known * known * weight) / some - mean * mean
    sent_variance = sums(sent * sent * weight) / some - sent_mean * sent_mean
    common = sums(known * sent * weight) / some - mean * sent_mean
    correlation: Floats = (common / np.sqrt(np.maximum(variance * sent_variance, 1e-3))).astype(np.float32)
    contrast: Floats = np.sqrt(np.maximum(variance, 0))
    return count, correlation, contrast
