"""The sentences that say most of the rest: ROUGE-1 between a part of a text and what is left."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import longest
from maskplug.types import BoolArray, FloatArray, IntArray


@kernel
def common(part: int, rest: int, unique: bool) -> int:
    """What a word that occurs so often on either side adds to the overlap."""
    both = min(part, rest)
    return min(both, 1) if unique else both


@kernel
def size(part: int, rest: int, unique: bool) -> int:
    """What it adds to the sizes of both sides."""
    return min(part, 1) + min(rest, 1) if unique else part + rest


@kernel
def with_sentence(
    codes: IntArray, total: IntArray, taken: IntArray, own: IntArray, unique: bool
) -> tuple[int, int]:
    """How overlap and sizes change when the sentence ``codes`` joins the part ``taken``.

    ``own`` is all zeros, and is again in the end.
    """
    overlap = 0
    sizes = 0
    for code in codes:
        if code >= 0:
            own[code] += 1
    for code in codes:
        if code >= 0 and own[code] > 0:
            part, rest, more = taken[code], total[code] - taken[code], own[code]
            own[code] = 0
            overlap += common(part + more, rest - more, unique) - common(part, rest, unique)
            sizes += size(part + more, rest - more, unique) - size(part, rest, unique)
    return overlap, sizes


@kernel
def compact(ids: IntArray, codes: IntArray, table: IntArray, total: IntArray) -> int:
    """Number the words of one text from 0 on, count them in ``total``; returns how many there are.

    ``table`` is -1 for ids not seen yet, and lower for those that do not count.
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
    """ROUGE-1 F of a part, from its overlap with the rest and the sizes of both."""
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
    """F of each sentence, as a part by itself.

    Args:
        ids: all texts, one after the other.
        rows: where each text begins, and the last one ends.
        starts, lengths, offsets: the sentences, as a ``Selection`` has them.
        ignored: one bool an id, True for those that do not count.
        unique: whether an id counts once on either side.
    """
    scores = np.empty(len(starts), np.float64)
    table = np.where(ignored, -2, -1)
    most = longest(rows)
    codes = np.empty(most, np.int64)
    total = np.empty(most, np.int64)
    nothing = np.zeros(most, np.int64)
    own = np.zeros(most, np.int64)
    for row in range(len(rows) - 1):
        base = rows[row]
        sizes = 0
        for code in range(compact(ids[base : rows[row + 1]], codes, table, total)):
            sizes += size(0, total[code], unique)
        for s in range(offsets[row], offsets[row + 1]):
            words = codes[starts[s] - base : starts[s] - base + lengths[s]]
            overlap, wider = with_sentence(words, total, nothing, own, unique)
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
    """Bool a sentence: ``wanted[row]`` of each row, each the one that adds most to F.

    A part is a sentence with those that were taken before it, so that all that are left are scored
    anew for each; of equal ones the later is taken. Arguments as in ``each_alone``.
    """
    chosen = np.zeros(len(starts), np.bool_)
    table = np.where(ignored, -2, -1)
    most = longest(rows)
    codes = np.empty(most, np.int64)
    total = np.empty(most, np.int64)
    taken = np.empty(most, np.int64)
    own = np.zeros(most, np.int64)
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
                    more, wider = with_sentence(words, total, taken, own, unique)
                    score = share(overlap + more, sizes + wider)
                    if score >= highest:
                        highest = score
                        best = s
            chosen[best] = True
            words = codes[starts[best] - base : starts[best] - base + lengths[best]]
            more, wider = with_sentence(words, total, taken, own, unique)
            overlap += more
            sizes += wider
            for code in words:
                if code >= 0:
                    taken[code] += 1
    return chosen
