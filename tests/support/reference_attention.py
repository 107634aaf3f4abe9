"""Scalar twins of the random numbers of attention patterns, by docs/randomness-attention.md.

Plain Python integers, one sample at a time; no code of the library.
"""

from __future__ import annotations

from functools import cache

from support.reference import Sample, below, independent, threshold
from support.reference_diffusion import ranks


def scoped(purpose: str, attention_kind: str, layer: int | None = None) -> str:
    """Return a purpose with its scope."""
    before = "decoder/" if attention_kind == "decoder" else ""
    return f"{before}{'' if layer is None else f'layer {layer}/'}{purpose}"


@cache
def mode(sample: Sample, attention_kind: str, shares: tuple[float, ...]) -> int:
    """Return the index of the mode of ``unilm``: bidirectional, seq2seq, left, right."""
    word = sample.words(scoped("attention mode", attention_kind), 1)[0]
    last = max(i for i, share in enumerate(shares) if share)
    for i in range(last):
        if word < threshold(sum(shares[: i + 1]) / sum(shares)):
            return i
    return last


@cache
def order(sample: Sample, attention_kind: str, n: int) -> list[int]:
    """Return the rank of each of n tokens."""
    return ranks(sample.words(scoped("attention order", attention_kind), n))


@cache
def hidden_keys(
    sample: Sample, attention_kind: str, layer: int | None, head: int, n: int, rate: float
) -> list[bool]:
    """Return which of n tokens ``random`` hides."""
    drawn = sample.words(scoped("hidden keys", attention_kind, layer), n, head)
    return independent(drawn, threshold(rate), always_one=False, leave_one=True)


@cache
def further_blocks(
    sample: Sample,
    attention_kind: str,
    layer: int,
    head: int,
    blocks: int,
    most: int,
    wanted: int,
    window: int,
    ends: int,
) -> list[list[int]]:
    """Return the random blocks of each block of ``bigbird``."""
    drawn = sample.words(scoped("random blocks", attention_kind, layer), blocks * most, head)
    out: list[list[int]] = []
    for i in range(blocks):
        others = [b for b in range(ends, blocks - ends) if abs(b - i) > window // 2]
        if not ends <= i < blocks - ends:
            others = []
        words = drawn[i * most : (i + 1) * most][:wanted]
        out.append([others.pop(below(word, len(others))) for word in words if others])
    return out
