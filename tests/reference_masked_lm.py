"""The scalar twin of the masked-LM family's own draws, from docs/randomness-masked-lm.md alone."""

from __future__ import annotations

from reference import threshold, words


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
