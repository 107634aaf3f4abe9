"""An attention pattern with exponentially growing distances."""

from dataclasses import dataclass

import numpy as np

import maskplug
from maskplug.attention import AttentionCall, Intervals


@dataclass(frozen=True)
class LogSparse(maskplug.Pattern):
    """A query sees itself and the tokens 1, ``base``, ``base`` squared, … positions before it.

    Args:
        base: at least 2; the ratio of successive distances.

    Source: Li et al., "Enhancing the locality and breaking the memory bottleneck of Transformer on
    time series forecasting", 2019 (LogSparse).

    Example:
        >>> LogSparse().dense(5)[0, 0].astype(int)[-1]
        array([1, 0, 1, 1, 1])
    """

    base: int = 2

    def __post_init__(self) -> None:
        """Validate the base."""
        if self.base < 2:
            raise maskplug.OptionError(f"option 'base' is {self.base!r}; it must be at least 2")

    def rows(self, site: AttentionCall) -> Intervals:
        """Return an interval of one key for each distance, in positions of the sample."""
        distances = [0, 1]
        while distances[-1] * self.base < site.kv_len:
            distances.append(distances[-1] * self.base)
        seen = [site.q - distance for distance in distances]
        return site.intervals(*((np.maximum(key, 0), key + 1) for key in seen))
