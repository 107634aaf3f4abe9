"""A scalar reference of diffusion, permutation and ELECTRA, from docs/randomness-diffusion.md.

Plain Python numbers, one sample at a time; nothing shared with the library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate

from support.reference import GOLDEN, MASK32, Sample, independent, shuffled, threshold

#: The upper half of the golden ratio constant of the hashes.
TICK = GOLDEN >> 32


def uniform(word: int) -> float:
    return word * 2.0**-32


def ranks(drawn: list[int]) -> list[int]:
    return shuffled(list(range(len(drawn))), drawn)


def chosen(sample: Sample, chances: list[float], always_one: bool = False) -> list[bool]:
    """Return which units are masked, with one probability each."""
    drawn = sample.words("independent", len(chances))
    if always_one and chances:
        return independent(drawn, threshold(chances[0]), True, False)
    return [word < threshold(p) for word, p in zip(drawn, chances, strict=True)]


def uniform_noise(sample: Sample, eps: float, always_one: bool, n: int) -> tuple[float, float]:
    """Return probability and weight of each unit of a sample."""
    p = (1.0 - eps) * uniform(sample.words("noise level", 1)[0]) + eps
    return p, 1.0 / (p + (1.0 - p) ** n / n if always_one and n else p)


def level(sample: Sample, antithetic: bool) -> float:
    """Return the level t of ``scheduled_noise``."""
    if antithetic:
        start = Sample(sample.seed, 0, sample.key).words("noise level", 1)[0]
        word = (start + sample.t * TICK) & MASK32
    else:
        word = sample.words("noise level", 1)[0]
    return 0.001 + (1 - 0.001) * uniform(word)


def _by_noise(noise: float, slope: float) -> tuple[float, float]:
    return -math.expm1(-noise), slope / math.expm1(noise)


SCHEDULES: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "log_linear": lambda t, eps: ((1.0 - eps) * t, 1.0 / t),
    "cosine": lambda t, eps: (
        (1.0 - eps) * 2.0 * math.sin(math.pi / 4 * t) ** 2,
        math.pi / 2 / math.tan(math.pi / 4 * t),
    ),
    "cosine_squared": lambda t, eps: (
        (1.0 - eps) * math.sin(math.pi / 2 * t) ** 2,
        math.pi / math.tan(math.pi / 2 * t),
    ),
    "linear": lambda t, eps: _by_noise(0.001 + (7.0 - 0.001) * t, 7.0 - 0.001),
    "geometric": lambda t, eps: _by_noise(
        1e-4 * 200_000.0**t, 1e-4 * 200_000.0**t * math.log(200_000.0)
    ),
}


def block_levels(
    sample: Sample, n: int, block: int, low: float, high: float, antithetic: bool
) -> list[float]:
    """Return the level of each block of a sample."""
    m = math.ceil(n / block)
    shares = [uniform(word) for word in sample.words("noise level", m)]
    if antithetic:
        order = ranks(sample.words("noise order", m))
        shares = [(r + u) / m for r, u in zip(order, shares, strict=True)]
    return [low + (high - low) * u for u in shares]


def block_layer(free: list[bool], block: int) -> list[int]:
    """Return the block of every token; ``free`` is True for units."""
    out, seen, last = [], 0, -1
    for unit in free:
        if unit:
            last = seen // block
            seen += 1
        out.append(last)
    return out


def sample_ids(sample: Sample, logits: list[list[float]]) -> list[int]:
    """Return the id drawn for each selected token of a sample."""
    out = []
    for word, row in zip(sample.words("electra sample", len(logits)), logits, strict=True):
        sums = list(accumulate(math.exp(x - max(row)) for x in row))
        out.append(next(v for v, s in enumerate(sums) if s > word * 2.0**-32 * sums[-1]))
    return out
