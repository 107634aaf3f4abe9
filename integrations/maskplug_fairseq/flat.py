"""Many rows of a memory-mapped text in one go; fairseq itself reads and joins line by line."""

from __future__ import annotations

import numpy as np
from fairseq.data.indexed_dataset import MMapIndexedDataset

from maskplug.ragged import ranges
from maskplug.types import IntArray


class FlatText:
    """The lines of a binarized text, one behind the other, as one row of tokens.

    Args:
        lines: fairseq's dataset of lines.
        starts: where each line begins in the text, and its end: int64.
        left_out: how many tokens at the end of each line do not belong to the text.
    """

    def __init__(self, lines: MMapIndexedDataset, starts: IntArray, left_out: int) -> None:
        self.lines = lines
        self.starts = starts
        self.left_out = left_out

    def read(
        self, firsts: IntArray, ends: IntArray, before: int = 0, after: int = 0
    ) -> tuple[IntArray, IntArray]:
        """Stretches of the text, with room around each.

        Args:
            firsts, ends: where they begin, and where they end: int64, one each.
            before, after: tokens of room; what stands there is to be written over.

        Returns:
            The ids (int64, fresh, one stretch behind the other) and the stretches' offsets.
        """
        places, offsets = ranges(firsts - before, ends - firsts + (before + after))
        if self.left_out:
            places += self.left_out * np.repeat(*self._lines_of(firsts, ends, before, after))
        # Anew each time: an array over the file could not be sent to other processes.
        tokens = np.frombuffer(self.lines._bin_buffer, self.lines._index.dtype)
        return tokens.take(places, mode="clip").astype(np.int64), offsets

    def _lines_of(
        self, firsts: IntArray, ends: IntArray, before: int, after: int
    ) -> tuple[IntArray, IntArray]:
        """The lines that stretches are made of, and how many tokens each gives, room included."""
        last = len(self.starts) - 2
        first_lines = np.minimum(np.searchsorted(self.starts, firsts, "right") - 1, last)
        counts = np.maximum(np.searchsorted(self.starts, ends) - first_lines, 1)
        lines, offsets = ranges(first_lines, counts)
        begin = np.maximum(self.starts[lines], np.repeat(firsts, counts))
        tokens = np.minimum(self.starts[lines + 1], np.repeat(ends, counts)) - begin
        tokens[offsets[:-1]] += before
        tokens[offsets[1:] - 1] += after
        return lines, tokens
