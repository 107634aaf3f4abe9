"""A second, scalar implementation of every draw, written from docs/randomness.md only.

Plain Python integers, one sample at a time, nothing shared with the library: if both agree, the
document describes the library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import Any

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
IGNORE = -100


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Apply ten rounds of Philox4x32."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK32
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def mix64(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
    return z ^ (z >> 31)


def text_key(text: str | bytes) -> int:
    data = text.encode() if isinstance(text, str) else text
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def content_key(ids: list[int]) -> int:
    total = sum(mix64((token + (i + 1) * GOLDEN) & MASK64) for i, token in enumerate(ids))
    return mix64((len(ids) + total) & MASK64)


def hash_words(*words: int) -> int:
    state = 0
    for position, word in enumerate(words, 1):
        state = mix64(state ^ mix64((word + position * GOLDEN) & MASK64))
    return state


def words(stream: int, count: int, draw: int = 0) -> list[int]:
    """Return words 0 … count-1 of a stream."""
    out: list[int] = []
    for block in range((count + 3) // 4):
        counter = (block & MASK32, block >> 32, draw, 0)
        out.extend(philox(counter, (stream & MASK32, stream >> 32)))
    return out[:count]


def below(word: int, bound: int) -> int:
    return word * bound >> 32


def threshold(probability: float) -> int:
    return round(probability * 2.0**32)


@dataclass(frozen=True)
class Sample:
    """The streams of one sample at one time."""

    seed: int
    t: int
    key: int

    def stream(self, purpose: str) -> int:
        return hash_words(self.seed, self.t, self.key, text_key(purpose))

    def words(self, purpose: str, count: int, draw: int = 0) -> list[int]:
        return words(self.stream(purpose), count, draw)

    def budget(self, rate: float, available: int) -> int:
        fraction = self.words("budget", 1)[0] * 2.0**-32
        wanted = int(rate * available + fraction)
        return min(max(wanted, int(rate > 0 and available > 0)), available)


def independent(drawn: list[int], limit: int, always_one: bool, leave_one: bool) -> list[bool]:
    chosen = [word < limit for word in drawn]
    if always_one and drawn and limit and not any(chosen):
        chosen[drawn.index(min(drawn))] = True
    if leave_one and drawn and all(chosen):
        chosen[drawn.index(max(drawn))] = False
    return chosen


def exact(drawn: list[int], wanted: int) -> list[bool]:
    chosen = []
    for i, word in enumerate(drawn):
        chosen.append(below(word, len(drawn) - i) < wanted)
        wanted -= chosen[-1]
    return chosen


def shuffled(values: list[int], drawn: list[int]) -> list[int]:
    """Shuffle values from the end, as Fisher and Yates."""
    values = list(values)
    for i in range(len(values) - 1, 0, -1):
        j = below(drawn[i], i + 1)
        values[i], values[j] = values[j], values[i]
    return values


def random_order(drawn: list[int], count: int) -> Iterator[int]:
    """Yield the numbers below ``count`` in random order, with one word each."""
    order = list(range(count))
    for i in range(count):
        j = i + below(drawn[i], count - i)
        order[i], order[j] = order[j], order[i]
        yield order[i]


def words_to_budget(drawn: list[int], last: int, lengths: list[int], left: int) -> list[bool]:
    chosen = [False] * len(lengths)
    for word in random_order(drawn, len(lengths)):
        if left == 0:
            break
        if lengths[word] > left:
            chosen[word] = below(last, lengths[word]) < left or not any(chosen)
            break
        chosen[word] = True
        left -= lengths[word]
    return chosen


def cdf_limits(weights: list[float], total: float) -> list[int]:
    limits = [threshold(share) for share in accumulate(weight / total for weight in weights)]
    return [*limits[:-1], 1 << 32]


def geometric_limits(p: float, longest: int) -> list[int]:
    weights = [(1.0 - p) ** i for i in range(longest)]
    return cdf_limits(weights, sum(weights))


def span_lengths(stream: int, budget: int, limits: list[int]) -> list[int]:
    drawn = words(stream, budget)
    lengths: list[int] = []
    while sum(lengths) < budget:
        length = 1 + sum(drawn[len(lengths)] >= limit for limit in limits)
        lengths.append(min(length, budget - sum(lengths)))
    return shuffled(lengths, words(stream, len(lengths), draw=1))


def span_places(stream: int, lengths: list[int], free: int, separate: bool = True) -> list[int]:
    apart = separate and len(lengths) <= free + 1
    slots = free + 1 if apart else free + len(lengths)
    places, cursor = [], 0
    for taken in exact(words(stream, slots), len(lengths)):
        if taken:
            places.append(cursor)
            cursor += lengths[len(places) - 1] + apart
        else:
            cursor += 1
    return places


def spans(sample: Sample, rate: float, count: int, p: float, longest: int) -> list[tuple[int, int]]:
    """Return first unit and number of units of each span."""
    budget = sample.budget(rate, count)
    lengths = span_lengths(sample.stream("span lengths"), budget, geometric_limits(p, longest))
    places = span_places(sample.stream("span places"), lengths, count - budget)
    return list(zip(places, lengths, strict=True))


def mix(
    sample: Sample,
    ids: list[int],
    groups: list[list[int]],
    mask: float,
    random: float,
    mask_id: int,
    ordinary: list[int],
) -> list[int]:
    """Mask a row; each of ``groups`` is a list of positions with one decision."""
    out = list(ids)
    kinds = sample.words("mix kind", len(groups))
    drawn = iter(sample.words("mix id", sum(map(len, groups))))
    for kind, group in zip(kinds, groups, strict=True):
        for position in group:
            word = next(drawn)
            if kind < threshold(mask):
                out[position] = mask_id
            elif kind < threshold(min(mask + random, 1.0)):
                out[position] = ordinary[below(word, len(ordinary))]
    return out


def labels(ids: list[int], groups: list[list[int]]) -> list[int]:
    chosen = {position for group in groups for position in group}
    return [token if i in chosen else IGNORE for i, token in enumerate(ids)]


def word_groups(free: list[int], starts: set[int]) -> list[list[int]]:
    """Return words: runs of maskable positions of which only the first starts a word."""
    groups: list[list[int]] = []
    for position in free:
        if position in starts or not groups or groups[-1][-1] != position - 1:
            groups.append([])
        groups[-1].append(position)
    return groups


def units_of(row: list[int], special: Any, unit: str) -> list[list[int]]:
    """Return the positions of each unit of a row; even ids start words."""
    free = [i for i, token in enumerate(row) if not special[token]]
    return word_groups(free, {i for i in free if row[i] % 2 == 0 or unit == "token"})


def joined(spans_of_units: list[tuple[int, int]], units: list[list[int]]) -> list[list[int]]:
    """Return spans of units as lists of positions; a gap in the positions splits a span."""
    out: list[list[int]] = []
    for first, length in spans_of_units:
        fresh = True
        for unit in units[first : first + length]:
            if fresh or out[-1][-1] != unit[0] - 1:
                out.append([])
            out[-1].extend(unit)
            fresh = False
    return out
