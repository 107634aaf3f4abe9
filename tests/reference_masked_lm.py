"""The scalar twin of the masked-LM family's own draws, from docs/randomness-masked-lm.md alone."""

from __future__ import annotations

from reference import Sample, exact, span_lengths, threshold, words

Span = tuple[int, int]


def shares(weights: list[float]) -> list[int]:
    """Weights as integers, the greatest as 2**32; none above 0 becomes 0."""
    greatest = max(weights, default=0.0)
    return [max(threshold(w / greatest), 1) if w > 0 else 0 for w in weights]


def weighted(stream: int, weights: list[float], budget: int) -> list[bool]:
    """One unit after the other, in proportion to what is left."""
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
    total = 0.0
    for weight in weights:
        total += weight
    limits, so_far = [], 0.0
    for weight in weights:
        so_far += weight / total
        limits.append(threshold(so_far))
    return [*limits[:-1], 1 << 32]


def ngrams(sample: Sample, rate: float, count: int, law: str, longest: int) -> list[Span]:
    """First unit and number of units of each n-gram."""
    budget = sample.budget(rate, count)
    lengths = span_lengths(sample.stream("span lengths"), budget, ngram_limits(law, longest))
    slots = count - budget + len(lengths)
    cursor, left, found = 0, iter(lengths), []
    for taken in exact(sample.words("span places", slots), len(lengths)):
        length = next(left) if taken else 1
        if taken:
            found.append((cursor, length))
        cursor += length
    return found
