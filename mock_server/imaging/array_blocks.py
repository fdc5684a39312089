"""Copies of small arrays, laid one after another in blocks of memory.

Thousands of small arrays that are freed among others leave gaps that no larger one fits into. A block is freed as a
whole.
"""

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bytes of the first block, and of the largest one: a few arrays must not keep much memory.
_FIRST = 4096
_LARGEST = 1 << 20
# Arrays begin at multiples of this many bytes.
_ALIGNMENT = 8


class ArrayBlocks:
    """Blocks for arrays that are needed as long as each other. Thread-safe."""

    def __init__(self) -> None:
        self._block = np.empty(_FIRST, np.uint8)
        self._used = 0
        self._lock = Lock()

    def copy(self, values: NDArray[Any]) -> NDArray[Any]:
        """A copy of an array."""
        with self._lock:
            if self._used + values.nbytes > len(self._block):
                self._block = np.empty(max(min(2 * len(self._block), _LARGEST), values.nbytes), np.uint8)
                self._used = 0
            place = self._block[self._used : self._used + values.nbytes]
            self._used += -(-values.nbytes // _ALIGNMENT) * _ALIGNMENT
        copied = place.view(values.dtype).reshape(values.shape)
        copied[...] = values
        return copied
