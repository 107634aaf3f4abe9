"""A scalar reference of masked language modelling, written from docs/randomness-masked-lm.md."""

from __future__ import annotations

from itertools import accumulate
from math import sqrt

from support.reference import (
    Sample,
    cdf_limits,
    random_order,
    span_lengths,
    span_places,
    threshold,
    words,
)

Span = tuple[int, int]


def shares(weights: list[float]) -> list[int]:
    """Return weights as integers, with the maximum as 2**32; positive ones stay positive."""
    greatest = max(weights, default=0.0)
    return [max(threshold(w / greatest), 1) if w > 0 else 0 for w in weights]


def weighted(stream: int, weights: list[float], budget: int) -> list[bool]:
    """Draw units without replacement in proportion to their weights."""
    left = dict(enumerate(shares(weights)))
    drawn = words(stream, 2 * budget)
    for low, high in zip(drawn[::2], drawn[1::2], strict=True):
        if not any(left.values()):
            left = dict.fromkeys(left, 1)
        point = (low + (high << 32)) * sum(left.values()) >> 64
        for unit, share in sorted(left.items()):
            if point < share:
                del left[unit]
                break
            point -= share
    return [unit not in left for unit in range(len(weights))]


def ngram_limits(law: str, longest: int) -> list[int]:
    left = [1.0]
    while len(left) < longest:
        left.append(left[-1] * 0.8)
    weights = {
        "inverse": [1.0 / n for n in range(1, longest + 1)],
        "reversed": [1.0 / (longest + 1 - n) for n in range(1, longest + 1)],
        "uniform": [1.0] * longest,
        "geometric": [0.2 * g for g in left[:-1]] + left[-1:],
    }[law]
    return cdf_limits(weights, list(accumulate(weights))[-1])


def ngrams(sample: Sample, rate: float, count: int, law: str, longest: int) -> list[Span]:
    """First unit and number of units of each n-gram."""
    budget = sample.budget(rate, count)
    lengths = span_lengths(sample.stream("span lengths"), budget, ngram_limits(law, longest))
    places = span_places(sample.stream("span places"), lengths, count - budget, separate=False)
    return list(zip(places, lengths, strict=True))


def bert_budget(length: int, rate: float, most: int) -> int:
    """Return BERT's budget; ``length`` includes special tokens and excludes padding."""
    return min(most, max(1, round(length * rate))) if rate > 0 else 0


def words_within(drawn: list[int], lengths: list[int], budget: int) -> list[bool]:
    chosen, left = [False] * len(lengths), budget
    order = list(random_order(drawn, len(lengths)))
    for word in order:
        if lengths[word] <= left:
            chosen[word] = True
            left -= lengths[word]
    if lengths and budget and not any(chosen):
        chosen[order[0]] = True
    return chosen


def segmented(
    drawn: list[int], groups: list[list[int]], row: list[int], phrases: list[list[int]]
) -> list[list[int]]:
    """Return words, as lists of positions, merged to phrases."""
    spans = []
    for first in range(len(groups)):
        for last in range(first + 1, len(groups)):
            positions = [i for group in groups[first : last + 1] for i in group]
            together = positions[-1] - positions[0] == len(positions) - 1
            if together and [row[i] for i in positions] in phrases:
                spans.append((first, last))
    outer = [
        (a, b)
        for a, b in spans
        if not any(c <= a and b <= d and (c, d) != (a, b) for c, d in spans)
    ]
    kept: list[tuple[int, int]] = []
    for i in random_order(drawn, len(outer)):
        a, b = outer[i]
        if all(b < c or d < a for c, d in kept):
            kept.append((a, b))
    units, word = [], 0
    ends = dict(kept)
    while word < len(groups):
        last = ends.get(word, word)
        units.append([i for group in groups[word : last + 1] for i in group])
        word = last + 1
    return units


def in_segments(drawn: list[int], segments: list[int], limit: int) -> list[bool]:
    chosen = [word < limit for word in drawn]
    for segment in set(segments):
        members = [i for i, number in enumerate(segments) if number == segment]
        if limit and not any(chosen[i] for i in members):
            chosen[min(members, key=lambda i: (drawn[i], i))] = True
    return chosen


def raised(value: float, power: float) -> float:
    if power < 0 and value == 0:
        value = 1.0
    steps = round(abs(power) * 65536)
    out, root = 1.0, value
    for bit in reversed(range(16)):
        root = sqrt(root)
        if steps >> bit & 1:
            out *= root
    square = value
    for bit in range(16, steps.bit_length()):
        if steps >> bit & 1:
            out *= square
        square *= square
    return 1.0 / out if power < 0 else out


def by_score(sample: Sample, weights: list[float]) -> list[bool]:
    drawn = sample.words("by score", len(weights))
    chosen = [word < threshold(p) for word, p in zip(drawn, weights, strict=True)]
    if weights and not any(chosen):
        return weighted(sample.stream("weighted"), weights, 1)
    return chosen
