"""The sentences that say most of the rest: ROUGE-1 between a part of a text and what is left."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import BoolArray, IntArray
from maskplug.kernels import kernel
from maskplug.kernels.philox import longest


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
def principal(
    ids: IntArray,
    rows: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    wanted: IntArray,
    ignored: BoolArray,
    sequential: bool,
    unique: bool,
) -> BoolArray:
    """Bool a sentence: the ``wanted[row]`` of each row that have the highest ROUGE-1 F.

    F is 2 * overlap / (size of the part + size of the rest); of equal sentences the later one.
    The part is each sentence by itself or, if ``sequential``, with those that were taken before it.
    ``ignored`` (one bool an id) are the ids that do not count.
    """
    chosen = np.zeros(len(starts), np.bool_)
    table = np.where(ignored, -2, -1)
    most = longest(rows)
    codes = np.empty(most, np.int64)
    total = np.empty(most, np.int64)
    taken = np.empty(most, np.int64)
    own = np.zeros(most, np.int64)
    scores = np.empty(longest(offsets), np.float64)
    for row in range(len(wanted)):
        if wanted[row] == 0:
            continue
        base = rows[row]
        words = compact(ids[base : rows[row + 1]], codes, table, total)
        taken[:words] = 0
        overlap = 0
        sizes = 0
        for code in range(words):
            sizes += size(0, total[code], unique)
        first, end = offsets[row], offsets[row + 1]
        for step in range(wanted[row]):
            best = -1
            for s in range(first, end):
                if chosen[s]:
                    continue
                if step == 0 or sequential:
                    own_codes = codes[starts[s] - base : starts[s] - base + lengths[s]]
                    more, wider = with_sentence(own_codes, total, taken, own, unique)
                    scores[s - first] = 2.0 * (overlap + more) / max(sizes + wider, 1)
                if best < 0 or scores[s - first] >= scores[best - first]:
                    best = s
            chosen[best] = True
            if sequential:
                own_codes = codes[starts[best] - base : starts[best] - base + lengths[best]]
                more, wider = with_sentence(own_codes, total, taken, own, unique)
                overlap += more
                sizes += wider
                for code in own_codes:
                    if code >= 0:
                        taken[code] += 1
    return chosen
