"""Score sentences by ROUGE-1 between a part of a text and the rest."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import longest
from maskplug.types import BoolArray, FloatArray, IntArray


@kernel
def common(part: int, rest: int, unique: bool) -> int:
    """Return a word's contribution to the overlap, from its counts in both sides."""
    both = min(part, rest)
    return min(both, 1) if unique else both


@kernel
def size(part: int, rest: int, unique: bool) -> int:
    """Return a word's contribution to the sizes of both sides."""
    return min(part, 1) + min(rest, 1) if unique else part + rest


@kernel
def with_sentence(
    codes: IntArray, total: IntArray, taken: IntArray, counts: IntArray, unique: bool
) -> tuple[int, int]:
    """Return the changes of overlap and sizes if the sentence ``codes`` joins the part ``taken``.

    ``counts`` must be all zeros, and is restored.
    """
    overlap = 0
    sizes = 0
    for code in codes:
        if code >= 0:
            counts[code] += 1
    for code in codes:
        if code >= 0 and counts[code] > 0:
            part, rest, more = taken[code], total[code] - taken[code], counts[code]
            counts[code] = 0
            overlap += common(part + more, rest - more, unique) - common(part, rest, unique)
            sizes += size(part + more, rest - more, unique) - size(part, rest, unique)
    return overlap, sizes


@kernel
def compact(ids: IntArray, codes: IntArray, table: IntArray, total: IntArray) -> int:
    """Number the distinct words of one text, count them in ``total``, and return their number.

    ``table`` is -1 for new ids, and -2 for ignored ones.
    """
    words = 0
    for i in range(len(ids)):
        if table[ids[i]] == -1:
            table[ids[i]] = words
            total[words] = 0
            words += 1
        codes[i] = table[ids[i]]
        if codes[i] >= 0:
            total[codes[i]] += 1
    for i in range(len(ids)):
        if codes[i] >= 0:
            table[ids[i]] = -1
    return words


@kernel
def share(overlap: int, sizes: int) -> float:
    """Return the ROUGE-1 F measure from the overlap and the sizes of both sides."""
    return 2.0 * overlap / max(sizes, 1)


@kernel
def each_alone(
    ids: IntArray,
    rows: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    ignored: BoolArray,
    unique: bool,
) -> FloatArray:
    """Return the F measure of each sentence as a part by itself.

    Args:
        ids: all texts, concatenated.
        rows: row offsets of the texts.
        starts, lengths, offsets: the sentences, as in a ``Selection``.
        ignored: bool for each id, True for ids that do not count.
        unique: count each id once per side.
    """
    scores = np.empty(len(starts), np.float64)
    table = np.where(ignored, -2, -1)
    most = longest(rows)
    codes = np.empty(most, np.int64)
    total = np.empty(most, np.int64)
    empty = np.zeros(most, np.int64)
    counts = np.zeros(most, np.int64)
    for row in range(len(rows) - 1):
        base = rows[row]
        sizes = 0
        for code in range(compact(ids[base : rows[row + 1]], codes, table, total)):
            sizes += size(0, total[code], unique)
        for s in range(offsets[row], offsets[row + 1]):
            words = codes[starts[s] - base : starts[s] - base + lengths[s]]
            overlap, wider = with_sentence(words, total, empty, counts, unique)
            scores[s] = share(overlap, sizes + wider)
    return scores


@kernel
def one_by_one(
    ids: IntArray,
    rows: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    wanted: IntArray,
    ignored: BoolArray,
    unique: bool,
) -> BoolArray:
    """Return a bool for each sentence: ``wanted[row]`` per row, selected greedily by F.

    Remaining sentences are scored again in every step; of equal scores the later sentence is
    selected. Arguments are those of ``each_alone``.
    """
    chosen = np.zeros(len(starts), np.bool_)
    table = np.where(ignored, -2, -1)
    most = longest(rows)
    codes = np.empty(most, np.int64)
    total = np.empty(most, np.int64)
    taken = np.empty(most, np.int64)
    counts = np.zeros(most, np.int64)
    for row in range(len(wanted)):
        if wanted[row] == 0:
            continue
        base = rows[row]
        overlap = 0
        sizes = 0
        for code in range(compact(ids[base : rows[row + 1]], codes, table, total)):
            taken[code] = 0
            sizes += size(0, total[code], unique)
        for _ in range(wanted[row]):
            best = -1
            highest = -1.0
            for s in range(offsets[row], offsets[row + 1]):
                if not chosen[s]:
                    words = codes[starts[s] - base : starts[s] - base + lengths[s]]
                    more, wider = with_sentence(words, total, taken, counts, unique)
                    score = share(overlap + more, sizes + wider)
                    if score >= highest:
                        highest = score
                        best = s
            chosen[best] = True
            words = codes[starts[best] - base : starts[best] - base + lengths[best]]
            more, wider = with_sentence(words, total, taken, counts, unique)
            overlap += more
            sizes += wider
            for code in words:
                if code >= 0:
                    taken[code] += 1
    return chosen
