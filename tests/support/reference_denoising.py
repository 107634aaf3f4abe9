"""A second, scalar implementation of docs/randomness-denoising.md; see ``reference``."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

from support import reference as ref
from support.reference import below, cdf_limits, exact, shuffled, threshold


@dataclass(frozen=True)
class Sample(ref.Sample):
    """One sample in one stage of a chain."""

    scope: str = ""

    def stream(self, purpose: str) -> int:
        return super().stream(self.scope + purpose)


#: A span: its first position and its length, 0 for an insertion.
Span = tuple[int, int]


def poisson_limits(mean: float) -> list[int]:
    weights = [math.exp(-mean)]
    while not (len(weights) > mean and weights[-1] < 2.0**-34):
        weights.append(weights[-1] * mean / len(weights))
    return cdf_limits(weights, list(accumulate(weights))[-1])


def poisson_lengths(sample: Sample, budget: int, limits: list[int]) -> list[int]:
    lengths: list[int] = []
    for word in sample.words("poisson lengths", 2 * budget):
        left = budget - sum(lengths)
        if not left:
            break
        length = sum(word >= limit for limit in limits)
        if length == 0 and lengths.count(0) == budget:
            length = 1
        lengths.append(min(length, left))
    return shuffled(lengths, sample.words("poisson lengths", len(lengths), draw=1))


def point(units: list[list[int]], unit: int) -> int:
    """Return the position of an empty span at this unit."""
    return units[unit][0] if unit < len(units) else units[-1][-1] + 1


def poisson_spans(sample: Sample, units: list[list[int]], rate: float, mean: float) -> list[Span]:
    budget = sample.budget(rate, len(units))
    lengths = poisson_lengths(sample, budget, poisson_limits(mean))
    places = ref.span_places(sample.stream("poisson places"), lengths, len(units) - budget)
    spans: list[Span] = []
    for place, length in zip(places, lengths, strict=True):
        if length == 0:
            spans.append((point(units, place), 0))
        spans += [(run[0], len(run)) for run in ref.joined([(place, length)], units) if run]
    return spans


def insertions(sample: Sample, units: list[list[int]], rate: float) -> list[Span]:
    budget = sample.budget(rate, len(units))
    taken = exact(sample.words("insertion places", len(units) + 1), budget) if units else []
    return [(point(units, i), 0) for i, hit in enumerate(taken) if hit]


def score(part: Counter[int], rest: Counter[int], unique: bool) -> float:
    if unique:
        part, rest = Counter(set(part)), Counter(set(rest))
    total = part.total() + rest.total()
    return 2 * (part & rest).total() / total if total else 0.0


def principal(
    sentences: list[list[int]], wanted: int, silent: set[int], sequential: bool, unique: bool
) -> list[int]:
    """Return the sorted indices of the selected sentences."""
    counts = [Counter(token for token in s if token not in silent) for s in sentences]
    taken: list[int] = []
    for _ in range(wanted):
        scores = []
        for i in range(len(sentences)):
            company = {i, *(taken if sequential else ())}
            part = sum((counts[k] for k in company), Counter[int]())
            rest = sum((c for k, c in enumerate(counts) if k not in company), Counter[int]())
            scores.append((-1.0 if i in taken else score(part, rest, unique), i))
        taken.append(max(scores)[1])
    return sorted(taken)


def gap_count(rate: float, sentences: int) -> int:
    return min(max(int(rate * sentences), 1), sentences) if rate > 0 else 0


def uniform_count(sample: Sample, units: int) -> list[bool]:
    count = min(1 + below(sample.words("uniform count", 1)[0], units), units)
    return exact(sample.words("exact", units), count)


def switches(sample: Sample, units: int, tau: float) -> list[bool]:
    ratio = math.exp(-tau)
    terms = [1.0]
    while len(terms) < units:
        terms.append(terms[-1] * ratio)
    sums = [terms[0]]
    for term in terms[1:]:
        sums.append(sums[-1] + term)
    u = sample.words("switch count", 1)[0] * 2.0**-32 * sums[-1]
    count = next((k for k, passed in enumerate(sums, 1) if passed > u), units)
    return [below(word, units) < count for word in sample.words("switch", units)]


def one_mask(
    sample: Sample, row: list[int], spans: list[Span], mask: int, random: float, ordinary: list[int]
) -> list[int]:
    kinds = sample.words("one mask kind", len(spans))
    drawn = sample.words("one mask id", len(spans))
    written = [
        [ordinary[below(word, len(ordinary))] if kind < threshold(random) else mask]
        for kind, word in zip(kinds, drawn, strict=True)
    ]
    return rewritten(row, spans, written)


def rewritten(row: list[int], spans: list[Span], written: list[list[int]]) -> list[int]:
    out, cursor = [], 0
    for (start, length), new in zip(spans, written, strict=True):
        out += [*row[cursor:start], *new]
        cursor = start + length
    return out + row[cursor:]


def gap_mask(
    sample: Sample, row: list[int], spans: list[Span], mask: int, keep: float
) -> list[int]:
    kept = [word < threshold(keep) for word in sample.words("gap kept", len(spans))]
    written = [
        row[start : start + length] if stays or not length else [mask]
        for (start, length), stays in zip(spans, kept, strict=True)
    ]
    return rewritten(row, spans, written)


def arranged(row: list[int], units: list[list[int]], order: list[int]) -> list[int]:
    spans = [(unit[0], len(unit)) for unit in units]
    return rewritten(row, spans, [[row[i] for i in units[k]] for k in order])


def permuted(sample: Sample, units: int, share: float) -> list[int]:
    uniform = sample.words("permute share", 1)[0] * 2.0**-32
    count = min(max(int(share * units + uniform), int(share > 0 and units > 0)), units)
    taken = [i for i, hit in enumerate(exact(sample.words("permute", units), count)) if hit]
    order = list(range(units))
    moved = shuffled(taken, sample.words("permute", len(taken), draw=1))
    for place, unit in zip(taken, moved, strict=True):
        order[place] = unit
    return order


def rotated(sample: Sample, units: int, rate: float) -> list[int]:
    coin, word = sample.words("rotate", 2)
    shift = below(word, units) if coin < threshold(rate) else 0
    return [(i + shift) % units for i in range(units)]


def shuffled_near(sample: Sample, units: int, distance: int) -> list[int]:
    ranks = [(i << 32) + distance * word for i, word in enumerate(sample.words("shuffle", units))]
    return sorted(range(units), key=lambda i: (ranks[i], i))


def switched(sample: Sample, row: list[int], chosen: list[int], ordinary: list[int]) -> list[int]:
    out, size = list(row), len(ordinary)
    for position, word in zip(chosen, sample.words("switch id", len(chosen)), strict=True):
        step = 1 + below(word, size - 1)
        out[position] = ordinary[(ordinary.index(row[position]) + step) % size]
    return out


def code_switched(
    sample: Sample,
    row: list[int],
    units: list[list[int]],
    dictionary: dict[tuple[int, ...], list[list[int]]],
    rate: float,
) -> list[int]:
    coins = sample.words("in dictionary", len(units))
    chosen = [
        unit
        for unit, coin in zip(units, coins, strict=True)
        if coin < threshold(rate) and tuple(row[i] for i in unit) in dictionary
    ]
    written = []
    for unit, word in zip(chosen, sample.words("translation", len(chosen)), strict=True):
        choices = dictionary[tuple(row[i] for i in unit)]
        written.append(choices[below(word, len(choices))])
    return rewritten(row, [(unit[0], len(unit)) for unit in chosen], written)
