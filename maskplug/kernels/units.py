"""Units of selection: maskable tokens, words, subsets of them, and runs."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import inlined, kernel
from maskplug.types import BoolArray, FloatArray, IntArray, Words


@inlined
def goes_on(before: np.uint32, code: np.uint32) -> bool:
    """Return whether a token continues the word of the token before it, from their codes.

    The lower four bits of a code are the kind of the token's start, and bit 4 + n is set if a token
    of kind n continues the word; see ``maskplug.vocabulary.words``.
    """
    return bool((before >> (np.uint32(4) + (code & np.uint32(15)))) & np.uint32(1))


@kernel
def outside(ids: IntArray, size: int) -> bool:
    """Return whether any id is outside a vocabulary of this size."""
    result = False
    for i in range(len(ids)):  # negative ids are huge as unsigned integers
        result |= bool(np.uint64(ids[i]) >= np.uint64(size))
    return result


@kernel
def ordinary_tokens(ids: IntArray, special: BoolArray, out: BoolArray) -> None:
    """Write True for tokens that are not special; ids must be in the vocabulary."""
    for i in range(len(ids)):
        out[i] = not special[np.uint64(ids[i])]


@kernel
def token_units(ids: IntArray, special: BoolArray, offsets: IntArray, starts: IntArray) -> IntArray:
    """Write the positions of tokens that are not special; return their row offsets.

    Ids must be in the vocabulary, and ``starts`` needs room for all of them.
    """
    rows = np.zeros(len(offsets), np.int64)
    # Always written and kept by the count: a branch here is mispredicted at random. The count is
    # unsigned, because signed indices are checked for negative values.
    count = np.uint64(0)
    for row in range(len(offsets) - 1):
        first = np.uint64(offsets[row])
        for k in range(offsets[row + 1] - offsets[row]):
            i = first + np.uint64(k)
            starts[count] = i
            count += np.uint64(not special[np.uint64(ids[i])])
        rows[row + 1] = count
    return rows


@kernel
def ordinary_counts(ids: IntArray, special: BoolArray, offsets: IntArray) -> IntArray:
    """Return the number of ordinary tokens of each row; ids must be in the vocabulary."""
    counts = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(counts)):
        first = np.uint64(offsets[row])
        count = np.uint64(0)
        for k in range(offsets[row + 1] - offsets[row]):
            count += np.uint64(not special[np.uint64(ids[first + np.uint64(k)])])
        counts[row] = count
    return counts


@kernel
def single_units(maskable: BoolArray, offsets: IntArray, starts: IntArray) -> IntArray:
    """Write the positions of the True values; return their row offsets.

    ``starts`` needs room for all positions.
    """
    rows = np.zeros(len(offsets), np.int64)
    count = np.uint64(0)
    for row in range(len(offsets) - 1):
        first = np.uint64(offsets[row])
        for k in range(offsets[row + 1] - offsets[row]):
            i = first + np.uint64(k)
            starts[count] = i
            count += np.uint64(maskable[i])
        rows[row + 1] = count
    return rows


@kernel
def take_units(
    chosen: BoolArray, starts: IntArray, lengths: IntArray, offsets: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the selected spans, and their row offsets."""
    total = 0
    for k in range(len(chosen)):
        total += int(chosen[k])
    out_starts = np.empty(total + 1, np.int64)
    out_lengths = np.empty(total + 1, np.int64)
    rows = np.zeros(len(offsets), np.int64)
    count = np.uint64(0)
    for row in range(len(offsets) - 1):
        first = np.uint64(offsets[row])
        for k in range(offsets[row + 1] - offsets[row]):
            span = first + np.uint64(k)
            out_starts[count] = starts[span]
            out_lengths[count] = lengths[span]
            count += np.uint64(chosen[span])
        rows[row + 1] = count
    return out_starts[:total], out_lengths[:total], rows


