"""The tone curve of a whole picture: which grey level each level of the reference has in the sent picture."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.lucas_kanade import Floats

# The shares of the pixels, in percent, between which the curve is straight.
_PERCENTILES = (0, 2, 10, 25, 40, 50, 60, 75, 90, 98, 100)
# Every so manyth pixel is enough.
_STEP = 7


@dataclass(frozen=True, slots=True)
class ToneCurve:
    """Levels of the reference, and those that they have in the sent picture; both increase."""

    reference: NDArray[np.float64]
    sent: NDArray[np.float64]

    @classmethod
    def of(cls, reference: Floats, predicted: Floats) -> Self:
        """The curve from a reference's pixels to those predicted for the sent picture."""
        return cls(
            *(
                np.percentile(pixels.ravel()[::_STEP].astype(np.float64), _PERCENTILES)
                for pixels in (reference, predicted)
            )
        )

    def apply(self, levels: Floats) -> Floats:
        """Levels of the reference as the sent picture has them."""
        return np.interp(levels, self.reference, self.sent).astype(np.float32)

    def inverse(self, levels: Floats) -> Floats:
        """Levels of the sent picture as the reference has them."""
        return np.interp(levels, self.sent, self.reference).astype(np.float32)
