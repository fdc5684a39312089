"""Small arrays in blocks keep their values, types and shapes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mock_server.imaging.array_blocks import ArrayBlocks

SHAPES = [(3,), (0,), (0, 2), (5, 2), (8, 8, 3), (1,), (700, 700)]
KINDS = [np.uint8, np.int16, np.float16, np.uint64]


def arrays(seed: int) -> list[NDArray[Any]]:
    """An array of each type and shape."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 100, shape).astype(kind) for shape in SHAPES for kind in KINDS]


@pytest.mark.parametrize("rounds", [1, 40])
def test_copies_are_what_they_were_made_of(rounds: int) -> None:
    """No copy touches another one, within a block and where a new one begins."""
    blocks = ArrayBlocks()
    originals = [one for seed in range(rounds) for one in arrays(seed)]
    copies = [blocks.copy(one) for one in originals]

    assert all(
        np.array_equal(copy, one) and copy.dtype == one.dtype for copy, one in zip(copies, originals, strict=True)
    )


def test_copies_in_several_threads() -> None:
    """Threads that copy at the same time get places of their own."""
    blocks = ArrayBlocks()
    originals = [one for seed in range(20) for one in arrays(seed)]
    with ThreadPoolExecutor(4) as pool:
        copies = list(pool.map(blocks.copy, originals))

    assert all(np.array_equal(copy, one) for copy, one in zip(copies, originals, strict=True))