@kernel
def rising(offsets: IntArray, end: int) -> bool:
    """Return whether row offsets rise from 0 to ``end``."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != end:
        return False
    falls = False
    for row in range(len(offsets) - 1):
        falls |= offsets[row + 1] < offsets[row]
    return not falls


@kernel
def unsound_span(starts: IntArray, lengths: IntArray, spans: IntArray, offsets: IntArray) -> int:
    """Return the first span that is not inside its row, or overlaps the previous one; or -1."""
    for row in range(len(offsets) - 1):
        cursor = offsets[row]
        for k in range(spans[row], spans[row + 1]):
            if starts[k] < cursor or lengths[k] < 0 or starts[k] + lengths[k] > offsets[row + 1]:
                return k
            cursor = starts[k] + lengths[k]
    return -1


@kernel
def word_units(
    ids: IntArray, codes: Words, offsets: IntArray, starts: IntArray, lengths: IntArray
) -> IntArray:
    """Write starts and lengths of the words, runs of maskable tokens; return their row offsets.

    ``codes`` holds for every id how its token starts and continues (see :func:`goes_on`), 0 for
    tokens that cannot be masked; ids must be in that table. If ``ids`` is empty, ``codes`` holds
    one code for every token. ``starts`` and ``lengths`` need room for one more than all tokens.
    """
    rows = np.zeros(len(offsets), np.int64)
    opened = np.uint64(0)
    closed = np.uint64(0)
    for row in range(len(offsets) - 1):
        first = np.uint64(offsets[row])
        before = np.uint32(0)
        for k in range(offsets[row + 1] - offsets[row]):
            i = first + np.uint64(k)
            code = codes[np.uint64(ids[i]) if len(ids) > 0 else i]
            # Always written and kept by the counts: a branch here is mispredicted at random.
            ends = not goes_on(before, code)
            lengths[closed] = i
            closed += np.uint64((before != 0) & ends)
            starts[opened] = i
            opened += np.uint64((code != 0) & ends)
            before = code
        if before != 0:
            lengths[closed] = offsets[row + 1]
            closed += np.uint64(1)
        rows[row + 1] = opened
    for k in range(rows[-1]):
        lengths[k] -= starts[k]  # until here, lengths holds the ends
    return rows


@kernel
def word_starts(ids: IntArray, codes: Words, offsets: IntArray, out: BoolArray) -> None:
    """Write True for tokens that start a word, and for those whose code is 0."""
    for row in range(len(offsets) - 1):
        before = np.uint32(0)
        for i in range(offsets[row], offsets[row + 1]):
            code = codes[np.uint64(ids[i])]
            out[i] = not goes_on(before, code)
            before = code


@kernel
def exceeding_row(
    lengths: IntArray, spans: IntArray, offsets: IntArray, rates: FloatArray, least: int, first: int
) -> int:
    """Return the first row with a span of ``least`` tokens and over twice its rate; -1 if none.

    ``lengths`` are those of the spans, ``spans`` and ``offsets`` the row offsets of spans and of
    tokens. Rows before ``first`` are skipped.
    """
    for row in range(first, len(spans) - 1):
        longest = 0
        for k in range(spans[row], spans[row + 1]):
            longest = max(longest, lengths[k])
        if longest >= least and longest > 2.0 * rates[row] * (offsets[row + 1] - offsets[row]):
            return row
    return -1


@kernel
def join(
    starts: IntArray, lengths: IntArray, offsets: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the spans with adjacent ones merged, and their row offsets."""
    out_starts = np.empty(len(starts), np.int64)
    out_lengths = np.empty(len(starts), np.int64)
    rows = np.zeros(len(offsets), np.int64)
    n = 0
    for row in range(len(offsets) - 1):
        for k in range(offsets[row], offsets[row + 1]):
            if k == offsets[row] or starts[k] != out_starts[n - 1] + out_lengths[n - 1]:
                out_starts[n] = starts[k]
                out_lengths[n] = 0
                n += 1
            out_lengths[n - 1] += lengths[k]
        rows[row + 1] = n
    return out_starts[:n], out_lengths[:n], rows


@kernel
def distances(
    chosen: BoolArray, outside: BoolArray, offsets: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the distance from each selected token to the nearest unselected one, left and right.

    It is 0 for tokens that are not selected, and if the run of selected tokens reaches the end of
    the row or a token that is ``outside``.
    """
    left = np.zeros(len(chosen), np.int64)
    right = np.zeros(len(chosen), np.int64)
    for row in range(len(offsets) - 1):
        edge = -1
        for i in range(offsets[row], offsets[row + 1]):
            if outside[i]:
                edge = -1
            elif not chosen[i]:
                edge = i
            elif edge >= 0:
                left[i] = i - edge
        edge = -1
        for i in range(offsets[row + 1] - 1, offsets[row] - 1, -1):
            if outside[i]:
                edge = -1
            elif not chosen[i]:
                edge = i
            elif edge >= 0:
                right[i] = edge - i
    return left, right


@kernel
def stretch(
    starts: IntArray, lengths: IntArray, offsets: IntArray, firsts: IntArray, counts: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return spans of ``counts[row]`` units of each row, from its unit ``firsts[row]`` on.

    Adjacent units form one span. Units beyond the row are ignored.
    """
    bounds = np.zeros(len(offsets), np.int64)
    total = 0
    for row in range(len(firsts)):
        total += max(counts[row], 0)
    out_starts = np.empty(min(total, len(starts)), np.int64)
    out_lengths = np.empty(len(out_starts), np.int64)
    n = 0
    for row in range(len(firsts)):
        behind = -1
        begin = max(offsets[row] + firsts[row], offsets[row])
        for k in range(begin, min(offsets[row] + firsts[row] + counts[row], offsets[row + 1])):
            if starts[k] != behind:
                out_starts[n] = starts[k]
                n += 1
            behind = starts[k] + lengths[k]
            out_lengths[n - 1] = behind - out_starts[n - 1]
        bounds[row + 1] = n
    return out_starts[:n], out_lengths[:n], bounds


@kernel
def touching(starts: IntArray, lengths: IntArray, offsets: IntArray) -> bool:
    """Return whether two spans of one row are adjacent."""
    for row in range(len(offsets) - 1):
        for k in range(offsets[row] + 1, offsets[row + 1]):
            if starts[k] == starts[k - 1] + lengths[k - 1]:
                return True
    return False
