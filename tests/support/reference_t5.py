"""Scalar references of docs/randomness-t5.md: plain Python, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from support.reference import Sample, below, exact, joined, span_places, threshold

Spans = list[list[int]]


def cut_lengths(drawn: list[int], budget: int, count: int) -> list[int]:
    """Divide ``budget`` into ``count`` pieces, cut at the positions that ``exact`` selects."""
    lengths = [1]
    for cut in exact(drawn[: budget - 1], count - 1):
        if cut:
            lengths.append(0)
        lengths[-1] += 1
    return lengths


def mean_spans(sample: Sample, rate: float, mean_length: float, units: Spans) -> Spans:
    """Return spans as lists of positions; ``units`` are the positions of each unit."""
    n = len(units)
    budget = sample.budget(rate, n)
    if n >= 2:
        budget = min(budget, n - 1)
    if budget == 0:
        return []
    count = min(max(1, round(budget / mean_length)), n - budget + 1)
    lengths = cut_lengths(sample.words("span cuts", budget - 1), budget, count)
    places = span_places(sample.stream("span places"), lengths, n - budget)
    return joined(list(zip(places, lengths, strict=True)), units)


def suffix(sample: Sample, rate: float, units: Spans) -> Spans:
    n = len(units)
    last = max(n - 1, 0)
    shortest = min(max(round((1.0 - 2.0 * rate) * last), 1), last)
    prefix = shortest + below(sample.words("suffix", 1)[0], max(n - shortest, 1))
    return joined([(prefix, n - prefix)], units) if rate > 0 else []


def fragment(sample: Sample, rate: float, edges: float, units: Spans) -> Spans:
    n = len(units)
    side, place = sample.words("fragment", 2)
    size = min(max(round(rate * n), 1), n)
    first = below(place, n - size + 1)
    if side < threshold(2 * edges):
        first = n - size
    if side < threshold(edges):
        first = 0
    return joined([(first, size)], units) if rate > 0 else []


def merged(spans: Spans) -> Spans:
    """Merge adjacent spans."""
    out: Spans = []
    for span in spans:
        if out and out[-1][-1] == span[0] - 1:
            out[-1] = out[-1] + span
        else:
            out.append(span)
    return out


def behind_sentinels(
    row: list[int], spans: Spans, sentinels: list[int], final: bool, eos: int | None
) -> tuple[list[int], list[int]]:
    """Return inputs and targets of a row whose spans become sentinels."""
    inputs, targets = list(row), []
    for number, span in reversed(list(enumerate(merged(spans)))):
        inputs[span[0] : span[-1] + 1] = [sentinels[number]]
        targets = [sentinels[number], *row[span[0] : span[-1] + 1], *targets]
    targets += [sentinels[len(merged(spans))]] if final else []
    return inputs, targets + ([] if eos is None else [eos])


@dataclass(frozen=True)
class Text:
    """A codec and the ids that are not allowed, for cuts between characters."""

    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    special: frozenset[int]

    def cut(self, ids: list[int], words: list[int], joint: bool) -> list[list[int]] | None:
        text = self.decode(ids)
        a, b = sorted(below(word, len(text) + 1) for word in words)
        texts = [text[:a], text[a:b], text[b:]]
        parts = [self.encode(part) if part else [] for part in texts]
        if "\ufffd" in text or sum(map(len, parts)) > len(ids) + 16:
            return None
        if any(token in self.special for part in parts for token in part):
            return None
        if [self.decode(part) for part in parts] != texts:
            return None
        new = [token for part in parts for token in part]
        if self.decode(new) != text or self.decode(ids + new + ids) != self.decode(ids * 3):
            return None
        if joint and self.decode(parts[0] + parts[1]) != text[:b]:
            return None
        return parts


def fim(
    sample: Sample,
    row: list[int],
    free: list[int],
    rate: float,
    spm: float,
    marks: tuple[int, int, int],
    text: Text | None = None,
) -> list[int]:
    """Return the row, rearranged or not; ``free`` are its maskable positions."""
    moved, order, *words = sample.words("fim", 4)
    if not free or moved >= threshold(rate):
        return row
    joint = order < threshold(spm)
    first, end = free[0], free[-1] + 1
    places = [first, *(position + 1 for position in free)]
    a, b = sorted(places[below(word, len(free) + 1)] for word in words)
    parts: list[list[int]] | None = None
    if text is not None and len(free) == end - first:
        parts = text.cut(row[first:end], words, joint)
    before, middle, after = parts or (row[first:a], row[a:b], row[b:end])
    prefix_mark, middle_mark, suffix_mark = marks
    if joint:
        parts = [[prefix_mark, suffix_mark], after, [middle_mark], before, middle]
    else:
        parts = [[prefix_mark], before, [suffix_mark], after, [middle_mark], middle]
    return [*row[:first], *chain(*parts), *row[end:]]
